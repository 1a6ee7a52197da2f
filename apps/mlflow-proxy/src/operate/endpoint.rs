//! The operators' own port: metrics, health and readiness, apart from what clients reach.
//!
//! It asks nobody who they are, so it listens on loopback unless told otherwise, and its connections are few and short.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::body::{Body, full};
use crate::problem::Problem;

use super::{Operate, exposition};

/// More than scrapers and load balancers need.
const CONNECTIONS: usize = 64;

/// A connection is given up after this: scrapers come back.
const CONNECTION_LIMIT: Duration = Duration::from_secs(120);
const HEAD_LIMIT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers until the task is ended.
pub(super) async fn serve(operate: Arc<Operate>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(error = %error, "cannot accept a connection for metrics");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let operate = operate.clone();
        tokio::spawn(async move {
            let service = service_fn(async |request| Ok::<_, Infallible>(answer(&operate, &request)));
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
            let _ = timeout(CONNECTION_LIMIT, http.serve_connection(TokioIo::new(stream), service)).await;
            drop(place);
        });
    }
}

fn answer(operate: &Operate, request: &Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    if !matches!(path, "/metrics" | "/healthz" | "/readyz") {
        let message = format!("there is nothing at {path}; this port answers /metrics, /healthz and /readyz");
        return Problem::new(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", message).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = format!("{} is not possible on {path}; use GET or HEAD", request.method());
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", message)
            .header(ALLOW, HeaderValue::from_static("GET, HEAD"))
            .into_response();
    }
    match path {
        "/healthz" => operate.health(),
        "/readyz" => operate.ready(),
        _ => {
            let mut response = Response::new(full(operate.metrics_text()));
            let content_type = HeaderValue::from_static(exposition::CONTENT_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, content_type);
            response
        }
    }
}
