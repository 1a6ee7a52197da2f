//! Signed calls in AWS's JSON protocol, with bounded answers and a few careful repeats.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::endpoints::{Endpoints, Service};
use super::{Client, SendError, jitter};
use crate::body::full;
use crate::credentials::{CredentialCache, CredentialsError};
use crate::sign::{PathEncoding, Payload, Signer};

/// The largest answer that is read: a secret has at most 64 KiB.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How often a call is made, the first time included.
const ATTEMPTS: u32 = 4;

/// How long a call may take in all.
const LIMIT: Duration = Duration::from_secs(30);

/// The first pause before a repeat; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Why a call has no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The service refused it.
    #[error("{operation} was refused: {code}{}", said(message))]
    Refused {
        /// The operation.
        operation: String,
        /// The status of the answer.
        status: u16,
        /// The service's code, such as `ResourceNotFoundException`.
        code: String,
        /// The service's words. They may name resources, never secrets.
        message: String,
    },
    /// There are no credentials to sign it with.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The service was not reached, or said nothing.
    #[error("{operation} has no answer: {error}")]
    Unanswered {
        /// The operation.
        operation: String,
        /// What happened.
        error: SendError,
    },
    /// The answer is none of the service.
    #[error("{operation} has an answer that cannot be read: {why}")]
    BadAnswer {
        /// The operation.
        operation: String,
        /// What is wrong with it.
        why: String,
    },
    /// It took too long.
    #[error("{operation} took more than {} s", LIMIT.as_secs())]
    TooLong {
        /// The operation.
        operation: String,
    },
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl CallError {
    /// The service's code, if it was the service that said no.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether what was asked for is not there, such as a secret that has no value yet.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some("ResourceNotFoundException")
    }

    /// Whether the credentials may not do this.
    pub fn is_denied(&self) -> bool {
        self.code().is_some_and(|code| matches!(code, "AccessDeniedException" | "AccessDenied"))
    }

    /// Whether the service said that it was too much.
    pub fn is_throttled(&self) -> bool {
        match self {
            Self::Refused { code, status, .. } => *status == 429 || is_throttling(code),
            _ => false,
        }
    }

    fn is_expired(&self) -> bool {
        self.code().is_some_and(is_expired_token)
    }

    /// Whether the signature's time may be the reason.
    fn is_about_time(&self) -> bool {
        self.code()
            .is_some_and(|code| ["Signature", "Expired", "Skewed"].iter().any(|word| code.contains(word)))
    }

    /// Whether a repeat may go better and does no harm. Throttled and unsent calls did nothing.
    fn may_repeat(&self, reads: bool) -> bool {
        match self {
            Self::Refused { status, .. } => self.is_throttled() || (reads && *status >= 500),
            Self::Unanswered { error, .. } => error.is_unsent() || reads,
            Self::BadAnswer { .. } => reads,
            Self::Credentials(_) | Self::TooLong { .. } => false,
        }
    }
}

/// The codes by which services of AWS say that it is too much. Source: botocore's `_retry.json` and the SDKs.
pub(crate) fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "EC2ThrottledException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
    )
}

/// The codes by which services of AWS say that credentials are no longer, or not yet, known. Source: the SDKs.
pub fn is_expired_token(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidToken"
            | "TokenRefreshRequired"
    )
}

/// Makes calls in one region with one kind of credentials. Cheap to clone.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

struct Inner {
    client: Client,
    credentials: CredentialCache,
    region: String,
    endpoints: Endpoints,
    signers: [Signer; Service::ALL.len()],
}

impl fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Calls").field("region", &self.0.region).finish_non_exhaustive()
    }
}

impl Calls {
    /// Calls in `region` that are signed with `credentials`.
    pub fn new(client: Client, credentials: CredentialCache, region: &str, endpoints: Endpoints) -> Self {
        let signers =
            Service::ALL.map(|service| Signer::new(region, service.signing_name(), PathEncoding::Twice));
        Self(Arc::new(Inner { client, credentials, region: region.to_owned(), endpoints, signers }))
    }

