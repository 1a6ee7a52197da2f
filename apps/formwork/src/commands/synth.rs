//! `formwork synth`: the assembly of the whole app, written when there is no error.

use std::path::Path;
use std::time::Instant;

use crate::application::{self, Outcome};
use crate::arguments::SynthArguments;
use crate::console::{Console, count, hidden_notes, table, thousands};
use crate::failure::Failure;
use crate::report::{FindingReport, LoadedStack, StackReport, SynthReport, to_text};
use crate::selection::{select, select_one};
use crate::settings::{Application, Settings, Surroundings};

pub(crate) fn run(
    arguments: &SynthArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let started = Instant::now();
    let (near, target) = match &settings.application {
        // What is there already is shown, not written once more.
        Application::Assembly(directory) => (directory.clone(), directory.clone()),
        _ => application::prepare_output(&settings.output)?,
    };
    let outcome = application::run(settings, &near)?;
    console.diagnostics(&outcome.diagnostics);
    let report = |output, stacks, outcome: &Outcome| SynthReport {
        output,
        stacks,
        counts: outcome.counts(),
        findings: outcome.diagnostics.iter().map(FindingReport::from).collect(),
        seconds: (started.elapsed().as_secs_f64() * 1e3).round() / 1e3,
    };
    let output = shown(&target, surroundings);
    if let Err(failure) = outcome.verdict() {
        console.talk(&format!("{}; {output} is left as it was\n", outcome.counts().text()));
        if arguments.json {
            console.data(&to_text(&report(None, Vec::new(), &outcome)))?;
        }
        return Err(failure);
    }
    let loaded = outcome.stacks()?;
    let stacks: Vec<StackReport> = loaded.iter().map(|stack| stack.report.clone()).collect();
    let selected = select(&stacks, &arguments.stacks)?;
    let template = match &arguments.template {
        Some(pattern) => Some(template_of(&loaded, &select_one(&stacks, pattern)?.id)),
        None => None,
    };
    let json = arguments
        .json
        .then(|| report(Some(output.clone()), selected.iter().copied().cloned().collect(), &outcome));
    let counts = outcome.counts();
    let is_written = !matches!(settings.application, Application::Assembly(_));
    outcome.keep(&target)?;

    if let Some(report) = json {
        return console.data(&to_text(&report));
    }
    let mut human = stack_table(&selected);
    human.push_str(&format!(
        "\n{} with {}, {}{output} in {:.2} s\n",
        count(selected.len(), "stack"),
        count(selected.iter().map(|stack| stack.resources).sum(), "resource"),
        if is_written { "written to " } else { "read from " },
        started.elapsed().as_secs_f64(),
    ));
    if counts.warnings > 0 {
        human.push_str(&format!("{} above\n", count(counts.warnings, "warning")));
    }
    human.push_str(&hidden_notes(counts, console));
    match template {
        Some(template) => {
            console.talk(&human);
            console.data(template)
        }
        None if console.is_quiet() => Ok(()),
        None => console.data(&human),
    }
}

fn template_of<'s>(loaded: &'s [LoadedStack], id: &str) -> &'s str {
    loaded.iter().find(|stack| stack.report.id == id).map_or("", |stack| stack.template.text())
}

fn stack_table(stacks: &[&StackReport]) -> String {
    let mut rows = vec![["stack", "resources", "bytes", "needs"].map(str::to_owned).to_vec()];
    for stack in stacks {
        rows.push(vec![
            stack.id.clone(),
            thousands(stack.resources),
            thousands(stack.template_bytes),
            stack.dependencies.join(", "),
        ]);
    }
    table(&rows)
}

/// A path as people write it: from the current directory where it is below it.
fn shown(path: &Path, surroundings: &Surroundings) -> String {
    let here = surroundings.directory.canonicalize().unwrap_or_else(|_| surroundings.directory.clone());
    let short =
        path.strip_prefix(&here).or_else(|_| path.strip_prefix(&surroundings.directory)).unwrap_or(path);
    if short.as_os_str().is_empty() { ".".to_owned() } else { short.display().to_string() }
}
