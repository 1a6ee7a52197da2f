//! The arguments of `formwork doctor`.

use clap::Args;

use super::AssetOptions;
use crate::arguments::ContextArguments;

/// `formwork doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The stacks to look at, by name or pattern [default: all of the context]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) assets: AssetOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}
