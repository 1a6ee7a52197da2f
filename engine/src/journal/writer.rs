//! Writing a journal.
//!
//! Only what a resumed run cannot do without is waited for (fsync): an intent, the approved plan, the ends. An outcome
//! that is lost is an outcome that is not known, which resuming has to cope with anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::file::{append, hold, make_directory, sync_directory, unwritable};
use super::history::History;
use super::record::{Line, Record};
use super::{FORMAT, Intent, Ticket, token};
use crate::aws;
use crate::error::{Class, EngineError};

/// The journal of one run. Cheap to clone; clones write to the same file.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    run: String,
    path: Option<PathBuf>,
    state: Mutex<State>,
    cut: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    file: Option<File>,
    /// The length up to which the file is whole lines.
    length: u64,
    sequence: u64,
    calls: u64,
    /// What was written so far, also by the processes before this one.
    history: History,
    /// The tokens of the calls that are known to have been carried out or refused, by operation and target: how many
    /// there are is the number of the next attempt. Repetitions of a call whose fate was not known have one token.
    settled: BTreeMap<(String, String), BTreeSet<String>>,
    /// The calls whose outcome is not known.
    open: BTreeMap<u64, (String, String, String)>,
    cut: Option<Cut>,
}

/// Where a test makes the process end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    record: u64,
    written: bool,
}

impl Journal {
    /// Begins the journal of a run, `<directory>/<run>.jsonl`, which must not be there. Nobody else may read it.
    ///
    /// # Errors
    /// When the directory or the file cannot be made; nothing was changed then.
    pub fn create(directory: &Path, run: &str) -> Result<Self, EngineError> {
        make_directory(directory).map_err(|error| unwritable(directory, &error))?;
        let path = directory.join(format!("{run}.jsonl"));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| unwritable(&path, &error))?;
        hold(&file, &path)?;
        sync_directory(directory).map_err(|error| unwritable(directory, &error))?;
        Ok(Self::over(run, Some(path), Some(file), History::default(), 0))
    }

    /// Opens the journal of a run to go on with it. A last line that was cut off is removed.
    ///
    /// # Errors
    /// When there is no such run, it is of a later version, another process goes on with it, or it cannot be written.
    pub fn open(directory: &Path, run: &str) -> Result<Self, EngineError> {
        let path = directory.join(format!("{run}.jsonl"));
        // Held before it is read: what another process writes meanwhile would be missed.
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(super::history::no_such_run(directory, run));
            }
            Err(error) => return Err(unwritable(&path, &error)),
        };
        hold(&file, &path)?;
        let (history, length) = History::read_with_length(&path)?;
        file.set_len(length).map_err(|error| unwritable(&path, &error))?;
        Ok(Self::over(run, Some(path), Some(file), history, length))
    }

    /// A journal that is nowhere but in memory: for commands that change nothing worth resuming, and for tests.
    pub fn in_memory() -> Self {
        Self::in_memory_of("20000101-000000-0000", History::default())
    }

    /// A journal in memory that goes on with what another one held.
    pub fn in_memory_of(run: &str, history: History) -> Self {
        Self::over(run, None, None, history, 0)
    }

    fn over(run: &str, path: Option<PathBuf>, file: Option<File>, history: History, length: u64) -> Self {
        let mut state = State {
            file,
            length,
            sequence: history.lines.last().map_or(0, |line| line.sequence),
            calls: 0,
            history: History::default(),
            settled: BTreeMap::new(),
            open: BTreeMap::new(),
            cut: None,
        };
        history.lines.iter().for_each(|line| state.learn(&line.record));
        state.history = history;
        Self(Arc::new(Inner {
            run: run.to_owned(),
            path,
            state: Mutex::new(state),
            cut: watch::Sender::new(false),
        }))
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.0.run
    }

    /// Where it lies; nothing when it is in memory only.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// What it says so far.
    pub fn history(&self) -> History {
        self.lock().history.clone()
    }

    /// Looks at what it says so far, without a copy of it all.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.lock().history)
    }

    /// Writes down that a call is about to be made, and waits until that stands on disk.
    ///
    /// # Errors
    /// When it cannot be written; the call must not be made then, and cannot be without the ticket.
    pub fn intent(&self, intent: Intent) -> Result<Ticket, EngineError> {
        let mut state = self.lock();
        let call = state.calls + 1;
        let token = match intent.token {
            Some(token) => token,
            None => {
                let key = (intent.operation.to_owned(), intent.target.clone());
                let attempt = state.settled.get(&key).map_or(0, BTreeSet::len);
                token(&self.0.run, intent.operation, &intent.target, attempt)
            }
        };
        let record = Record::Intent {
            call,
            operation: intent.operation.to_owned(),
            target: intent.target,
            token: Some(token.clone()),
            names: intent.names,
        };
        self.write(&mut state, record, true)?;
        Ok(Ticket { call, operation: intent.operation, token })
    }

    /// Writes down how a call went: what the answer named, or the error. An error after which it is not known whether the
    /// call was carried out leaves the call open, so that its repetition has the same token.
    ///
    /// That this could not be written is no error: the outcome is not known then, and the next intent fails.
    pub fn outcome(&self, ticket: &Ticket, result: Result<BTreeMap<String, String>, &aws::Error>) {
        let (error, open, names) = match result {
            Ok(names) => (None, false, names),
            Err(error) => (Some(code(error)), is_open(error), BTreeMap::new()),
        };
        self.quietly(Record::Outcome { call: ticket.call, error, open, names });
    }

    /// Writes down that a stack reached a state.
    pub fn stack_state(&self, stack: &str, state: &str, names: BTreeMap<String, String>) {
        self.quietly(Record::Stack { stack: stack.to_owned(), state: state.to_owned(), names });
    }

    /// Writes down what the run does. The first record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn began(
        &self,
        command: &str,
        assembly: &str,
        options: serde_json::Value,
    ) -> Result<(), EngineError> {
        let record = Record::Began {
            format: FORMAT,
            run: self.0.run.clone(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: command.to_owned(),
            assembly: assembly.to_owned(),
            options,
        };
        self.surely(record)
    }

    /// Writes down that nobody watches any longer.
    pub fn detached(&self, reason: &str) {
        let _ = self.surely(Record::Detached { reason: reason.to_owned() });
    }

    /// Writes down that the run ended. What was kept for resuming it is removed.
    pub fn ended(&self, code: u8) {
        if self.surely(Record::Ended { code }).is_ok() {
            super::kept::forget(self);
        }
    }

    /// Makes the journal behave from a record on as if the process had ended there: nothing is written any longer, and as
    /// no call leaves without its record, nothing is changed any longer. `written` says whether the record still
    /// stands (the process ended before the call) or not (it ended after the call before). For tests of resuming.
    pub fn cut_at(&self, record: u64, written: bool) {
        self.lock().cut = Some(Cut { record, written });
    }

    /// Waits for the cut of [`Self::cut_at`]; whoever plays the end of the process drops the run then.
    pub async fn was_cut(&self) {
        let mut receiver = self.0.cut.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(|cut| *cut).await;
    }

    pub(super) fn surely(&self, record: Record) -> Result<(), EngineError> {
        let mut state = self.lock();
        self.write(&mut state, record, true)
    }

    fn quietly(&self, record: Record) {
        let mut state = self.lock();
        let _ = self.write(&mut state, record, false);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere cannot leave a half-changed state: it is changed after the write, all at once.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State, record: Record, durable: bool) -> Result<(), EngineError> {
        let sequence = state.sequence + 1;
        let cut = state.cut.filter(|cut| cut.record <= sequence);
        let dead = || EngineError::new(Class::NeedsAction, "the process was ended by a test");
        if cut.is_some_and(|cut| cut.record < sequence || !cut.written) {
            self.0.cut.send_replace(true);
            return Err(dead());
        }
        let line = Line { sequence, time: Timestamp::now(), record };
        if let Some(file) = &mut state.file {
            let mut text = serde_json::to_vec(&line).map_err(|error| {
                EngineError::new(Class::NeedsAction, format!("a record cannot be written as json: {error}"))
            })?;
            text.push(b'\n');
            let written = append(file, state.length, &text, durable);
            if let Err(error) = written {
                // Half a line must not stay in front of the next one.
                let _ = file.set_len(state.length);
                return Err(unwritable(self.0.path.as_deref().unwrap_or(Path::new("journal")), &error));
            }
            state.length += text.len() as u64;
        }
        state.sequence = sequence;
        state.learn(&line.record);
        state.history.lines.push(line);
        if cut.is_some() {
            self.0.cut.send_replace(true);
            return Err(dead());
        }
        Ok(())
    }
}

