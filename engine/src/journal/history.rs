//! Reading journals: what a run did, what it may have done, and which runs there are.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::FORMAT;
use super::record::{Line, Record};
use crate::error::{Class, EngineError};

/// The largest journal that is read, in bytes: thousands of stacks stay far below it.
const LARGEST: u64 = 1 << 30;

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

/// A call as a journal tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'h> {
    /// Its number.
    pub call: u64,
    /// When it was written down.
    pub time: Timestamp,
    /// The API operation.
    pub operation: &'h str,
    /// What it was done to.
    pub target: &'h str,
    /// The token it was made with.
    pub token: Option<&'h str>,
    /// What was known before, and what the answer named.
    pub names: BTreeMap<&'h str, &'h str>,
    /// How it went.
    pub fate: Fate<'h>,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate<'h> {
    /// Nobody knows: it is to be made again with the same token.
    Open,
    /// It was carried out.
    Done,
    /// It was refused, with this code.
    Refused(&'h str),
}

/// A run as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// The run's id.
    pub run: String,
    /// Its journal.
    pub path: PathBuf,
    /// What it does: `deploy`, `destroy` ...
    pub command: String,
    /// The assembly's directory.
    pub assembly: String,
    /// When it began.
    pub began: Option<Timestamp>,
    /// The exit code, once it has ended. A run that was detached has not ended.
    pub ended: Option<u8>,
    /// Why it was detached, when that was the last that is known of it.
    pub detached: Option<String>,
    /// The states that its stacks reached, by their ids.
    pub stacks: BTreeMap<String, String>,
}

