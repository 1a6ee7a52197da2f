//! The proxy for one person on their own computer: what differs from a server's.
//!
//! It listens on loopback, takes the credentials of an AWS profile, and asks SageMaker where the artifacts are, since
//! nobody has a stack's outputs at hand there.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::aws::{Calls, Client, Service};
use crate::credentials::Caches;
use crate::settings::Settings;
use crate::target::Mode;

/// How long to wait for SageMaker to say where artifacts are.
const LIMIT: Duration = Duration::from_secs(15);

/// The lines to paste into a shell.
pub fn lines(scheme: &str, address: SocketAddr) -> String {
    format!(
        "pip install mlflow\n\
         export MLFLOW_TRACKING_URI={scheme}://{address}\n\
         python -c 'import mlflow; print(mlflow.search_experiments(max_results=1))'\n"
    )
}

/// Where the resource keeps its artifacts, such as `s3://bucket/prefix`, as SageMaker tells it.
///
/// # Errors
///
/// Why it is not known, in words for a person.
pub async fn artifact_root(settings: &Settings) -> Result<String, String> {
    let target = settings.target.as_ref().ok_or("no resource is set")?;
    let client = Client::new(&settings.aws);
    let endpoints = &settings.aws.endpoints;
    let caches = Caches::new(&settings.credentials, &client, endpoints, &target.region);
    let calls = Calls::new(client, caches.mlflow, &target.region, endpoints.clone());
    let (operation, body) = match target.mode {
        Mode::TrackingServer => {
            ("DescribeMlflowTrackingServer", json!({ "TrackingServerName": target.name }))
        }
        Mode::App => ("DescribeMlflowApp", json!({ "Arn": target.arn })),
    };
    let answer = timeout(LIMIT, calls.json(Service::SageMaker, operation, &body)).await;
    let answer = answer
        .map_err(|_| format!("{operation} took more than {} s", LIMIT.as_secs()))?
        .map_err(|error| error.to_string())?;
    let root = answer["ArtifactStoreUri"].as_str().filter(|root| root.starts_with("s3://"));
    root.map(str::to_owned).ok_or_else(|| format!("the answer of {operation} has no ArtifactStoreUri"))
}
