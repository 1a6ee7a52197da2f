//! Asks MLflow from time to time whether it is there, so that readiness is known before the first client comes and after
//! MLflow was away.
//!
//! Requests of clients tell the same; this asks only where they tell nothing.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, StatusCode, Uri};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::body::empty;
use crate::sign::{PathEncoding, Payload, Signer};

use super::Behind;
use super::readiness::Readiness;

/// How often to look whether asking is due.
const TICK: Duration = Duration::from_secs(5);

/// After so long without a word it is asked again: sooner when the last was a failure, which clients of a balancer that
/// looks at readiness would not find out to be over.
const QUIET: Duration = Duration::from_secs(300);
const QUIET_AFTER_FAILURE: Duration = Duration::from_secs(15);

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What is asked: MLflow's own health, which needs no right. That anything is answered is all that counts.
const PATH: &str = "/health";

/// Watches until `stop` turns true.
pub(super) async fn run(readiness: Arc<Readiness>, behind: Behind, mut stop: watch::Receiver<bool>) {
    loop {
        let contact = &readiness.upstream;
        let quiet = match (contact.is_good(), contact.is_known()) {
            (true, _) => QUIET,
            (false, true) => QUIET_AFTER_FAILURE,
            (false, false) => Duration::ZERO,
        };
        if contact.idle() >= quiet {
            match ask(&behind).await {
                Ok(status) => contact.heard(status),
                Err(error) => {
                    tracing::warn!(error, "MLflow cannot be reached");
                    contact.failed();
                }
            }
        }
        tokio::select! {
            () = sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// What MLflow answers to a request that is signed as those of clients are.
async fn ask(behind: &Behind) -> Result<StatusCode, String> {
    let target = &behind.target;
    let uri = format!("{}{PATH}", target.endpoint.to_string().trim_end_matches('/'));
    let uri: Uri = uri.parse().map_err(|error| format!("{uri}: {error}"))?;
    let arn = HeaderValue::from_str(&target.arn).map_err(|error| error.to_string())?;
    let credentials = behind.caches.mlflow.get().await.map_err(|error| error.to_string())?;
    let (mut parts, ()) = Request::get(uri)
        .header(target.header.clone(), arn)
        .body(())
        .map_err(|error| error.to_string())?
        .into_parts();
    let signer = Signer::new(&target.region, target.service, PathEncoding::Twice);
    signer.sign(&mut parts, Payload::EMPTY, &credentials, behind.client.clock().now());
    let request = Request::from_parts(parts, empty());
    let answer = timeout(LIMIT, behind.client.send(request)).await;
    let answer = answer.map_err(|_| format!("no answer within {} s", LIMIT.as_secs()))?;
    Ok(answer.map_err(|error| error.to_string())?.status())
}
