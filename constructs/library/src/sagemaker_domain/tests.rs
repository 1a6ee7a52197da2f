//! A Studio domain as it stands in templates.

mod quotas;

use formwork::{App, AppProps, Diagnostic, Environment, Json, KeyArn, Scope, Severity, Stack, StackProps};
use serde_json::json;

use super::{AuthMode, ExecutionPolicy, SageMakerDomain, SageMakerDomainProps, SpaceStorage};
use crate::networking::{EndpointPreset, ExistingNetwork, Networking, NetworkingProps};
use crate::storage::DataBucketProps;

fn app() -> App {
    let environment = Environment { account: None, region: Some("us-east-1".to_owned()) };
    App::new(AppProps { environment, ..AppProps::default() })
}

fn network(app: &App, props: NetworkingProps) -> Networking {
    Networking::new(Stack::define(app.root(), "networking", StackProps::default()), "Networking", props)
}

fn stack(app: &App) -> Scope<'_> {
    Stack::define(app.root(), "domain", StackProps::default())
}

/// The template of a domain that a change was made to.
fn template(change: impl FnOnce(&mut SageMakerDomainProps<'_>)) -> Json {
    let app = app();
    let networking = network(&app, NetworkingProps::default());
    let mut props = SageMakerDomainProps::new(&networking, "platform");
    change(&mut props);
    SageMakerDomain::new(stack(&app), "Domain", props);
    let synthesis = app.synth().unwrap();
    let serious: Vec<_> =
        synthesis.diagnostics.iter().filter(|found| found.severity > Severity::Note).collect();
    assert!(serious.is_empty(), "{serious:?}");
    synthesis.template("domain").unwrap()
}

fn findings(change: impl FnOnce(&mut SageMakerDomainProps<'_>)) -> Vec<Diagnostic> {
    let app = app();
    let networking = network(&app, NetworkingProps::default());
    let mut props = SageMakerDomainProps::new(&networking, "platform");
    change(&mut props);
    SageMakerDomain::new(stack(&app), "Domain", props);
    match app.synth() {
        Ok(synthesis) => synthesis.diagnostics,
        Err(error) => error.diagnostics,
    }
}

fn errors(found: &[Diagnostic]) -> usize {
    found.iter().filter(|found| found.severity == Severity::Error).count()
}

fn all_of<'a>(template: &'a Json, type_name: &str) -> Vec<&'a Json> {
    let resources = template["Resources"].as_object().unwrap();
    resources.values().filter(|resource| resource["Type"] == type_name).collect()
}

fn only<'a>(template: &'a Json, type_name: &str) -> &'a Json {
    let all = all_of(template, type_name);
    assert_eq!(all.len(), 1, "{type_name}");
    all[0]
}

