//! The way of a request through the proxy, in one place: each check in its order, then the one who answers.

use std::sync::Arc;

use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::body::Body;
use crate::operate::Operate;
use crate::problem::Problem;
use crate::server::{Handler, Peer};

/// All parts of the proxy, put together.
pub struct Proxy {
    operate: Arc<Operate>,
}

impl Proxy {
    /// Puts the parts together.
    pub fn new(operate: Arc<Operate>) -> Self {
        Self { operate }
    }
}

impl Handler for Proxy {
    async fn answer(&self, request: Request<Body>, _peer: Peer) -> Response<Body> {
        match (request.uri().path(), request.method()) {
            ("/healthz", &Method::GET | &Method::HEAD) => self.operate.health(),
            ("/readyz", &Method::GET | &Method::HEAD) => self.operate.ready(),
            (path @ ("/healthz" | "/readyz"), method) => {
                let message = format!("{method} is not possible on {path}; use GET or HEAD");
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", message)
                    .header(ALLOW, HeaderValue::from_static("GET, HEAD"))
                    .into_response()
            }
            (path, _) => {
                let message = format!("there is nothing at {path}");
                Problem::new(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", message).into_response()
            }
        }
    }
}
