//! What a signed request says about its signer. Signatures themselves are not checked: nobody has the secrets.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::api::ApiError;
use crate::protocol::{http_date, query};

/// How far a signature's time may be from the service's, in seconds: fifteen minutes, says the IAM user guide.
const LEEWAY: i64 = 15 * 60;

/// Who signed, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The access key id.
    pub access_key: String,
    /// The region of the scope; none in signatures for all regions.
    pub region: Option<String>,
    /// The service of the scope.
    pub service: String,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
    /// When the request says it was signed.
    pub signed_at: Option<Timestamp>,
}

impl Credential {
    /// The credential of a request: from `Authorization`, or from the address of a presigned one.
    ///
    /// # Errors
    /// `IncompleteSignature` when there is one that cannot be read.
    pub fn read(request: &http::Request<Bytes>) -> Result<Option<Self>, ApiError> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        if let Some(authorization) = header("authorization") {
            let scope = authorization
                .split_once("Credential=")
                .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or(rest))
                .filter(|_| authorization.contains("Signature=") && authorization.contains("SignedHeaders="));
            let credential = scope.and_then(|scope| {
                Self::of_scope(scope, header("x-amz-security-token"), header("x-amz-date"))
            });
            return credential.map(Some).ok_or_else(|| {
                ApiError::new(
                    "IncompleteSignature",
                    "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.",
                )
            });
        }
        let fields = query::form(request.uri().query().unwrap_or_default());
        let field = |name: &str| fields.get(name).map(String::as_str);
        match (field("X-Amz-Credential"), field("X-Amz-Signature")) {
            (Some(scope), Some(_)) => {
                Ok(Self::of_scope(scope, field("X-Amz-Security-Token"), field("X-Amz-Date")))
            }
            _ => Ok(None),
        }
    }

    fn of_scope(scope: &str, token: Option<&str>, date: Option<&str>) -> Option<Self> {
        let parts: Vec<&str> = scope.split('/').collect();
        let (access_key, region, service) = match parts.as_slice() {
            [key, _date, region, service, "aws4_request"] => (key, Some((*region).to_owned()), service),
            [key, _date, service, "aws4_request"] => (key, None, service),
            _ => return None,
        };
        Some(Self {
            access_key: (*access_key).to_owned(),
            region,
            service: (*service).to_owned(),
            session_token: token.map(str::to_owned),
            signed_at: date.and_then(basic_time),
        })
    }

    /// Whether the signature's time is near the service's.
    ///
    /// # Errors
    /// As S3 or as the other services word it.
    pub fn check_time(&self, served: Timestamp) -> Result<(), ApiError> {
        let Some(signed) = self.signed_at else { return Ok(()) };
        let apart: SignedDuration = served.duration_since(signed);
        if apart.as_secs().abs() <= LEEWAY {
            return Ok(());
        }
        let error = if self.service == "s3" {
            ApiError::new(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
        } else {
            let word = if apart.is_positive() { "Signature expired" } else { "Signature not yet current" };
            ApiError::new(
                "SignatureDoesNotMatch",
                format!("{word}: {} is too far from {}", http_date(signed), http_date(served)),
            )
        };
        Err(error.with_status(403))
    }
}

/// A time as signatures write it: `20260102T030405Z`.
fn basic_time(text: &str) -> Option<Timestamp> {
    let piece = |from: usize, to: usize| text.get(from..to);
    let (date, time) = (
        format!("{}-{}-{}", piece(0, 4)?, piece(4, 6)?, piece(6, 8)?),
        format!("{}:{}:{}", piece(9, 11)?, piece(11, 13)?, piece(13, 15)?),
    );
    format!("{date}T{time}Z").parse().ok()
}
