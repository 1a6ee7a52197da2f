//! What can go wrong with a call, sorted by what to do about it.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::request_id::RequestId;

use super::http::{BadAnswer, Lost};
use super::messages;

/// The failure of a call after all that could be tried was tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct Error {
    /// The API operation.
    pub operation: &'static str,
    /// What to do about it.
    pub kind: ErrorKind,
    /// The service's error code, when there was an answer.
    pub code: Option<String>,
    /// What the service said, or what went wrong on the way.
    pub message: String,
    /// The service's id of the request, for AWS support.
    pub request_id: Option<String>,
}

/// The kinds of failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service asks to be asked less often.
    Throttled {
        /// When it may be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// The network, or a server that failed: worth trying again.
    Unreachable,
    /// The answer made no sense: cut off, empty, no XML.
    Protocol,
    /// The credentials are expired and could not be renewed.
    ExpiredCredentials,
    /// There are no credentials, or the region does not take them.
    Credentials,
    /// The caller may not do this.
    Denied,
    /// What was asked for is not there.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The call is wrong as it is.
    Invalid,
    /// The state of the stack, change set or object does not allow it.
    WrongState,
    /// A capability has to be granted.
    InsufficientCapabilities,
    /// A quota is used up.
    Limit,
    /// The token was used for another request.
    TokenReused,
    /// None of these.
    Other,
}

impl Error {
    /// Whether the same call may work later with nothing changed.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled { .. } | ErrorKind::Unreachable | ErrorKind::Protocol)
    }

    /// An error without an answer behind it.
    pub(crate) fn new(operation: &'static str, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { operation, kind, code: None, message: message.into(), request_id: None }
    }

    /// What an SDK client failed with.
    pub(crate) fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        match error {
            SdkError::ServiceError(refused) => {
                let (code, message) = (refused.err().code(), refused.err().message().unwrap_or_default());
                Self { request_id, ..Self::answered(operation, code, message, refused.raw()) }
            }
            SdkError::TimeoutError(_) => {
                Self::new(operation, ErrorKind::Unreachable, "no answer came in time")
            }
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(broken) => Self::broken(operation, broken),
                None => Self::new(operation, ErrorKind::Unreachable, chain(error)),
            },
            SdkError::ResponseError(_) => {
                Self { request_id, ..Self::new(operation, ErrorKind::Protocol, chain(error)) }
            }
            _ => match find::<Self>(error) {
                Some(ours) => Self { operation, ..ours.clone() },
                None => Self::new(operation, ErrorKind::Other, chain(error)),
            },
        }
    }

    /// An answer that says no.
    pub(crate) fn answered(
        operation: &'static str,
        code: Option<&str>,
        message: &str,
        answer: &HttpResponse,
    ) -> Self {
        let status = answer.status().as_u16();
        let mut kind = messages::kind(code, message, status);
        if code.is_none() && kind == ErrorKind::Invalid && answer.body().bytes().is_some_and(is_cut_off) {
            kind = ErrorKind::Protocol;
        }
        if let ErrorKind::Throttled { retry_after } = &mut kind {
            *retry_after = answer
                .headers()
                .get("retry-after")
                .and_then(|text| text.parse().ok())
                .map(Duration::from_secs);
        }
        let mut message =
            if message.is_empty() { format!("HTTP status {status}") } else { message.to_owned() };
        if messages::is_signature_refused(code)
            && let Some(difference) = clock_difference(answer)
        {
            message.push_str(&format!("; {difference}"));
        }
        Self { operation, kind, code: code.map(str::to_owned), message, request_id: None }
    }

    /// A connection that did not bring an answer.
    pub(crate) fn broken(operation: &'static str, broken: &ConnectorError) -> Self {
        if let Some(BadAnswer(why)) = find::<BadAnswer>(broken) {
            return Self::new(operation, ErrorKind::Protocol, why.clone());
        }
        let lost = find::<Lost>(broken);
        let host = lost.map_or("the service", |lost| lost.host.as_str());
        if broken.is_timeout() {
            return Self::new(
                operation,
                ErrorKind::Unreachable,
                format!("no answer came in time from {host}"),
            );
        }
        let cause = lost.and_then(|lost| lost.source()).or(broken.source());
        let text = cause.map_or_else(|| broken.to_string(), chain);
        let proxy = super::http::proxy_of_environment();
        let (kind, message) = messages::connection_problem(
            &text,
            host,
            lost.and_then(|lost| lost.issuer.as_deref()),
            proxy.as_deref(),
        );
        Self::new(operation, kind, message)
    }
}

/// Whether a refusal's body ends before it is whole, so that its code may be missing for that reason alone. A page for
/// people has no code to wait for.
pub(crate) fn is_cut_off(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start();
    let is_page = ["<html", "<!doctype html"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)));
    match text.chars().next() {
        Some('<') => !is_page && super::xml::read(text).is_err(),
        Some('{' | '[') => serde_json::from_str::<serde_json::Value>(text).is_err(),
        _ => false,
    }
}

/// The texts of an error and its causes, each once.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

/// The first error of a type among an error and its causes.
pub(crate) fn find<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// By how much this machine's clock differs from the service's, when that is enough to be the reason of a refusal.
fn clock_difference(answer: &HttpResponse) -> Option<String> {
    let date = answer.headers().get("date")?;
    let server = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let here = jiff::Timestamp::try_from(SystemTime::now()).ok()?;
    let seconds = here.duration_since(server).as_secs();
    let way = if seconds < 0 { "behind" } else { "ahead of" };
    let minutes = seconds.abs() / 60;
    (seconds.abs() >= 240)
        .then(|| format!("the clock of this machine is {minutes} minutes {way} the service's"))
}
