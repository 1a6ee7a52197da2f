//! The arguments of the commands that reach an account, or rehearse it.
//!
//! Groups of options stand in structs of their own, because `plan`, `deploy`, `apply`, `destroy` and `rehearse` share
//! them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ContextArguments, key_and_value};

/// The commands that reach an account, or rehearse it.
#[derive(Debug, Subcommand)]
pub(crate) enum DeploymentCommand {
    /// Shows what a deployment would change, and writes it down for `apply`
    Plan(PlanArguments),
    /// Carries out a plan that was written down, exactly as it was approved
    Apply(ApplyArguments),
    /// Plans, asks once, and carries out
    Deploy(DeployArguments),
    /// Deletes stacks, each before those that it needs
    Destroy(DestroyArguments),
    /// Deploys to a simulated account inside this program: no account, no cost
    Rehearse(RehearseArguments),
    /// Goes on with a run that was cut off or detached
    Resume(ResumeArguments),
    /// Watches a run or a stack without acting
    Follow(FollowArguments),
    /// Cancels the updates of a run that are still going on
    Cancel(CancelArguments),
    /// Takes back an operation that failed and was left as it was
    Rollback(RollbackArguments),
    /// Shows the outputs of deployed stacks
    Outputs(OutputsArguments),
    /// Finds why the latest operation of a stack failed
    Diagnose(DiagnoseArguments),
    /// Prepares an account and region: a bucket for assets, and roles with the rights that the app needs
    Bootstrap(BootstrapArguments),
}

impl DeploymentCommand {
    /// The context values that stand after the command.
    pub(crate) fn context(&self) -> Option<&ContextArguments> {
        match self {
            Self::Plan(plan) => Some(&plan.context),
            Self::Deploy(deploy) => Some(&deploy.context),
            Self::Destroy(destroy) => Some(&destroy.context),
            Self::Rehearse(rehearse) => Some(&rehearse.context),
            Self::Rollback(rollback) => Some(&rollback.context),
            Self::Outputs(outputs) => Some(&outputs.context),
            Self::Diagnose(diagnose) => Some(&diagnose.context),
            Self::Bootstrap(bootstrap) => Some(&bootstrap.context),
            Self::Apply(_) | Self::Resume(_) | Self::Follow(_) | Self::Cancel(_) => None,
        }
    }
}

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

/// Values of parameters.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Deployment options")]
pub(crate) struct ParameterOptions {
    /// Sets a parameter of a template, for all stacks that have it or for one; a plan and a journal keep none that are
    /// secret
    #[arg(long = "parameters", value_name = "[STACK:]NAME=VALUE", value_parser = key_and_value)]
    pub(crate) given: Vec<(String, String)>,
}

/// What goes into the plan of a deployment.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Deployment options")]
pub(crate) struct PlanOptions {
    #[command(flatten)]
    pub(crate) parameters: ParameterOptions,
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

/// `formwork plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) selection: StackSelection,
    /// Writes the plan, for `formwork apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Plans the deletion of the stacks
    #[arg(long)]
    pub(crate) destroy: bool,
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
    pub(crate) selection: StackSelection,
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

/// `formwork resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run [default: the last one that did not end]
    #[arg(value_name = "RUN")]
    pub(crate) run_id: Option<String>,
    #[command(flatten)]
    pub(crate) parameters: ParameterOptions,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
}

/// `formwork follow`.
#[derive(Debug, Args)]
pub(crate) struct FollowArguments {
    /// The run, or a stack [default: the last run that did not end]
    #[arg(value_name = "RUN|STACK")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
}

/// `formwork cancel`.
#[derive(Debug, Args)]
pub(crate) struct CancelArguments {
    /// The run [default: the last one that did not end]
    #[arg(value_name = "RUN")]
    pub(crate) run_id: Option<String>,
    /// Answers every question with yes
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `formwork rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The stacks, by name or pattern
    #[arg(value_name = "STACK", required = true)]
    pub(crate) stacks: Vec<String>,
    /// A resource to leave as it is, as `Logical` or `Nested.Logical`
    #[arg(long, value_name = "LOGICAL_ID", value_delimiter = ',', conflicts_with = "force")]
    pub(crate) skip: Vec<String>,
    /// Leaves whatever cannot be taken back as it is
    #[arg(long)]
    pub(crate) force: bool,
    /// Answers every question with yes
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) progress: ProgressOptions,
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// `formwork outputs`.
#[derive(Debug, Args)]
pub(crate) struct OutputsArguments {
    #[command(flatten)]
    pub(crate) selection: StackSelection,
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

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && (1.0..=100_000.0).contains(&speed) => Ok(speed),
        _ => Err("the factor is a number from 1 to 100000".to_owned()),
    }
}
