//! `formwork kit`: what it writes, keeps and refuses.

#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use support::{Project, assert_schema};

#[test]
fn a_kit_is_written_and_written_again() {
    let project = Project::new();
    let done = project.run(&["kit", "compose", "--out", "mlflow", "--port", "5002"]).ends_with(0);
    assert!(done.stdout.contains("compose.yaml") && done.stderr.contains("make build run"), "{done:?}");
    let password = project.read("mlflow/secrets/mlflow_password");
    assert!(!done.stdout.contains(&password) && !done.stderr.contains(&password));
    let mode =
        fs::metadata(project.path().join("mlflow/secrets/mlflow_password")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // The port stays, and so does the password; the rest follows the new setting.
    project.run(&["kit", "compose", "--out", "mlflow", "--artifacts", "local"]).ends_with(0);
    assert_eq!(project.read("mlflow/secrets/mlflow_password"), password);
    let settings = project.read("mlflow/kit.toml");
    assert!(settings.contains("port = 5002\n") && settings.contains("artifacts = \"local\"\n"), "{settings}");
}

#[test]
fn the_report_has_the_published_shape() {
    let project = Project::new();
    let arguments = ["kit", "compose", "--out", "mlflow", "--tls", "files", "--json"];
    let report: serde_json::Value =
        serde_json::from_str(&project.run(&arguments).ends_with(0).stdout).unwrap();
    assert_schema("kit.json", &report);
    let missing: Vec<&str> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["outcome"] == "to-fill-in")
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_eq!(missing, ["secrets/tls_chain.pem", "secrets/tls_key.pem"]);
}

#[test]
fn what_would_be_lost_is_refused() {
    let project = Project::new().with("mlflow/notes.txt", "mine");
    let refused = project.run(&["kit", "heroku", "--out", "mlflow"]).ends_with(3);
    assert!(
        refused.stderr.contains("notes.txt") && refused.stderr.contains("--beside-others"),
        "{refused:?}"
    );
    project.run(&["kit", "heroku", "--out", "mlflow", "--beside-others"]).ends_with(0);
    fs::write(project.path().join("mlflow/run.py"), "mine").unwrap();
    let refused = project.run(&["kit", "heroku", "--out", "mlflow"]).ends_with(3);
    assert!(refused.stderr.contains("--overwrite run.py"), "{refused:?}");
    project.run(&["kit", "heroku", "--out", "mlflow", "--overwrite", "run.py"]).ends_with(0);
    let other = project.run(&["kit", "compose", "--out", "mlflow"]).ends_with(3);
    assert!(other.stderr.contains("`heroku`, not `compose`"), "{other:?}");
}

#[test]
fn wrong_settings_are_usage_and_write_nothing() {
    let project = Project::new().with("wrong.toml", "port = 1\nartefacts = \"local\"\n");
    let wrong = project.run(&["kit", "compose", "--out", "mlflow", "--settings", "wrong.toml"]).ends_with(10);
    assert!(wrong.stderr.contains("wrong.toml:2: unknown field `artefacts`"), "{wrong:?}");
    let open = project.run(&["kit", "compose", "--out", "mlflow", "--listen", "0.0.0.0"]).ends_with(10);
    assert!(open.stderr.contains("without TLS") && open.stderr.contains("hint: "), "{open:?}");
    project.run(&["kit", "heroku"]).ends_with(10);
    assert!(!project.path().join("mlflow").exists());
}

#[cfg(feature = "engine")]
#[test]
fn the_variables_of_an_app_come_from_its_stack() {
    use support::Done;
    use support::account::Account;

    let account = Account::of_speed(6_000.0);
    let run = |arguments: &[&str]| {
        let own = ["-c", "prefix=team", "-c", "components=s3-only"];
        let more: &[&str] = if arguments[0] == "kit" { &[] } else { &own };
        Done::of(account.command_of_platform(&[arguments, more].concat()).output().unwrap())
    };
    run(&["bootstrap", "aws://123456789012/eu-west-1", "--yes"]).ends_with(0);
    run(&["deploy", "--yes"]).ends_with(0);
    // The simulator makes no keys of users: what CloudFormation would put into the secret is put there.
    run(&["kit", "heroku", "--from-stack", "team-s3-only"]).ends_with(1).says("cannot read the key in");
    account.served.with(|simulator| {
        let services = simulator.services_mut();
        let secret =
            services.resources.keys().find(|key| key.2 == "AWS::SecretsManager::Secret").unwrap().3.clone();
        services.secrets.set(&secret, r#"{"AccessKey":"AKIAEXAMPLE","SecretAccessKey":"the/other+half"}"#);
    });
    let printed = run(&["kit", "heroku", "--from-stack", "team-s3-only"]).ends_with(0);
    let vars: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    assert!(vars["S3_LOCATION"].as_str().unwrap().starts_with("s3://"), "{vars}");
    assert_eq!(vars["AWS_DEFAULT_REGION"], "eu-west-1");
    assert_eq!(vars["AWS_ACCESS_KEY_ID"], "AKIAEXAMPLE");
    let secret = vars["AWS_SECRET_ACCESS_KEY"].as_str().unwrap();
    assert_eq!(secret, "the/other+half");

    let written = run(&["kit", "heroku", "--out", "app", "--from-stack", "team-s3-only"]).ends_with(0);
    assert!(!written.stdout.contains(secret) && !written.stderr.contains(secret), "{written:?}");
    assert!(account.project.read("app/secrets/config.json").contains(secret));
    run(&["kit", "heroku", "--from-stack", "team-other"]).ends_with(1);
}

/// The kit asked for outputs that the stack of the server did not have.
#[cfg(feature = "engine")]
#[test]
fn a_migration_into_a_deployed_server_knows_its_database() {
    use support::Done;
    use support::account::Account;

    let account = Account::of_speed(60_000.0);
    let run = |arguments: &[&str]| {
        let own = ["-c", "prefix=team", "-c", "components=mlflow-server"];
        let more: &[&str] = if arguments[0] == "kit" { &[] } else { &own };
        Done::of(account.command_of_platform(&[arguments, more].concat()).output().unwrap())
    };
    run(&["bootstrap", "aws://123456789012/eu-west-1", "--yes"]).ends_with(0);
    run(&["deploy", "--all", "--yes"]).ends_with(0);
    let kit = ["kit", "migrate", "--out", "move", "--source-database", "mlflow.db"];
    run(&[&kit[..], &["--to-stack", "team-mlflow-server"]].concat()).ends_with(0);
    let settings: toml::Table = account.project.read("move/kit.toml").parse().unwrap();
    for name in ["databaseHost", "databaseName", "databaseUser", "databaseSecret", "artifactsTo"] {
        assert!(settings[name].as_str().is_some_and(|value| !value.is_empty()), "{name}: {settings}");
    }
    assert!(settings["artifactsTo"].as_str().unwrap().starts_with("s3://"), "{settings}");
    assert!(settings["databasePort"].as_integer().is_some(), "{settings}");
}
