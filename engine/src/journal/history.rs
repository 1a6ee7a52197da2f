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
    /// The version of the program that began it.
    pub program: String,
    /// When it began.
    pub began: Option<Timestamp>,
    /// When the plan was approved, and how: `prompt`, `--yes`, `policy`. A run that was not approved changed nothing.
    pub approved: Option<(Timestamp, String)>,
    /// When the last line was written.
    pub last: Option<Timestamp>,
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
        Self::parse(&bytes, path).map(|(lines, length)| (Self { lines }, length as u64))
    }

    /// The lines, and the length in bytes up to which they are whole: what comes after must not stay in front of the
    /// next one.
    fn parse(bytes: &[u8], path: &Path) -> Result<(Vec<Line>, usize), EngineError> {
        let mut lines: Vec<Line> = Vec::new();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut length = 0;
        let mut rest = &bytes[..whole];
        for index in 1.. {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
            let text = &rest[..end];
            rest = &rest[end + 1..];
            if !text.is_empty() {
                match read_line(text, index, path) {
                    Ok(line) => lines.push(line),
                    // A power cut can leave a last line of the right length with nothing in it.
                    Err(Unread::Damaged(_)) if rest.iter().all(|byte| *byte == b'\n') => break,
                    Err(Unread::Damaged(error) | Unread::Later(error)) => return Err(error),
                }
            }
            length = whole - rest.len();
        }
        Ok((lines, length))
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

    /// The files that were kept of the approved assembly, with their SHA-256 in hex.
    pub fn kept_files(&self) -> Option<&BTreeMap<String, String>> {
        self.lines.iter().rev().find_map(|line| match &line.record {
            Record::Approved { files, .. } => Some(files),
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
            run: run_of(path),
            path: path.to_owned(),
            command: String::new(),
            assembly: String::new(),
            program: String::new(),
            began: self.lines.first().map(|line| line.time),
            approved: None,
            last: self.lines.last().map(|line| line.time),
            ended: None,
            detached: None,
            stacks: BTreeMap::new(),
        };
        for line in &self.lines {
            match &line.record {
                Record::Began { command, assembly, program, .. } => {
                    summary.program.clone_from(program);
                    summary.command.clone_from(command);
                    summary.assembly.clone_from(assembly);
                }
                Record::Stack { stack, state, .. } => {
                    summary.stacks.insert(stack.clone(), state.clone());
                }
                Record::Detached { reason } => summary.detached = Some(reason.clone()),
                Record::Ended { code } => summary.ended = Some(*code),
                // Whatever comes later is of a run that was resumed.
                Record::Intent { .. } => (summary.detached, summary.ended) = (None, None),
                Record::Approved { by, .. } => {
                    summary.approved = Some((line.time, by.clone()));
                    (summary.detached, summary.ended) = (None, None);
                }
                Record::Outcome { .. } | Record::Resumed { .. } | Record::Unknown => {}
            }
        }
        if summary.detached.is_some() {
            summary.ended = None;
        }
        summary
    }
}

impl RunSummary {
    /// Whether it was cut off or detached after it was approved.
    pub fn is_unfinished(&self) -> bool {
        self.ended.is_none() && self.approved.is_some()
    }
}

/// Why a line was not read.
enum Unread {
    /// It is no record.
    Damaged(EngineError),
    /// The journal is of a later form.
    Later(EngineError),
}

fn read_line(text: &[u8], index: usize, path: &Path) -> Result<Line, Unread> {
    // Of a later form no more than this much can be relied on.
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(default)]
        format: u32,
        #[serde(default)]
        program: String,
    }
    if let Ok(Head { format, program }) = serde_json::from_slice(text)
        && format > FORMAT
    {
        let message = format!(
            "the journal {} is of form {format}, written by Formwork {program}; this program knows form {FORMAT}",
            path.display()
        );
        let error = EngineError::new(Class::Input, message);
        return Err(Unread::Later(error.with_hint(format!("use formwork {program} or later for this run"))));
    }
    serde_json::from_slice(text).map_err(|error| {
        let message = format!("the journal {} is damaged in line {index}: {error}", path.display());
        let error = EngineError::new(Class::Input, message);
        Unread::Damaged(error.with_hint("find what the run left behind with `formwork resume --from-cloud`"))
    })
}

/// A journal that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The run's id.
    pub run: String,
    /// Why.
    pub error: EngineError,
}

/// The runs of a journal directory, the oldest first, and the journals that cannot be read; none when there is no such
/// directory.
pub fn listing(directory: &Path) -> Vec<Result<RunSummary, Unreadable>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| is_journal(path))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| match History::read(path) {
        Ok(history) => Ok(history.summary(path)),
        Err(error) => Err(Unreadable { run: run_of(path), error }),
    };
    paths.iter().map(read).collect()
}

/// `<run>.jsonl`, and not what else of a run lies beside it.
fn is_journal(path: &Path) -> bool {
    let is_lines = path.extension().is_some_and(|extension| extension == "jsonl");
    is_lines && path.file_stem().is_some_and(|stem| Path::new(stem).extension().is_none())
}

fn run_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The runs of a journal directory, the oldest first. Journals that cannot be read are left out.
pub fn runs(directory: &Path) -> Vec<RunSummary> {
    listing(directory).into_iter().filter_map(Result::ok).collect()
}

/// Whether a process is at work on a run, so that its journal is held.
pub fn is_at_work(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return false };
    // Shared, and given back with the file: a run that begins meanwhile is refused at worst for an instant.
    matches!(fs4::FileExt::try_lock_shared(&file), Err(fs4::TryLockError::WouldBlock))
}

/// The runs that were cut off or detached after they were approved, the oldest first.
pub fn unfinished(directory: &Path) -> Vec<RunSummary> {
    runs(directory).into_iter().filter(RunSummary::is_unfinished).collect()
}

/// The run that `resume` means when none is named: the latest unfinished one.
pub fn latest(directory: &Path) -> Option<RunSummary> {
    unfinished(directory).pop()
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
