//! `formwork deploy`: plan, one approval for all, apply.

use formwork_engine::apply::ApplyOptions;
use formwork_engine::plan::Command;

use super::assembly_of;
use crate::arguments::DeployArguments;
use crate::console::Console;
use crate::deployment::request::{apply_options, plan_request};
use crate::deployment::workplace::begin;
use crate::deployment::{Undertaking, Workplace};
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &DeployArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let (run, _lock) = begin(settings)?;
    let (assembly, stacks) = assembly_of(settings, console)?;
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let journal = workplace.journal_of(&run)?;
    let request = plan_request(
        Command::Deploy,
        journal.run(),
        &arguments.selection,
        &stacks,
        &arguments.options,
        settings,
    )?;
    let options = ApplyOptions { parameters: request.parameters.clone(), ..apply_options(&arguments.run) };
    let undertaking = Undertaking { workplace: &workplace, journal: &journal, assembly: &assembly, console };
    undertaking.deploy(&request, &arguments.approval, options, arguments.outputs_file.as_deref())
}
