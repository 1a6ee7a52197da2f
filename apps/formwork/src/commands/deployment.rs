//! The commands that reach an account, or rehearse it.

mod apply;
mod bootstrap;
mod deploy;
mod destroy;
mod diagnose;
mod doctor;
mod drift;
mod from_cloud;
mod gc;
mod import;
mod metaflow;
mod mlflow;
mod outputs;
mod plan;
mod proxy;
mod rehearse;
mod resume;
mod rollback;
mod runs;
pub(crate) mod status;

use formwork_assembly::CloudAssembly;

#[cfg(test)]
pub(crate) use doctor::DoctorReport;
#[cfg(test)]
pub(crate) use gc::GcReport;
#[cfg(test)]
pub(crate) use proxy::ProxyUsersReport;
#[cfg(test)]
pub(crate) use runs::RunsReport;

use crate::application;
use crate::arguments::DeploymentCommand;
use crate::console::Console;
use crate::failure::Failure;
use crate::report::{StackReport, load};
use crate::settings::{Application, Settings, Surroundings};

pub(crate) fn run(
    command: &DeploymentCommand,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    match command {
        DeploymentCommand::Plan(plan) => plan::run(plan, settings, console),
        DeploymentCommand::Apply(apply) => apply::run(apply, settings, surroundings, console),
        DeploymentCommand::Deploy(deploy) => deploy::run(deploy, settings, console),
        DeploymentCommand::Destroy(destroy) => destroy::run(destroy, settings, console),
        DeploymentCommand::Rehearse(rehearse) => rehearse::run(rehearse, settings, console),
        DeploymentCommand::Status(status) => status::run(status, settings, console),
        DeploymentCommand::Outputs(outputs) => outputs::run(outputs, settings, console),
        DeploymentCommand::Diagnose(diagnose) => diagnose::run(diagnose, settings, console),
        DeploymentCommand::Doctor(doctor) => doctor::run(doctor, settings, surroundings, console),
        DeploymentCommand::Drift(drift) => drift::run(drift, settings, console),
        DeploymentCommand::Gc(gc) => gc::run(gc, settings, surroundings, console),
        DeploymentCommand::Import(import) => import::run(import, settings, console),
        DeploymentCommand::Bootstrap(bootstrap) => bootstrap::run(bootstrap, settings, console),
        DeploymentCommand::Proxy(proxy) => proxy::run(proxy, settings, console),
        DeploymentCommand::Metaflow(metaflow) => metaflow::run(metaflow, settings, surroundings, console),
        DeploymentCommand::Mlflow(mlflow) => mlflow::run(mlflow, settings, surroundings, console),
        DeploymentCommand::Resume(resume) => resume::resume(resume, settings, console),
        DeploymentCommand::Runs(runs) => runs::runs(runs, settings, console),
        DeploymentCommand::Audit(audit) => runs::audit(audit, settings, surroundings, console),
        DeploymentCommand::Follow(follow) => resume::follow(follow, settings, console),
        DeploymentCommand::Cancel(cancel) => resume::cancel(cancel, settings, console),
        DeploymentCommand::Rollback(rollback) => rollback::run(rollback, settings, console),
    }
}

/// The assembly of the app, free of errors and in its place, and its stacks.
///
/// # Errors
/// When the app has errors, or the place cannot be written.
fn assembly_of(settings: &Settings, console: &Console) -> Result<(CloudAssembly, Vec<StackReport>), Failure> {
    let (near, target) = match &settings.application {
        Application::Assembly(directory) => (directory.clone(), directory.clone()),
        _ => application::prepare_output(&settings.output)?,
    };
    let outcome = application::run(settings, &near)?;
    console.diagnostics(&outcome.diagnostics);
    outcome.verdict()?;
    let assembly = CloudAssembly::open(&outcome.keep(&target)?)?;
    let stacks = load(&assembly)?.into_iter().map(|stack| stack.report).collect();
    Ok((assembly, stacks))
}
