//! What is handed to whoever asks what a run did: the plan as approved, by whom, every call, every event, the outputs.
//!
//! All of it lies beside the journal; a bundle only puts it together, with digests of each file, so that nothing can be
//! changed in it unnoticed. The same run gives the same bytes on every machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use crate::apply::kept_outputs;
use crate::error::{Class, EngineError};
use crate::journal::history::Fate;
use crate::journal::{History, Record, events};
use crate::plan::input::sha256;
use crate::plan::model::{Environment, Operation, Plan, PlannedEnvironment};

/// The version of a bundle's form.
pub const FORMAT: u32 = 1;

/// What a run was and what came of it: `audit.json` of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// The version of the bundle's form, [`FORMAT`].
    pub format: u32,
    /// The run.
    pub run: String,
    /// The version of the program that began the run.
    pub program: String,
    /// `deploy`, `destroy` ...
    pub command: String,
    /// When the first line of its journal was written.
    #[schemars(with = "Option<String>")]
    pub began: Option<Timestamp>,
    /// The approval; none when the plan was not approved, and then nothing was changed.
    pub approval: Option<Approval>,
    /// Who went on with the run after it was cut off or detached, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumptions: Vec<Resumption>,
    /// Why nobody watches any longer although CloudFormation goes on, when that was the last of it.
    pub detached: Option<String>,
    /// The end; none when the run was cut off or detached.
    pub end: Option<End>,
    /// The stacks in the plan's order.
    pub stacks: Vec<AuditedStack>,
    /// How many calls that change something were made, by operation.
    pub calls: BTreeMap<String, AuditedCalls>,
}

/// Who approved what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// When.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// How: `prompt` by an answer on the terminal, `--yes` by that option, `policy` where nothing had to be asked.
    pub by: String,
    /// As whom, in each account and region; none where the journal does not tell. Who planned stands in `plan.json`.
    pub identities: Vec<PlannedEnvironment>,
    /// The digest of the plan, which `plan.json` has as well.
    pub plan_digest: String,
}

/// Who went on with a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resumption {
    /// When.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// As whom, in each account and region.
    pub identities: Vec<PlannedEnvironment>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// When.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The exit code.
    pub code: u8,
}

/// A stack of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditedStack {
    /// Its name in CloudFormation.
    pub name: String,
    /// Where.
    pub environment: Environment,
    /// What was planned.
    pub operation: Operation,
    /// The last state that the journal tells; none when it was not begun.
    pub state: Option<String>,
    /// The SHA-256 of the approved template, in hex.
    pub template_sha256: Option<String>,
}

/// The calls of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditedCalls {
    /// They were carried out.
    pub done: usize,
    /// The service refused them.
    pub refused: usize,
    /// No answer came.
    pub unknown: usize,
}

/// A bundle: files by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The files, `SHA256SUMS` among them.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Puts together what a journal directory holds of a run.
    ///
    /// # Errors
    /// When there is no such run, or its journal cannot be read.
    pub fn of(directory: &Path, run: &str) -> Result<Self, EngineError> {
        let path = directory.join(format!("{run}.jsonl"));
        if !path.is_file() {
            let message = format!("there is no journal of run {run} in {}", directory.display());
            return Err(EngineError::new(Class::Usage, message).with_hint("`formwork runs` lists the runs"));
        }
        let history = History::read(&path)?;
        let mut files = BTreeMap::new();
        files.insert("audit.json".to_owned(), text(&audit(&history, &path))?);
        files.insert("journal.jsonl".to_owned(), read(&path)?);
        if let Some(plan) = history.plan() {
            files.insert("plan.json".to_owned(), text(plan)?);
        }
        for name in [events::SUFFIX, kept_outputs::SUFFIX] {
            let path = path.with_extension(name);
            if path.is_file() {
                files.insert(name.to_owned(), read(&path)?);
            }
        }
        let sums: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect();
        files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
        Ok(Self { files })
    }

    /// Writes the files into a zip archive, whose bytes follow from the files alone.
    ///
    /// # Errors
    /// When it is there already, or cannot be written.
    pub fn write_archive(&self, path: &Path) -> Result<(), EngineError> {
        let archive = || -> io::Result<()> {
            let mut writer = ZipWriter::new(io::BufWriter::new(new_file(path)?));
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .last_modified_time(DateTime::default())
                .system(System::Unix)
                .unix_permissions(0o600);
            for (name, bytes) in &self.files {
                writer.start_file(name.as_str(), options)?;
                writer.write_all(bytes)?;
            }
            writer.finish()?.flush()
        };
        archive().map_err(|error| cannot_write(path, &error))
    }

    /// Writes the files into a new directory.
    ///
    /// # Errors
    /// When it is there already, or cannot be written.
    pub fn write_directory(&self, directory: &Path) -> Result<(), EngineError> {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory).map_err(|error| cannot_write(directory, &error))?;
        for (name, bytes) in &self.files {
            let path: PathBuf = directory.join(name);
            new_file(&path)
                .and_then(|mut file| file.write_all(bytes))
                .map_err(|error| cannot_write(&path, &error))?;
        }
        Ok(())
    }
}

