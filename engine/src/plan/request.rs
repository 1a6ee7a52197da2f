//! What is asked of a plan.

use std::path::PathBuf;
use std::time::Duration;

use super::destroy::Removals;
use super::model::{Command, PlanOptions};
use crate::assets::PublishOptions;

/// What is asked of a plan: the command line's flags as data. The clock comes with the [`crate::Runtime`].
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// Whether stacks are deployed or destroyed.
    pub command: Command,
    /// The ids of the selected stacks in the assembly; all of them when the list is empty.
    pub stacks: Vec<String>,
    /// Whether only the selected stacks are planned, and not those that they need (or that need them, on destroy).
    pub exclusively: bool,
    /// The options that are part of what is approved.
    pub options: PlanOptions,
    /// Values of parameters.
    pub parameters: Vec<GivenParameter>,
    /// Whether a parameter that nothing is said about keeps the value that the stack has; otherwise it takes its default.
    pub previous_parameters: bool,
    /// The region of stacks that do not say theirs.
    pub region: Option<String>,
    /// The account that the caller must be in.
    pub account: Option<String>,
    /// The run's id.
    pub run: String,
    /// How far to look.
    pub depth: Depth,
    /// What to do about a stack that somebody works on.
    pub busy: Busy,
    /// This program, for assets that are made by it.
    pub executable: PathBuf,
    /// How assets are published; its `program` is the executable unless it says otherwise.
    pub publish: PublishOptions,
    /// How long CloudFormation may take for a change set.
    pub change_set_deadline: Duration,
    /// What a destroy removes besides the stacks.
    pub removals: Removals,
}

/// How long CloudFormation may take for a change set.
pub const CHANGE_SET_DEADLINE: Duration = Duration::from_secs(600);

impl PlanRequest {
    /// A request for all stacks with nothing said.
    pub fn new(command: Command, run: impl Into<String>) -> Self {
        Self {
            command,
            stacks: Vec::new(),
            exclusively: false,
            options: PlanOptions::default(),
            parameters: Vec::new(),
            previous_parameters: true,
            region: None,
            account: None,
            run: run.into(),
            depth: Depth::ChangeSets,
            busy: Busy::Wait,
            executable: PathBuf::from("formwork"),
            publish: PublishOptions::default(),
            change_set_deadline: CHANGE_SET_DEADLINE,
            removals: Removals::default(),
        }
    }

    /// How assets are published, with this program for those that it makes.
    pub(crate) fn publishing(&self) -> PublishOptions {
        let mut options = self.options.publishing(&self.publish);
        options.program.get_or_insert_with(|| self.executable.clone());
        options
    }
}

/// A value for a parameter. Its `Debug` form does not show the value, which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenParameter {
    /// The stack's id or name; every stack that has such a parameter when nothing is said.
    pub stack: Option<String>,
    /// The parameter.
    pub name: String,
    /// The value.
    pub value: String,
}

impl std::fmt::Debug for GivenParameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stack, name, value } = self;
        write!(f, "GivenParameter({}:{name}, {} bytes)", stack.as_deref().unwrap_or("*"), value.len())
    }
}

/// How far a plan looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Publishes assets and makes change sets: the plan can be applied.
    ChangeSets,
    /// Only reads: every change is what the templates tell, every stack is provisional.
    Templates,
}

/// What to do about a stack that somebody works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Wait until they are done.
    Wait,
    /// Refuse.
    Fail,
}
