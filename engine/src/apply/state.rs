//! The states of a stack in a run, as the journal names them.

use std::fmt;

/// How far a stack's part of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has not begun.
    Pending,
    /// Its change set is being made.
    ChangeSet,
    /// Its change set stands and may be executed.
    Ready,
    /// CloudFormation is at work.
    Executing,
    /// It is what the plan says.
    Done,
    /// It failed and needs action.
    Failed,
    /// It failed and everything was taken back.
    RolledBack,
    /// CloudFormation goes on, nobody watches.
    Detached,
    /// It was not started.
    Skipped,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "PENDING",
            Self::ChangeSet => "CHANGESET",
            Self::Ready => "READY",
            Self::Executing => "EXECUTING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::RolledBack => "ROLLED_BACK",
            Self::Detached => "DETACHED",
            Self::Skipped => "SKIPPED",
        })
    }
}
