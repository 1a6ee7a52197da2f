//! The bootstrap stack: valid, as narrow as it says, and the same as the copy that people read.

use std::path::Path;

use formwork_assembly::CloudAssembly;
use formwork_assembly::diagnostic::Severity;
use formwork_schema::{Options, validate_template};
use serde_json::{Value, json};

use super::*;
use crate::assets::GREATEST_INLINE_BYTES;

fn needs(types: &[&str]) -> Needs {
    let mut needs = Needs::default();
    for name in types {
        needs.add_template(&json!({ "Resources": { "One": { "Type": name } } }));
    }
    needs
}

/// What the stacks of the seed's main job are made of.
const TYPES: [&str; 30] = [
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::CertificateManager::Certificate",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Route53::RecordSet",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::MlflowApp",
    "AWS::SageMaker::MlflowTrackingServer",
    "AWS::SecretsManager::Secret",
    "Custom::MlflowApp",
];

fn options(execution: Execution) -> BootstrapOptions {
    BootstrapOptions::new("123456789012", "eu-central-1", "sagemaker-infra", execution)
}

fn derived() -> BootstrapOptions {
    options(Execution::Derived(needs(&TYPES)))
}

fn with_everything() -> BootstrapOptions {
    BootstrapOptions {
        qualifier: "team2".to_owned(),
        trusted_accounts: vec!["210987654321".to_owned()],
        permissions_boundary: Some("arn:aws:iam::123456789012:policy/limit".to_owned()),
        key: BucketKey::New,
        ..options(Execution::Policies(vec!["arn:aws:iam::aws:policy/PowerUserAccess".to_owned()]))
    }
}

/// Our own validator has nothing against the templates of any option.
#[test]
fn templates_are_valid() {
    for options in [derived(), with_everything(), BootstrapOptions { key: BucketKey::New, ..derived() }] {
        let template = template(&options).expect("a template");
        let text = json::to_text(&template);
        let place = Options { region: Some("eu-central-1"), size_bytes: Some(text.len()) };
        let findings = validate_template(&template, &place);
        let bad: Vec<_> = findings.iter().filter(|it| it.severity != Severity::Note).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        assert!(text.len() <= GREATEST_INLINE_BYTES, "{}", text.len());
    }
}

/// The template for the stacks of the main job lies beside this file for people to read.
#[test]
fn the_copy_for_people_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bootstrap/template.json");
    let text = json::to_text(&template(&derived()).expect("a template"));
    if std::env::var_os("FORMWORK_BLESS").is_some() {
        std::fs::write(&path, &text).expect("a writable file");
    }
    let copy = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(copy == text, "{} is not what is generated; run the tests with FORMWORK_BLESS=1", path.display());
}

/// What is written is an assembly that plan and apply take.
#[test]
fn the_assembly_has_one_protected_stack() {
    let directory = tempfile::tempdir().expect("a directory");
    assembly(&derived()).expect("an assembly").write(directory.path()).expect("written");
    let assembly = CloudAssembly::open(directory.path()).expect("an assembly");
    let stacks = assembly.stacks().expect("stacks");
    assert_eq!(stacks.len(), 1);
    assert_eq!(stacks[0].stack_name(), "formwork-bootstrap");
    assert_eq!(stacks[0].environment, "aws://123456789012/eu-central-1");
    assert_eq!(stacks[0].properties.termination_protection, Some(true));
    assert!(assembly.template(&stacks[0]).expect("a template")["Resources"]["AssetBucket"].is_object());
}

#[test]
fn options_that_cannot_be_used_are_refused() {
    let wrong = [
        BootstrapOptions { account: "1234".to_owned(), ..derived() },
        BootstrapOptions { region: String::new(), ..derived() },
        BootstrapOptions { qualifier: "far-too-long-for-that".to_owned(), ..derived() },
        BootstrapOptions { prefix: "a*".to_owned(), ..derived() },
        BootstrapOptions { trusted_accounts: vec!["*".to_owned()], ..derived() },
    ];
    for options in wrong {
        assert_eq!(assembly(&options).expect_err("refused").class, Class::Usage, "{options:?}");
    }
}

fn statements(template: &Value, role: &str) -> Vec<Value> {
    let policies =
        template["Resources"][role]["Properties"]["Policies"].as_array().cloned().unwrap_or_default();
    policies
        .iter()
        .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().cloned().unwrap_or_default())
        .collect()
}

