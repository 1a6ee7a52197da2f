//! The journal of a run: one line of JSON a record, on disk (fsync) before each call that changes something.
//!
//! A [`Ticket`] is the proof that the line stands: the calls in [`crate::aws`] that change something take one, so that
//! no such call can be made without its record. The ticket carries the idempotency token, which therefore is the same
//! when a resumed run makes the call again.

mod approval;
pub mod events;
mod file;
pub mod history;
pub mod kept;
pub mod record;
mod writer;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use events::EventLog;
pub use history::{History, RunSummary, Unreadable, is_at_work, latest, listing, runs, unfinished};
pub use record::{Line, Record};
pub use writer::Journal;

/// The version of the journal's form. A journal of a later form is refused, because resuming by half of what it says
/// could do something twice.
pub const FORMAT: u32 = 1;

/// The longest token that we make; the services take 128 characters, S3 and others less.
const TOKEN_LENGTH: usize = 64;

/// The proof that a call which changes something stands in the journal, and the token it is made with.
#[derive(Debug)]
pub struct Ticket {
    call: u64,
    operation: &'static str,
    token: String,
}

impl Ticket {
    /// The call's number in the journal.
    pub fn call(&self) -> u64 {
        self.call
    }

    /// The API operation that it is for.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The idempotency token: letters, digits and hyphens, 64 characters at most.
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// A call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The API operation.
    pub operation: &'static str,
    /// What it is done to. An operation on a target is under way once at a time: while the outcome of one is not known,
    /// the next with the same operation and target is taken for its repetition and gets the same token.
    pub target: String,
    /// The token to use again, when a resumed run repeats a call; a new one otherwise.
    pub token: Option<String>,
    /// Names that a resumed run needs.
    pub names: BTreeMap<String, String>,
}

impl Intent {
    /// A call with a token of its own.
    pub fn new(operation: &'static str, target: impl Into<String>) -> Self {
        Self { operation, target: target.into(), token: None, names: BTreeMap::new() }
    }

    /// Adds a name that a resumed run needs. Never a value of a parameter, an output or a secret.
    #[must_use]
    pub fn with_name(mut self, key: &str, value: impl Into<String>) -> Self {
        self.names.insert(key.to_owned(), value.into());
        self
    }

    /// The token to use again.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }
}

/// A new run's id, `YYYYMMDD-HHMMSS-xxxx`: runs sort by their start, and the last part keeps two that start in the same
/// second apart.
pub fn new_run_id(now: Timestamp) -> String {
    use std::hash::{BuildHasher, RandomState};
    let chance = RandomState::new().hash_one((now.as_nanosecond(), std::process::id()));
    format!("{}-{:04x}", now.strftime("%Y%m%d-%H%M%S"), chance & 0xffff)
}

/// The token of a call: the same for the same run, operation, target and attempt. It begins with the run, so that
/// somebody who sees it in a stack's events can tell whose operation it is.
pub fn token(run: &str, operation: &str, target: &str, attempt: usize) -> String {
    let mut hash = Sha256::new();
    for part in [run, operation, target] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update((attempt as u64).to_be_bytes());
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let head = token_prefix(run);
    format!("{head}{}", &hex[..TOKEN_LENGTH - head.len()])
}

/// What the tokens of a run begin with.
pub fn token_prefix(run: &str) -> String {
    let run: String =
        run.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').take(TOKEN_LENGTH / 2).collect();
    format!("fw-{run}-")
}

#[cfg(test)]
mod tests;
