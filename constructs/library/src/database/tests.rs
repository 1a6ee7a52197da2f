//! The database as its stack's template shows it.

use formwork::{App, AppProps, Json, KeyArn, RemovalPolicy, Severity, SynthesisError};

use super::{Postgres, PostgresProps, PostgresVersion};
use crate::networking::{Networking, NetworkingProps, security_group};
use crate::testing::{of_type, one};

fn synth(
    change: impl for<'a> Fn(PostgresProps<'a>) -> PostgresProps<'a>,
    zones: u8,
) -> Result<Json, SynthesisError> {
    let app = App::new(AppProps::default());
    let props = NetworkingProps { zones, ..NetworkingProps::default() };
    let networking = Networking::new(app.stack("networking"), "Networking", props);
    let stack = app.stack("database");
    let props = change(PostgresProps::new(&networking, "the runs", "runs"));
    let database = Postgres::new(stack, "Database", &props);
    let client = security_group(stack, "Client", &networking.vpc_id, "A client");
    database.allow_from(stack, "ClientToDatabase", &client);
    app.synth().map(|synthesis| {
        for found in &synthesis.diagnostics {
            assert!(found.severity < Severity::Warning, "{found}");
        }
        synthesis.template("database").expect("the stack")
    })
}

fn template(change: impl for<'a> Fn(PostgresProps<'a>) -> PostgresProps<'a>) -> Json {
    synth(change, 2).unwrap_or_else(|error| panic!("{:?}", error.diagnostics))
}

fn mistakes(change: impl for<'a> Fn(PostgresProps<'a>) -> PostgresProps<'a>) -> Vec<String> {
    let error = synth(change, 2).expect_err("it is refused");
    error.diagnostics.iter().map(|found| found.message.clone()).collect()
}

#[test]
fn it_is_private_encrypted_backed_up_and_kept_as_a_snapshot() {
    let template = template(|props| props);
    let instance = one(&template, "AWS::RDS::DBInstance");
    assert_eq!(instance["DeletionPolicy"], "Snapshot");
    assert_eq!(instance["UpdateReplacePolicy"], "Snapshot");
    let properties = &instance["Properties"];
    for (name, wanted) in [
        ("PubliclyAccessible", Json::from(false)),
        ("StorageEncrypted", true.into()),
        ("DeletionProtection", true.into()),
        ("DeleteAutomatedBackups", false.into()),
        ("BackupRetentionPeriod", 7.into()),
        ("StorageType", "gp3".into()),
        ("MaxAllocatedStorage", 100.into()),
        ("EngineVersion", PostgresVersion::default().current_minor().into()),
    ] {
        assert_eq!(properties[name], wanted, "{name}");
    }
    assert_eq!(
        one(&template, "AWS::RDS::DBParameterGroup")["Properties"]["Parameters"]["rds.force_ssl"],
        "1"
    );
    let subnets = one(&template, "AWS::RDS::DBSubnetGroup")["Properties"]["SubnetIds"].to_string();
    assert!(subnets.contains("Isolated") && !subnets.contains("Public"), "{subnets}");
}

#[test]
fn its_password_is_letters_and_digits_and_is_in_the_secret_only() {
    let template = template(|props| props);
    let secret = &one(&template, "AWS::SecretsManager::Secret")["Properties"]["GenerateSecretString"];
    assert_eq!(secret["ExcludePunctuation"], true);
    assert_eq!(secret["SecretStringTemplate"], r#"{"username":"runs"}"#);
    let password = one(&template, "AWS::RDS::DBInstance")["Properties"]["MasterUserPassword"].to_string();
    assert!(password.contains("{{resolve:secretsmanager:"), "{password}");
    assert!(of_type(&template, "AWS::SecretsManager::RotationSchedule").is_empty());
}

#[test]
fn who_is_let_in_is_a_group_on_one_port() {
    let template = template(|props| props);
    let rule = &one(&template, "AWS::EC2::SecurityGroupIngress")["Properties"];
    assert_eq!((&rule["FromPort"], &rule["ToPort"]), (&5432.into(), &5432.into()));
    assert!(rule["SourceSecurityGroupId"].is_object() && rule["CidrIp"].is_null(), "{rule}");
}

#[test]
fn a_key_encrypts_disk_and_password() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";
    let template = template(|props| PostgresProps { key: Some(KeyArn::literal(key)), ..props });
    assert_eq!(one(&template, "AWS::RDS::DBInstance")["Properties"]["KmsKeyId"], key);
    assert_eq!(one(&template, "AWS::SecretsManager::Secret")["Properties"]["KmsKeyId"], key);
}

#[test]
fn a_database_that_stays_keeps_its_password() {
    let template = template(|props| PostgresProps { removal: RemovalPolicy::Retain, ..props });
    assert_eq!(one(&template, "AWS::SecretsManager::Secret")["DeletionPolicy"], "Retain");
}

#[test]
fn alarms_fit_the_class() {
    let thresholds = |class: &str| {
        let template = template(|props| PostgresProps { instance_class: class.to_owned(), ..props });
        let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
        let mut found: Vec<(String, f64)> = alarms
            .iter()
            .map(|alarm| {
                let properties = &alarm["Properties"];
                let name = properties["MetricName"].as_str().expect("a name").to_owned();
                (name, properties["Threshold"].as_f64().expect("a threshold"))
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    };
    let small = thresholds("db.t4g.micro");
    assert_eq!(
        small.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["CPUCreditBalance", "CPUUtilization", "DatabaseConnections", "FreeStorageSpace", "FreeableMemory"]
    );
    assert!((small[2].1 - 89.0).abs() < f64::EPSILON, "{small:?}");
    assert!((small[3].1 - 1_073_741_824.0).abs() < 1.0, "{small:?}");
    assert_eq!(thresholds("db.m7g.large").len(), 4, "no credits");
}

#[test]
fn what_rds_would_refuse_is_found_at_synth() {
    let with = |database: &str, username: &str| {
        mistakes(|props| PostgresProps {
            database: database.to_owned(),
            username: username.to_owned(),
            ..props
        })
    };
    assert!(with("1runs", "runs")[0].contains("`1runs` cannot be the name of the database"));
    assert!(with("runs", "postgres")[0].contains("belongs to the server"));
    let storage = |storage_gib, max_storage_gib| {
        mistakes(|props| PostgresProps { storage_gib, max_storage_gib, ..props })
    };
    assert!(storage(10, 100)[0].contains("10 GiB"));
    assert!(storage(100, 105)[0].contains("cannot grow to 105 GiB"));
    assert!(mistakes(|props| PostgresProps { backup_days: 0, ..props })[0].contains("0 days"));
    let class = |class: &str| mistakes(|props| PostgresProps { instance_class: class.to_owned(), ..props });
    assert!(class("t4g.small")[0].contains("`t4g.small` is not a class"));
    assert!(synth(|props| props, 1).is_err(), "one zone is too few");
}
