//! The arguments of `formwork diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::arguments::ContextArguments;

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The stacks to compare, by name or pattern [default: all]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// What to compare with: a directory that holds an assembly, or a template file for one stack [default: the deployed
    /// stacks]
    #[arg(long, value_name = "DIRECTORY|FILE")]
    pub(crate) against: Option<PathBuf>,
    /// Ends with exit code 2 when there is such a difference; several are separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) fail_on: Vec<FailOn>,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// What makes a difference fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Anything that CloudFormation would see
    AnyChange,
    /// More rights, or a more open network
    Broadening,
    /// A resource that holds data is or may be replaced or deleted
    Destructive,
}
