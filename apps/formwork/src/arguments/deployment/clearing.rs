//! The arguments of `formwork gc`.

use std::path::PathBuf;

use clap::Args;

use super::AssetOptions;
use crate::arguments::ContextArguments;

/// `formwork gc`.
#[derive(Debug, Args)]
pub(crate) struct GcArguments {
    /// The least age of what may go
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) older_than: u16,
    /// A plan that is still to be applied; what it needs stays
    #[arg(long, value_name = "PLAN")]
    pub(crate) keep: Vec<PathBuf>,
    /// Shows what would go, and does nothing else
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Answers every question with yes
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) assets: AssetOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}
