//! What S3 says when it does not do what it was asked, and what a client is told of it.

use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::xml::text_of;
use crate::aws::SendError;
use crate::credentials::CredentialsError;
use crate::problem::Problem;

/// The most bytes of an error document that are read.
const ERROR_LIMIT: usize = 64 * 1024;

/// How long an error document may take.
const ERROR_TIME: Duration = Duration::from_secs(3);

/// When a client may try again after a failure that passes by.
const SOON: Duration = Duration::from_secs(2);

/// Why the bucket did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::artifacts) enum BucketError {
    /// S3 refused.
    #[error("{0}")]
    Refused(Refusal),
    /// S3 was not reached, or did not answer.
    #[error("{0}")]
    Send(SendError),
    /// There are no credentials to sign with.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// What came is not what S3 says.
    #[error("the bucket's answer cannot be used: {why}")]
    Garbage {
        /// Why not.
        why: String,
    },
}

/// A refusal of S3's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action} was refused with {} {code}: {message}", status.as_u16())]
pub(in crate::artifacts) struct Refusal {
    /// What was asked, as an action of IAM.
    pub(in crate::artifacts) action: &'static str,
    /// The status.
    pub(in crate::artifacts) status: StatusCode,
    /// S3's code; empty where an answer has no body.
    pub(in crate::artifacts) code: String,
    /// S3's words.
    pub(in crate::artifacts) message: String,
    region: Option<String>,
    size: Option<String>,
}

impl Refusal {
    /// Reads the error document of an answer, as far as there is one.
    pub(super) async fn read(action: &'static str, answer: Response<Incoming>) -> Self {
        let status = answer.status();
        let region = answer.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
        let region = region.map(str::to_owned);
        let body = Limited::new(answer.into_body(), ERROR_LIMIT).collect();
        // The status alone tells most; nobody is to wait long for the words.
        let body = timeout(ERROR_TIME, body).await.ok().and_then(Result::ok);
        let document = body.map(|body| body.to_bytes()).unwrap_or_default();
        Self { region, ..Self::of(action, status, &document) }.with_region_of(&document)
    }

    /// The refusal that a document tells, which S3 also sends with status 200 once an answer has begun.
    pub(in crate::artifacts) fn of(action: &'static str, status: StatusCode, document: &[u8]) -> Self {
        let field = |name: &str| text_of(document, name);
        let size = field("ActualObjectSize");
        let code = field("Code").unwrap_or_default();
        Self { action, status, code, message: field("Message").unwrap_or_default(), region: None, size }
    }

    /// A refusal of a part of what was asked, inside of an answer that is a success.
    pub(in crate::artifacts) fn inside(
        action: &'static str,
        status: StatusCode,
        code: String,
        message: String,
    ) -> Self {
        Self { action, status, code, message, region: None, size: None }
    }

    fn with_region_of(self, document: &[u8]) -> Self {
        let region = self.region.clone().or_else(|| text_of(document, "Region"));
        let plain = |region: &String| region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        Self { region: region.filter(|region| !region.is_empty() && plain(region)), ..self }
    }

    /// The region in which the bucket is, when it was asked for in another.
    pub(super) fn region(&self) -> Option<&str> {
        let elsewhere = self.status.is_redirection()
            || matches!(
                self.code.as_str(),
                "PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect"
            )
            || self.code.is_empty() && self.status == StatusCode::BAD_REQUEST;
        self.region.as_deref().filter(|_| elsewhere)
    }

    /// Whether the credentials have ended before their time.
    pub(super) fn is_expired_token(&self) -> bool {
        crate::aws::is_expired_token(&self.code)
    }

