//! Where the base credentials come from, as the program finds them: the role is assumed with what each place gives.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod fake_aws;

use std::path::Path;

use tokio::process::Command;

use fake_aws::{ASSUMED, Asked, FakeAws, works};

const INSTANCE: &str = r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAINSTANCE","SecretAccessKey":"secret",
    "Token":"instance-token","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"2099-01-01T00:00:00Z"}"#;
const CONTAINER: &str = r#"{"AccessKeyId":"ASIACONTAINER","SecretAccessKey":"secret","Token":"container-token",
    "Expiration":"2099-01-01T00:00:00Z"}"#;

/// AWS, and beside it the metadata service of an instance and that of a container.
fn answer(asked: &Asked) -> (u16, String) {
    match asked.path.as_str() {
        "/latest/api/token" if asked.method == "PUT" => (200, "metadata-token".to_owned()),
        path if path.starts_with("/latest/meta-data/iam/security-credentials") => {
            // Version 2 alone: a request without the token is refused.
            if asked.headers.get("x-aws-ec2-metadata-token").is_none() {
                (401, String::new())
            } else if path.ends_with("/InstanceRole") {
                (200, INSTANCE.to_owned())
            } else {
                (200, "InstanceRole".to_owned())
            }
        }
        "/container" => (200, CONTAINER.to_owned()),
        "/" if asked.body.contains("Action=AssumeRoleWithWebIdentity") => {
            let answer = ASSUMED.replace("AssumeRoleRe", "AssumeRoleWithWebIdentityRe");
            (200, answer.replace("ASIAEXAMPLE", "ASIAWEB"))
        }
        _ => works(asked),
    }
}

/// Runs the check with `variables` in the place of the credentials, and gives the key that assumed the role.
async fn key_that_assumes(variables: &[(&str, String)], home: &Path) -> (String, FakeAws) {
    let aws = FakeAws::start(answer).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlflow-proxy"));
    command.arg("--check").env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
    command.envs(aws.variables().into_iter().filter(|(name, _)| !name.starts_with("AWS_")));
    command.env("AWS_ENDPOINT_URL", &aws.endpoint);
    let value = |value: &String| value.replace("ENDPOINT", &aws.endpoint);
    command.envs(variables.iter().map(|(name, text)| (name, value(text))));
    let output = command.output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let assumes = aws.asked().into_iter().filter(|asked| asked.body.contains("Action=AssumeRole&"));
    let mut keys = assumes.map(|asked| {
        let text = asked.headers["authorization"].to_str().unwrap().to_owned();
        text.split("Credential=").nth(1).unwrap().split('/').next().unwrap().to_owned()
    });
    (keys.next().unwrap_or_else(|| panic!("nobody assumed the role: {said}")), aws)
}

fn pairs(variables: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_gives_its_role_by_version_two_of_its_metadata() {
    let home = tempfile::tempdir().unwrap();
    let variables = pairs(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ENDPOINT")]);
    let (key, aws) = key_that_assumes(&variables, home.path()).await;
    assert_eq!(key, "ASIAINSTANCE");
    let assume = aws.asked().into_iter().find(|asked| asked.body.contains("Action=AssumeRole&")).unwrap();
    assert_eq!(assume.headers["x-amz-security-token"], "instance-token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_gives_its_role() {
    let home = tempfile::tempdir().unwrap();
    let variables = pairs(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "ENDPOINT/container")]);
    assert_eq!(key_that_assumes(&variables, home.path()).await.0, "ASIACONTAINER");
}

#[tokio::test(flavor = "multi_thread")]
async fn web_identity_is_exchanged() {
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    std::fs::write(&token, "header.claims.signature").unwrap();
    let variables = pairs(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
    ]);
    assert_eq!(key_that_assumes(&variables, home.path()).await.0, "ASIAWEB");
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_give_keys_and_run_programs() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let program = home.path().join("program");
    let text = r#"{"Version":1,"AccessKeyId":"AKIAPROGRAM","SecretAccessKey":"secret"}"#;
    std::fs::write(&program, text).unwrap();
    let profiles = format!(
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = secret\n\
         [profile team]\ncredential_process = cat {}\n",
        program.display()
    );
    std::fs::write(home.path().join(".aws/config"), profiles).unwrap();
    assert_eq!(key_that_assumes(&[], home.path()).await.0, "AKIADEFAULT");
    let team = pairs(&[("AWS_PROFILE", "team")]);
    assert_eq!(key_that_assumes(&team, home.path()).await.0, "AKIAPROGRAM");
    let environment = pairs(&[("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "secret")]);
    assert_eq!(key_that_assumes(&environment, home.path()).await.0, "AKIAENV", "the environment comes first");
}
