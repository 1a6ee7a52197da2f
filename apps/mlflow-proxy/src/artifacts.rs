//! Files of runs and models, served from the bucket, for clients that have no identity with AWS.
//!
//! MLflow behind the proxy keeps artifacts in a bucket and sends clients there, which only those with an identity with
//! AWS can follow. Here the proxy answers the mlflow-artifacts API itself, with its own role, and [`locations`] tells
//! clients of places at the proxy instead of the bucket. Turned off, or without a bucket, everything passes through.

mod bucket;
mod delete;
mod download;
mod links;
mod list;
pub mod locations;
mod media;
mod part;
mod path;
mod root;
mod route;
mod settings;
mod upload;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode};

pub use path::{PathError, RelativePath};
pub use root::Root;
pub use settings::{Owner, Settings, VARIABLES};

use crate::aws::{Client, Endpoints, Service};
use crate::body::{Body, full};
use crate::credentials::CredentialCache;
use crate::held::Disk;
use crate::operate::metrics::Metrics;
use crate::problem::Problem;
use crate::target::Target;
use bucket::{Bucket, Reach};
use route::Operation;

/// Serves the artifacts below one root.
pub struct Artifacts {
    bucket: Arc<Bucket>,
    disk: Disk,
    links: bool,
}

/// What artifacts are served with.
pub struct Parts {
    /// The HTTP client.
    pub client: Client,
    /// The credentials of the role that may use the bucket.
    pub credentials: CredentialCache,
    /// Addresses that take the place of AWS's.
    pub endpoints: Endpoints,
    /// Where parts of uploads wait that have to be hashed or counted before they are sent.
    pub disk: Disk,
    /// Where failures of the bucket are counted.
    pub metrics: Arc<Metrics>,
}

impl Artifacts {
    /// Serves what the settings name; `None` when artifacts pass through.
    pub fn new(settings: &Settings, target: &Target, parts: Parts) -> Option<Self> {
        let root = settings.root.clone()?;
        let endpoint = parts.endpoints.instead(Service::S3).cloned();
        let owner = match &settings.owner {
            Owner::Account(account) => Some(account.clone()),
            // What takes the place of S3 need not know accounts.
            Owner::OfTarget if endpoint.is_none() => HeaderValue::from_str(&target.account).ok(),
            Owner::OfTarget | Owner::Anybody => None,
        };
        let region = target.region.clone();
        let Parts { client, credentials, disk, metrics, .. } = parts;
        let reach = Reach { root, client, credentials, region, endpoint, owner, metrics };
        let bucket = Arc::new(Bucket::new(reach));
        Some(Self { bucket, disk, links: settings.links })
    }

    /// The root, for the rewriting of [`locations`].
    pub fn root(&self) -> &Arc<Root> {
        self.bucket.root()
    }

    /// Whether a path is answered here and not by MLflow.
    pub fn serves(path: &str) -> bool {
        route::find(path).is_some()
    }

    /// Answers a request of the mlflow-artifacts API, or one for a presigned URL.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let answer = match route::read(&request, self.links) {
            Ok(operation) => self.carry_out(operation, request).await,
            Err(problem) => Err(problem),
        };
        answer.unwrap_or_else(Problem::into_response)
    }
}

impl Artifacts {
    async fn carry_out(
        &self,
        operation: Operation,
        request: Request<Body>,
    ) -> Result<Response<Body>, Problem> {
        let bucket = &self.bucket;
        match operation {
            Operation::List(path) => list::answer(bucket, path).await,
            Operation::Download(path) => {
                // A body is no shared thing, and this one is of no use.
                let (head, _) = request.into_parts();
                download::answer(bucket, &path, &head.method, &head.headers).await
            }
            Operation::Upload(path) => upload::answer(bucket, &self.disk, &path, request).await,
            Operation::Delete(path) => delete::answer(bucket, &path).await,
            Operation::CreateUpload(directory) => links::create(bucket, &directory, request).await,
            Operation::CompleteUpload(directory) => links::complete(bucket, &directory, request).await,
            Operation::AbortUpload(directory) => links::abort(bucket, &directory, request).await,
            Operation::Link(path) => links::download(bucket, &path).await,
            Operation::Unsupported(message) => Err(unsupported(message)),
        }
    }
}

/// The answer that makes clients go on through the proxy: they look for MLflow's words, and for this status.
fn unsupported(message: &'static str) -> Problem {
    Problem::new(StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", message)
        .hint("send or fetch the artifact through the proxy itself, as MLflow's clients then do")
}

/// An answer in JSON.
fn json(body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
