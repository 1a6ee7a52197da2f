//! A server as its stack's template shows it. Each test of the first part is about a fault of the recipe that this replaces:
//! MLflow on ECS by Terraform, whose rows E1 to E19 docs/mlflow-server.md has.

mod mistakes;
mod sign_in;

use formwork::{App, AppProps, CertificateArn, Json, Severity, SynthesisError};
use serde_json::json;

use super::{ArtifactAccess, MlflowServer, MlflowServerProps, ServerAuthentication};
use crate::load_balancer::LoadBalancerProps;
use crate::networking::{Networking, NetworkingProps};
use crate::testing::{named, of_type, one};

const CERTIFICATE: &str =
    "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";

fn synth(
    change: impl for<'a> Fn(MlflowServerProps<'a>) -> MlflowServerProps<'a>,
) -> Result<Json, SynthesisError> {
    let app = App::new(AppProps::default());
    let networking = Networking::new(app.stack("networking"), "Networking", NetworkingProps::default());
    let stack = app.stack("server");
    MlflowServer::new(stack, "Server", &change(MlflowServerProps::new(&networking)));
    let synthesis = app.synth()?;
    let warnings = synthesis.diagnostics.iter().filter(|found| found.severity >= Severity::Warning);
    let warnings: Vec<String> = warnings.map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{}", warnings.join("\n"));
    Ok(synthesis.template("server").expect("the stack"))
}

fn template(change: impl for<'a> Fn(MlflowServerProps<'a>) -> MlflowServerProps<'a>) -> Json {
    synth(change).unwrap_or_else(|error| {
        let shown: Vec<String> = error.diagnostics.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n\n"));
    })
}

fn rules(change: impl for<'a> Fn(MlflowServerProps<'a>) -> MlflowServerProps<'a>) -> Vec<String> {
    let error = synth(change).expect_err("it is refused");
    let errors = error.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| found.rule.clone()).collect()
}

/// The container definition of a name.
fn container<'t>(template: &'t Json, name: &str) -> &'t Json {
    let containers = &one(template, "AWS::ECS::TaskDefinition")["Properties"]["ContainerDefinitions"];
    let found = containers.as_array().expect("containers").iter().find(|it| it["Name"] == name);
    found.unwrap_or_else(|| panic!("no container {name}"))
}

fn variable<'t>(template: &'t Json, name: &str) -> &'t Json {
    let all = container(template, "main")["Environment"].as_array().expect("variables");
    &all.iter().find(|it| it["Name"] == name).unwrap_or_else(|| panic!("no {name}"))["Value"]
}

/// E3.
#[test]
fn the_bucket_is_private_encrypted_versioned_and_kept() {
    let template = template(|props| props);
    let bucket = one(&template, "AWS::S3::Bucket");
    assert_eq!(bucket["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicPolicy"], true);
    assert_eq!(bucket["Properties"]["VersioningConfiguration"]["Status"], "Enabled");
    assert!(bucket["Properties"]["BucketEncryption"].is_object());
    assert_eq!(bucket["DeletionPolicy"], "Retain");
    assert!(one(&template, "AWS::S3::BucketPolicy").to_string().contains("aws:SecureTransport"));
}

/// E4, E15.
#[test]
fn the_program_has_a_role_of_its_own_for_one_bucket_and_there_is_no_user() {
    let template = template(|props| props);
    for kind in ["AWS::IAM::User", "AWS::IAM::AccessKey", "AWS::IAM::ManagedPolicy"] {
        assert!(of_type(&template, kind).is_empty(), "{kind}");
    }
    assert!(!template.to_string().contains("ManagedPolicyArns"));
    let task = &one(&template, "AWS::ECS::TaskDefinition")["Properties"];
    assert_ne!(task["TaskRoleArn"], task["ExecutionRoleArn"]);
    let policy = &named(&template, "ServerArtifactPolicy")["Properties"];
    assert!(policy["Roles"].to_string().contains("ServerServiceTaskRole"));
    for statement in policy["PolicyDocument"]["Statement"].as_array().expect("statements") {
        assert!(statement["Resource"].to_string().contains("ServerArtifactsBucket"), "{statement}");
    }
    let group = named(&template, "ServerServiceLogs");
    assert_eq!(group["Properties"]["RetentionInDays"], 30);
    assert!(!template.to_string().contains("awslogs-create-group"));
}

