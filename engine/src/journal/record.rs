//! What a journal's lines say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::model::PlannedEnvironment;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Counts the lines from 1.
    pub sequence: u64,
    /// When it was written, by this machine's clock.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}

/// What is written down. Values of parameters, outputs and secrets never are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Record {
    /// A run began: what it does, and on which plan.
    Began {
        /// The version of the journal's form.
        format: u32,
        /// The run.
        run: String,
        /// The version of the program.
        program: String,
        /// `deploy`, `apply`, `destroy` ...
        command: String,
        /// The assembly's directory, as it was given.
        assembly: String,
        /// What a resumed run needs to know again: the options of the command, no secrets among them.
        options: serde_json::Value,
    },
    /// The plan that was approved, whole: resuming needs nothing else.
    Approved {
        /// The plan.
        plan: serde_json::Value,
        /// How it was approved: `prompt`, `--yes`, `policy`.
        by: String,
        /// Who approved it, as each account and region knows the caller. Another may have planned: the plan says who did.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        callers: Vec<PlannedEnvironment>,
        /// The files of the assembly that are kept beside the journal for a resumed run, with their SHA-256 in hex.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        files: BTreeMap<String, String>,
    },
    /// A run that was cut off or detached goes on.
    Resumed {
        /// Who goes on with it, as each account and region knows the caller.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        callers: Vec<PlannedEnvironment>,
    },
    /// A call that changes something is about to be made. It stands on disk before the call leaves.
    Intent {
        /// Counts the calls of the run from 1; [`Record::Outcome`] names it.
        call: u64,
        /// The API operation, such as `CreateChangeSet`.
        operation: String,
        /// What it is done to: a stack, an object.
        target: String,
        /// The idempotency token, when the API takes one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Names that a resumed run needs, such as the change set's.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        names: BTreeMap<String, String>,
    },
    /// How the call went.
    Outcome {
        /// The call.
        call: u64,
        /// The error's code, when it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// Whether it may have been carried out in spite of the error: no answer came.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        open: bool,
        /// What the answer named, such as an ARN.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        names: BTreeMap<String, String>,
    },
    /// A stack of the plan reached a state.
    Stack {
        /// The stack's id in the assembly.
        stack: String,
        /// The state, as the scheduler names it.
        state: String,
        /// What a resumed run needs: change set, stack ARN, token of the operation.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        names: BTreeMap<String, String>,
    },
    /// The run was detached: CloudFormation goes on, nobody watches.
    Detached {
        /// Why.
        reason: String,
    },
    /// The run ended.
    Ended {
        /// The exit code.
        code: u8,
    },
    /// A record of a later version; it is kept out of the way.
    #[serde(other)]
    Unknown,
}
