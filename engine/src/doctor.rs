//! What `formwork doctor` finds out: one check for each thing that is known to go wrong, with the next command to run.
//!
//! A check never fails the run of the others. What cannot be asked, because a call is denied or a service is silent, is
//! [`Outcome::Unknown`] and says so: a doctor that guesses is worse than none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
