//! Our HTTP client as the SDK's, so that there is one set of connections and of trusted roots.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use http::Request;
use http_body_util::{BodyExt, Limited};
use memchr::memmem;

use super::{Client, SendError};
use crate::body::full;

/// The answers of STS, of the metadata service and of SSO are a few kilobytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How long an answer may take where the SDK does not say.
const READ: Duration = Duration::from_secs(10);

/// The client for the SDK.
pub(crate) fn http_client(client: &Client) -> SharedHttpClient {
    let client = client.clone();
    http_client_fn(move |settings, _| SharedHttpConnector::new(Wire::new(&client, settings)))
}

#[derive(Clone, Debug)]
struct Wire {
    client: Client,
    limit: Duration,
}

impl Wire {
    fn new(client: &Client, settings: &HttpConnectorSettings) -> Self {
        let read = settings.read_timeout().unwrap_or(READ);
        let connect = settings.connect_timeout().unwrap_or_default();
        Self { client: client.clone(), limit: read + connect }
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let Some(bytes) = body.bytes() else {
            return Err(ConnectorError::user("a body of the SDK is not at hand as a whole".into()));
        };
        let request = Request::from_parts(parts, full(bytes.to_vec()));
        let response = self.client.send(request).await.map_err(|error| match &error {
            SendError::Timeout { .. } => ConnectorError::timeout(error.into()),
            _ => ConnectorError::io(error.into()),
        })?;
        let (parts, body) = response.into_parts();
        let bytes =
            Limited::new(body, LARGEST_ANSWER).collect().await.map_err(ConnectorError::io)?.to_bytes();
        if parts.status.is_client_error() && is_about_time(&bytes) {
            // The SDK corrects its own signatures; this is for all the others.
            self.client.clock().learn(&parts.headers);
        }
        let response = http::Response::from_parts(parts, bytes.into());
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

/// Whether an answer may be about the time of a signature.
fn is_about_time(body: &[u8]) -> bool {
    ["Signature", "Expired", "Skewed"].iter().any(|word| memmem::find(body, word.as_bytes()).is_some())
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, limit) = (self.clone(), self.limit);
        HttpConnectorFuture::new(async move {
            match tokio::time::timeout(limit, wire.send(request)).await {
                Ok(answered) => answered,
                Err(_) => {
                    let why = format!("no answer within {} s", limit.as_secs_f64());
                    Err(ConnectorError::timeout(why.into()))
                }
            }
        })
    }
}
