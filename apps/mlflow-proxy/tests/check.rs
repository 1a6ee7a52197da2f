//! `--check` as an operator sees it: a line for each thing that was tried, and the exit code.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod fake_aws;

use std::process::Output;

use tokio::process::Command;

use fake_aws::{ARN, ASSUMED, DENIED, FakeAws};

async fn check(variables: &[(String, String)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlflow-proxy"));
    command.arg("--check").env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    command.output().await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_is_told_line_by_line() {
    let aws = FakeAws::working().await;
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.json");
    let sha256 = "0".repeat(64);
    let user = serde_json::json!({ "name": "ci", "role": "writer", "kind": "token", "id": "01234567", "sha256": sha256 });
    std::fs::write(&users, serde_json::json!({ "version": 1, "users": [user] }).to_string()).unwrap();
    let mut variables = aws.variables();
    variables.retain(|(name, _)| name != "MLFLOW_PROXY_AUTH");
    let more = [
        ("MLFLOW_PROXY_SECRET_FILE", users.to_str().unwrap()),
        ("SM_MLFLOW_ARTIFACT_URI", "s3://bucket/prefix"),
        ("MLFLOW_PROXY_SPOOL_DIRECTORY", folder.path().to_str().unwrap()),
    ];
    variables.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let output = check(&variables).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "ok       users        1 token or password",
        "ok       bucket       the place of the artifacts can be listed",
        " can be written",
        "ok       settings     every setting can be used",
        "ok       credentials  the machine's own credentials are there",
        "ok       role         arn:aws:iam::123456789012:role/mlflow can be assumed, until 2099-01-01T00:00:00Z",
        "ok       MLflow       tracking server team lets the proxy read, ",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("secret-access-key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_denied_fails_with_what_to_change() {
    let aws = FakeAws::start(|_| (403, DENIED.to_owned())).await;
    let output = check(&aws.variables()).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("failed   role"), "{text}");
    assert!(text.contains("hint: let the trust policy of arn:aws:iam::123456789012:role/mlflow"), "{text}");
    assert!(text.contains("skipped  MLflow"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mlflow_that_refuses_fails_with_the_action() {
    let aws = FakeAws::start(|asked| match asked.is_sts() {
        true => (200, ASSUMED.to_owned()),
        false => (403, r#"{"Message":"User is not authorized"}"#.to_owned()),
    })
    .await;
    let output = check(&aws.variables()).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("answers 403 Forbidden: User is not authorized"), "{text}");
    assert!(text.contains("needs sagemaker-mlflow:SearchExperiments"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_all_told_and_the_rest_is_tried_all_the_same() {
    let aws = FakeAws::working().await;
    let mut variables = aws.variables();
    let wrong = [("MLFLOW_PROXY_LISTEN", "localhost"), ("MLFLOW_PROXY_LOG", "loud")];
    variables.extend(wrong.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let output = check(&variables).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("failed   settings     MLFLOW_PROXY_LISTEN is `localhost`"), "{text}");
    assert!(text.contains("failed   settings     MLFLOW_PROXY_LOG is `loud`"), "{text}");
    assert!(text.contains("ok       MLflow "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_nothing_else_is_tried() {
    let variables = [
        ("SM_MLFLOW_RESOURCE_ARN", ARN),
        ("MLFLOW_PROXY_AUTH", "none"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let output = check(&variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("failed   credentials  there are no AWS credentials to start from"), "{text}");
    assert!(!text.contains("MLflow       "), "{text}");
}
