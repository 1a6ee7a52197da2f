//! What other services hold keeps a stack from being deleted.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::cloudformation::{Resource, Surroundings as _};

fn context() -> Context {
    Context {
        now: Timestamp::UNIX_EPOCH,
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        caller: "arn:aws:iam::123456789012:user/simulated".to_owned(),
        partition: "aws".to_owned(),
    }
}

fn services(script: &str) -> Services {
    let options = SimulatorOptions { script: script.parse().unwrap(), ..SimulatorOptions::default() };
    let mut services = Services::new(&options);
    services.prepare(&options.script);
    services
}

fn resource<'r>(resource_type: &'r str, physical_id: &'r str, properties: &'r Value) -> Resource<'r> {
    Resource { account: "123456789012", region: "us-east-1", resource_type, physical_id, properties }
}

fn ask(services: &mut Services, service: &str, operation: &str, input: Value) -> Result<Value, String> {
    services.json(&context(), service, operation, &input).map_err(|error| error.code)
}

#[test]
fn a_domain_stays_while_somebody_works_in_it() {
    let mut services = services("app space:team/JupyterLab/default\nspace team");
    let properties = json!({});
    let domain = resource("AWS::SageMaker::Domain", "d-1", &properties);
    services.create(&domain).unwrap();
    let apps = ask(&mut services, "sagemaker", "ListApps", json!({ "DomainIdEquals": "d-1" })).unwrap();
    assert_eq!(apps["Apps"][0]["SpaceName"], "team");
    assert!(services.delete(&domain).unwrap_err().contains("App(s)"));
    let app =
        json!({ "DomainId": "d-1", "SpaceName": "team", "AppType": "JupyterLab", "AppName": "default" });
    ask(&mut services, "sagemaker", "DeleteApp", app.clone()).unwrap();
    assert_eq!(
        ask(&mut services, "sagemaker", "DeleteApp", app),
        Err("ResourceNotFoundException".to_owned())
    );
    assert!(services.delete(&domain).unwrap_err().contains("Space(s)"));
    ask(&mut services, "sagemaker", "DeleteSpace", json!({ "SpaceName": "team" })).unwrap();
    services.delete(&domain).unwrap();
}

#[test]
fn profiles_of_stacks_and_of_people_are_listed() {
    let mut services = services("profile bob");
    let properties = json!({});
    services.create(&resource("AWS::SageMaker::Domain", "d-1", &properties)).unwrap();
    let profile = json!({ "DomainId": "d-1", "UserProfileName": "alice" });
    services.create(&resource("AWS::SageMaker::UserProfile", "alice|d-1", &profile)).unwrap();
    let listed = ask(&mut services, "sagemaker", "ListUserProfiles", json!({})).unwrap();
    let names: Vec<&str> = listed["UserProfiles"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["UserProfileName"].as_str())
        .collect();
    assert_eq!(names, ["bob", "alice"]);
}

#[test]
fn a_repository_stays_while_it_has_images() {
    let mut services = services("image apps one\nimage apps two");
    let properties = json!({});
    let repository = resource("AWS::ECR::Repository", "apps", &properties);
    services.create(&repository).unwrap();
    assert!(services.delete(&repository).unwrap_err().contains("still contains images"));
    let asked = json!({ "repositoryName": "apps", "imageIds": [{ "imageTag": "none" }] });
    assert_eq!(ask(&mut services, "ecr", "DescribeImages", asked), Err("ImageNotFoundException".to_owned()));
    let listed = ask(&mut services, "ecr", "ListImages", json!({ "repositoryName": "apps" })).unwrap();
    let gone = json!({ "repositoryName": "apps", "imageIds": listed["imageIds"] });
    assert_eq!(ask(&mut services, "ecr", "BatchDeleteImage", gone).unwrap()["imageIds"], listed["imageIds"]);
    services.delete(&repository).unwrap();
    let gone = ask(&mut services, "ecr", "ListImages", json!({ "repositoryName": "apps" }));
    assert_eq!(gone, Err("RepositoryNotFoundException".to_owned()));
}

#[test]
fn a_simulated_policy_denies_what_the_script_says() {
    let mut services = services("deny iam:PassRole");
    let parameters: BTreeMap<String, String> = [
        ("PolicySourceArn", "arn:aws:iam::123456789012:user/a"),
        ("ActionNames.member.1", "iam:PassRole"),
        ("ActionNames.member.2", "s3:GetObject"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let told =
        services.query(&context(), "iam", "SimulatePrincipalPolicy", &Parameters::new(parameters)).unwrap();
    let decisions: Vec<_> =
        told[0].children().iter().filter_map(|result| result.child_text("EvalDecision")).collect();
    assert_eq!(decisions, ["implicitDeny", "allowed"]);
}