    /// Calls an operation, such as `GetSecretValue`, and gives its result.
    ///
    /// Throttled calls are repeated, and those that only read also when the service failed or said nothing; credentials
    /// that the service no longer knows are renewed once. All of it ends within 30 seconds.
    pub async fn json(&self, service: Service, operation: &str, body: &Value) -> Result<Value, CallError> {
        let deadline = Instant::now() + LIMIT;
        match timeout_at(deadline, self.repeat(service, operation, body)).await {
            Ok(result) => result,
            Err(_) => Err(CallError::TooLong { operation: operation.to_owned() }),
        }
    }

    async fn repeat(&self, service: Service, operation: &str, body: &Value) -> Result<Value, CallError> {
        let reads =
            ["Get", "Describe", "List", "CreatePresigned"].iter().any(|verb| operation.starts_with(verb));
        let body = body.to_string().into_bytes();
        let mut credentials = self.0.credentials.get().await?;
        let (mut renewed, mut moved) = (false, false);
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let request = self.request(service, operation, &body, &credentials);
            let (error, headers) = match self.once(operation, request).await {
                Ok(value) => return Ok(value),
                Err(failed) => *failed,
            };
            if error.is_about_time() && !moved && self.0.client.clock().learn(&headers) {
                moved = true;
                continue;
            }
            if error.is_expired() && !renewed {
                renewed = true;
                credentials = self.0.credentials.renew(&credentials).await?;
                continue;
            }
            if attempt == ATTEMPTS || !error.may_repeat(reads) {
                return Err(error);
            }
            sleep(pause.mul_f64(0.5 + jitter())).await;
            pause *= 2;
            attempt += 1;
        }
    }

    fn request(
        &self,
        service: Service,
        operation: &str,
        body: &[u8],
        credentials: &crate::credentials::Credentials,
    ) -> http::request::Parts {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.0.endpoints.of(service, &self.0.region);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        let target = format!("{}.{operation}", service.target_prefix());
        headers.insert(TARGET, HeaderValue::from_str(&target).expect("an operation's name has letters only"));
        let (mut parts, ()) = request.into_parts();
        let signer = &self.0.signers[service as usize];
        signer.sign(&mut parts, Payload::of(body), credentials, self.0.client.clock().now());
        parts.extensions.insert(bytes::Bytes::copy_from_slice(body));
        parts
    }

    /// One attempt; a failure comes with the headers of its answer.
    async fn once(
        &self,
        operation: &str,
        mut parts: http::request::Parts,
    ) -> Result<Value, Box<(CallError, HeaderMap)>> {
        let body = parts.extensions.remove::<bytes::Bytes>().unwrap_or_default();
        let failed = |error| Box::new((error, HeaderMap::new()));
        let unanswered = |error| failed(CallError::Unanswered { operation: operation.to_owned(), error });
        let bad = |why: String| failed(CallError::BadAnswer { operation: operation.to_owned(), why });
        let sending = self.0.client.send(Request::from_parts(parts, full(body)));
        let (head, body) = sending.await.map_err(unanswered)?.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let bytes = body.map_err(|error| bad(error.to_string()))?.to_bytes();
        // PutLogEvents and others may answer without a byte.
        let value = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
        if head.status == StatusCode::OK {
            return value.map_err(|error| bad(format!("it is no JSON: {error}")));
        }
        let value = value.unwrap_or_default();
        let named = head.headers.get(ERROR_TYPE).and_then(|name| name.to_str().ok());
        let code =
            value["__type"].as_str().or(value["code"].as_str()).or(named).map(code).unwrap_or_default();
        let message = value["message"].as_str().or(value["Message"].as_str()).unwrap_or_default();
        let error = CallError::Refused {
            operation: operation.to_owned(),
            status: head.status.as_u16(),
            code: if code.is_empty() { format!("status {}", head.status.as_u16()) } else { code.to_owned() },
            message: message.to_owned(),
        };
        Err(Box::new((error, head.headers)))
    }
}

/// `com.amazonaws.secretsmanager#ResourceNotFoundException:http://...` is `ResourceNotFoundException`.
pub(crate) fn code(text: &str) -> &str {
    let text = text.split(':').next().unwrap_or(text);
    text.rsplit('#').next().unwrap_or(text)
}
