//! `formwork runs` and `formwork audit`: what was done from here, and what a run was.

use std::collections::BTreeMap;
use std::path::Path;

use formwork_engine::audit::Bundle;
use formwork_engine::journal::{self, RunSummary};
use formwork_engine::{Class, EngineError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::arguments::{AuditArguments, RunsArguments};
use crate::console::{Console, count, table};
use crate::deployment::workplace::journals_of;
use crate::failure::Failure;
use crate::report::to_text;
use crate::settings::{Settings, Surroundings};

/// What `formwork runs --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "formwork runs --json")]
pub(crate) struct RunsReport {
    /// The runs, the oldest first.
    runs: Vec<RunReport>,
    /// The journals that cannot be read.
    unreadable: Vec<UnreadableReport>,
}

/// A run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RunReport {
    /// Its id.
    run: String,
    /// `deploy`, `destroy` ...; nothing before a plan was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<String>,
    /// When the last line of its journal was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    /// How it was approved, such as `prompt` or `--yes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// How it stands.
    state: RunState,
    /// The exit code, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    /// Why it was detached.
    #[serde(skip_serializing_if = "Option::is_none")]
    detached: Option<String>,
    /// The states that its stacks reached, by their ids.
    stacks: BTreeMap<String, String>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum RunState {
    /// A process is at work on it.
    AtWork,
    /// It was cut off before anything was approved, so that it changed no stack.
    NotApproved,
    /// It was cut off.
    CutOff,
    /// It was left while CloudFormation went on.
    Detached,
    /// It has ended.
    Ended,
}

/// A journal that cannot be read.
#[derive(Debug, Serialize, JsonSchema)]
struct UnreadableReport {
    /// The run.
    run: String,
    /// Why.
    reason: String,
}

/// Lists the runs.
pub(crate) fn runs(arguments: &RunsArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let mut report = RunsReport { runs: Vec::new(), unreadable: Vec::new() };
    for read in journal::listing(&journals_of(settings)) {
        match read {
            Ok(run) => report.runs.push(RunReport::of(run)),
            Err(unreadable) => {
                let reason = unreadable.error.message;
                report.unreadable.push(UnreadableReport { run: unreadable.run, reason });
            }
        }
    }
    console.data(&if arguments.json { to_text(&report) } else { text(&report) })
}

impl RunReport {
    fn of(run: RunSummary) -> Self {
        let state = match (&run.ended, &run.detached, &run.approved) {
            _ if journal::is_at_work(&run.path) => RunState::AtWork,
            (Some(_), ..) => RunState::Ended,
            (None, Some(_), _) => RunState::Detached,
            (None, None, Some(_)) => RunState::CutOff,
            (None, None, None) => RunState::NotApproved,
        };
        Self {
            run: run.run,
            command: Some(run.command).filter(|command| !command.is_empty()),
            began: run.began.map(|time| time.to_string()),
            last: run.last.map(|time| time.to_string()),
            approved_by: run.approved.map(|(_, by)| by),
            state,
            code: run.ended,
            detached: run.detached,
            stacks: run.stacks,
        }
    }

    fn words(&self) -> String {
        match (self.state, self.code) {
            (RunState::AtWork, _) => "at work".to_owned(),
            (RunState::NotApproved, _) => "cut off before it was approved".to_owned(),
            (RunState::CutOff, _) => "cut off".to_owned(),
            (RunState::Detached, _) => "detached".to_owned(),
            (RunState::Ended, Some(0)) => "done".to_owned(),
            (RunState::Ended, code) => format!("ended with exit code {}", code.unwrap_or_default()),
        }
    }
}

fn text(report: &RunsReport) -> String {
    if report.runs.is_empty() && report.unreadable.is_empty() {
        return "no run has a journal here\n".to_owned();
    }
    let mut rows = vec![["run", "command", "approved", "stacks", "state"].map(str::to_owned).to_vec()];
    for run in &report.runs {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (command, approved) = (or_dash(&run.command), or_dash(&run.approved_by));
        rows.push(vec![run.run.clone(), command, approved, run.stacks.len().to_string(), run.words()]);
    }
    let mut text = table(&rows);
    for unreadable in &report.unreadable {
        text.push_str(&format!("run {}: {}\n", unreadable.run, unreadable.reason));
    }
    let can_go_on = |run: &&RunReport| matches!(run.state, RunState::CutOff | RunState::Detached);
    if let Some(run) = report.runs.iter().rev().find(can_go_on) {
        text.push_str(&format!("`formwork resume {}` goes on with the last that has not ended\n", run.run));
    }
    text
}

/// Bundles what is known of a run.
pub(crate) fn audit(
    arguments: &AuditArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let journals = journals_of(settings);
    let run = match &arguments.run_id {
        Some(run) => run.clone(),
        None => last_approved(&journals)?,
    };
    let bundle = Bundle::of(&journals, &run)?;
    let out = surroundings.directory.join(&arguments.out);
    if out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        bundle.write_archive(&out)?;
    } else {
        bundle.write_directory(&out)?;
    }
    let files = count(bundle.files.len(), "file");
    console.data(&format!("run {run}: {files} in {}\n", arguments.out.display()))
}

fn last_approved(journals: &Path) -> Result<String, Failure> {
    let runs = journal::runs(journals).into_iter();
    runs.rev().find(|run| run.approved.is_some()).map(|run| run.run).ok_or_else(|| {
        let message = format!("no run in {} was approved", journals.display());
        let hint = "name a run: `formwork audit RUN`; `formwork runs` lists them";
        EngineError::new(Class::Usage, message).with_hint(hint).into()
    })
}
