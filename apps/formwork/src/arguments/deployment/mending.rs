//! The arguments of the commands that bring stacks and what there really is together.

use clap::Args;

use super::{ApprovalOptions, ParameterOptions, RunOptions};
use crate::arguments::ContextArguments;

/// `formwork drift`.
#[derive(Debug, Args)]
pub(crate) struct DriftArguments {
    /// The stacks, by name or pattern [default: all of the context]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// Prints a report as JSON
    #[arg(long, conflicts_with = "revert")]
    pub(crate) json: bool,
    /// Ends with 2 when a stack drifted
    #[arg(long, conflicts_with = "revert")]
    pub(crate) detailed_exitcode: bool,
    /// Takes back what was changed: plans the stacks that drifted, asks, and carries out; what the app changes besides is
    /// part of the plan
    #[arg(long)]
    pub(crate) revert: bool,
    #[command(flatten)]
    pub(crate) parameters: ParameterOptions,
    #[command(flatten)]
    pub(crate) approval: ApprovalOptions,
    #[command(flatten)]
    pub(crate) run: RunOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}
