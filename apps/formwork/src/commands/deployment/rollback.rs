//! `formwork rollback`: takes back an operation that failed and was left as it was.

use formwork_engine::Wish;
use formwork_engine::apply::{self, RollbackOptions, RunReport, Whereabouts};

use crate::application;
use crate::arguments::RollbackArguments;
use crate::console::Console;
use crate::deployment::Workplace;
use crate::deployment::summary::conclude;
use crate::failure::Failure;
use crate::report::StackReport;
use crate::selection::select;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &RollbackArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let stacks: Vec<StackReport> =
        application::stacks(settings, console)?.into_iter().map(|stack| stack.report).collect();
    let selected = select(&stacks, &arguments.stacks)?;
    let workplace = Workplace::in_account(settings, &arguments.progress, console)?;
    if !arguments.yes {
        let names: Vec<&str> = selected.iter().map(|stack| stack.name.as_str()).collect();
        workplace
            .confirm(&format!("these stacks would be rolled back: {}", names.join(", ")), "say --yes")?;
    }
    let journal = workplace.journal()?;
    let options = RollbackOptions {
        skip: arguments.skip.clone(),
        force: arguments.force,
        ..RollbackOptions::default()
    };
    let started = workplace.engine.clock.elapsed();
    let mut reports = Vec::new();
    for stack in selected {
        if workplace.engine.control.wish() != Wish::Continue {
            break;
        }
        let region = stack.region();
        let at = Whereabouts { region: region.map(str::to_owned), ..Whereabouts::default() };
        let rolled_back = apply::rollback(&stack.name, &at, &options, &workplace.engine, &journal);
        reports.push(workplace.run(rolled_back)?);
    }
    let report = RunReport {
        run: journal.run().to_owned(),
        code: RunReport::worst(&reports),
        stacks: reports,
        seconds: (workplace.engine.clock.elapsed() - started).as_secs_f64(),
        detached: None,
    };
    journal.ended(report.code);
    conclude(&report, None, console)
}