fn audit(history: &History, path: &Path) -> Audit {
    let summary = history.summary(path);
    let plan: Option<Plan> = history.plan().and_then(|plan| serde_json::from_value(plan.clone()).ok());
    let states = history.stacks();
    let stacks = plan.iter().flat_map(|plan| &plan.stacks).map(|stack| AuditedStack {
        name: stack.name.clone(),
        environment: stack.environment.clone(),
        operation: stack.operation,
        state: states.get(stack.id.as_str()).map(|(state, _)| (*state).to_owned()),
        template_sha256: stack.template.as_ref().map(|template| template.sha256.clone()),
    });
    let mut calls: BTreeMap<String, AuditedCalls> = BTreeMap::new();
    for call in history.calls() {
        let counted = calls.entry(call.operation.to_owned()).or_default();
        match call.fate {
            Fate::Done => counted.done += 1,
            Fate::Refused(_) => counted.refused += 1,
            Fate::Open => counted.unknown += 1,
        }
    }
    let end = history.lines.iter().rev().find_map(|line| match &line.record {
        Record::Ended { code } => Some(End { time: line.time, code: *code }),
        _ => None,
    });
    let approvers = history.lines.iter().rev().find_map(|line| match &line.record {
        Record::Approved { callers, .. } => Some(callers.clone()),
        _ => None,
    });
    let resumptions = history.lines.iter().filter_map(|line| match &line.record {
        Record::Resumed { callers } => Some(Resumption { time: line.time, identities: callers.clone() }),
        _ => None,
    });
    Audit {
        format: FORMAT,
        program: summary.program,
        command: summary.command,
        began: summary.began,
        approval: summary.approved.map(|(time, by)| Approval {
            time,
            by,
            identities: approvers.unwrap_or_default(),
            plan_digest: plan.as_ref().map(|plan| plan.digest.clone()).unwrap_or_default(),
        }),
        resumptions: resumptions.collect(),
        detached: summary.detached,
        end: end.filter(|_| summary.ended.is_some()),
        stacks: stacks.collect(),
        calls,
        run: summary.run,
    }
}

fn text(value: &impl Serialize) -> Result<Vec<u8>, EngineError> {
    let value = serde_json::to_value(value).map_err(|error| {
        EngineError::new(Class::Input, format!("the run cannot be written as json: {error}"))
    })?;
    Ok(formwork_assembly::json::to_text(&value).into_bytes())
}

fn read(path: &Path) -> Result<Vec<u8>, EngineError> {
    std::fs::read(path).map_err(|error| {
        EngineError::new(Class::Input, format!("{} cannot be read: {error}", path.display()))
    })
}

/// A file that is not there yet and that nobody else may read: a bundle names accounts and stacks.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn cannot_write(path: &Path, error: &io::Error) -> EngineError {
    EngineError::new(Class::Usage, format!("cannot write {}: {error}", path.display()))
        .with_hint("name another file or directory with --out; one that is there is not replaced")
}

#[cfg(test)]
mod tests;
