//! Errors of planning: what a call's failure means for the user, and many errors as one.

use crate::aws::{self, ErrorKind};
use crate::error::{Class, EngineError};

/// A failed call as an error of the engine.
pub(crate) fn failed(what: &str, error: &aws::Error) -> EngineError {
    let class = match error.kind {
        ErrorKind::Credentials | ErrorKind::ExpiredCredentials => Class::Usage,
        ErrorKind::Invalid | ErrorKind::InsufficientCapabilities => Class::Input,
        _ => Class::NeedsAction,
    };
    let mut told = EngineError::new(class, format!("{what}: {}", error.message)).with_source(error.clone());
    told.hint = match error.kind {
        ErrorKind::Denied => Some(format!("the caller needs permission for {}", error.operation)),
        ErrorKind::InsufficientCapabilities => {
            Some("grant the capability that is named, or leave --capabilities out to grant all".to_owned())
        }
        ErrorKind::Credentials | ErrorKind::ExpiredCredentials => {
            Some("sign in again, or choose another --profile".to_owned())
        }
        _ => None,
    };
    told
}

/// Several errors as one, with the class of the worst.
pub(crate) fn combine(mut errors: Vec<EngineError>) -> EngineError {
    if errors.len() == 1 {
        return errors.remove(0);
    }
    let rank = |class: Class| match class {
        Class::Interrupted => 6,
        Class::Detached => 5,
        Class::Usage => 4,
        Class::NeedsAction => 3,
        Class::Refused => 2,
        Class::Input => 1,
        Class::RolledBack => 0,
    };
    let class =
        errors.iter().map(|error| error.class).max_by_key(|class| rank(*class)).unwrap_or(Class::Input);
    let mut lines: Vec<String> = errors.iter().map(|error| error.message.clone()).collect();
    lines.dedup();
    let mut hints: Vec<String> = errors.iter().filter_map(|error| error.hint.clone()).collect();
    hints.sort();
    hints.dedup();
    let mut all = if let [one] = &lines[..] {
        EngineError::new(class, one.clone())
    } else {
        EngineError::new(class, format!("{} problems:\n  {}", lines.len(), lines.join("\n  ")))
    };
    all.hint = (!hints.is_empty()).then(|| hints.join("; "));
    all.source = errors.into_iter().find_map(|error| error.source);
    all
}