    /// Whether the same request may well succeed a moment later.
    fn passes_by(&self) -> bool {
        let busy = matches!(
            self.code.as_str(),
            "SlowDown"
                | "InternalError"
                | "ServiceUnavailable"
                | "RequestTimeout"
                | "OperationAborted"
                | "RequestLimitExceeded"
        );
        busy || self.status.is_server_error() && self.status != StatusCode::NOT_IMPLEMENTED
            || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// Whether there is no such object.
    pub(in crate::artifacts) fn is_missing(&self) -> bool {
        matches!(self.code.as_str(), "NoSuchKey" | "NoSuchVersion")
            || self.code.is_empty() && self.status == StatusCode::NOT_FOUND
    }

    /// What the client is told, about the artifact that it asked for.
    fn problem(&self, path: &str) -> Problem {
        let asked = self.action;
        match self.code.as_str() {
            _ if self.is_missing() => Problem::new(
                StatusCode::NOT_FOUND,
                "RESOURCE_DOES_NOT_EXIST",
                format!("there is no artifact at `{path}`"),
            ),
            "NoSuchBucket" => Problem::new(
                StatusCode::NOT_FOUND,
                "RESOURCE_DOES_NOT_EXIST",
                "the bucket of the artifacts does not exist",
            )
            .hint("whoever runs the proxy corrects SM_MLFLOW_ARTIFACT_URI"),
            "NoSuchUpload" => Problem::new(
                StatusCode::NOT_FOUND,
                "RESOURCE_DOES_NOT_EXIST",
                format!("there is no upload under way for `{path}`"),
            )
            .hint("begin the upload anew"),
            "InvalidRange" => {
                let problem = Problem::new(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "INVALID_PARAMETER_VALUE",
                    format!("the artifact `{path}` does not have the range that was asked for"),
                );
                match self.size.as_ref().and_then(|size| format!("bytes */{size}").parse().ok()) {
                    Some(range) => problem.header(http::header::CONTENT_RANGE, range),
                    None => problem,
                }
            }
            "EntityTooLarge" => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "INVALID_PARAMETER_VALUE",
                format!("the artifact `{path}` is larger than S3 takes"),
            ),
            "KeyTooLongError" => Problem::new(
                StatusCode::BAD_REQUEST,
                "INVALID_PARAMETER_VALUE",
                format!("the path `{path}` is longer than S3 takes"),
            ),
            "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" | "MalformedXML" => Problem::new(
                StatusCode::BAD_REQUEST,
                "INVALID_PARAMETER_VALUE",
                format!("the parts of `{path}` do not make an object: {}", self.code),
            ),
            "InvalidObjectState" => Problem::new(
                StatusCode::CONFLICT,
                "INVALID_STATE",
                format!("the artifact `{path}` is archived"),
            )
            .hint("restore it in S3 first"),
            _ if self.status == StatusCode::FORBIDDEN => {
                let hint = if self.message.contains("kms") || self.code.starts_with("KMS") {
                    "whoever runs the proxy lets its role use the bucket's key: kms:Decrypt and kms:GenerateDataKey".to_owned()
                } else {
                    format!(
                        "whoever runs the proxy lets its role do s3:{asked} on the bucket and its prefix; see SM_MLFLOW_ROLE_ARN, SM_MLFLOW_ARTIFACT_URI and MLFLOW_PROXY_BUCKET_OWNER"
                    )
                };
                Problem::new(
                    StatusCode::FORBIDDEN,
                    "PERMISSION_DENIED",
                    format!("S3 does not let the proxy do {asked} at `{path}` ({})", self.code_or_status()),
                )
                .hint(hint)
            }
            _ if self.passes_by() => {
                busy(format!("S3 does not do {asked} at `{path}` now ({})", self.code_or_status()))
            }
            _ => Problem::new(
                StatusCode::BAD_GATEWAY,
                "INTERNAL_ERROR",
                format!("S3 refused {asked} at `{path}` ({})", self.code_or_status()),
            ),
        }
    }

    fn code_or_status(&self) -> &str {
        if self.code.is_empty() { self.status.as_str() } else { &self.code }
    }
}

fn busy(message: String) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", message).retry_after(SOON)
}

impl BucketError {
    /// Whether the same request may well succeed a moment later.
    pub(super) fn passes_by(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.passes_by(),
            Self::Send(error) => matches!(error, SendError::NotSent { .. } | SendError::NoAnswer { .. }),
            Self::Credentials(_) | Self::Garbage { .. } => false,
        }
    }

    /// Whether there is no such object.
    pub(in crate::artifacts) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_missing())
    }

    /// What the client is told, about the artifact that it asked for. S3's own words are for the log.
    pub(in crate::artifacts) fn into_problem(self, path: &str) -> Problem {
        if !self.is_missing() {
            tracing::warn!(error = %self, "the bucket did not do what it was asked");
        }
        match self {
            Self::Refused(refusal) if refusal.is_expired_token() => {
                busy(format!("the proxy's credentials had ended while it was busy with `{path}`"))
            }
            Self::Refused(refusal) => refusal.problem(path),
            Self::Send(SendError::Timeout { .. }) => Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                "TEMPORARILY_UNAVAILABLE",
                format!("S3 did not answer in time about `{path}`"),
            )
            .retry_after(SOON),
            Self::Send(SendError::Body { problem, .. }) => *problem,
            Self::Send(_) => busy(format!("the proxy does not reach S3 for `{path}`")),
            Self::Credentials(error) => error.into(),
            Self::Garbage { .. } => Problem::new(
                StatusCode::BAD_GATEWAY,
                "INTERNAL_ERROR",
                format!("S3 answered about `{path}` what the proxy does not understand"),
            ),
        }
    }
}
