//! The arguments of `formwork mlflow`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::arguments::ContextArguments;

/// `formwork mlflow`.
#[derive(Debug, Args)]
pub(crate) struct MlflowArguments {
    #[command(subcommand)]
    pub(crate) command: MlflowCommand,
}

/// What is done with MLflow servers.
#[derive(Debug, Subcommand)]
pub(crate) enum MlflowCommand {
    /// Copies experiments, runs, models, traces and the registry from one server to another; a copy that was cut off goes
    /// on when the same command is given again
    Copy(CopyArguments),
    /// Writes what a server holds to a directory or a bucket
    Backup(BackupArguments),
    /// Copies a backup into a server
    Restore(RestoreArguments),
    /// Starts a tracking server of SageMaker and waits until it answers
    Start(PowerArguments),
    /// Stops a tracking server of SageMaker, so that it costs only what it stores
    Stop(PowerArguments),
}

impl MlflowArguments {
    /// The context values that stand after the command.
    pub(crate) fn context(&self) -> Option<&ContextArguments> {
        match &self.command {
            MlflowCommand::Start(power) | MlflowCommand::Stop(power) => Some(&power.context),
            MlflowCommand::Copy(_) | MlflowCommand::Backup(_) | MlflowCommand::Restore(_) => None,
        }
    }
}

/// `formwork mlflow copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArguments {
    /// What is copied: the URL of a server or a proxy, the ARN of a tracking server or an MLflow app, or a backup.
    /// FORMWORK_FROM_TOKEN, or FORMWORK_FROM_USERNAME and FORMWORK_FROM_PASSWORD, say who we are
    #[arg(long, value_name = "PLACE")]
    pub(crate) from: String,
    /// Where it is copied to: as --from, with FORMWORK_TO_TOKEN, FORMWORK_TO_USERNAME and FORMWORK_TO_PASSWORD
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) into: IntoOptions,
    #[command(flatten)]
    pub(crate) options: CopyOptions,
}

/// `formwork mlflow backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// What is kept: the URL of a server or a proxy, or the ARN of a tracking server or an MLflow app
    #[arg(long, value_name = "SERVER")]
    pub(crate) from: String,
    /// Where the backup goes: a directory, or s3://BUCKET/PREFIX in the account
    #[arg(long, value_name = "DIRECTORY|S3")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) options: CopyOptions,
}

/// `formwork mlflow restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// The backup: its directory, or s3://BUCKET/PREFIX
    #[arg(long, value_name = "DIRECTORY|S3")]
    pub(crate) from: String,
    /// The server that it is copied into: a URL, or the ARN of a tracking server or an MLflow app
    #[arg(long, value_name = "SERVER")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) into: IntoOptions,
    #[command(flatten)]
    pub(crate) options: CopyOptions,
}

/// What happens to names that the target has.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct IntoOptions {
    /// Copies into experiments and registered models of the same names [default: they are refused]
    #[arg(long)]
    pub(crate) merge: bool,
    /// Begins the names of experiments and registered models at the target with this
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
}

/// What is copied, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct CopyOptions {
    /// Only this experiment, by name or id, with its models; may be given several times [default: all]
    #[arg(long = "experiment", value_name = "NAME")]
    pub(crate) experiments: Vec<String>,
    /// Leaves artifacts where they are
    #[arg(long)]
    pub(crate) no_artifacts: bool,
    /// Leaves traces out
    #[arg(long)]
    pub(crate) no_traces: bool,
    /// Leaves the registry out: registered models and prompts
    #[arg(long)]
    pub(crate) no_registry: bool,
    /// Counts what would be copied and looks for names that clash; writes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many runs, models or traces are copied at once
    #[arg(long, value_name = "NUMBER", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) concurrency: u8,
    /// Sends tokens and passwords to another machine without TLS
    #[arg(long)]
    pub(crate) allow_insecure: bool,
    /// Writes which id became which to a JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) ids: Option<PathBuf>,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `formwork mlflow start` and `formwork mlflow stop`.
#[derive(Debug, Args)]
pub(crate) struct PowerArguments {
    /// The tracking server, by its name in SageMaker [default: that of the app]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The stack of the tracking server, by its name, id or ARN
    #[arg(long, value_name = "STACK", conflicts_with = "name")]
    pub(crate) stack: Option<String>,
    /// Ends once SageMaker has taken the wish, and does not wait until it is so
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}
