//! `formwork plan`: what a deployment would change, over all stacks; written down for `apply` if that is wanted.

use formwork_engine::plan::{self, Command, Depth, file};

use super::assembly_of;
use crate::arguments::{PlanArguments, PlanFormat};
use crate::console::Console;
use crate::deployment::request::plan_request;
use crate::deployment::{Workplace, plan_markdown, plan_text};
use crate::failure::{Failure, exit};
use crate::report::to_text;
use crate::settings::Settings;

pub(crate) fn run(arguments: &PlanArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let (assembly, stacks) = assembly_of(settings, console)?;
    let workplace = Workplace::in_account(settings, &arguments.progress, console)?;
    let journal = workplace.journal()?;
    let command = if arguments.destroy { Command::Destroy } else { Command::Deploy };
    let mut request =
        plan_request(command, journal.run(), &arguments.selection, &stacks, &arguments.options, settings)?;
    request.depth = Depth::ChangeSets;
    let plan = workplace.run(plan::make(&request, &assembly, &workplace.engine, &journal))?;
    if let Some(path) = &arguments.out {
        file::write(&plan, path)?;
        console.talk(&format!("the plan is written to {}\n", path.display()));
    }
    journal.ended(exit::OK);
    if arguments.json {
        console.data(&to_text(&plan))?;
    } else {
        console.data(&match arguments.format {
            PlanFormat::Text => plan_text::text(&plan, console.is_verbose()),
            PlanFormat::Markdown => plan_markdown::text(&plan),
        })?;
    }
    match arguments.detailed_exitcode && plan_text::changes_something(&plan) {
        true => Err(Failure::Ended(exit::CHANGES)),
        false => Ok(()),
    }
}
