//! How a plan is carried out; what is done is in the plan.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::GivenParameter;

/// How a plan is carried out. It is kept in the journal for a resumed run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplyOptions {
    /// How many stacks are worked on at once.
    pub concurrency: usize,
    /// Whether a failure stops all that has not started, and not only what needs the stack that failed.
    pub fail_fast: bool,
    /// How long an operation of one stack may take. An update is cancelled then; anything else is left to go on.
    pub limit: Option<Duration>,
    /// Whether to wait for operations that somebody else has started, where what was approved still holds after them.
    pub wait_busy: bool,
    /// Whether a stack whose creation failed and was taken back is deleted at once, instead of before its next creation.
    pub delete_failed_creates: bool,
    /// The values that were given for parameters: a plan keeps none of those that are secret, nor does the journal.
    #[serde(skip)]
    pub parameters: Vec<GivenParameter>,
    /// Whether change sets that are made late may let rights and reachability grow beyond what the plan said.
    pub may_broaden: bool,
    /// Who approved, and how: `prompt`, `--yes`, `apply`.
    pub approved_by: String,
    /// How long a run that is asked to detach waits for being asked to cancel as well.
    pub cancel_grace: Duration,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            concurrency: 16,
            fail_fast: false,
            limit: None,
            wait_busy: true,
            delete_failed_creates: false,
            parameters: Vec::new(),
            may_broaden: false,
            approved_by: "prompt".to_owned(),
            cancel_grace: Duration::from_secs(3),
        }
    }
}
