//! The arguments of the commands that plan and carry out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    ApprovalOptions, DestroySelection, ParameterOptions, PlanOptions, ProgressOptions, RunOptions,
    StackSelection,
};
use crate::arguments::ContextArguments;

/// `formwork plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) selection: StackSelection,
    /// Writes the plan, for `formwork apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Plans the deletion of the stacks, with all that need them; with --force whatever cannot be deleted is left behind
    #[arg(long)]
    pub(crate) destroy: bool,
    /// With --destroy, removes what would stop the deletion; several are separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', requires = "destroy")]
    pub(crate) remove: Vec<Removable>,
    /// With --destroy, leaves a resource behind where it cannot be deleted, as `LogicalId` or `STACK.LogicalId`
    #[arg(
        long,
        value_name = "LOGICAL_ID",
        value_delimiter = ',',
        requires = "destroy",
        conflicts_with = "force"
    )]
    pub(crate) retain: Vec<String>,
    /// Only reads: tells what the templates tell, and makes no change set; such a plan cannot be applied
    #[arg(long, conflicts_with = "destroy")]
    pub(crate) no_change_sets: bool,
    /// How the plan is shown
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "json")]
    pub(crate) format: PlanFormat,
    /// Prints the plan as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Ends with 2 when something would change
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    #[command(flatten)]
    pub(crate) options: PlanOptions,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// Lines for people
    #[default]
    Text,
    /// Markdown for a pull request
    Markdown,
}

/// `formwork apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// The plan that `formwork plan --out` wrote
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) parameters: ParameterOptions,
    #[command(flatten)]
    pub(crate) approval: ApprovalOptions,
    #[command(flatten)]
    pub(crate) run: RunOptions,
    /// Writes the outputs of the stacks as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) outputs_file: Option<PathBuf>,
}

/// `formwork deploy`.
#[derive(Debug, Args)]
pub(crate) struct DeployArguments {
    #[command(flatten)]
    pub(crate) selection: StackSelection,
    #[command(flatten)]
    pub(crate) options: PlanOptions,
    #[command(flatten)]
    pub(crate) approval: ApprovalOptions,
    #[command(flatten)]
    pub(crate) run: RunOptions,
    /// Writes the outputs of the stacks as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) outputs_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork destroy`.
#[derive(Debug, Args)]
pub(crate) struct DestroyArguments {
    #[command(flatten)]
    pub(crate) selection: DestroySelection,
    /// Removes what would stop the deletion; several are separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) remove: Vec<Removable>,
    /// Leaves a resource behind where it cannot be deleted, as `LogicalId` or `STACK.LogicalId`
    #[arg(long, value_name = "LOGICAL_ID", value_delimiter = ',')]
    pub(crate) retain: Vec<String>,
    /// Leaves behind whatever cannot be deleted
    #[arg(long, conflicts_with = "retain")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) approval: ApprovalOptions,
    #[command(flatten)]
    pub(crate) run: RunOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// What stands in the way of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Removable {
    /// Objects in buckets and images in repositories
    Content,
    /// Apps and spaces of SageMaker Studio
    Studio,
    /// Termination protection of stacks
    Protection,
}

/// `formwork rehearse`.
#[derive(Debug, Args)]
pub(crate) struct RehearseArguments {
    #[command(flatten)]
    pub(crate) selection: StackSelection,
    /// How many times faster than in an account time runs
    #[arg(long, value_name = "FACTOR", default_value_t = 120.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// Lets a resource fail, by its logical id
    #[arg(long, value_name = "LOGICAL_ID")]
    pub(crate) fail: Vec<String>,
    /// Lets something go wrong, such as `on * after 2m for 5m refuse`; docs/rehearsal.md has the words
    #[arg(long, value_name = "RULE")]
    pub(crate) fault: Vec<String>,
    #[command(flatten)]
    pub(crate) options: PlanOptions,
    #[command(flatten)]
    pub(crate) run: RunOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && (1.0..=100_000.0).contains(&speed) => Ok(speed),
        _ => Err("the factor is a number from 1 to 100000".to_owned()),
    }
}
