//! Whether the bucket of artifacts can be listed, which is what every other use of it begins with.

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use prometheus_client::metrics::gauge::Gauge;
use serde_json::Value;

use crate::artifacts::{Artifacts, Parts};
use crate::body::empty;
use crate::operate::Behind;
use crate::operate::metrics::Metrics;
use crate::settings::Settings;

use super::Finding;

const SUBJECT: &str = "bucket";

/// What is read of an answer; a list of the root's folders fits, and of a longer one the beginning is enough.
const GREATEST_ANSWER: usize = 1 << 20;

/// Lists the root of the artifacts as a client's request would.
pub(super) async fn look(settings: &Settings, behind: &Behind) -> Finding {
    let parts = Parts {
        client: behind.client.clone(),
        credentials: behind.caches.mlflow.clone(),
        endpoints: settings.aws.endpoints.clone(),
        disk: settings.forward.disk(Gauge::default()),
        metrics: Metrics::new(),
    };
    let Some(artifacts) = Artifacts::new(&settings.artifacts, &behind.target, parts) else {
        return Finding::skipped(SUBJECT, "artifacts do not go through the proxy");
    };
    let request = Request::get("/api/2.0/mlflow-artifacts/artifacts").body(empty());
    let answer = artifacts.answer(request.expect("the path above is valid")).await;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), GREATEST_ANSWER).collect().await;
    if status == StatusCode::OK {
        return Finding::fine(SUBJECT, "the place of the artifacts can be listed");
    }
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = body["message"].as_str().unwrap_or("the answer has no words");
    let (words, hint) = message.split_once("\nhint: ").unwrap_or((message, "see that the bucket exists"));
    Finding::failed(SUBJECT, format!("{words} ({status})"), hint)
}
