//! What came of a run, at its end: failures with what to do, then the outputs.

use std::collections::BTreeMap;
use std::path::Path;

use formwork_assembly::json;
use formwork_engine::apply::RunReport;
use formwork_engine::event::StackOutcome;
use formwork_engine::plan::distinct;

use super::labels::Labels;
use crate::console::{Console, count, table_within};
use crate::failure::Failure;
use crate::wrapping::of_output;

/// How a run that was left can be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoingOn<'a> {
    /// From its journal.
    Resume,
    /// By looking on once more, at what this names: nothing else was done.
    Follow(&'a str),
    /// By looking for it in the account once more.
    FromCloud(&'a str),
    /// Not at all: the account was in this process.
    Rehearse,
}

/// Shows the report, writes the outputs' file, and ends with the run's exit code.
///
/// # Errors
/// When the run did not do all it was to do, or the outputs cannot be written.
pub(crate) fn conclude(
    report: &RunReport,
    outputs_file: Option<&Path>,
    console: &Console,
) -> Result<(), Failure> {
    conclude_as(report, GoingOn::Resume, outputs_file, console)
}

/// As [`conclude`], for reports of what cannot be resumed as well.
///
/// # Errors
/// As [`conclude`].
pub(crate) fn conclude_as(
    report: &RunReport,
    going_on: GoingOn<'_>,
    outputs_file: Option<&Path>,
    console: &Console,
) -> Result<(), Failure> {
    if let Some(path) = outputs_file {
        write_outputs(report, path)?;
    }
    console.talk(&text(report, going_on));
    if report.code == 0 {
        let outputs = outputs_table(report);
        return if outputs.is_empty() || console.is_quiet() { Ok(()) } else { console.data(&outputs) };
    }
    Err(Failure::Ended(report.code))
}

/// What came of it, in words.
fn text(report: &RunReport, going_on: GoingOn<'_>) -> String {
    let mut text = String::new();
    let labels = labels(report);
    for stack in &report.stacks {
        let label = labels.label(&stack.name, Some(&stack.environment));
        if let Some(message) = &stack.message {
            text.push_str(&format!("{label}: {message}\n"));
        }
        // What the engine says of resuming is about runs that have a journal.
        let is_possible = |hint: &&String| going_on == GoingOn::Resume || !hint.contains("`formwork resume");
        if let Some(hint) = stack.hint.as_ref().filter(is_possible) {
            text.push_str(&format!("hint: {hint}\n"));
        }
        for warning in &stack.warnings {
            text.push_str(&format!("warning: {label}: {warning}\n"));
        }
    }
    let number = |outcome| report.stacks.iter().filter(|stack| stack.outcome == outcome).count();
    let parts: Vec<String> = [
        (StackOutcome::Deployed, "deployed"),
        (StackOutcome::Deleted, "deleted"),
        (StackOutcome::Unchanged, "unchanged"),
        (StackOutcome::RolledBack, "rolled back"),
        (StackOutcome::Failed, "failed"),
        (StackOutcome::Skipped, "not started"),
        (StackOutcome::Detached, "not watched any longer"),
    ]
    .into_iter()
    .filter(|(outcome, _)| number(*outcome) > 0)
    .map(|(outcome, words)| format!("{} {words}", count(number(outcome), "stack")))
    .collect();
    let took = super::progress::words::duration(std::time::Duration::from_secs_f64(report.seconds.max(0.0)));
    text.push_str(&format!("{} in {took}\n", parts.join(", ")));
    if let Some(reason) = &report.detached {
        let hint = match going_on {
            GoingOn::Resume => format!("`formwork resume {}` goes on", report.run),
            GoingOn::Follow(what) => format!("`formwork follow {what}` looks on again"),
            GoingOn::FromCloud(what) => format!("`formwork resume {what}` looks on again"),
            GoingOn::Rehearse => "the account is gone with this process; start the rehearsal anew".to_owned(),
        };
        text.push_str(&format!("detached: {reason}\nhint: {hint}\n"));
    }
    text
}

fn labels(report: &RunReport) -> Labels {
    Labels::of(report.stacks.iter().map(|stack| &stack.environment))
}

fn outputs_table(report: &RunReport) -> String {
    let labels = labels(report);
    let mut rows = vec![["stack", "output", "value"].map(str::to_owned).to_vec()];
    for stack in report.stacks.iter().filter(|stack| stack.outcome != StackOutcome::Deleted) {
        // What other stacks import says nothing to people.
        for (name, output) in stack.outputs.iter().filter(|(_, output)| output.export_name.is_none()) {
            let stack = labels.label(&stack.name, Some(&stack.environment));
            rows.push(vec![stack, name.clone(), output.value.clone()]);
        }
    }
    if rows.len() == 1 { String::new() } else { table_within(&rows, of_output()) }
}

/// `{ "stack": { "output": "value" } }`, as the CDK's outputs file has it; `stack@region` where two stacks have one
/// name.
fn write_outputs(report: &RunReport, path: &Path) -> Result<(), Failure> {
    let stacks: Vec<_> =
        report.stacks.iter().map(|stack| (stack.name.as_str(), &stack.environment)).collect();
    let outputs: BTreeMap<String, BTreeMap<&str, &str>> = distinct(&stacks)
        .into_iter()
        .zip(&report.stacks)
        .filter(|(_, stack)| !stack.outputs.is_empty())
        .map(|(name, stack)| {
            let values = stack.outputs.iter().map(|(name, output)| (name.as_str(), output.value.as_str()));
            (name, values.collect())
        })
        .collect();
    let text = json::to_text(&serde_json::to_value(outputs).expect("names are strings"));
    std::fs::write(path, text).map_err(|source| Failure::File {
        action: "write",
        what: path.display().to_string(),
        source,
    })
}
