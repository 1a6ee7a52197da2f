//! Where users and public keys are read from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::ACCEPT;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};

use crate::aws::{CallError, Calls, Client, Service};
use crate::body::empty;

/// How long a public document may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads the users' document: its text, none when nothing was written yet, or why it cannot be read.
pub type Secret = Arc<dyn Fn() -> BoxFuture<'static, Result<Option<String>, String>> + Send + Sync>;

/// Fetches a public document, at most of the given length in bytes, or says why it cannot.
pub type Documents = Arc<dyn Fn(Uri, usize) -> BoxFuture<'static, Result<Bytes, String>> + Send + Sync>;

/// The users in a file. A file that is not there is a mistake, not an empty list.
pub fn file(path: PathBuf) -> Secret {
    Arc::new(move || {
        let path = path.clone();
        Box::pin(async move {
            let text = tokio::fs::read_to_string(&path).await;
            text.map(Some).map_err(|error| format!("cannot read {}: {error}", path.display()))
        })
    })
}

/// The users in a secret of Secrets Manager.
pub fn secret(calls: Calls, arn: String) -> Secret {
    Arc::new(move || {
        let (calls, arn) = (calls.clone(), arn.clone());
        Box::pin(async move {
            let body = serde_json::json!({ "SecretId": arn });
            match calls.json(Service::SecretsManager, "GetSecretValue", &body).await {
                Ok(answer) => match answer.get("SecretString").and_then(|text| text.as_str()) {
                    Some(text) => Ok(Some(text.to_owned())),
                    None => Err(format!("the secret {arn} holds no text")),
                },
                Err(error) if has_no_version(&error) => Ok(None),
                Err(error) => Err(format!("the secret {arn} cannot be read: {error}")),
            }
        })
    })
}

/// Whether the secret is there and nothing was written to it yet. The code is that of a secret that does not exist.
fn has_no_version(error: &CallError) -> bool {
    match error {
        CallError::Refused { message, .. } => error.is_not_found() && message.contains("staging label"),
        _ => false,
    }
}

/// Public documents, by the proxy's one HTTP client.
pub fn documents(client: Client) -> Documents {
    Arc::new(move |uri, greatest| {
        let client = client.clone();
        Box::pin(async move {
            let mut request = Request::new(empty());
            *request.uri_mut() = uri;
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json, */*"));
            let fetch = async {
                let response = client.send(request).await.map_err(|error| error.to_string())?;
                if response.status() != StatusCode::OK {
                    return Err(format!("the answer is {}", response.status()));
                }
                let body = Limited::new(response.into_body(), greatest).collect().await;
                body.map(|body| body.to_bytes()).map_err(|error| format!("the answer broke off: {error}"))
            };
            let within = tokio::time::timeout(PATIENCE, fetch).await;
            within.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
        })
    })
}
