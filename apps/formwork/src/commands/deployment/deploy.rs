//! `formwork deploy`: plan, one approval for all, apply.

use formwork_engine::apply::{self, ApplyOptions};
use formwork_engine::plan::{self, Command};

use super::assembly_of;
use crate::arguments::DeployArguments;
use crate::console::Console;
use crate::deployment::approve::approve;
use crate::deployment::request::{apply_options, plan_request};
use crate::deployment::summary::conclude;
use crate::deployment::workplace::begin;
use crate::deployment::{Workplace, plan_text};
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
    let plan = workplace.plan(plan::make(&request, &assembly, &workplace.engine, &journal))?;
    console.talk(&plan_text::text(&plan, console.is_verbose()));
    let by = approve(&plan, &arguments.approval, &workplace).inspect_err(|failure| {
        // Change sets that nobody wants, and the shells of new stacks, are not left behind.
        workplace.run(apply::discard(&plan, &workplace.engine, &journal));
        journal.ended(failure.exit_code());
    })?;
    let options =
        ApplyOptions { parameters: request.parameters.clone(), ..apply_options(&arguments.run, by) };
    let report = workplace.run(apply::run(&plan, &assembly, &options, &workplace.engine, &journal))?;
    conclude(&report, arguments.outputs_file.as_deref(), console)
}