fn actions(statement: &Value) -> Vec<&str> {
    match &statement["Action"] {
        Value::String(action) => vec![action],
        Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn may(template: &Value, role: &str, action: &str) -> bool {
    statements(template, role).iter().any(|statement| actions(statement).contains(&action))
}

/// Two people: whoever plans cannot execute, and none of both can put assets.
#[test]
fn roles_may_each_do_one_thing() {
    let template = template(&derived()).expect("a template");
    assert!(may(&template, "PlanRole", "cloudformation:CreateChangeSet"));
    for action in ["cloudformation:ExecuteChangeSet", "cloudformation:DeleteStack", "s3:PutObject"] {
        assert!(!may(&template, "PlanRole", action), "{action}");
    }
    assert!(may(&template, "ApplyRole", "cloudformation:ExecuteChangeSet"));
    assert!(!may(&template, "ApplyRole", "s3:PutObject"));
    assert!(may(&template, "PublishRole", "s3:PutObject"));
    assert!(!may(&template, "PublishRole", "s3:DeleteObject"));
    assert!(!may(&template, "PublishRole", "cloudformation:CreateChangeSet"));
}

/// Change sets are ours, go to stacks of the prefix, act with the execution role and read templates from our bucket.
#[test]
fn change_sets_are_limited_by_conditions() {
    let template = template(&derived()).expect("a template");
    for role in ["PlanRole", "ApplyRole"] {
        let statements = statements(&template, role);
        let create = statements
            .iter()
            .find(|it| actions(it).contains(&"cloudformation:CreateChangeSet"))
            .expect("the statement");
        let condition = &create["Condition"];
        assert_eq!(condition["StringLike"]["cloudformation:ChangeSetName"][0], "fw-*");
        assert_eq!(
            condition["StringEquals"]["cloudformation:RoleArn"],
            json!({ "Fn::GetAtt": ["ExecutionRole", "Arn"] })
        );
        assert_eq!(
            condition["StringLikeIfExists"]["cloudformation:TemplateUrl"],
            json!({ "Fn::Sub": "https://s3.${AWS::Region}.${AWS::URLSuffix}/${AssetBucket}/*" })
        );
        let resource = create["Resource"]["Fn::Sub"].as_str().expect("an ARN");
        assert!(resource.ends_with(":stack/sagemaker-infra*"), "{resource}");
    }
}

/// Fault 58: no role reaches a bucket of another account, whatever its name is.
#[test]
fn buckets_of_others_are_out_of_reach() {
    let template = template(&derived()).expect("a template");
    let mut seen = 0;
    for role in ["PlanRole", "ApplyRole", "PublishRole", "ExecutionRole"] {
        for statement in statements(&template, role) {
            if actions(&statement).iter().any(|action| action.starts_with("s3:")) {
                let account = &statement["Condition"]["StringEquals"]["aws:ResourceAccount"];
                assert_eq!(account, &json!({ "Ref": "AWS::AccountId" }), "{statement}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}

/// Nobody who acts for others on their request gets in: such a call has an external id.
#[test]
fn trust_refuses_external_ids() {
    let template = template(&with_everything()).expect("a template");
    for role in ["PlanRole", "ApplyRole", "PublishRole"] {
        let trust = &template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(trust["Condition"], json!({ "Null": { "sts:ExternalId": "true" } }));
        let trusted = trust["Principal"]["AWS"].as_array().expect("principals");
        assert_eq!(trusted[1], json!({ "Fn::Sub": "arn:${AWS::Partition}:iam::210987654321:root" }));
    }
}

/// A boundary limits our roles and every role that the execution role makes.
#[test]
fn boundary_limits_roles_and_what_they_make() {
    let options = BootstrapOptions {
        permissions_boundary: Some("arn:aws:iam::1:policy/limit".to_owned()),
        ..derived()
    };
    let template = template(&options).expect("a template");
    let roles: Vec<_> = template["Resources"].as_object().expect("resources").values().collect();
    let roles: Vec<_> = roles.into_iter().filter(|it| it["Type"] == "AWS::IAM::Role").collect();
    assert_eq!(roles.len(), 4);
    for role in roles {
        assert_eq!(role["Properties"]["PermissionsBoundary"], "arn:aws:iam::1:policy/limit");
    }
    let text = json::to_compact_text(&template);
    assert!(text.contains(r#""StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::1:policy/limit"}"#));
}

/// Derived policies fit into managed policies, allow what the handlers name, and nothing on everything that names people.
#[test]
fn derived_policies_are_narrow_and_fit() {
    let template = template(&derived()).expect("a template");
    let policies: Vec<_> = template["Resources"]
        .as_object()
        .expect("resources")
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::IAM::ManagedPolicy")
        .map(|(_, resource)| resource["Properties"]["PolicyDocument"].clone())
        .collect();
    assert!((2..=10).contains(&policies.len()), "{}", policies.len());
    let mut all = Vec::new();
    for policy in &policies {
        assert!(json::to_compact_text(policy).len() <= 6144);
        let statements = policy["Statement"].as_array().expect("statements");
        let mut names: Vec<_> = statements.iter().map(|it| it["Sid"].to_string()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), statements.len(), "names are unique in a policy");
        all.extend(statements.clone());
    }
    let of = |action: &str| all.iter().filter(|it| actions(it).contains(&action)).collect::<Vec<_>>();
    assert_eq!(of("sagemaker:CreateMlflowApp").len(), 1);
    assert_eq!(of("lambda:InvokeFunction").len(), 1);
    let pass = of("iam:PassRole");
    assert!(pass[0]["Resource"]["Fn::Sub"].as_str().expect("an ARN").ends_with("role/sagemaker-infra*"));
    let text = serde_json::to_string(&all).expect("JSON");
    for never in ["iam:*", "iam:CreateUser", "UserPolicy", "REST.PUT", "\"*:*\""] {
        assert!(!text.contains(never), "{never}");
    }
    let regional = of("ec2:CreateVpc");
    assert_eq!(
        regional[0]["Condition"]["StringEquals"]["aws:RequestedRegion"],
        json!({ "Ref": "AWS::Region" })
    );
    assert!(of("route53:ChangeResourceRecordSets")[0].get("Condition").is_none());
}

/// The bucket is what the fact file asks for: no name of ours, versions, TLS, no public, broken uploads go.
#[test]
fn bucket_is_kept_and_closed() {
    let template = template(&derived()).expect("a template");
    let bucket = &template["Resources"]["AssetBucket"];
    assert!(bucket["Properties"].get("BucketName").is_none());
    assert_eq!(bucket["DeletionPolicy"], "Retain");
    let rules = &bucket["Properties"]["LifecycleConfiguration"]["Rules"];
    assert_eq!(rules[0]["NoncurrentVersionExpiration"]["NoncurrentDays"], 30);
    assert_eq!(rules[1]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"], 1);
    let policy = &template["Resources"]["AssetBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(policy[0]["Condition"]["Bool"]["aws:SecureTransport"], "false");
    let parameter = &template["Resources"]["BucketParameter"]["Properties"];
    assert_eq!(parameter["Name"], "/formwork/bootstrap/formwork/bucket");
}

fn shown(mode: DeployerMode) -> Value {
    show_policy(&PolicyOptions {
        account: "123456789012".to_owned(),
        region: "eu-central-1".to_owned(),
        partition: "aws".to_owned(),
        qualifier: "formwork".to_owned(),
        prefix: "sagemaker-infra".to_owned(),
        mode,
    })
}

#[test]
fn deployer_with_roles_needs_to_take_them_on() {
    let policy = shown(DeployerMode::Roles);
    let resources = policy["Statement"][0]["Resource"].as_array().expect("roles");
    assert_eq!(resources[1], "arn:aws:iam::123456789012:role/formwork-formwork-plan-eu-central-1");
}

/// Without a bootstrap stack the caller needs everything; what is shown can be pasted into IAM.
#[test]
fn deployer_with_own_rights_needs_everything() {
    let mode = DeployerMode::OwnRights { bucket: Some("mine".to_owned()), needs: needs(&TYPES) };
    let text = json::to_compact_text(&shown(mode));
    for function in ["Fn::", "\"Ref\"", "${"] {
        assert!(!text.contains(function), "{function}");
    }
    for part in [
        "arn:aws:s3:::mine/*",
        "cloudformation:ExecuteChangeSet",
        "sagemaker:CreateDomain",
        "arn:aws:cloudformation:eu-central-1:123456789012:stack/sagemaker-infra*",
        "https://s3.eu-central-1.amazonaws.com/mine/*",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

/// A type whose provider says nothing has all of its service allowed, and is named.
#[test]
fn types_that_say_nothing_are_named() {
    let needs = needs(&["AWS::Unheard::Of", "AWS::CloudFormation::WaitCondition", "Custom::Thing"]);
    assert_eq!(needs.unknown.iter().map(String::as_str).collect::<Vec<_>>(), ["AWS::Unheard::Of"]);
    let statements = needs.statements("p", None);
    assert!(statements.iter().any(|it| it.actions.contains(&"unheard:*".to_owned())));
}

mod environment;
