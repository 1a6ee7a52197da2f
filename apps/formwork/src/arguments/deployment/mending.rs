//! The arguments of the commands that bring stacks and what there really is together.

use std::path::PathBuf;

use clap::Args;

use super::{ApprovalOptions, ParameterOptions, RunOptions};
use crate::arguments::{ContextArguments, key_and_value};

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

/// `formwork import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The stack, by name
    #[arg(value_name = "STACK")]
    pub(crate) stack: String,
    /// An existing resource and the logical id that it gets; without one, what could be imported is listed
    #[arg(value_name = "LOGICAL_ID[:PROPERTY]=VALUE", value_parser = key_and_value)]
    pub(crate) resources: Vec<(String, String)>,
    /// A JSON file that names existing resources: what `resources-to-import` of AWS's own command line takes, or an object
    /// of logical ids with their identifiers
    #[arg(long = "resources", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Prints what could be imported as JSON
    #[arg(long, conflicts_with_all = ["resources", "file"])]
    pub(crate) json: bool,
    /// Imports into a stack that something else made
    #[arg(long)]
    pub(crate) adopt: bool,
    #[command(flatten)]
    pub(crate) parameters: ParameterOptions,
    #[command(flatten)]
    pub(crate) approval: ApprovalOptions,
    #[command(flatten)]
    pub(crate) run: RunOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}
