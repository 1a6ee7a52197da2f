use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};

use super::super::testing::{Fake, answer, later, signed_later};
use super::super::{CallError, Calls, Client, Endpoints, Service, Settings};
use crate::credentials::{CredentialCache, Credentials, CredentialsError, Source};

/// Credentials that are others each time.
struct Numbered(std::sync::atomic::AtomicUsize);

impl Source for Numbered {
    fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(Credentials {
            access_key_id: format!("AKIA{number}"),
            secret_access_key: "secret".to_owned(),
            session_token: None,
            expires: None,
        })))
    }
}

fn calls(fake: &Fake) -> Calls {
    let client = Client::new(&Settings::default()).with_first_byte(Duration::from_secs(2));
    let mut endpoints = Endpoints::default();
    for service in [Service::SecretsManager, Service::SageMaker, Service::Logs] {
        endpoints = endpoints.with(service, fake.uri());
    }
    Calls::new(client, CredentialCache::new(Numbered(0.into())), "eu-west-1", endpoints)
}

fn refusal(status: u16, code: &str) -> Response<Full<Bytes>> {
    let kind = format!("com.amazonaws.secretsmanager#{code}");
    answer(status, json!({ "__type": kind, "Message": "words of AWS" }).to_string())
}

#[tokio::test]
async fn a_call_is_signed_and_says_what_it_wants() {
    let fake = Fake::start(async |_, _| answer(200, r#"{"SecretString":"{}"}"#)).await;
    let calls = calls(&fake);
    let body = json!({ "SecretId": "arn" });
    for (service, operation, target, scope) in [
        (Service::SecretsManager, "GetSecretValue", "secretsmanager.GetSecretValue", "secretsmanager"),
        (
            Service::SageMaker,
            "CreatePresignedMlflowAppUrl",
            "SageMaker.CreatePresignedMlflowAppUrl",
            "sagemaker",
        ),
        (Service::Logs, "PutLogEvents", "Logs_20140328.PutLogEvents", "logs"),
    ] {
        assert_eq!(calls.json(service, operation, &body).await.unwrap(), json!({ "SecretString": "{}" }));
        let asked = fake.asked().pop().unwrap();
        assert_eq!(asked.headers["x-amz-target"], target);
        assert_eq!(asked.headers["content-type"], "application/x-amz-json-1.1");
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), body);
        let authorization = asked.headers["authorization"].to_str().unwrap();
        assert!(authorization.contains(&format!("/eu-west-1/{scope}/aws4_request, ")), "{authorization}");
        assert!(authorization.contains("content-type;host;"), "{authorization}");
        assert!(authorization.contains(";x-amz-target, "), "{authorization}");
    }
}

