//! What `formwork doctor` finds out: one check for each thing that is known to go wrong, with the next command to run.
//!
//! A check never fails the run of the others. What cannot be asked, because a call is denied or a service is silent, is
//! [`Outcome::Unknown`] and says so: a doctor that guesses is worse than none.

mod deployed;
mod environment;
mod local;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::{Error, ErrorKind};

pub use deployed::deployed;
pub use environment::{Looked, LookedStack, environment, identity, runtimes};
pub use local::local;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The name of the check in kebab-case, such as `target-health`.
    pub name: String,
    /// What was looked at: an account and region, a stack, a resource.
    pub subject: String,
    /// How it is.
    pub outcome: Outcome,
    /// What was found, in a line or a few.
    pub detail: String,
    /// What to do next, a command where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be found out.
    Unknown,
    /// There is nothing to look at, or something else has to be mended first.
    Skipped,
}

impl Check {
    /// An answer without anything to do about it.
    pub fn new(
        name: impl Into<String>,
        subject: impl Into<String>,
        outcome: Outcome,
        detail: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), subject: subject.into(), outcome, detail: detail.into(), hint: None }
    }

    /// Something that is as it should be.
    pub fn ok(name: impl Into<String>, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(name, subject, Outcome::Ok, detail)
    }

    /// Something that works but is likely to hurt.
    pub fn warning(name: impl Into<String>, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(name, subject, Outcome::Warning, detail)
    }

    /// Something that stands in the way.
    pub fn failed(name: impl Into<String>, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(name, subject, Outcome::Failed, detail)
    }

    /// Something that was not asked, and why.
    pub fn skipped(name: impl Into<String>, subject: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(name, subject, Outcome::Skipped, why)
    }

    /// Something that could not be asked: what the call failed with, and what the caller lacks if it was denied.
    pub fn unknown(name: impl Into<String>, subject: impl Into<String>, error: &Error) -> Self {
        let (detail, hint) = match error.kind {
            ErrorKind::Denied => (
                format!("{} is denied", error.operation),
                Some(format!("allow the caller {} to have this looked at", error.operation)),
            ),
            _ => (format!("{} failed: {}", error.operation, error.message), None),
        };
        Self { hint, ..Self::new(name, subject, Outcome::Unknown, detail) }
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_question_is_neither_right_nor_wrong_and_names_the_permission() {
        let error = Error::new("GetServiceQuota", ErrorKind::Denied, "no");
        let check = Check::unknown("quota", "VPCs", &error);
        assert_eq!(check.outcome, Outcome::Unknown);
        assert_eq!(check.detail, "GetServiceQuota is denied");
        assert!(check.hint.is_some_and(|hint| hint.contains("GetServiceQuota")));
    }
}