fn all_statements(template: &Json) -> Vec<&Json> {
    let policies = all_of(template, "AWS::IAM::ManagedPolicy").into_iter();
    policies
        .flat_map(|policy| policy["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap())
        .collect()
}

#[test]
fn a_domain_runs_in_private_subnets_and_leaves_no_file_system_behind() {
    let template = template(|_| {});
    let domain = &only(&template, "AWS::SageMaker::Domain")["Properties"];
    assert_eq!(domain["AuthMode"], "IAM");
    assert_eq!(domain["AppNetworkAccessType"], "VpcOnly");
    assert_eq!(domain["HomeEfsFileSystemCreation"], "Disabled");
    assert_eq!(domain["TagPropagation"], "ENABLED");
    assert_eq!(domain["DomainName"], "platform");
    assert_eq!(domain["SubnetIds"].as_array().unwrap().len(), 2);
    for subnet in domain["SubnetIds"].as_array().unwrap() {
        assert!(subnet["Fn::ImportValue"].as_str().unwrap().contains("Private"), "{subnet}");
    }
    let users = &domain["DefaultUserSettings"];
    assert_eq!(users["SecurityGroups"].as_array().unwrap().len(), 1);
    assert_eq!(users["StudioWebPortal"], "ENABLED");
    let idle = json!({"IdleSettings": {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": 60}});
    assert_eq!(users["JupyterLabAppSettings"]["AppLifecycleManagement"], idle);
    assert_eq!(users["CodeEditorAppSettings"]["AppLifecycleManagement"], idle);
    assert_eq!(domain["DefaultSpaceSettings"]["JupyterLabAppSettings"]["AppLifecycleManagement"], idle);
    assert_eq!(
        users["SpaceStorageSettings"]["DefaultEbsStorageSettings"],
        json!({"DefaultEbsVolumeSizeInGb": 5, "MaximumEbsVolumeSizeInGb": 100})
    );
}

#[test]
fn there_is_a_default_user_and_both_policies_are_decided() {
    let template = template(|_| {});
    let user = only(&template, "AWS::SageMaker::UserProfile");
    assert_eq!(user["Properties"]["UserProfileName"], "default-user");
    for resource in [user, only(&template, "AWS::SageMaker::Domain")] {
        assert_eq!(resource["DeletionPolicy"], "Delete");
        assert_eq!(resource["UpdateReplacePolicy"], "Delete");
    }
}

#[test]
fn users_of_identity_center_are_named_as_they_sign_in() {
    let template = template(|props| {
        props.auth_mode = AuthMode::Sso;
        props.user_profiles = Some(vec!["ann@example.com".to_owned()]);
    });
    assert_eq!(only(&template, "AWS::SageMaker::Domain")["Properties"]["AuthMode"], "SSO");
    let user = &only(&template, "AWS::SageMaker::UserProfile")["Properties"];
    assert_eq!(user["UserProfileName"], "ann-example-com");
    assert_eq!(user["SingleSignOnUserIdentifier"], "UserName");
    assert_eq!(user["SingleSignOnUserValue"], "ann@example.com");
    let without_list = self::template(|props| props.auth_mode = AuthMode::Sso);
    assert!(all_of(&without_list, "AWS::SageMaker::UserProfile").is_empty());
}

#[test]
fn the_execution_role_is_scoped_unless_it_is_asked_for_more() {
    let scoped = template(|_| {});
    let role = &only(&scoped, "AWS::IAM::Role")["Properties"];
    assert!(role.get("ManagedPolicyArns").is_none());
    assert_eq!(
        role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"],
        json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})
    );
    let managed = template(|props| props.execution_policy = ExecutionPolicy::Managed);
    assert_eq!(
        only(&managed, "AWS::IAM::Role")["Properties"]["ManagedPolicyArns"],
        json!([{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonSageMakerFullAccess"}])
    );
}

#[test]
fn only_actions_without_a_resource_are_allowed_on_all() {
    let template = template(|_| {});
    for statement in all_statements(&template) {
        let actions: Vec<&str> = match &statement["Action"] {
            Json::Array(actions) => actions.iter().map(|action| action.as_str().unwrap()).collect(),
            action => vec![action.as_str().unwrap()],
        };
        assert!(actions.iter().all(|action| !action.contains('*')), "{actions:?}");
        if statement["Resource"] == "*" {
            let has_no_resource = |action: &&str| {
                let name = action.split(':').nth(1).unwrap();
                ["Describe", "List", "Search", "GetAuthorizationToken", "PutMetricData"]
                    .iter()
                    .any(|start| name.starts_with(start))
            };
            assert!(actions.iter().all(has_no_resource), "{actions:?}");
        }
    }
}

#[test]
fn users_open_change_and_run_only_what_is_their_own() {
    let template = template(|_| {});
    let statements = all_statements(&template);
    let statement = |sid: &str| *statements.iter().find(|statement| statement["Sid"] == sid).unwrap();
    let own_profile = statement("OpenOwnProfile")["Resource"]["Fn::Sub"].as_str().unwrap();
    assert!(own_profile.ends_with("/${!sagemaker:UserProfileName}"), "{own_profile}");
    for sid in ["OwnSpaces", "AppsOfOwnSpaces"] {
        let owner = &statement(sid)["Condition"]["ArnLike"]["sagemaker:OwnerUserProfileArn"];
        assert_eq!(owner["Fn::Sub"], own_profile);
    }
    let pass = statement("PassItselfToJobs");
    assert_eq!(pass["Condition"]["StringEquals"]["iam:PassedToService"], "sagemaker.amazonaws.com");
    assert!(pass["Resource"]["Fn::GetAtt"].is_array(), "{pass}");
}

#[test]
fn apps_reach_each_other_and_https_by_rules_of_their_own() {
    let template = template(|_| {});
    let group = &only(&template, "AWS::EC2::SecurityGroup")["Properties"];
    assert!(group.get("SecurityGroupIngress").is_none());
    let ports = |type_name: &str| {
        let mut ports: Vec<(i64, i64)> = all_of(&template, type_name)
            .iter()
            .map(|rule| &rule["Properties"])
            .map(|rule| (rule["FromPort"].as_i64().unwrap(), rule["ToPort"].as_i64().unwrap()))
            .collect();
        ports.sort_unstable();
        ports
    };
    assert_eq!(ports("AWS::EC2::SecurityGroupIngress"), [(2049, 2049), (8192, 65535)]);
    assert_eq!(ports("AWS::EC2::SecurityGroupEgress"), [(443, 443), (2049, 2049), (8192, 65535)]);
    for rule in all_of(&template, "AWS::EC2::SecurityGroupIngress") {
        assert!(rule["Properties"].get("CidrIp").is_none());
    }
}

#[test]
fn the_template_is_the_same_whether_or_not_others_use_the_domain() {
    let grow = |used: bool| {
        let app = app();
        let networking = network(&app, NetworkingProps::default());
        let props = SageMakerDomainProps::new(&networking, "platform");
        let domain = SageMakerDomain::new(stack(&app), "Domain", props);
        if used {
            let other = app.stack("other");
            let role = domain.execution_role.unwrap();
            role.grant(other, "More", [crate::iam::Statement::allow(["sqs:SendMessage"]).on(&role.arn)]);
            for (id, value) in [
                ("Id", domain.domain_id.retype::<String>()),
                ("Group", domain.security_group.unwrap().retype()),
                ("Bucket", domain.bucket.unwrap().arn.retype()),
            ] {
                formwork::Output::new(value).define(other, id);
            }
        }
        app.synth().unwrap().template("domain").unwrap()
    };
    assert_eq!(grow(false), grow(true));
}

#[test]
fn outputs_name_what_operators_look_for() {
    let template = template(|_| {});
    let outputs = template["Outputs"].as_object().unwrap();
    for name in ["DomainId", "DomainArn", "DomainUrl", "ExecutionRoleArn", "BucketName"] {
        assert!(outputs.contains_key(name), "{name}");
    }
}

#[test]
fn a_key_encrypts_bucket_and_domain() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-655443322110";
    let template = template(|props| props.key = Some(KeyArn::literal(key)));
    assert_eq!(only(&template, "AWS::SageMaker::Domain")["Properties"]["KmsKeyId"], key);
    let encryption = &only(&template, "AWS::S3::Bucket")["Properties"]["BucketEncryption"];
    assert!(encryption.to_string().contains(key));
    let text = serde_json::to_string(&all_statements(&template)).unwrap();
    assert!(text.contains("kms:GenerateDataKey"));
}

#[test]
fn what_is_said_about_the_bucket_is_in_it_with_the_key_of_the_domain() {
    let key =
        |digit| format!("arn:aws:kms:us-east-1:111122223333:key/0f9e8d7c-6b5a-4958-8776-65544332211{digit}");
    for (own_key, wanted) in [(None, key(0)), (Some(KeyArn::literal(key(1))), key(1))] {
        let template = template(|props| {
            props.key = Some(KeyArn::literal(key(0)));
            props.bucket = DataBucketProps {
                key: own_key,
                intelligent_tiering_after_days: Some(60),
                ..DataBucketProps::default()
            };
        });
        let bucket = &only(&template, "AWS::S3::Bucket")["Properties"];
        assert!(bucket["BucketEncryption"].to_string().contains(&wanted), "{bucket}");
        let rule = &bucket["LifecycleConfiguration"]["Rules"][0];
        assert_eq!(rule["Transitions"][0]["TransitionInDays"], 60);
        assert_eq!(only(&template, "AWS::SageMaker::Domain")["Properties"]["KmsKeyId"], key(0).as_str());
    }
}

#[test]
fn mistakes_are_told_before_the_service_is_asked() {
    type Change = fn(&mut SageMakerDomainProps<'_>);
    let users = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let cases: [(&str, Change); 5] = [
        ("domain-name", |props| props.name = "platform_1".to_owned()),
        ("domain-name", |props| props.name = "a".repeat(64)),
        ("domain-idle", |props| props.idle_shutdown_minutes = Some(59)),
        ("domain-storage", |props| props.space_storage = SpaceStorage { default_gib: 10, maximum_gib: 5 }),
        ("domain-storage", |props| props.space_storage = SpaceStorage { default_gib: 4, maximum_gib: 5 }),
    ];
    for (rule, change) in cases {
        let found = findings(change);
        assert!(found.iter().any(|found| found.rule == rule && found.hint.is_some()), "{rule}: {found:?}");
        assert_eq!(errors(&found), 1, "{found:?}");
    }
    for names in [["ann smith"].as_slice(), &["ann", "ann"], &["-ann"]] {
        let found = findings(|props| props.user_profiles = users(names));
        assert!(found.iter().any(|found| found.rule == "domain-user"), "{found:?}");
        assert_eq!(errors(&found), 1, "{found:?}");
    }
}

#[test]
fn a_home_file_system_is_made_with_a_word_about_what_it_leaves() {
    let found = findings(|props| props.home_file_system = true);
    assert!(found.iter().any(|found| found.rule == "domain-home-file-system"), "{found:?}");
    let template = template(|props| props.home_file_system = true);
    assert_eq!(
        only(&template, "AWS::SageMaker::Domain")["Properties"]["HomeEfsFileSystemCreation"],
        "Enabled"
    );
}

#[test]
fn studio_without_nat_needs_the_endpoints_of_studio() {
    let synth = |endpoints| {
        let app = app();
        let networking =
            network(&app, NetworkingProps { nat_gateways: 0, endpoints, ..NetworkingProps::default() });
        SageMakerDomain::new(stack(&app), "Domain", SageMakerDomainProps::new(&networking, "platform"));
        app.synth()
    };
    let error = synth(EndpointPreset::Minimal).expect_err("Studio is not reached");
    let found = error.diagnostics.iter().find(|found| found.rule == "unreachable-service").unwrap();
    assert!(found.message.starts_with("SageMaker Studio cannot reach"), "{}", found.message);
    assert!(synth(EndpointPreset::Studio).is_ok());
}

#[test]
fn an_existing_network_and_an_existing_domain_are_taken_in() {
    let app = app();
    let networking = Networking::existing(
        app.stack("networking"),
        "Networking",
        ExistingNetwork {
            vpc_id: "vpc-0a1b2c3d4e5f67890".to_owned(),
            subnet_ids: vec!["subnet-0a1b2c3d4e5f67890".to_owned(), "subnet-0a1b2c3d4e5f67891".to_owned()],
            ..ExistingNetwork::default()
        },
    );
    let made = stack(&app);
    SageMakerDomain::new(made, "Domain", SageMakerDomainProps::new(&networking, "platform"));
    let taken = SageMakerDomain::existing(made, "Other", "d-abcdefghijkl", Some("service-role/Studio"));
    let role = taken.execution_role.unwrap();
    assert_eq!(role.name.as_literal(), Some(json!("Studio")));
    let by_arn = SageMakerDomain::existing(
        made,
        "Third",
        "d-abcdefghijkl",
        Some("arn:aws:iam::111122223333:role/service-role/Studio"),
    );
    assert_eq!(by_arn.execution_role.unwrap().name.as_literal(), Some(json!("Studio")));
    assert!(SageMakerDomain::existing(made, "Fourth", "d-abcdefghijkl", None).execution_role.is_none());
    SageMakerDomain::existing(made, "Wrong", "D-1", None);
    let error = app.synth().expect_err("an id is wrong");
    let rules: Vec<&str> = error
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| found.rule.as_str())
        .collect();
    assert!(rules.contains(&"domain-id"), "{rules:?}");
    assert_eq!(rules.iter().filter(|rule| rule.starts_with("domain-")).count(), 1, "{rules:?}");
}
