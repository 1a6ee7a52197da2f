//! `formwork apply PLAN`: carries out exactly what a plan file says.

use std::path::Path;

use formwork_assembly::CloudAssembly;
use formwork_engine::apply::ApplyOptions;
use formwork_engine::lock::RunLock;
use formwork_engine::plan::file;

use crate::arguments::ApplyArguments;
use crate::console::Console;
use crate::deployment::approve::asking;
use crate::deployment::request::{apply_options, given_parameters};
use crate::deployment::{Undertaking, Workplace};
use crate::failure::Failure;
use crate::settings::{Settings, Surroundings};

pub(crate) fn run(
    arguments: &ApplyArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let path = surroundings.directory.join(&arguments.plan);
    let mut plan = file::read(&path)?;
    // The plan names the assembly as seen from itself.
    let directory = path.parent().unwrap_or(Path::new(".")).join(&plan.assembly);
    let assembly = CloudAssembly::open(&directory)?;
    // The journal is not where the plan is: it has to know the whole path.
    plan.assembly = std::path::absolute(&directory).unwrap_or(directory).display().to_string();
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let journal = workplace.journal()?;
    let _lock = RunLock::acquire(&workplace.state, assembly.directory(), journal.run())?;
    // What a file says is shown before it is done, unless whoever calls has looked at it.
    let approval = asking(&arguments.approval);
    let options =
        ApplyOptions { parameters: given_parameters(&arguments.parameters), ..apply_options(&arguments.run) };
    let undertaking = Undertaking { workplace: &workplace, journal: &journal, assembly: &assembly, console };
    undertaking.apply(&plan, &approval, options, arguments.outputs_file.as_deref())
}
