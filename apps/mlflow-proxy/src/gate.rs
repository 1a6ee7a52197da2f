//! The way of a request through the proxy, in one place: each check in its order, then the one who answers.

mod hosts;
mod protocol;
mod request_id;
mod settings;

use std::sync::Arc;
use std::time::Instant;

use http::header::{ALLOW, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use crate::artifacts::locations::{self, Locations};
use crate::artifacts::{Artifacts, Parts};
use crate::aws::{self, Calls};
use crate::body::Body;
use crate::credentials::{Caches, CredentialCache};
use crate::forward::Forward;
use crate::operate::metrics::Class;
use crate::operate::{Answered, Behind, Operate};
use crate::problem::Problem;
use crate::server::{Handler, Peer};
use crate::settings::Settings as All;

pub use hosts::Hosts;
pub use settings::{Settings, VARIABLES};

/// Browsers are to come back by TLS only, for a year. Source: RFC 6797.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// All parts of the proxy, put together.
pub struct Proxy {
    hosts: Hosts,
    forward: Forward,
    artifacts: Option<Artifacts>,
    operate: Arc<Operate>,
}

/// The proxy cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It is not known which MLflow is meant.
    #[error("SM_MLFLOW_RESOURCE_ARN names no MLflow")]
    NoTarget,
}

impl Proxy {
    /// Puts the parts together and starts what runs beside requests. Has to be called within a runtime.
    ///
    /// # Errors
    ///
    /// When the settings have a mistake that was not heeded.
    pub async fn start(settings: &All, operate: Arc<Operate>) -> Result<Arc<Self>, StartError> {
        let region = &settings.target.as_ref().ok_or(StartError::NoTarget)?.region;
        let client = aws::Client::new(&settings.aws);
        let caches = Caches::new(&settings.credentials, &client, &settings.aws.endpoints, region);
        Self::with_credentials(settings, caches, operate).await
    }

    /// The same with credentials that come from elsewhere than the settings say.
    ///
    /// # Errors
    ///
    /// When the settings have a mistake that was not heeded.
    pub async fn with_credentials(
        settings: &All,
        caches: Caches,
        operate: Arc<Operate>,
    ) -> Result<Arc<Self>, StartError> {
        let target = Arc::new(settings.target.clone().ok_or(StartError::NoTarget)?);
        let client = aws::Client::new(&settings.aws);
        let endpoints = &settings.aws.endpoints;
        let calls = |credentials: &CredentialCache| {
            Calls::new(client.clone(), credentials.clone(), &target.region, endpoints.clone())
        };
        let behind = Behind {
            calls: calls(&caches.base),
            caches: caches.clone(),
            client: client.clone(),
            target: target.clone(),
        };
        operate.start(behind).await;
        let keeper = caches.mlflow.clone();
        tokio::spawn(async move { keeper.keep().await });
        let parts = Parts {
            client: client.clone(),
            credentials: caches.mlflow.clone(),
            endpoints: endpoints.clone(),
            spool: settings.forward.directory.clone(),
        };
        let artifacts = Artifacts::new(&settings.artifacts, &target, parts);
        let forward =
            Forward::new(&target, &settings.forward, caches.mlflow.clone(), client, operate.clone());
        let hosts = settings.gate.allowed_hosts.clone().unwrap_or_else(Hosts::any);
        Ok(Arc::new(Self { hosts, forward, artifacts, operate }))
    }

    /// The answer, and what the request was for.
    async fn decide(&self, mut request: Request<Body>) -> (Class, Result<Response<Body>, Problem>) {
        let host = match protocol::normalize(&mut request) {
            Ok(host) => host,
            Err(problem) => return (Class::Refused, Err(problem)),
        };
        if let path @ ("/healthz" | "/readyz") = request.uri().path() {
            return (Class::Health, self.health(request.method(), path));
        }
        let checked = self
            .hosts
            .check(host.as_ref())
            .and_then(|()| hosts::check_origin(request.method(), request.headers(), host.as_ref()));
        if let Err(problem) = checked {
            return (Class::Refused, Err(problem));
        }
        match &self.artifacts {
            Some(artifacts) if Artifacts::serves(request.uri().path()) => {
                (Class::Artifacts, Ok(artifacts.answer(request).await))
            }
            artifacts => (Class::Mlflow, Ok(self.pass(request, artifacts.as_ref()).await)),
        }
    }

    /// Sends a request on, with the places of artifacts turned around where the proxy serves them.
    async fn pass(&self, request: Request<Body>, artifacts: Option<&Artifacts>) -> Response<Body> {
        let Some(artifacts) = artifacts else { return self.forward.send(request).await };
        let (locations, root) = (Locations::of(request.uri().path()), artifacts.root());
        let response = self.forward.send(locations::rewrite_request(request, locations, root)).await;
        locations::rewrite_response(response, locations, root).await
    }

    fn health(&self, method: &Method, path: &str) -> Result<Response<Body>, Problem> {
        match (path, method) {
            ("/healthz", &Method::GET | &Method::HEAD) => Ok(self.operate.health()),
            (_, &Method::GET | &Method::HEAD) => Ok(self.operate.ready()),
            _ => {
                let message = format!("{method} is not possible on {path}; use GET or HEAD");
                Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", message)
                    .header(ALLOW, HeaderValue::from_static("GET, HEAD")))
            }
        }
    }
}

impl Handler for Proxy {
    async fn answer(&self, mut request: Request<Body>, peer: Peer) -> Response<Body> {
        let start = Instant::now();
        let id = request_id::take(request.headers_mut());
        let method = request.method().clone();
        let target = request.uri().path_and_query().cloned();
        let (class, answer) = self.decide(request).await;
        let mut response = answer.unwrap_or_else(Problem::into_response);
        self.operate.answered(&Answered {
            class,
            method: &method,
            path: target.as_ref().map_or("", |target| target.path()),
            status: response.status(),
            duration: start.elapsed(),
            request_id: id.to_str().unwrap_or_default(),
            user: None,
        });
        secure(response.headers_mut(), peer);
        response.headers_mut().insert(request_id::REQUEST_ID, id);
        response
    }
}

/// Headers that keep browsers from being used against their users.
fn secure(headers: &mut HeaderMap, peer: Peer) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("SAMEORIGIN"));
    if peer.tls {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(TLS_ONLY);
    }
}
