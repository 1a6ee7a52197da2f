//! Migrations against a scripted Lambda.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::aws::fake::{Answer, Fake, fake, sts};

const FUNCTION: &str = "metaflow-Migration-1A2B";

fn status(version: &str, missing: &[&str]) -> Answer {
    let body = json!({
        "current_version": version,
        "unapplied_migrations": missing,
        "is_up_to_date": missing.is_empty(),
        "Status": if missing.is_empty() { "up to date" } else { "behind" },
    });
    Answer::Raw(200, body.to_string(), None)
}

fn begun(service: &Fake) -> usize {
    let invocations = service.seen("");
    invocations.iter().filter(|seen| seen.headers.contains_key("x-amz-invocation-type")).count()
}

async fn run(service: &Arc<Fake>) -> Result<SchemaStatus, EngineError> {
    migrate(&service.session().await, FUNCTION, &Clock::real(), &Journal::in_memory()).await
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_migrated_once_and_waited_for() {
    let silent =
        json!({ "errorMessage": "the metadata service does not answer: timed out\nhint: ask again" });
    let service = fake(move |seen, before| {
        if let Some(answer) = sts(seen) {
            return answer;
        }
        assert_eq!(seen.uri.path(), format!("/2015-03-31/functions/{FUNCTION}/invocations"));
        match before {
            0 => status("1", &["2"]),
            1 => Answer::Raw(202, String::new(), None),
            2 => Answer::Raw(200, silent.to_string(), None),
            3 => status("1", &["2"]),
            _ => status("2", &[]),
        }
    });
    let after = run(&service).await.expect("it ends");
    assert_eq!((after.version.as_str(), after.words.as_str()), ("2", "up to date"));
    assert_eq!(begun(&service), 1);
    assert_eq!(service.seen("").last().map(|seen| seen.body.as_str()), Some("{\"status\":true}"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_when_nothing_is_missing() {
    let service = fake(|seen, _| sts(seen).unwrap_or_else(|| status("2", &[])));
    assert!(run(&service).await.expect("it ends").is_up_to_date);
    assert_eq!(begun(&service), 0);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_never_ends_is_told() {
    let service = fake(|seen, before| {
        sts(seen).unwrap_or_else(|| match before {
            1 => Answer::Raw(202, String::new(), None),
            _ => status("1", &["2"]),
        })
    });
    let error = run(&service).await.expect_err("it does not end");
    assert!(error.to_string().contains("not done after half an hour"), "{error}");
    assert_eq!(begun(&service), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_function_says_is_passed_on() {
    let failure = json!({ "errorMessage": "the metadata service refused it\nhint: its log tells why" });
    let service =
        fake(move |seen, _| sts(seen).unwrap_or_else(|| Answer::Raw(200, failure.to_string(), None)));
    let session = service.session().await;
    let error = schema_status(&session, FUNCTION).await.expect_err("it failed");
    assert!(error.to_string().starts_with("the metadata service refused it"), "{error}");
    for wrong in ["", "a/b", "a?b", "arn:aws:lambda:x"] {
        assert!(schema_status(&session, wrong).await.is_err(), "{wrong}");
    }
}
