//! The watcher: hands operations to the one poller of its account and region, and waits for their ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::operation::{Finished, Operation};
use super::reads::{Reads, SessionReads};
use crate::aws::Session;
use crate::aws::cloudformation::StackStatus;
use crate::runtime::Runtime;

/// Watches all operations of one caller in one account and region. Clones share the poller.
#[derive(Clone)]
pub struct Watcher(Arc<Shared>);

struct Shared {
    reads: Arc<dyn Reads>,
    runtime: Runtime,
}

impl Watcher {
    /// A watcher; nothing is read before there is an operation. See [`Watchers`] for sharing one among stacks.
    pub fn new(session: &Session, runtime: &Runtime) -> Self {
        Self(Arc::new(Shared { reads: SessionReads::shared(session), runtime: runtime.clone() }))
    }

    /// Watches an operation to its end and tells each of its events once.
    ///
    /// It does not fail. It ends without the operation's end (`detached`) when nothing could be read for long, when the
    /// credentials are gone, or when the run is asked to stop. Dropping the future stops the watching. The caller tells
    /// of the end and of the failure.
    pub async fn operation(&self, operation: Operation) -> Finished {
        let _ = (&self.0.reads, &self.0.runtime, operation);
        Finished::detached(StackStatus::ReviewInProgress, None, "not there yet".to_owned())
    }
}

/// One watcher for each caller, account and region of a run.
#[derive(Clone)]
pub struct Watchers {
    runtime: Runtime,
    made: Arc<Mutex<BTreeMap<[String; 3], Watcher>>>,
}

impl Watchers {
    /// None yet.
    pub fn new(runtime: &Runtime) -> Self {
        Self { runtime: runtime.clone(), made: Arc::default() }
    }

    /// The watcher for a session's caller, account and region.
    pub fn of(&self, session: &Session) -> Watcher {
        let key = [session.account(), session.region(), session.identity()].map(str::to_owned);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(key).or_insert_with(|| Watcher::new(session, &self.runtime)).clone()
    }
}
