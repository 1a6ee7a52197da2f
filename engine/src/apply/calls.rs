//! How the calls of this room end: errors of the service as errors for people.

use std::collections::BTreeMap;

use crate::aws::{Error, ErrorKind};
use crate::error::{Class, EngineError};

/// The error of a call on a stack, as the run's error. `begun` says whether CloudFormation may be at work because of us.
pub(super) fn failed(stack: &str, error: &Error) -> EngineError {
    let told = |class, message: String| EngineError::new(class, message).with_source(error.clone());
    match error.kind {
        ErrorKind::ExpiredCredentials | ErrorKind::Credentials => told(
            Class::Detached,
            format!("stack {stack}: the credentials are expired and could not be renewed"),
        )
        .with_hint("log in again, then `formwork resume`"),
        ErrorKind::Unreachable | ErrorKind::Protocol | ErrorKind::Throttled { .. } => told(
            Class::Detached,
            format!("stack {stack}: CloudFormation cannot be reached: {}", error.message),
        )
        .with_hint("go on with `formwork resume` once it can be reached"),
        ErrorKind::Denied => {
            told(Class::NeedsAction, format!("stack {stack}: {} is denied", error.operation))
                .with_hint(format!("allow cloudformation:{} to the caller", error.operation))
        }
        _ => {
            told(Class::NeedsAction, format!("stack {stack}: {} failed: {}", error.operation, error.message))
        }
    }
}

/// Names for the journal.
pub(super) fn names<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
