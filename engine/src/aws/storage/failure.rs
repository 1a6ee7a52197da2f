//! What S3 answers when something is wrong, sorted, and said in words that name the way out.

use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::request_id::RequestId;

use crate::aws::error::{Error, ErrorKind};
use crate::error::{Class, EngineError};

/// The header in which S3 names the region of a bucket, also where it refuses the call.
const REGION_HEADER: &str = "x-amz-bucket-region";

/// The code of an error for a bucket in another region; its message is the region, where S3 names it.
pub(super) const OTHER_REGION: &str = "PermanentRedirect";

pub(super) fn error<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let response = error.raw_response();
    let status = response.map(|response| response.status().as_u16());
    let header = |name: &str| response.and_then(|response| response.headers().get(name)).map(str::to_owned);
    let code = error.code().map(str::to_owned).or_else(|| code_of_status(status));
    let kind = match error {
        SdkError::ServiceError(_) => {
            let wait = header("retry-after").and_then(|seconds| seconds.parse().ok());
            kind(code.as_deref().unwrap_or_default(), status.unwrap_or_default(), wait)
        }
        SdkError::TimeoutError(_) => ErrorKind::Unreachable,
        SdkError::ResponseError(_) => ErrorKind::Protocol,
        SdkError::DispatchFailure(failure) if failure.is_user() => ErrorKind::Invalid,
        SdkError::DispatchFailure(_) => ErrorKind::Unreachable,
        _ => ErrorKind::Other,
    };
    let message = match (&kind, code.as_deref()) {
        (_, Some(OTHER_REGION | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException")) => {
            let region = header(REGION_HEADER).or_else(|| region_in_body(response));
            return Error {
                operation,
                kind: ErrorKind::Other,
                code: Some(OTHER_REGION.to_owned()),
                message: region.unwrap_or_else(|| "another region".to_owned()),
                request_id: error.request_id().map(str::to_owned),
            };
        }
        (_, _) => error.message().map(str::to_owned),
    };
    let message = message.or_else(|| code.clone()).unwrap_or_else(|| chain(error));
    Error { operation, kind, code, message, request_id: error.request_id().map(str::to_owned) }
}

/// Answers without a body, those to `HEAD` for one, have no code but the status.
fn code_of_status(status: Option<u16>) -> Option<String> {
    let code = match status? {
        301 | 307 => OTHER_REGION,
        403 => "AccessDenied",
        404 => "NotFound",
        _ => return None,
    };
    Some(code.to_owned())
}

fn kind(code: &str, status: u16, retry_after: Option<u64>) -> ErrorKind {
    let throttled = ErrorKind::Throttled { retry_after: retry_after.map(Duration::from_secs) };
    match code {
        "SlowDown"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "BandwidthLimitExceeded" => throttled,
        "InternalError" | "RequestTimeout" | "OperationAborted" | "ConditionalRequestConflict" => {
            ErrorKind::Unreachable
        }
        "ExpiredToken" | "TokenRefreshRequired" | "RequestExpired" => ErrorKind::ExpiredCredentials,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidToken"
        | "NotSignedUp"
        | "InvalidClientTokenId"
        | "RequestTimeTooSkewed" => ErrorKind::Credentials,
        _ => match status {
            403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            408 | 500 | 502 | 504 => ErrorKind::Unreachable,
            409 | 412 => ErrorKind::WrongState,
            429 | 503 => throttled,
            400..500 => ErrorKind::Invalid,
            _ => ErrorKind::Other,
        },
    }
}

fn region_in_body(response: Option<&HttpResponse>) -> Option<String> {
    let text = std::str::from_utf8(response?.body().bytes()?).ok()?;
    let region = text.split_once("<Region>")?.1.split_once("</Region>")?.0;
    (!region.is_empty()).then(|| region.to_owned())
}

/// The texts of an error and of what caused it; the SDK's outermost text says nothing.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = cause.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

/// The failure of a call on a bucket as the user is told it.
pub fn explain(error: Error, bucket: &str, account: &str, region: &str) -> EngineError {
    let bootstrap = format!("formwork bootstrap aws://{account}/{region}");
    let code = error.code.as_deref().unwrap_or_default();
    let at_the_key = code.starts_with("KMS.") || error.message.contains("kms:");
    let (class, message, hint) = match &error.kind {
        _ if code == OTHER_REGION => (
            Class::Refused,
            format!("bucket {bucket} is in {}, not in {region}", error.message),
            format!("name a bucket in {region}, or make one with `{bootstrap}`"),
        ),
        ErrorKind::NotFound if code == "NoSuchBucket" => (
            Class::Refused,
            format!("there is no bucket {bucket}: is account {account} bootstrapped in {region}?"),
            format!("run `{bootstrap}`"),
        ),
        _ if at_the_key => (
            Class::Refused,
            format!("the key that encrypts bucket {bucket} refuses: {}", error.message),
            "the key has to be enabled, and its policy has to allow the caller kms:GenerateDataKey and kms:Decrypt"
                .to_owned(),
        ),
        ErrorKind::Denied if code == "AccessDenied" => (
            Class::Refused,
            format!(
                "bucket {bucket} does not belong to account {account}, or the caller may not use it ({}: {})",
                error.operation, error.message
            ),
            format!(
                "nothing was sent to it; see whose bucket it is, and make one of your own with `{bootstrap}`"
            ),
        ),
        ErrorKind::ExpiredCredentials | ErrorKind::Credentials => (
            Class::Usage,
            format!("the credentials do not work for bucket {bucket}: {}", error.message),
            "log in again, then run the same command".to_owned(),
        ),
        ErrorKind::Throttled { .. } | ErrorKind::Unreachable | ErrorKind::Protocol => (
            Class::NeedsAction,
            format!("S3 does not answer for bucket {bucket}: {}", error.message),
            "run the same command again; what is published already is not sent twice".to_owned(),
        ),
        _ => {
            let said = if code.is_empty() || error.message == code {
                error.message.clone()
            } else {
                format!("{code}: {}", error.message)
            };
            return EngineError::new(
                Class::NeedsAction,
                format!("{} fails on bucket {bucket}: {said}", error.operation),
            )
            .with_source(error);
        }
    };
    EngineError::new(class, message).with_hint(hint).with_source(error)
}
