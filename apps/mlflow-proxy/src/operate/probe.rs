//! Asks MLflow from time to time whether it is there, so that readiness is known before the first client comes and after
//! MLflow was away.
//!
//! Requests of clients tell the same; this asks only where they tell nothing.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Request, Uri};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::body::empty;
use crate::sign::{PathEncoding, Payload, Signer};

use super::Behind;
use super::readiness::Readiness;

/// How often to look whether asking is due.
const TICK: Duration = Duration::from_secs(5);

/// After so long without any contact it is asked again.
const QUIET: Duration = Duration::from_secs(300);

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What is asked: MLflow's own health, which needs no right. That anything is answered is all that counts.
const PATH: &str = "/health";

/// Watches until `stop` turns true.
pub(super) async fn run(readiness: Arc<Readiness>, behind: Behind, mut stop: watch::Receiver<bool>) {
    loop {
        let contact = &readiness.upstream;
        if !contact.is_good() || contact.idle() > QUIET {
            match ask(&behind).await {
                Ok(()) => contact.succeeded(),
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

/// Whether MLflow answers, signed as requests of clients are.
pub(crate) async fn ask(behind: &Behind) -> Result<(), String> {
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
    signer.sign(&mut parts, Payload::EMPTY, &credentials, SystemTime::now());
    let request = Request::from_parts(parts, empty());
    let answer = timeout(LIMIT, behind.client.send(request)).await;
    let answer = answer.map_err(|_| format!("no answer within {} s", LIMIT.as_secs()))?;
    let status = answer.map_err(|error| error.to_string())?.status();
    if status.is_server_error() { Err(format!("it answers {status}")) } else { Ok(()) }
}
