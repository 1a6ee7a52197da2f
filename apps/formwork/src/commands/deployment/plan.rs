//! `formwork plan`: what a deployment would change, over all stacks; written down for `apply` if that is wanted.

use std::path::Path;

use formwork_engine::apply;
use formwork_engine::plan::{Command, Depth, Plan, file};

use super::assembly_of;
use crate::arguments::{PlanArguments, PlanFormat};
use crate::console::Console;
use crate::deployment::request::{plan_request, removals};
use crate::deployment::workplace::begin;
use crate::deployment::{Undertaking, Workplace, plan_markdown, plan_text};
use crate::failure::{Failure, exit};
use crate::report::to_text;
use crate::settings::Settings;
use crate::wrapping;

pub(crate) fn run(arguments: &PlanArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    arguments.progress.leave_output_to(arguments.json)?;
    let (run, _lock) = begin(settings)?;
    let (assembly, stacks) = assembly_of(settings, console)?;
    let workplace = Workplace::in_account(settings, &arguments.progress, console)?;
    let journal = workplace.journal_of(&run)?;
    let command = if arguments.destroy { Command::Destroy } else { Command::Deploy };
    let mut request =
        plan_request(command, journal.run(), &arguments.selection, &stacks, &arguments.options, settings)?;
    request.removals = removals(&arguments.remove);
    request.options.retain.clone_from(&arguments.retain);
    if arguments.no_change_sets {
        request.depth = Depth::Templates;
    }
    let undertaking = Undertaking { workplace: &workplace, journal: &journal, assembly: &assembly, console };
    let mut plan = undertaking.plan(&request)?;
    // Without a file nobody can carry the plan out: its change sets, and the shells of new stacks, are not left behind.
    let kept = match &arguments.out {
        Some(path) => {
            plan.assembly = seen_from(path, assembly.directory());
            file::seal(&mut plan);
            file::write(&plan, path).map(|()| true)
        }
        None => Ok(false),
    };
    if !matches!(kept, Ok(true)) {
        workplace.run(apply::discard(&plan, &workplace.engine, &journal));
    }
    kept?;
    if let Some(path) = &arguments.out {
        console.talk(&format!("the plan is written to {}\n", path.display()));
    }
    journal.ended(exit::OK);
    console.data(&match arguments.format {
        _ if arguments.json => to_text(&plan),
        PlanFormat::Text => for_people(&plan, &workplace, console),
        PlanFormat::Markdown => plan_markdown::text(&plan),
    })?;
    match arguments.detailed_exitcode && plan_text::changes_something(&plan) {
        true => Err(Failure::Ended(exit::CHANGES)),
        false => Ok(()),
    }
}

/// The plan as lines of standard output. On a terminal its head stands above, among what was told.
fn for_people(plan: &Plan, workplace: &Workplace, console: &Console) -> String {
    let width = wrapping::of_output();
    let text = match width.is_some() && workplace.tells_people() {
        true => plan_text::below_the_head(plan, console.is_verbose()),
        false => plan_text::text(plan, console.is_verbose()),
    };
    wrapping::fitted(&text, width)
}

/// The path of an assembly as seen from a plan file beside or above it, so that both can be moved together; else the
/// whole path.
fn seen_from(plan: &Path, assembly: &Path) -> String {
    let directory = plan.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole = assembly.canonicalize().unwrap_or_else(|_| assembly.to_path_buf());
    let relative =
        directory.canonicalize().ok().and_then(|from| whole.strip_prefix(from).ok().map(Path::to_path_buf));
    relative.unwrap_or(whole).display().to_string()
}
