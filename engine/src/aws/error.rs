//! What can go wrong with a call, sorted by what to do about it.

use std::time::Duration;

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
}
