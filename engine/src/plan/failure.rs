//! Errors of planning: what a call's failure means for the user, and many errors as one.

use crate::aws;
use crate::error::{Class, EngineError, Moment};

/// A failed call as an error of the engine.
pub(crate) fn failed(what: &str, error: &aws::Error) -> EngineError {
    EngineError::of_call(format!("{what}: {}", error.message), error, Moment::Before)
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
