//! The arguments of the commands that look at what is deployed and change nothing.

use clap::{Args, ValueEnum};

use crate::arguments::ContextArguments;

/// `formwork status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The stacks, by name or pattern [default: all of the context, and those of the other mode that are deployed]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork outputs`.
#[derive(Debug, Args)]
pub(crate) struct OutputsArguments {
    /// The stacks, by name or pattern [default: all of the context]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// How the outputs are shown
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "json")]
    pub(crate) format: OutputsFormat,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// How outputs are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputsFormat {
    /// A table for people
    #[default]
    Text,
    /// Lines for a shell: NAME=value
    Env,
}

/// `formwork diagnose`.
#[derive(Debug, Args)]
pub(crate) struct DiagnoseArguments {
    /// The stack, by its name, or by its ARN when it is deleted; it need not be one of the app
    #[arg(value_name = "STACK")]
    pub(crate) stack: String,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}
