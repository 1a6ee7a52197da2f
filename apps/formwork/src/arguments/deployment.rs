//! The arguments of the commands that reach an account, or rehearse it.

mod attaching;
mod bootstrap;
mod clearing;
mod deploying;
mod doctor;
mod looking;
mod mending;
mod metaflow;
mod mlflow;
mod options;
mod proxy;
mod runs;

use clap::Subcommand;

pub(crate) use self::attaching::*;
pub(crate) use self::bootstrap::*;
pub(crate) use self::clearing::*;
pub(crate) use self::deploying::*;
pub(crate) use self::doctor::*;
pub(crate) use self::looking::*;
pub(crate) use self::mending::*;
pub(crate) use self::metaflow::*;
pub(crate) use self::mlflow::*;
pub(crate) use self::options::*;
pub(crate) use self::proxy::*;
pub(crate) use self::runs::*;
use super::ContextArguments;

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
    /// Lists the runs that have a journal here
    Runs(RunsArguments),
    /// Writes down what a run did, for whoever has to know: plan, approval, calls, events, outputs
    Audit(AuditArguments),
    /// Watches a run or a stack without acting
    Follow(FollowArguments),
    /// Cancels the updates of a run that are still going on
    Cancel(CancelArguments),
    /// Takes back an operation that failed and was left as it was
    Rollback(RollbackArguments),
    /// Shows what is deployed and how it is: stacks and components, their state, address and version
    Status(StatusArguments),
    /// Shows the outputs of deployed stacks
    Outputs(OutputsArguments),
    /// Finds why the latest operation of a stack failed
    Diagnose(DiagnoseArguments),
    /// Looks for what stands in the way of deployments, and of what is deployed
    Doctor(DoctorArguments),
    /// Finds what was changed behind CloudFormation's back, and takes it back if that is wanted
    Drift(DriftArguments),
    /// Clears away assets and change sets that nothing needs any more
    Gc(GcArguments),
    /// Takes existing resources into a stack, or lists those that could be taken in
    Import(ImportArguments),
    /// Prepares an account and region: a bucket for assets, and roles with the rights that the app needs
    Bootstrap(BootstrapArguments),
    /// Says who may use a deployed MLflow proxy: adds, lists and revokes users
    Proxy(ProxyArguments),
    /// Connects Metaflow's client to a deployed Metaflow
    Metaflow(MetaflowArguments),
    /// Copies what MLflow servers hold, backs it up and restores it; starts and stops tracking servers
    Mlflow(MlflowArguments),
}

impl DeploymentCommand {
    /// The context values that stand after the command.
    pub(crate) fn context(&self) -> Option<&ContextArguments> {
        match self {
            Self::Plan(plan) => Some(&plan.context),
            Self::Deploy(deploy) => Some(&deploy.context),
            Self::Destroy(destroy) => Some(&destroy.context),
            Self::Rehearse(rehearse) => Some(&rehearse.context),
            Self::Resume(resume) => Some(&resume.context),
            Self::Rollback(rollback) => Some(&rollback.context),
            Self::Status(status) => Some(&status.context),
            Self::Outputs(outputs) => Some(&outputs.context),
            Self::Diagnose(diagnose) => Some(&diagnose.context),
            Self::Doctor(doctor) => Some(&doctor.context),
            Self::Drift(drift) => Some(&drift.context),
            Self::Gc(gc) => Some(&gc.context),
            Self::Import(import) => Some(&import.context),
            Self::Bootstrap(bootstrap) => Some(&bootstrap.context),
            Self::Follow(follow) => Some(&follow.context),
            Self::Cancel(cancel) => Some(&cancel.context),
            Self::Proxy(proxy) => Some(proxy.context()),
            Self::Metaflow(metaflow) => Some(metaflow.context()),
            Self::Mlflow(mlflow) => mlflow.context(),
            Self::Apply(_) | Self::Runs(_) | Self::Audit(_) => None,
        }
    }

    /// Where assets go, as the command's own options say it.
    pub(crate) fn assets(&self) -> Option<&AssetOptions> {
        match self {
            Self::Plan(plan) => Some(&plan.options.assets),
            Self::Deploy(deploy) => Some(&deploy.options.assets),
            Self::Rehearse(rehearse) => Some(&rehearse.options.assets),
            Self::Doctor(doctor) => Some(&doctor.assets),
            Self::Gc(gc) => Some(&gc.assets),
            _ => None,
        }
    }
}
