//! `--check` as an operator sees it: a line for each thing that was tried, and the exit code.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::convert::Infallible;
use std::process::Output;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::process::Command;

const ARN: &str = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team";
const ROLE: &str = "arn:aws:iam::123456789012:role/mlflow";

const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"#;

const DENIED: &str = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"#;

/// AWS in this process: every answer is chosen by the way in which it is asked.
async fn aws(answer: impl Fn(&Request<Incoming>) -> (u16, String) + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let (status, body) = answer(&request);
                let response = Response::builder().status(status).body(Full::new(Bytes::from(body)));
                async { Ok::<_, Infallible>(response.unwrap()) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}")
}

async fn check(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlflow-proxy"));
    command.arg("--check").env_clear().envs(variables.iter().copied());
    command.output().await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Variables of a proxy whose AWS is at an address.
fn variables(endpoint: &str) -> Vec<(&str, &str)> {
    vec![
        ("SM_MLFLOW_RESOURCE_ARN", ARN),
        ("SM_MLFLOW_ROLE_ARN", ROLE),
        ("SM_MLFLOW_ENDPOINT", endpoint),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-access-key"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("MLFLOW_PROXY_AUTH", "none"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_is_told_line_by_line() {
    let endpoint = aws(|request| match request.uri().path() {
        "/" => (200, ASSUMED.to_owned()),
        _ => (200, r#"{"experiments":[]}"#.to_owned()),
    })
    .await;
    let output = check(&variables(&endpoint)).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
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
    let endpoint = aws(|_| (403, DENIED.to_owned())).await;
    let output = check(&variables(&endpoint)).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("failed   role"), "{text}");
    assert!(text.contains("hint: let the trust policy of arn:aws:iam::123456789012:role/mlflow"), "{text}");
    assert!(text.contains("skipped  MLflow"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mlflow_that_refuses_fails_with_the_action() {
    let endpoint = aws(|request| match request.uri().path() {
        "/" => (200, ASSUMED.to_owned()),
        _ => (403, r#"{"Message":"User is not authorized"}"#.to_owned()),
    })
    .await;
    let output = check(&variables(&endpoint)).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("answers 403 Forbidden: User is not authorized"), "{text}");
    assert!(text.contains("needs sagemaker-mlflow:SearchExperiments"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_all_told_and_the_rest_is_tried_all_the_same() {
    let endpoint = aws(|request| match request.uri().path() {
        "/" => (200, ASSUMED.to_owned()),
        _ => (200, r#"{"experiments":[]}"#.to_owned()),
    })
    .await;
    let mut variables = variables(&endpoint);
    variables.extend([("MLFLOW_PROXY_LISTEN", "localhost"), ("MLFLOW_PROXY_LOG", "loud")]);
    let output = check(&variables).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("failed   settings     MLFLOW_PROXY_LISTEN is `localhost`"), "{text}");
    assert!(text.contains("failed   settings     MLFLOW_PROXY_LOG is `loud`"), "{text}");
    assert!(text.contains("ok       MLflow "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_nothing_else_is_tried() {
    let output = check(&[
        ("SM_MLFLOW_RESOURCE_ARN", ARN),
        ("MLFLOW_PROXY_AUTH", "none"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ])
    .await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(10), "{text}");
    assert!(text.contains("failed   credentials  there are no AWS credentials to start from"), "{text}");
    assert!(!text.contains("MLflow       "), "{text}");
}
