//! The execution role is what everything in a platform adds to: it has to stay below the quotas of IAM.

use formwork::{Json, KeyArn};

use super::super::{SageMakerDomain, SageMakerDomainProps};
use super::{all_of, app, network, stack};
use crate::managed_mlflow::{Access, ManagedMlflow, ManagedMlflowProps, MlflowType};
use crate::networking::{ExistingNetwork, Networking, NetworkingProps};

/// A document as long as IAM counts it: without white space, and with references as long as what they stand for.
fn characters(document: &Json) -> usize {
    /// The text, which comes with a map of values when one of them is an import.
    fn text_of(argument: &Json) -> &str {
        argument.as_str().unwrap_or_else(|| argument[0].as_str().unwrap())
    }
    fn resolved(value: &Json) -> Json {
        match value {
            Json::Object(fields) if fields.contains_key("Fn::Sub") => {
                let text = text_of(&fields["Fn::Sub"]).replace("${!", "$!{");
                let mut parts = text.split("${");
                let mut resolved = parts.next().unwrap().to_owned();
                for part in parts {
                    let (name, rest) = part.split_once('}').unwrap();
                    resolved += match name {
                        "AWS::Partition" => "aws-us-gov",
                        "AWS::Region" => "ap-southeast-2",
                        "AWS::AccountId" => "111122223333",
                        _ => "subnet-0a1b2c3d4e5f67890",
                    };
                    resolved += rest;
                }
                resolved.into()
            }
            Json::Object(fields)
                if fields.contains_key("Fn::GetAtt") || fields.contains_key("Fn::ImportValue") =>
            {
                "a".repeat(128).into()
            }
            Json::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), resolved(field))).collect()
            }
            Json::Array(items) => items.iter().map(resolved).collect(),
            other => other.clone(),
        }
    }
    resolved(document).to_string().len()
}

#[test]
fn the_policies_of_the_role_stay_below_the_quotas_of_iam() {
    let app = app();
    let networking = network(&app, NetworkingProps { zones: 4, ..NetworkingProps::default() });
    let domain =
        SageMakerDomain::new(stack(&app), "Domain", SageMakerDomainProps::new(&networking, "platform"));
    let role = domain.execution_role.unwrap();
    for mlflow_type in [MlflowType::Tracking, MlflowType::Serverless] {
        let scope = app.stack(mlflow_type.as_str());
        let mlflow = ManagedMlflow::new(scope, "Mlflow", ManagedMlflowProps::new(mlflow_type, "platform"));
        mlflow.grant_client(scope, "StudioPolicy", &role, Access::Admin, true);
    }
    let synthesis = app.synth().unwrap();
    let template = |stack: &str| synthesis.template(stack).unwrap();
    for policy in all_of(&template("domain"), "AWS::IAM::ManagedPolicy") {
        let length = characters(&policy["Properties"]["PolicyDocument"]);
        assert!((1_000..=6_144).contains(&length), "{length}");
    }
    let inline: usize = ["tracking", "serverless"]
        .into_iter()
        .map(|stack| {
            let template = template(stack);
            let policies = template["Resources"].as_object().unwrap().iter();
            let granted = policies.filter(|(id, _)| *id == "StudioPolicy");
            granted.map(|(_, policy)| characters(&policy["Properties"]["PolicyDocument"])).sum::<usize>()
        })
        .sum();
    assert!((2_000..=10_240).contains(&inline), "{inline}");
}

#[test]
fn the_most_subnets_and_a_key_still_fit() {
    let app = app();
    let existing = ExistingNetwork {
        vpc_id: "vpc-0a1b2c3d4e5f67890".to_owned(),
        subnet_ids: (0..16).map(|number| format!("subnet-0a1b2c3d4e5f678{number:0>2}")).collect(),
        ..ExistingNetwork::default()
    };
    let networking = Networking::existing(app.root(), "Networking", existing);
    let key = "arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-655443322110";
    let mut props = SageMakerDomainProps::new(&networking, "platform");
    props.key = Some(KeyArn::literal(key));
    SageMakerDomain::new(stack(&app), "Domain", props);
    let synthesis = app.synth().unwrap();
    let template = synthesis.template("domain").unwrap();
    let policies = all_of(&template, "AWS::IAM::ManagedPolicy");
    assert_eq!(policies.len(), 3);
    for policy in policies {
        let length = characters(&policy["Properties"]["PolicyDocument"]);
        assert!((1_000..=6_144).contains(&length), "{length}");
    }
}
