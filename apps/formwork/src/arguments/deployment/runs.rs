//! The arguments of the commands that look back at runs.

use std::path::PathBuf;

use clap::Args;

/// `formwork runs`.
#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `formwork audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// The run [default: the last one that was approved]
    #[arg(value_name = "RUN")]
    pub(crate) run_id: Option<String>,
    /// Where it goes: an archive when the name ends with .zip, else a directory; neither may be there
    #[arg(long, value_name = "FILE.zip|DIR")]
    pub(crate) out: PathBuf,
}
