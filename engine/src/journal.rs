//! The journal of a run: one line of JSON a record, on disk (fsync) before each call that changes something.
//!
//! A [`Ticket`] is the proof that the line stands: the calls in [`crate::aws`] that change something take one, so that
//! no such call can be made without its record. The ticket carries the idempotency token, which therefore is the same
//! when a resumed run makes the call again.

pub mod record;

use std::collections::BTreeMap;

pub use record::{Line, Record};

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
    /// What it is done to.
    pub target: String,
    /// The token to use again, when a resumed run repeats a call; a new one otherwise.
    pub token: Option<String>,
    /// Names that a resumed run needs.
    pub names: BTreeMap<String, String>,
}
