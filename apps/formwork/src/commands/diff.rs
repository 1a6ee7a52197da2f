//! `formwork diff`: what the app would change, compared with another assembly or a template file.
//!
//! Where old templates come from is a trait, so that deployed stacks are one more source and everything else is shared.

mod arguments;
mod before;
mod comparison;
#[cfg(feature = "engine")]
mod deployed;
mod report;
mod text;

pub(crate) use arguments::DiffArguments;
use arguments::FailOn;
pub(crate) use before::Before;
pub(crate) use report::DiffReport;
use report::{BroadeningKindReport, StackDiffReport, StackState};
use text::Look;

use crate::application;
use crate::console::{Console, count};
use crate::failure::{Failure, exit};
use crate::report::{LoadedStack, StackReport, to_text};
use crate::selection::select;
use crate::settings::Settings;
use crate::wrapping;

pub(crate) fn run(arguments: &DiffArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let Some(path) = &arguments.against else {
        return with_deployed(arguments, settings, console);
    };
    let stacks = application::stacks(settings, console)?;
    let reports: Vec<StackReport> = stacks.iter().map(|stack| stack.report.clone()).collect();
    let selected = select(&reports, &arguments.stacks)?;
    let before = before::read(path, &selected)?;
    compare(arguments, &stacks, &*before, console)
}

#[cfg(feature = "engine")]
fn with_deployed(arguments: &DiffArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let outcome = application::run(settings, &std::env::temp_dir())?;
    outcome.show_errors(console)?;
    let progress = crate::arguments::ProgressOptions::default();
    let workplace = crate::deployment::Workplace::in_account(settings, &progress, console)?;
    let located = crate::deployment::located_of(&outcome, &arguments.stacks, settings, &workplace)?;
    compare(arguments, &outcome.stacks()?, &deployed::Deployed { workplace, located }, console)
}

#[cfg(not(feature = "engine"))]
fn with_deployed(_: &DiffArguments, _: &Settings, _: &Console) -> Result<(), Failure> {
    Err(Failure::Usage(
        "there is nothing to compare with\nhint: name an assembly or a template file with --against"
            .to_owned(),
    ))
}

/// Compares the chosen stacks of an app with what was before, and shows the difference.
///
/// # Errors
/// When something cannot be read, or the difference is one to fail on.
pub(crate) fn compare(
    arguments: &DiffArguments,
    stacks: &[LoadedStack],
    before: &dyn Before,
    console: &Console,
) -> Result<(), Failure> {
    let reports: Vec<StackReport> = stacks.iter().map(|stack| stack.report.clone()).collect();
    let selected = select(&reports, &arguments.stacks)?;
    let mut report = DiffReport { against: before.name(), stacks: Vec::new() };
    for stack in stacks.iter().filter(|stack| selected.iter().any(|chosen| chosen.id == stack.report.id)) {
        let old = before.stack(&stack.report)?;
        report.stacks.push(comparison::compare(&stack.report, old.as_ref(), Some(stack.template.value())));
    }
    if arguments.stacks.is_empty() {
        for (stack, old) in before.gone(&reports)? {
            report.stacks.push(comparison::compare(&stack, Some(&old), None));
        }
    }
    console.data(&if arguments.json {
        to_text(&report)
    } else {
        let width = wrapping::of_output();
        text::text(&report, Look { width, is_verbose: console.shows(formwork_assembly::Severity::Note) })
    })?;
    console.talk(&summary(&report));
    let fails = arguments.fail_on.iter().any(|what| report.stacks.iter().any(|stack| is_met(*what, stack)));
    if fails { Err(Failure::Ended(exit::CHANGES)) } else { Ok(()) }
}

/// Whether a stack's difference is one to fail on.
fn is_met(what: FailOn, stack: &StackDiffReport) -> bool {
    match what {
        FailOn::AnyChange => !matches!(stack.state, StackState::Alike | StackState::Unchanged),
        FailOn::Broadening => !stack.broadenings.is_empty(),
        FailOn::Destructive => losses(stack) > 0,
    }
}

/// How many resources with data are replaced or deleted. A stack that the app dropped stays until it is destroyed.
fn losses(stack: &StackDiffReport) -> usize {
    match stack.state {
        StackState::Removed => 0,
        _ => stack.resources.iter().filter(|resource| resource.loss.is_some()).count(),
    }
}

/// What there is in all, in one line.
fn summary(report: &DiffReport) -> String {
    let number = |state: StackState| report.stacks.iter().filter(|stack| stack.state == state).count();
    let same = number(StackState::Unchanged) + number(StackState::Alike);
    let grown = |kind: BroadeningKindReport| {
        report.stacks.iter().flat_map(|stack| &stack.broadenings).filter(|found| found.kind == kind).count()
    };
    let parts = [
        (number(StackState::Changed), "stack", "differs", "differ"),
        (number(StackState::Added), "stack", "is new", "are new"),
        (number(StackState::Removed), "stack", "is gone", "are gone"),
        (same, "stack", "is the same", "are the same"),
        (grown(BroadeningKindReport::Rights), "finding", "on rights", "on rights"),
        (grown(BroadeningKindReport::Network), "finding", "on the network", "on the network"),
        (report.stacks.iter().map(losses).sum(), "resource", "with data at risk", "with data at risk"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, noun, one, many)| {
            format!("{} {}", count(*number, noun), if *number == 1 { one } else { many })
        })
        .collect();
    if shown.is_empty() { "nothing to compare\n".to_owned() } else { format!("{}\n", shown.join(", ")) }
}