impl State {
    fn learn(&mut self, record: &Record) {
        match record {
            Record::Intent { call, operation, target, token, .. } => {
                self.calls = self.calls.max(*call);
                let token = token.clone().unwrap_or_default();
                self.open.insert(*call, (operation.clone(), target.clone(), token));
            }
            Record::Outcome { call, open: false, .. } => {
                if let Some((operation, target, token)) = self.open.remove(call) {
                    self.settled.entry((operation, target)).or_default().insert(token);
                }
            }
            _ => {}
        }
    }
}

/// Whether a call that failed so may have been carried out all the same.
fn is_open(error: &aws::Error) -> bool {
    use aws::ErrorKind as Kind;
    match error.kind {
        Kind::Throttled { .. }
        | Kind::Unreachable
        | Kind::Protocol
        | Kind::ExpiredCredentials
        | Kind::Credentials
        | Kind::Other => true,
        Kind::Denied
        | Kind::NotFound
        | Kind::AlreadyExists
        | Kind::Invalid
        | Kind::WrongState
        | Kind::InsufficientCapabilities
        | Kind::Limit
        | Kind::TokenReused => false,
    }
}

/// The error's code, or our word for its kind; not its message, which may repeat what was sent.
fn code(error: &aws::Error) -> String {
    error.code.clone().unwrap_or_else(|| {
        let kind = format!("{:?}", error.kind);
        kind.split([' ', '{']).next().unwrap_or_default().to_owned()
    })
}
