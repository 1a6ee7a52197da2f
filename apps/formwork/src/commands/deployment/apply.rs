//! `formwork apply PLAN`: carries out exactly what a plan file says.

use std::path::Path;

use formwork_assembly::CloudAssembly;
use formwork_engine::apply;
use formwork_engine::lock::RunLock;
use formwork_engine::plan::{self, file};

use crate::arguments::ApplyArguments;
use crate::console::Console;
use crate::deployment::approve::approve;
use crate::deployment::request::apply_options;
use crate::deployment::summary::conclude;
use crate::deployment::{Workplace, plan_text};
use crate::failure::Failure;
use crate::settings::{Settings, Surroundings};

pub(crate) fn run(
    arguments: &ApplyArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let path = surroundings.directory.join(&arguments.plan);
    let plan = file::read(&path)?;
    // The plan names the assembly as seen from itself.
    let directory = path.parent().unwrap_or(Path::new(".")).join(&plan.assembly);
    let assembly = CloudAssembly::open(&directory)?;
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let journal = workplace.journal()?;
    let _lock = RunLock::acquire(&workplace.state, assembly.directory(), journal.run())?;
    console.talk(&plan_text::text(&plan, console.is_verbose()));
    workplace.run(plan::check_fresh(&plan, &assembly, &workplace.engine))?;
    let by = approve(&plan, &arguments.approval)?;
    let options = apply_options(&arguments.run, by);
    let report = workplace.run(apply::run(&plan, &assembly, &options, &workplace.engine, &journal))?;
    conclude(&report, arguments.outputs_file.as_deref(), console)
}
