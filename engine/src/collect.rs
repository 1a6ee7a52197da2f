//! Clearing away: assets that nothing needs any more, and change sets of ours that nobody will execute.
//!
//! Nothing is deleted by looking. What is found is listed with the reason why it may go; deleting takes the list. An asset
//! may go when no template of a stack that exists names it, no given assembly does, no plan does, and it is older than a
//! number of days: a run that is under way has put its assets before its stacks name them.

mod change_sets;
mod needed;
mod objects;

use jiff::{Timestamp, ToSpan};

use crate::aws::Session;
use crate::error::{Class, EngineError, Moment};

pub use change_sets::{KeptChangeSet, KeptPart, StaleChangeSet, delete_change_sets, stale_change_sets};
pub use needed::Needed;
pub use objects::{UnusedAsset, delete_assets, unused_assets};

/// What may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectOptions {
    /// The bucket with the assets.
    pub bucket: String,
    /// The least age of what may go, in days.
    pub days: u16,
    /// What is needed whatever stacks say: what belongs to assemblies and plans that are still to be deployed.
    pub needed: Needed,
}

impl CollectOptions {
    /// The latest time at which something may have been made to be old enough.
    fn before(&self, now: Timestamp) -> Result<Timestamp, EngineError> {
        // A day of a time without a zone has 24 hours.
        now.checked_sub((i64::from(self.days) * 24).hours())
            .map_err(|_| EngineError::new(Class::Usage, format!("{} days are before all time", self.days)))
    }
}

fn failed(what: &str, session: &Session, error: crate::aws::Error) -> EngineError {
    let message = format!("cannot {what} in {}: {}", session.region(), error.message);
    EngineError::of_call(message, &error, Moment::Before)
}

#[cfg(test)]
mod tests;
