//! Groups of options that `plan`, `deploy`, `apply`, `destroy`, `rehearse` and others share.

use clap::{Args, ValueEnum};

use crate::arguments::key_and_value;
use crate::failure::Failure;

/// Which stacks.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StackSelection {
    /// The stacks, by name or pattern, with all that they need [default: all of the context]
    #[arg(value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// All stacks of the context; the same as naming none
    #[arg(long, conflicts_with = "stacks")]
    pub(crate) all: bool,
    /// Only the named stacks, without those that they need
    #[arg(short, long, requires = "stacks")]
    pub(crate) exclusively: bool,
}

/// Which stacks are deleted.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DestroySelection {
    /// The stacks, by name or pattern, with all that need them [default: all of the context]
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,
    /// All stacks of the context; the same as naming none
    #[arg(long, conflicts_with = "stacks")]
    all: bool,
    /// Only the named stacks, without those that need them
    #[arg(short, long, requires = "stacks")]
    exclusively: bool,
}

impl From<&DestroySelection> for StackSelection {
    fn from(selection: &DestroySelection) -> Self {
        let DestroySelection { stacks, all, exclusively } = selection.clone();
        Self { stacks, all, exclusively }
    }
}

/// Values of parameters.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Deployment options")]
pub(crate) struct ParameterOptions {
    /// Sets a parameter of a template, for all stacks that have it or for one; a plan and a journal keep none that are
    /// secret
    #[arg(long = "parameters", value_name = "[STACK:]NAME=VALUE", value_parser = key_and_value)]
    pub(crate) given: Vec<(String, String)>,
}

/// Where assets go. Both are settings of the context as well, `assets` and `qualifier`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Asset options")]
pub(crate) struct AssetOptions {
    /// A bucket of yours for assets and large templates; no bootstrap stack is needed then [default: context assets]
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// The bootstrap stack to use, where there are several [default: context qualifier]
    #[arg(long, value_name = "QUALIFIER", conflicts_with = "bucket")]
    pub(crate) qualifier: Option<String>,
}

/// What goes into the plan of a deployment.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Deployment options")]
pub(crate) struct PlanOptions {
    #[command(flatten)]
    pub(crate) parameters: ParameterOptions,
    #[command(flatten)]
    pub(crate) assets: AssetOptions,
    /// Keeps the values that parameters of deployed stacks have, where none is given; otherwise they take the default
    #[arg(long)]
    pub(crate) previous_parameters: bool,
    /// Deploys unchanged stacks as well
    #[arg(long)]
    pub(crate) force: bool,
    /// Tags every stack, on top of the tags of the app
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) tags: Vec<(String, String)>,
    /// A topic that CloudFormation tells of the stacks' events
    #[arg(long, value_name = "ARN")]
    pub(crate) notification_arns: Vec<String>,
    /// The role that CloudFormation acts with
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,
    /// Grants only these capabilities, such as CAPABILITY_IAM [default: all]
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub(crate) capabilities: Vec<String>,
    /// Leaves what was done when an operation fails, to be mended by the next one
    #[arg(long)]
    pub(crate) no_rollback: bool,
    /// Takes in resources that exist already under the names that the templates give
    #[arg(long)]
    pub(crate) import_existing: bool,
    /// Takes back what was changed behind CloudFormation's back
    #[arg(long)]
    pub(crate) revert_drift: bool,
    /// An alarm that rolls an operation back
    #[arg(long, value_name = "ARN")]
    pub(crate) rollback_alarms: Vec<String>,
    /// For how many minutes the alarms are watched after an operation
    #[arg(long, value_name = "MINUTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=180))]
    pub(crate) monitoring_time: u32,
    /// Changes stacks of these names that something else made; their differences have to be approved
    #[arg(long)]
    pub(crate) adopt: bool,
}

/// What has to be approved, and by whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Approval options")]
pub(crate) struct ApprovalOptions {
    /// What is asked about before anything happens
    #[arg(long, value_name = "WHAT", default_value = "broadening")]
    pub(crate) require_approval: RequireApproval,
    /// Allows what loses data; --yes does not
    #[arg(long, value_name = "LOSS", value_delimiter = ',')]
    pub(crate) allow: Vec<AllowedLoss>,
    /// Answers every question with yes
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequireApproval {
    /// Nothing
    Never,
    /// Rights or reachability that grow
    Broadening,
    /// Any change
    AnyChange,
}

/// A way to lose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AllowedLoss {
    /// Resources that hold data are replaced by empty ones
    Replace,
    /// Resources that hold data are deleted
    Delete,
}

/// How the plan is carried out and shown.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Run options")]
pub(crate) struct RunOptions {
    /// How many stacks are worked on at once
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) concurrency: u16,
    /// Starts nothing more after the first failure; without it only stacks that need the failed one are left out
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Cancels the update of a stack that takes longer
    #[arg(long, value_name = "MINUTES")]
    pub(crate) timeout: Option<u32>,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
}

/// How progress is shown.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Run options")]
pub(crate) struct ProgressOptions {
    /// How progress is shown [default: live on a terminal, lines elsewhere]
    #[arg(long, value_name = "FORM")]
    pub(crate) progress: Option<ProgressForm>,
}

impl ProgressOptions {
    /// Standard output has room for one thing: a report as JSON, when one is wanted, or events.
    ///
    /// # Errors
    /// When both are wanted.
    pub(crate) fn leave_output_to(&self, report: bool) -> Result<(), Failure> {
        match self.progress {
            Some(ProgressForm::Json) if report => Err(Failure::Usage(
                "--json and --progress json both want standard output\nhint: leave out one of them"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressForm {
    /// A line a stack that changes in place
    Live,
    /// A line a resource
    Lines,
    /// A line a stack, and failures
    Errors,
    /// A line of JSON an event, on standard output
    Json,
}
