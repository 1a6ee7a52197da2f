//! What S3 answers when something is wrong, sorted, and said in words that name the way out.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::aws::error::{Error, ErrorKind};
use crate::error::{Class, EngineError};

/// The header in which S3 names the region of a bucket, also where it refuses the call.
const REGION_HEADER: &str = "x-amz-bucket-region";

/// The code of an error for a bucket in another region; its message is the region, where S3 names it.
pub(super) const OTHER_REGION: &str = "PermanentRedirect";

pub(super) fn error<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let mut failed = Error::of(operation, error);
    let SdkError::ServiceError(refused) = error else { return failed };
    let status = refused.raw().status().as_u16();
    failed.code = failed.code.or_else(|| code_of_status(status).map(str::to_owned));
    let code = failed.code.as_deref().unwrap_or_default();
    if matches!(code, OTHER_REGION | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") {
        let header = refused.raw().headers().get(REGION_HEADER).map(str::to_owned);
        let region = header.or_else(|| region_in_body(refused.raw()));
        let message = region.unwrap_or_else(|| "another region".to_owned());
        return Error { kind: ErrorKind::Other, code: Some(OTHER_REGION.to_owned()), message, ..failed };
    }
    if let Some(kind) = kind(code, status, &failed.kind) {
        failed.kind = kind;
    }
    failed
}

/// Answers without a body, those to `HEAD` for one, have no code but the status.
fn code_of_status(status: u16) -> Option<&'static str> {
    match status {
        301 | 307 => Some(OTHER_REGION),
        403 => Some("AccessDenied"),
        404 => Some("NotFound"),
        _ => None,
    }
}

/// The kind of a failure where S3 has words of its own, or where only the status tells.
fn kind(code: &str, status: u16, known: &ErrorKind) -> Option<ErrorKind> {
    match code {
        "SlowDown" | "ServiceUnavailable" | "BandwidthLimitExceeded" => {
            return Some(ErrorKind::Throttled { retry_after: None });
        }
        "InternalError" | "RequestTimeout" | "OperationAborted" | "ConditionalRequestConflict" => {
            return Some(ErrorKind::Unreachable);
        }
        "TokenRefreshRequired" => return Some(ErrorKind::ExpiredCredentials),
        "InvalidToken" | "NotSignedUp" => return Some(ErrorKind::Credentials),
        _ => {}
    }
    match (known, status) {
        (_, 404) => Some(ErrorKind::NotFound),
        (ErrorKind::Other | ErrorKind::Invalid, 403) => Some(ErrorKind::Denied),
        (ErrorKind::Other | ErrorKind::Invalid, 409 | 412) => Some(ErrorKind::WrongState),
        (ErrorKind::Other, 408 | 500 | 502 | 504) => Some(ErrorKind::Unreachable),
        (ErrorKind::Other, 429 | 503) => Some(ErrorKind::Throttled { retry_after: None }),
        (ErrorKind::Other, 400..500) => Some(ErrorKind::Invalid),
        _ => None,
    }
}

fn region_in_body(response: &HttpResponse) -> Option<String> {
    let text = std::str::from_utf8(response.body().bytes()?).ok()?;
    let region = text.split_once("<Region>")?.1.split_once("</Region>")?.0;
    (!region.is_empty()).then(|| region.to_owned())
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
            if bucket.starts_with("cdk-") {
                format!("run `cdk bootstrap aws://{account}/{region}`, or synthesise with `-c assets=formwork`")
            } else {
                format!("run `{bootstrap}`")
            },
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
