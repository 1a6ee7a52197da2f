//! What is watched, and what comes of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::failure::Failure;
use super::places::Places;
use crate::aws::cloudformation::{Stack, StackStatus};
use crate::plan::model::BaseState;

/// What kind of operation is watched; it decides which statuses are its success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// A stack is made.
    Create,
    /// A stack is changed.
    Update,
    /// Existing resources are taken in.
    Import,
    /// A stack is deleted.
    Delete,
    /// A failed operation is taken back.
    Rollback,
    /// Whatever somebody else has started.
    Unknown,
}

impl OperationKind {
    /// Whether a status is what the operation was to reach.
    pub fn reached(self, status: &StackStatus) -> bool {
        match self {
            Self::Delete => *status == StackStatus::DeleteComplete,
            Self::Rollback => status.is_rolled_back() || *status == StackStatus::DeleteComplete,
            Self::Create | Self::Update | Self::Import => status.is_success(),
            Self::Unknown => status.is_success() || *status == StackStatus::DeleteComplete,
        }
    }
}

/// An operation to watch.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The stack's ARN: a name may be used again while we watch.
    pub stack_arn: String,
    /// The stack's name.
    pub stack_name: String,
    /// The token of the call that started the operation. Without one, the latest operation of the stack is watched.
    pub token: Option<String>,
    /// What is done.
    pub kind: OperationKind,
    /// When the operation was started, by the engine's clock; young operations are looked at more often.
    pub started: Timestamp,
    /// The stack before the operation: tells an old answer from the end.
    pub base: Option<BaseState>,
    /// Which construct made which resource.
    pub places: Arc<Places>,
    /// How long to watch at most.
    pub limit: Option<Duration>,
    /// How long the operation is estimated to take: there is little to see long before its end.
    pub typical: Option<Duration>,
}

impl Operation {
    /// An operation about which nothing more is known.
    pub fn new(
        stack_arn: impl Into<String>,
        stack_name: impl Into<String>,
        kind: OperationKind,
        started: Timestamp,
    ) -> Self {
        Self {
            stack_arn: stack_arn.into(),
            stack_name: stack_name.into(),
            token: None,
            kind,
            started,
            base: None,
            places: Arc::default(),
            limit: None,
            typical: None,
        }
    }
}

/// What came of an operation.
#[derive(Debug)]
pub struct Finished {
    /// The stack's status. `UPDATE_COMPLETE_CLEANUP_IN_PROGRESS` is an end: outputs are final, see `cleanup`.
    pub status: StackStatus,
    /// The stack, unless it could not be read.
    pub stack: Option<Stack>,
    /// Whether the status is what the operation was to reach.
    pub success: bool,
    /// The root cause, when it is not.
    pub failure: Option<Failure>,
    /// What the user should look at: resources that were left behind.
    pub warnings: Vec<String>,
    /// Why nobody watches any more although CloudFormation may go on.
    pub detached: Option<String>,
    /// Whether the limit of [`Operation::limit`] has passed; CloudFormation goes on.
    pub expired: bool,
    /// The removal of what the update replaced, when that still goes on. Dropping it stops watching.
    pub cleanup: Option<Cleanup>,
}

impl Finished {
    /// Nobody watches any more.
    pub(super) fn detached(status: StackStatus, stack: Option<Stack>, reason: String) -> Self {
        Self {
            status,
            stack,
            success: false,
            failure: None,
            warnings: Vec::new(),
            detached: Some(reason),
            expired: false,
            cleanup: None,
        }
    }
}

/// The removal of old resources after an update whose outputs are final.
pub struct Cleanup(pub(super) BoxFuture<'static, Finished>);

impl Cleanup {
    /// Waits for its end.
    pub async fn finished(self) -> Finished {
        self.0.await
    }
}

impl fmt::Debug for Cleanup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cleanup")
    }
}