impl History {
    /// Reads a journal. A last line without its end was never waited for and is left out.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is of a later version.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        Self::read_with_length(path).map(|(history, _)| history)
    }

    pub(super) fn read_with_length(path: &Path) -> Result<(Self, u64), EngineError> {
        let unreadable = |why: &dyn std::fmt::Display| {
            EngineError::new(Class::Input, format!("the journal {} cannot be read: {why}", path.display()))
        };
        let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        Self::parse(&bytes[..whole], path).map(|history| (history, whole as u64))
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, EngineError> {
        let mut lines: Vec<Line> = Vec::new();
        let texts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let last = texts.iter().rposition(|text| !text.is_empty()).unwrap_or(0);
        for (index, text) in texts.into_iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let line: Line = match serde_json::from_slice(text) {
                Ok(line) => line,
                // A power cut can leave a last line of the right length with nothing in it.
                Err(_) if index == last => break,
                Err(error) => {
                    return Err(EngineError::new(
                        Class::Input,
                        format!("the journal {} is damaged in line {}: {error}", path.display(), index + 1),
                    )
                    .with_hint("find what the run left behind with `formwork resume --from-cloud`"));
                }
            };
            if let Record::Began { format, program, .. } = &line.record
                && *format > FORMAT
            {
                return Err(EngineError::new(
                    Class::Input,
                    format!(
                        "the journal {} is of form {format}, written by formwork {program}; this program knows form {FORMAT}",
                        path.display()
                    ),
                )
                .with_hint(format!("resume the run with formwork {program} or later")));
            }
            lines.push(line);
        }
        Ok(Self { lines })
    }

    /// The calls, in order.
    pub fn calls(&self) -> impl Iterator<Item = Call<'_>> {
        let mut outcomes = BTreeMap::new();
        for line in &self.lines {
            if let Record::Outcome { call, error, open, names } = &line.record {
                outcomes.insert(*call, (error.as_deref(), *open, names));
            }
        }
        self.lines.iter().filter_map(move |line| {
            let Record::Intent { call, operation, target, token, names } = &line.record else { return None };
            let mut all: BTreeMap<&str, &str> = names.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let fate = match outcomes.get(call) {
                None => Fate::Open,
                Some((None, ..)) => Fate::Done,
                Some((Some(_), true, _)) => Fate::Open,
                Some((Some(code), false, _)) => Fate::Refused(code),
            };
            if let Some((_, _, answered)) = outcomes.get(call) {
                all.extend(answered.iter().map(|(k, v)| (k.as_str(), v.as_str())));
            }
            Some(Call {
                call: *call,
                time: line.time,
                operation,
                target,
                token: token.as_deref(),
                names: all,
                fate,
            })
        })
    }

    /// The last call of an operation on a target.
    pub fn last_call(&self, operation: &str, target: &str) -> Option<Call<'_>> {
        self.calls().filter(|call| call.operation == operation && call.target == target).last()
    }

    /// The last state of each stack, with the names that were written with it; by the stack's id.
    pub fn stacks(&self) -> BTreeMap<&str, (&str, &BTreeMap<String, String>)> {
        let mut stacks = BTreeMap::new();
        for line in &self.lines {
            if let Record::Stack { stack, state, names } = &line.record {
                stacks.insert(stack.as_str(), (state.as_str(), names));
            }
        }
        stacks
    }

    /// The plan that was approved.
    pub fn plan(&self) -> Option<&serde_json::Value> {
        self.lines.iter().rev().find_map(|line| match &line.record {
            Record::Approved { plan, .. } => Some(plan),
            _ => None,
        })
    }

    /// The command's options, as they were written down when it began.
    pub fn options(&self) -> Option<&serde_json::Value> {
        self.lines.iter().find_map(|line| match &line.record {
            Record::Began { options, .. } => Some(options),
            _ => None,
        })
    }

    /// The run in short.
    pub fn summary(&self, path: &Path) -> RunSummary {
        let mut summary = RunSummary {
            run: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.to_owned(),
            command: String::new(),
            assembly: String::new(),
            began: self.lines.first().map(|line| line.time),
            ended: None,
            detached: None,
            stacks: BTreeMap::new(),
        };
        for line in &self.lines {
            match &line.record {
                Record::Began { command, assembly, .. } => {
                    summary.command.clone_from(command);
                    summary.assembly.clone_from(assembly);
                }
                Record::Stack { stack, state, .. } => {
                    summary.stacks.insert(stack.clone(), state.clone());
                }
                Record::Detached { reason } => summary.detached = Some(reason.clone()),
                Record::Ended { code } => summary.ended = Some(*code),
                // Whatever comes later is of a run that was resumed.
                Record::Intent { .. } | Record::Approved { .. } => {
                    summary.detached = None;
                    summary.ended = None;
                }
                Record::Outcome { .. } | Record::Unknown => {}
            }
        }
        if summary.detached.is_some() {
            summary.ended = None;
        }
        summary
    }
}

/// The runs of a journal directory, the oldest first. Journals that cannot be read are left out; none when there is no
/// such directory.
pub fn runs(directory: &Path) -> Vec<RunSummary> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| Some(History::read(path).ok()?.summary(path))).collect()
}

/// The runs that were cut off or detached after they were approved, the oldest first.
pub fn unfinished(directory: &Path) -> Vec<RunSummary> {
    let pending = |run: &RunSummary| run.ended.is_none() && has_approval(&run.path);
    runs(directory).into_iter().filter(pending).collect()
}

/// The run that `resume` means when none is named: the latest unfinished one.
pub fn latest(directory: &Path) -> Option<RunSummary> {
    unfinished(directory).pop()
}

fn has_approval(path: &Path) -> bool {
    History::read(path).is_ok_and(|history| history.plan().is_some())
}

pub(super) fn no_such_run(directory: &Path, run: &str) -> EngineError {
    let known: Vec<String> = unfinished(directory).into_iter().map(|it| it.run).collect();
    let error = EngineError::new(
        Class::Usage,
        format!("there is no journal of run {run} in {}", directory.display()),
    );
    if known.is_empty() {
        error.with_hint(
            "no run is unfinished here; `formwork resume --from-cloud` looks for one in the account",
        )
    } else {
        error.with_hint(format!("unfinished runs: {}", known.join(", ")))
    }
}
