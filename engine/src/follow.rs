//! Watches what CloudFormation does: one poller per account and region, and the root cause of a failure.
//!
//! A stack is not asked for on its own: a [`Watcher`] reads for all operations of a run together, at a rate that stays
//! the same whatever their number. What cannot be read is read again later; a read that fails never fails an operation,
//! because CloudFormation goes on whether somebody looks or not.

mod advice;
mod cause;
mod classify;
mod diagnose;
mod failure;
mod log;
mod nested;
mod operation;
mod pace;
mod places;
mod poller;
mod reads;
mod slot;
mod telling;
mod typical;
mod watch;
mod watcher;

pub use diagnose::{Diagnosis, diagnose};
pub use failure::{Failure, FailureClass};
pub use operation::{Cleanup, Finished, Operation, OperationKind};
pub use places::{Place, Places};
pub use typical::typical_seconds;
pub use watcher::{Watcher, Watchers};

#[cfg(test)]
mod tests;
