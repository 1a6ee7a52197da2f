//! `formwork rollback`: takes back an operation that failed and was left as it was.

use formwork_engine::Wish;
use formwork_engine::apply::{self, RollbackOptions, RunReport};

use crate::arguments::RollbackArguments;
use crate::console::Console;
use crate::deployment::summary::conclude;
use crate::deployment::{Workplace, located};
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &RollbackArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &arguments.progress, console)?;
    let selected = located(&arguments.stacks, settings, &workplace, console)?;
    if !arguments.yes {
        let names: Vec<&str> = selected.iter().map(|stack| stack.name.as_str()).collect();
        workplace.confirm(
            &format!("these stacks would be rolled back: {}", names.join(", ")),
            "run it on a terminal, or say --yes",
        )?;
    }
    let journal = workplace.journal()?;
    let options = RollbackOptions {
        skip: arguments.skip.clone(),
        force: arguments.force,
        adopt: arguments.adopt,
        ..RollbackOptions::default()
    };
    let started = workplace.engine.clock.elapsed();
    let mut reports = Vec::new();
    for stack in selected {
        if workplace.engine.control.wish() != Wish::Continue {
            break;
        }
        match workplace.run(apply::rollback(&stack, &options, &workplace.engine, &journal)) {
            Ok(report) => reports.push(report),
            Err(error) => {
                // There is nothing in this journal to go on with.
                journal.ended(error.class.exit_code());
                return Err(error.into());
            }
        }
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
