//! The arguments of `formwork bootstrap`.

use clap::{Args, ValueEnum};

use super::{ApprovalOptions, RunOptions};
use crate::arguments::ContextArguments;

/// `formwork bootstrap`.
#[derive(Debug, Args)]
pub(crate) struct BootstrapArguments {
    /// The accounts and regions, as aws://ACCOUNT/REGION [default: those of the credentials and settings]
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) environments: Vec<String>,
    /// Tells several bootstrap stacks in one account and region apart
    #[arg(long, value_name = "QUALIFIER", default_value = "formwork")]
    pub(crate) qualifier: String,
    /// What the names of the stacks begin with that the roles may touch [default: what the app's stacks have in common]
    #[arg(long, value_name = "PREFIX")]
    pub(crate) stack_prefix: Option<String>,
    /// A further account whose callers may take on the roles
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) trust: Vec<String>,
    /// A managed policy for CloudFormation's role, instead of what the app's resources need
    #[arg(long, value_name = "ARN")]
    pub(crate) execution_policy: Vec<String>,
    /// The managed policy that bounds every role
    #[arg(long, value_name = "ARN")]
    pub(crate) permissions_boundary: Option<String>,
    /// The key of the bucket: `new`, or an ARN [default: keys of S3]
    #[arg(long, value_name = "KEY")]
    pub(crate) kms_key: Option<String>,
    /// Prints the template, and does nothing else
    #[arg(long, conflicts_with = "show_policy")]
    pub(crate) show_template: bool,
    /// Prints the policy that a deployer needs, and does nothing else
    #[arg(long, value_name = "WAY", num_args = 0..=1, default_missing_value = "roles")]
    pub(crate) show_policy: Option<DeployerWay>,
    #[command(flatten)]
    pub(crate) approval: ApprovalOptions,
    #[command(flatten)]
    pub(crate) run: RunOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// How a deployer goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeployerWay {
    /// By the roles of the bootstrap stack
    Roles,
    /// With its own rights, without a bootstrap stack
    OwnRights,
}
