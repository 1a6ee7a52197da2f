//! `formwork destroy`: deletes stacks, each before those that it needs.

use formwork_engine::plan::Command;

use super::assembly_of;
use crate::arguments::{DestroyArguments, PlanOptions};
use crate::console::Console;
use crate::deployment::request::{apply_options, plan_request, removals};
use crate::deployment::workplace::begin;
use crate::deployment::{Undertaking, Workplace};
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &DestroyArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let (run, _lock) = begin(settings)?;
    let (assembly, stacks) = assembly_of(settings, console)?;
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let journal = workplace.journal_of(&run)?;
    let options = PlanOptions { force: arguments.force, ..PlanOptions::default() };
    let mut request = plan_request(
        Command::Destroy,
        journal.run(),
        &(&arguments.selection).into(),
        &stacks,
        &options,
        settings,
    )?;
    request.removals = removals(&arguments.remove);
    request.options.retain.clone_from(&arguments.retain);
    let options = apply_options(&arguments.run);
    let undertaking = Undertaking { workplace: &workplace, journal: &journal, assembly: &assembly, console };
    undertaking.deploy(&request, &arguments.approval, options, None)
}
