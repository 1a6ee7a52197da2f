//! Carries a plan out: stacks in parallel along their dependencies, each exactly as it was approved.
//!
//! A stack's part of a run is written so that it can begin anywhere: it looks into the journal for what was already
//! begun, asks CloudFormation where that is unclear, and goes on from there. A run that starts and a run that is resumed
//! are therefore the same code, and the same calls are made with the same tokens.

mod attach;
mod calls;
mod cancel;
mod deploy;
mod destroy;
mod discard;
mod execution;
mod from_cloud;
pub(crate) mod kept_outputs;
mod late;
mod options;
mod recreation;
mod report;
mod resume;
mod rollback;
mod run;
mod schedule;
mod state;
mod step;

pub use attach::{Attached, approved_plan, follow, operation_of, operations};
pub use discard::discard;
pub use from_cloud::{FoundRun, FoundRuns, Waiting, find_runs};
pub use options::ApplyOptions;
pub use report::{RunReport, StackReport};
pub use resume::resume;
pub use rollback::{RollbackOptions, cancel, rollback};
pub use run::run;
pub use state::State;

#[cfg(test)]
mod tests;
