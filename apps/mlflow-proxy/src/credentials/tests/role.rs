use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;
use http_body_util::Full;

use super::super::cache::{CredentialCache, Source};
use super::super::role::Role;
use super::super::{Credentials, CredentialsError};
use crate::aws::testing::{Fake, answer, later, signed_later};
use crate::aws::{self, Client};

const ROLE: &str = "arn:aws:iam::111122223333:role/MlflowRole";

fn session(number: usize) -> Response<Full<Bytes>> {
    answer(
        200,
        format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
             <SessionToken>to/ken+==</SessionToken><Expiration>2099-01-02T03:04:05Z</Expiration></Credentials>\
             </AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

fn refusal(status: u16, code: &str) -> Response<Full<Bytes>> {
    answer(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>words of AWS</Message></Error></ErrorResponse>"
        ),
    )
}

/// Base credentials that are others each time.
struct Base(std::sync::atomic::AtomicUsize);

impl Source for Base {
    fn fetch(&self) -> futures_util::future::BoxFuture<'static, Result<Credentials, CredentialsError>> {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(Credentials {
            access_key_id: format!("AKIABASE{number}"),
            secret_access_key: "secret".to_owned(),
            session_token: Some("base-token".to_owned()),
            expires: None,
        })))
    }
}

fn role(fake: &Fake) -> CredentialCache {
    let client = Client::new(&aws::Settings::default());
    let base = CredentialCache::new(Base(0.into()));
    CredentialCache::new(Role::new(&client, &fake.uri(), "eu-west-1", ROLE, Duration::from_secs(900), base))
}

#[tokio::test]
async fn a_hundred_who_ask_assume_the_role_once() {
    let fake = Fake::start(async |number, _| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        session(number)
    })
    .await;
    let cache = role(&fake);
    let all = join_all((0..100).map(|_| cache.get())).await;
    for one in all {
        let one = one.unwrap();
        assert_eq!(one.access_key_id, "ASIA0");
        assert_eq!(one.session_token.as_deref(), Some("to/ken+=="));
        assert_eq!(one.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(4_071_006_245)));
    }
    let asked = fake.asked();
    assert_eq!(asked.len(), 1);
    let fields = asked[0].body.split('&').collect::<Vec<_>>();
    for field in [
        "Action=AssumeRole",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FMlflowRole",
        "RoleSessionName=MlflowProxy",
        "DurationSeconds=900",
    ] {
        assert!(fields.contains(&field), "{fields:?}");
    }
    let authorization = asked[0].headers["authorization"].to_str().unwrap();
    assert!(
        authorization.contains("Credential=AKIABASE0/")
            && authorization.contains("/eu-west-1/sts/aws4_request")
    );
    assert_eq!(asked[0].headers["host"].to_str().unwrap(), fake.address.to_string());
    assert_eq!(asked[0].headers["x-amz-security-token"], "base-token");
}

#[tokio::test]
async fn base_credentials_that_sts_does_not_know_are_renewed_once() {
    let fake = Fake::start(async |number, _| match number {
        0 => refusal(403, "ExpiredToken"),
        _ => session(number),
    })
    .await;
    assert_eq!(role(&fake).get().await.unwrap().access_key_id, "ASIA1");
    let asked = fake.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].headers["authorization"].to_str().unwrap().contains("Credential=AKIABASE1/"));

    let fake = Fake::start(async |_, _| refusal(403, "InvalidClientTokenId")).await;
    let error = role(&fake).get().await.unwrap_err();
    assert_eq!(error.kind(), "no-base");
    assert!(error.to_string().contains("InvalidClientTokenId: words of AWS"), "{error}");
    assert_eq!(fake.count(), 2);
}

#[tokio::test]
async fn a_denial_is_told_with_the_role_and_not_repeated() {
    let fake = Fake::start(async |_, _| refusal(403, "AccessDenied")).await;
    let error = role(&fake).get().await.unwrap_err();
    assert_eq!(error.kind(), "denied");
    assert!(error.to_string().contains(ROLE) && error.to_string().contains("words of AWS"), "{error}");
    assert!(error.hint().contains("sts:AssumeRole"), "{}", error.hint());
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
async fn a_session_that_is_too_long_is_no_matter_of_trust() {
    let words =
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
    let fake = Fake::start(move |_, _| {
        let error = format!("<Error><Code>ValidationError</Code><Message>{words}</Message></Error>");
        std::future::ready(answer(400, format!("<ErrorResponse>{error}</ErrorResponse>")))
    })
    .await;
    let error = role(&fake).get().await.unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.hint().contains("MLFLOW_PROXY_SESSION_SECONDS"), "{}", error.hint());
}

#[tokio::test]
async fn a_clock_that_is_off_follows_that_of_sts() {
    for minutes in [10, -120] {
        let fake = Fake::start(move |number, asked| {
            let known = signed_later(&asked) == minutes;
            let answer = if known { session(number) } else { refusal(403, "SignatureDoesNotMatch") };
            std::future::ready(later(minutes, answer))
        })
        .await;
        let client = Client::new(&aws::Settings::default());
        let base = CredentialCache::new(Base(0.into()));
        let role = Role::new(&client, &fake.uri(), "eu-west-1", ROLE, Duration::from_secs(900), base);
        let cache = CredentialCache::new(role);
        assert_eq!(cache.get().await.unwrap().access_key_id, "ASIA1");
        assert_eq!(fake.count(), 2);
        let ahead = client.clock().now().duration_since(SystemTime::now());
        assert_eq!(ahead.is_ok(), minutes > 0, "all who sign know it now");
    }
}

#[tokio::test]
async fn throttling_passes_if_it_is_short_and_is_told_if_not() {
    let fake = Fake::start(async |number, _| match number {
        0 | 1 => refusal(400, "Throttling"),
        _ => session(number),
    })
    .await;
    assert_eq!(role(&fake).get().await.unwrap().access_key_id, "ASIA2");

    let fake = Fake::start(async |_, _| refusal(400, "Throttling")).await;
    assert_eq!(role(&fake).get().await.unwrap_err().kind(), "throttled");
    assert_eq!(fake.count(), 3);
}

#[tokio::test]
async fn what_is_no_sts_is_unreachable() {
    for fake in [
        Fake::start(async |_, _| answer(200, "<html>a page</html>")).await,
        Fake::start(async |_, _| answer(503, "busy")).await,
        Fake::start(async |_, _| answer(200, "x".repeat(2 * 1024 * 1024))).await,
    ] {
        let error = role(&fake).get().await.unwrap_err();
        assert_eq!(error.kind(), "unreachable", "{error}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable_at_once() {
    let mut closed = Fake::start(async |_, _| session(0)).await;
    closed.address = "127.0.0.1:1".parse().unwrap();
    let start = Instant::now();
    let error = role(&closed).get().await.unwrap_err();
    assert_eq!(error.kind(), "unreachable", "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_silent_sts_is_given_up_in_time() {
    let fake = Fake::start(async |_, _| std::future::pending().await).await;
    let start = Instant::now();
    let error = role(&fake).get().await.unwrap_err();
    assert_eq!(error.kind(), "unreachable", "{error}");
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
}