/// E5.
#[test]
fn the_image_is_one_version() {
    let template = template(|props| props);
    for name in ["main", "prepare"] {
        assert_eq!(container(&template, name)["Image"], "ghcr.io/mlflow/mlflow:v3.17.2-full");
    }
}

/// E6, E8, E10.
#[test]
fn the_database_is_private_encrypted_current_and_kept() {
    let template = template(|props| props);
    let instance = one(&template, "AWS::RDS::DBInstance");
    let database = &instance["Properties"];
    assert_eq!(database["PubliclyAccessible"], false);
    assert_eq!(database["StorageEncrypted"], true);
    assert_eq!(database["DeletionProtection"], true);
    assert_eq!(database["BackupRetentionPeriod"], 7);
    assert_eq!(database["StorageType"], "gp3");
    assert_eq!(instance["DeletionPolicy"], "Snapshot");
    assert!(database["EngineVersion"].as_str().is_some_and(|version| version.starts_with("17.")));
    let subnets = one(&template, "AWS::RDS::DBSubnetGroup").to_string();
    assert!(subnets.contains("Isolated") && !subnets.contains("Public"), "{subnets}");
    assert!(one(&template, "AWS::RDS::DBParameterGroup").to_string().contains("rds.force_ssl"));
}

/// E9.
#[test]
fn each_door_has_one_port_and_is_open_to_the_one_before_it() {
    let template = template(|props| props);
    let port = |start: &str| {
        let rule = &named(&template, start)["Properties"];
        assert_eq!(rule["FromPort"], rule["ToPort"], "{start}");
        rule["FromPort"].as_u64()
    };
    assert_eq!(port("ServerBalancerToTasksIn"), Some(5_000));
    assert_eq!(port("ServerTasksToDatabaseIn"), Some(5_432));
    let clients = &named(&template, "ServerTasksToDatabaseIn")["Properties"]["SourceSecurityGroupId"];
    assert!(clients.to_string().contains("ServerServiceGroup"), "{clients}");
    for rule in of_type(&template, "AWS::EC2::SecurityGroupIngress") {
        assert_ne!(rule["Properties"]["CidrIp"], "0.0.0.0/0");
    }
}

/// E11.
#[test]
fn no_password_stands_in_an_address_and_all_can() {
    let template = template(|props| props);
    for secret in of_type(&template, "AWS::SecretsManager::Secret") {
        let generated = &secret["Properties"]["GenerateSecretString"];
        assert_eq!(generated["ExcludePunctuation"], true, "{secret}");
        assert!(generated["PasswordLength"].as_u64() >= Some(32));
        assert!(secret["Properties"].get("SecretString").is_none());
    }
    let task = one(&template, "AWS::ECS::TaskDefinition").to_string();
    assert!(
        task.contains("postgresql+psycopg2:///mlflow"),
        "the driver is named, and nothing before the slashes"
    );
    assert!(!task.contains("resolve:secretsmanager"), "a task definition can be read by many");
}

/// E12.
#[test]
fn secrets_are_named_and_read_by_who_starts_tasks_only() {
    let template = template(|props| props);
    let secrets = container(&template, "main")["Secrets"].as_array().expect("secrets");
    let names: Vec<&str> = secrets.iter().filter_map(|it| it["Name"].as_str()).collect();
    assert_eq!(names, ["PGPASSWORD", "MLFLOW_AUTH_ADMIN_PASSWORD", "MLFLOW_FLASK_SERVER_SECRET_KEY"]);
    let policy =
        &named(&template, "ServerServiceExecutionPolicy")["Properties"]["PolicyDocument"]["Statement"];
    let reading = policy.as_array().expect("statements").iter().find(|it| it["Sid"] == "ReadSecrets");
    let resources = reading.expect("a statement")["Resource"].as_array().expect("several");
    assert_eq!(resources.len(), 3, "those secrets and no others");
    assert!(resources.iter().all(|it| it["Ref"].is_string()), "{resources:?}");
    assert!(of_type(&template, "AWS::SSM::Parameter").is_empty());
    assert!(of_type(&template, "AWS::SecretsManager::RotationSchedule").is_empty());
}

