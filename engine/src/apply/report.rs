//! What came of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::cloudformation::{Output, StackStatus};
use crate::error::{Class, EngineError};
use crate::event::StackOutcome;
use crate::follow::{Cleanup, Failure};
use crate::plan::model::Environment;

/// What came of a run over all its stacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// The run.
    pub run: String,
    /// The stacks in the plan's order.
    pub stacks: Vec<StackReport>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why nobody watches any longer although CloudFormation goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detached: Option<String>,
    /// The exit code, by the worst of the stacks.
    pub code: u8,
}

/// What came of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackReport {
    /// The stack's id in the assembly; its name when there is no assembly.
    pub id: String,
    /// Its name in CloudFormation.
    pub name: String,
    /// Where.
    pub environment: Environment,
    /// How its part of the run ended.
    pub outcome: StackOutcome,
    /// The status that it has, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StackStatus>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The outputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Output>,
    /// Why its operation failed, as CloudFormation's events tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What else is to be said: why it was refused, skipped or left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to do, usually the next command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the user should look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The exit code of this stack alone.
    pub code: u8,
}

impl RunReport {
    /// The code of the worst stack.
    pub fn worst<'s>(stacks: impl IntoIterator<Item = &'s StackReport>) -> u8 {
        stacks.into_iter().fold(0, |worst, stack| Self::worst_code(worst, stack.code))
    }

    /// The worse of two codes: interrupted and detached first, because the run is not over then; then what needs action.
    pub fn worst_code(one: u8, other: u8) -> u8 {
        let rank = |code: u8| match code {
            130 => 7,
            6 => 6,
            5 => 5,
            10 => 4,
            4 => 3,
            3 => 2,
            0 => 0,
            _ => 1,
        };
        if rank(other) > rank(one) { other } else { one }
    }
}

/// How a step ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) outcome: StackOutcome,
    pub(crate) class: Option<Class>,
    pub(crate) status: Option<StackStatus>,
    pub(crate) outputs: BTreeMap<String, Output>,
    pub(crate) failure: Option<Failure>,
    pub(crate) message: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) warnings: Vec<String>,
    /// The removal of old resources, which goes on.
    pub(crate) cleanup: Option<Cleanup>,
}

impl Ending {
    /// An end of which no more is known.
    pub(crate) fn new(outcome: StackOutcome) -> Self {
        let class = match outcome {
            StackOutcome::Deployed
            | StackOutcome::Deleted
            | StackOutcome::Unchanged
            | StackOutcome::Skipped => None,
            StackOutcome::RolledBack => Some(Class::RolledBack),
            StackOutcome::Failed => Some(Class::NeedsAction),
            StackOutcome::Detached => Some(Class::Detached),
        };
        Self {
            outcome,
            class,
            status: None,
            outputs: BTreeMap::new(),
            failure: None,
            message: None,
            hint: None,
            warnings: Vec::new(),
            cleanup: None,
        }
    }

    /// CloudFormation may go on, nobody watches.
    pub(crate) fn detached(reason: impl Into<String>) -> Self {
        Self { message: Some(reason.into()), ..Self::new(StackOutcome::Detached) }
    }

    /// An error of the engine as an end.
    pub(crate) fn error(error: EngineError) -> Self {
        let outcome = match error.class {
            Class::Detached | Class::Interrupted => StackOutcome::Detached,
            Class::RolledBack => StackOutcome::RolledBack,
            Class::Input | Class::Refused | Class::NeedsAction | Class::Usage => StackOutcome::Failed,
        };
        let message = match &error.source {
            Some(source) if !error.message.contains(&source.message) => {
                format!("{}: {source}", error.message)
            }
            _ => error.message,
        };
        Self { class: Some(error.class), message: Some(message), hint: error.hint, ..Self::new(outcome) }
    }

    /// Whether what needs the stack may start.
    pub(crate) fn is_fine(&self) -> bool {
        matches!(self.outcome, StackOutcome::Deployed | StackOutcome::Deleted | StackOutcome::Unchanged)
    }

    /// The end as it is reported.
    pub(crate) fn report(
        &self,
        id: &str,
        name: &str,
        environment: &Environment,
        seconds: f64,
    ) -> StackReport {
        StackReport {
            id: id.to_owned(),
            name: name.to_owned(),
            environment: environment.clone(),
            outcome: self.outcome,
            status: self.status.clone(),
            seconds,
            outputs: self.outputs.clone(),
            failure: self.failure.clone(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            warnings: self.warnings.clone(),
            code: self.class.map_or(0, Class::exit_code),
        }
    }
}