#[tokio::test]
async fn a_secret_without_a_value_is_told_apart() {
    let fake = Fake::start(async |_, _| refusal(400, "ResourceNotFoundException")).await;
    let error = calls(&fake).json(Service::SecretsManager, "GetSecretValue", &json!({})).await.unwrap_err();
    assert!(error.is_not_found() && !error.is_denied() && !error.is_throttled());
    assert_eq!(error.to_string(), "GetSecretValue was refused: ResourceNotFoundException: words of AWS");
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
async fn codes_are_found_in_all_their_forms() {
    for (text, code) in [
        ("ResourceNotFoundException", "ResourceNotFoundException"),
        ("com.amazonaws.logs#ThrottlingException", "ThrottlingException"),
        ("AccessDeniedException:http://internal.amazon.com/coral/", "AccessDeniedException"),
        ("a.b#AccessDeniedException:http://internal.amazon.com/coral/", "AccessDeniedException"),
    ] {
        assert_eq!(super::super::calls::code(text), code);
    }
    let fake = Fake::start(async |_, _| {
        let mut answer = answer(403, "not json");
        answer.headers_mut().insert("x-amzn-errortype", "AccessDeniedException:x".parse().unwrap());
        answer
    })
    .await;
    let error = calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.unwrap_err();
    assert!(error.is_denied(), "{error}");
}

#[tokio::test]
async fn throttled_calls_are_repeated_also_when_they_write() {
    let fake = Fake::start(async |number, _| match number {
        0 | 1 => refusal(400, "ThrottlingException"),
        _ => answer(200, "{}"),
    })
    .await;
    assert!(calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.is_ok());
    assert_eq!(fake.count(), 3);

    let fake = Fake::start(async |_, _| refusal(400, "ThrottlingException")).await;
    let error = calls(&fake).json(Service::SecretsManager, "GetSecretValue", &json!({})).await.unwrap_err();
    assert!(error.is_throttled(), "{error}");
    assert_eq!(fake.count(), 4);
}

#[tokio::test]
async fn failures_are_repeated_only_for_what_reads() {
    let failing = || {
        Fake::start(async |number, _| match number {
            0 => answer(500, "oops"),
            _ => answer(200, "{}"),
        })
    };
    let fake = failing().await;
    assert!(calls(&fake).json(Service::SecretsManager, "GetSecretValue", &json!({})).await.is_ok());
    assert_eq!(fake.count(), 2);

    let fake = failing().await;
    let error = calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.unwrap_err();
    assert_eq!(error.code(), Some("status 500"));
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
async fn credentials_that_the_service_does_not_know_are_renewed_once() {
    let fake = Fake::start(async |number, _| match number {
        0 => refusal(400, "ExpiredTokenException"),
        _ => answer(200, "{}"),
    })
    .await;
    assert!(calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.is_ok());
    let keys =
        fake.asked().into_iter().map(|asked| asked.headers["authorization"].to_str().unwrap().to_owned());
    let keys = keys.collect::<Vec<_>>();
    assert!(keys[0].contains("AKIA0/") && keys[1].contains("AKIA1/"), "{keys:?}");

    let fake = Fake::start(async |_, _| refusal(400, "UnrecognizedClientException")).await;
    let error = calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.unwrap_err();
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    assert_eq!(fake.count(), 2);
}

#[tokio::test]
async fn a_clock_that_is_off_follows_that_of_the_service() {
    let fake = Fake::start(async |_, asked| match signed_later(&asked) == -10 {
        true => later(-10, answer(200, "{}")),
        false => later(-10, refusal(400, "InvalidSignatureException")),
    })
    .await;
    let calls = calls(&fake);
    assert!(calls.json(Service::Logs, "PutLogEvents", &json!({})).await.is_ok());
    assert!(calls.json(Service::Logs, "PutLogEvents", &json!({})).await.is_ok());
    assert_eq!(fake.count(), 3);

    // A signature that is wrong for another reason is not tried again.
    let fake = Fake::start(async |_, _| refusal(400, "InvalidSignatureException")).await;
    assert!(self::calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.is_err());
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
async fn answers_are_bounded_and_have_to_be_json() {
    let fake = Fake::start(async |_, _| answer(200, vec![b' '; 2 * 1024 * 1024])).await;
    let error = calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.unwrap_err();
    assert!(matches!(error, CallError::BadAnswer { .. }), "{error}");
    let fake = Fake::start(async |_, _| answer(200, "<html>")).await;
    let error = calls(&fake).json(Service::Logs, "PutLogEvents", &json!({})).await.unwrap_err();
    assert!(error.to_string().contains("it is no JSON"), "{error}");
    let fake = Fake::start(async |_, _| answer(200, "")).await;
    assert_eq!(calls(&fake).json(Service::Logs, "CreateLogStream", &json!({})).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    struct Nothing;
    impl Source for Nothing {
        fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
            Box::pin(std::future::ready(Err(CredentialsError::NoBase { why: "on purpose".to_owned() })))
        }
    }
    let fake = Fake::start(async |_, _| answer(200, "{}")).await;
    let client = Client::new(&Settings::default());
    let endpoints = Endpoints::default().with(Service::Logs, fake.uri());
    let calls = Calls::new(client, CredentialCache::new(Nothing), "eu-west-1", endpoints);
    let error = calls.json(Service::Logs, "PutLogEvents", &json!({})).await.unwrap_err();
    assert!(matches!(error, CallError::Credentials(_)), "{error}");
    assert_eq!(fake.count(), 0);
}