/// E13, E14.
#[test]
fn the_door_is_internal_and_asks_what_only_a_working_server_answers() {
    let plain = template(|props| props);
    assert_eq!(one(&plain, "AWS::ElasticLoadBalancingV2::LoadBalancer")["Properties"]["Scheme"], "internal");
    let targets = &one(&plain, "AWS::ElasticLoadBalancingV2::TargetGroup")["Properties"];
    assert_eq!(
        (&targets["HealthCheckPath"], &targets["Matcher"]["HttpCode"]),
        (&json!("/health"), &json!("200"))
    );
    assert!(of_type(&plain, "AWS::ElasticLoadBalancingV2::ListenerRule").is_empty());
    let public = template(|props| MlflowServerProps {
        load_balancer: LoadBalancerProps {
            certificate: Some(CertificateArn::literal(CERTIFICATE)),
            ..props.load_balancer.clone()
        },
        ..props
    });
    let https = &named(&public, "ServerHttps")["Properties"];
    assert_eq!((&https["Port"], &https["Protocol"]), (&json!(443), &json!("HTTPS")));
    let redirect = &named(&public, "ServerRedirectToHttps")["Properties"]["DefaultActions"][0];
    assert_eq!(redirect["Type"], "redirect");
}

/// E16.
#[test]
fn users_outlive_their_tasks_and_nothing_is_left_to_defaults_that_changed() {
    let template = template(|props| props);
    let config = variable(&template, "MLFLOW_AUTH_CONFIG").as_str().expect("text");
    assert!(config.contains("database_uri = postgresql+psycopg2:///mlflow_users"), "{config}");
    assert!(!config.contains("password"), "{config}");
    let main = container(&template, "main");
    let command = main["Command"].to_string();
    assert!(command.contains(r#""--app-name","basic-auth""#), "{command}");
    assert!(command.contains(r#""--workers","2""#), "{command}");
    assert!(variable(&template, "MLFLOW_SERVER_ALLOWED_HOSTS").to_string().contains("DNSName"));
    assert_eq!(variable(&template, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"), "false");
    assert_eq!(variable(&template, "MLFLOW_DISABLE_TELEMETRY"), "true");
    assert_eq!(variable(&template, "PGSSLMODE"), "require");
    assert_eq!(main["PortMappings"][0]["ContainerPort"], 5_000);
}

/// E17, E18, E19.
#[test]
fn tasks_start_once_all_is_there_and_have_time_to() {
    let template = template(|props| props);
    let service = one(&template, "AWS::ECS::Service");
    let properties = &service["Properties"];
    assert_eq!(properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"], "DISABLED");
    assert!(properties["HealthCheckGracePeriodSeconds"].as_u64() >= Some(60));
    let breaker = &properties["DeploymentConfiguration"]["DeploymentCircuitBreaker"];
    assert_eq!(*breaker, json!({ "Enable": true, "Rollback": true }));
    assert!(service["DependsOn"].to_string().contains("ServerHttp"));
    one(&template, "AWS::ApplicationAutoScaling::ScalingPolicy");
    let prepare = container(&template, "prepare");
    assert_eq!(prepare["Essential"], false);
    assert!(prepare["EntryPoint"][6].as_str().is_some_and(|program| program.contains("pg_advisory_lock")));
    assert_eq!(
        prepare["EntryPoint"][2],
        container(&template, "main")["EntryPoint"][2],
        "both read the file of users"
    );
    assert_eq!(prepare["Command"], json!(["mlflow", "mlflow-artifacts:/", "mlflow_users"]));
    let order = &container(&template, "main")["DependsOn"][0];
    assert_eq!(*order, json!({ "Condition": "SUCCESS", "ContainerName": "prepare" }));
}

#[test]
fn clients_move_artifacts_themselves_when_they_are_to() {
    let direct = template(|props| MlflowServerProps { artifacts: ArtifactAccess::Direct, ..props });
    let command = container(&direct, "main")["Command"].to_string();
    assert!(
        command.contains("--no-serve-artifacts") && !command.contains("--artifacts-destination"),
        "{command}"
    );
    assert!(command.contains("s3://") && command.contains("ServerArtifactsBucket"), "{command}");
}

#[test]
fn a_server_without_users_has_no_secrets_of_its_own() {
    let open = template(|props| MlflowServerProps {
        authentication: ServerAuthentication::None,
        allow_insecure: true,
        ..props
    });
    assert_eq!(of_type(&open, "AWS::SecretsManager::Secret").len(), 1, "that of the database");
    assert!(!container(&open, "main").to_string().contains("basic-auth"));
    assert_eq!(container(&open, "prepare")["Command"].as_array().map(Vec::len), Some(2));
    assert!(open["Outputs"].get("Use2Credentials").is_none());
}
