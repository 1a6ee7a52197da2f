//! The arguments of the commands that go on with, watch or take back what was started before.

use clap::Args;

use super::{ParameterOptions, ProgressOptions};
use crate::arguments::ContextArguments;

/// `formwork resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run [default: the last one that did not end]
    #[arg(value_name = "RUN")]
    pub(crate) run_id: Option<String>,
    /// Looks for the run in the account, when its journal is lost or on another machine: what goes on is followed, what
    /// was not begun is named
    #[arg(long)]
    pub(crate) from_cloud: bool,
    #[command(flatten)]
    pub(crate) parameters: ParameterOptions,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork follow`.
#[derive(Debug, Args)]
pub(crate) struct FollowArguments {
    /// The run, or a stack [default: the last run that did not end]
    #[arg(value_name = "RUN|STACK")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork cancel`.
#[derive(Debug, Args)]
pub(crate) struct CancelArguments {
    /// The run, or a stack [default: the last run that did not end]
    #[arg(value_name = "RUN|STACK")]
    pub(crate) target: Option<String>,
    /// Answers every question with yes
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The stacks, by name or pattern
    #[arg(value_name = "STACK", required = true)]
    pub(crate) stacks: Vec<String>,
    /// A resource to leave as it is, as `Logical` or `Nested.Logical`
    #[arg(long, value_name = "LOGICAL_ID", value_delimiter = ',', conflicts_with = "force")]
    pub(crate) skip: Vec<String>,
    /// Leaves whatever cannot be taken back as it is
    #[arg(long)]
    pub(crate) force: bool,
    /// Takes back stacks of these names that something else made
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Answers every question with yes
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}
