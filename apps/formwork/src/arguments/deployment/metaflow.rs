//! The arguments of `formwork metaflow`.

use clap::{Args, Subcommand, ValueEnum};

use crate::arguments::ContextArguments;

/// `formwork metaflow`.
#[derive(Debug, Args)]
pub(crate) struct MetaflowArguments {
    #[command(subcommand)]
    pub(crate) command: MetaflowCommand,
}

/// What is done with a deployed Metaflow.
#[derive(Debug, Subcommand)]
pub(crate) enum MetaflowCommand {
    /// Prints the configuration of Metaflow's client, with the key of the API: `metaflow configure import` takes it
    Config(MetaflowConfigArguments),
    /// Brings the tables of the metadata service to where its image wants them; deployments of another image do so too
    Migrate(MetaflowMigrateArguments),
}

impl MetaflowArguments {
    /// The context values that stand after the command.
    pub(crate) fn context(&self) -> &ContextArguments {
        match &self.command {
            MetaflowCommand::Config(config) => &config.metaflow.context,
            MetaflowCommand::Migrate(migrate) => &migrate.metaflow.context,
        }
    }
}

/// Which Metaflow.
#[derive(Debug, Args)]
pub(crate) struct WhichMetaflow {
    /// The stack of Metaflow, by its name, id or ARN [default: that of the app]
    #[arg(long, value_name = "STACK")]
    pub(crate) stack: Option<String>,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork metaflow config`.
#[derive(Debug, Args)]
pub(crate) struct MetaflowConfigArguments {
    /// Writes it to where Metaflow's client looks for it, readable by its owner only: METAFLOW_HOME, else
    /// ~/.metaflowconfig
    #[arg(long, conflicts_with = "format")]
    pub(crate) write: bool,
    /// The profile of Metaflow that is written, which METAFLOW_PROFILE chooses [default: the one without a name]
    #[arg(long, value_name = "NAME", requires = "write", value_parser = profile)]
    pub(crate) metaflow_profile: Option<String>,
    /// Writes over a configuration that says something else
    #[arg(long, requires = "write")]
    pub(crate) replace: bool,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: ConfigFormat,
    #[command(flatten)]
    pub(crate) metaflow: WhichMetaflow,
}

/// How the configuration is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigFormat {
    /// What `metaflow configure import` takes
    Json,
    /// Lines for a shell: export NAME='VALUE'
    Env,
}

/// `formwork metaflow migrate`.
#[derive(Debug, Args)]
pub(crate) struct MetaflowMigrateArguments {
    /// Tells how the tables are, and changes nothing
    #[arg(long)]
    pub(crate) status: bool,
    #[command(flatten)]
    pub(crate) metaflow: WhichMetaflow,
}

/// A name that can be part of a file's.
fn profile(text: &str) -> Result<String, String> {
    let is_right = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if !text.is_empty() && !text.starts_with('.') && text.chars().all(is_right) {
        return Ok(text.to_owned());
    }
    Err("a profile's name is made of letters, digits, `-`, `_` and `.`".to_owned())
}
