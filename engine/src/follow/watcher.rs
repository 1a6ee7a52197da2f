//! The watcher: hands operations to the one poller of its account and region, and waits for their ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::cause;
use super::operation::{Cleanup, Finished, Operation};
use super::poller::{Poller, Register};
use super::reads::{Reads, SessionReads};
use super::watch::Ended;
use crate::aws::Session;
use crate::aws::cloudformation::StackStatus;
use crate::control::Wish;
use crate::runtime::Runtime;

/// Watches all operations of one caller in one account and region. Clones share the poller.
#[derive(Clone)]
pub struct Watcher(Arc<Shared>);

struct Shared {
    reads: Arc<dyn Reads>,
    runtime: Runtime,
    registrations: mpsc::UnboundedSender<Register>,
    /// The poller's end of the channel, until the poller is started by the first operation.
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Register>>>,
}

impl Watcher {
    /// A watcher; nothing is read before there is an operation. See [`Watchers`] for sharing one among stacks.
    pub fn new(session: &Session, runtime: &Runtime) -> Self {
        Self::reading(SessionReads::shared(session), runtime)
    }

    pub(super) fn reading(reads: Arc<dyn Reads>, runtime: &Runtime) -> Self {
        let (registrations, receiver) = mpsc::unbounded_channel();
        Self(Arc::new(Shared {
            reads,
            runtime: runtime.clone(),
            registrations,
            receiver: Mutex::new(Some(receiver)),
        }))
    }

    /// Watches an operation to its end and tells each of its events once.
    ///
    /// It does not fail. It ends without the operation's end (`detached`) when nothing could be read for half an hour,
    /// when the credentials are gone, or when the run is asked to stop. Dropping the future stops the watching. The
    /// caller tells of the end and of the failure.
    ///
    /// The first call starts the poller as a task of the current Tokio runtime.
    pub async fn operation(&self, operation: Operation) -> Finished {
        let known = operation.clone();
        let (done, ended) = oneshot::channel();
        self.start();
        // The poller lives as long as this sender; should it be gone, the receiver below tells.
        let _ = self.0.registrations.send(Register(operation, done));
        self.wait(ended, known).await
    }

    fn start(&self) {
        let receiver = self.0.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(receiver) = receiver {
            let poller = Poller::new(Arc::clone(&self.0.reads), self.0.runtime.clone());
            tokio::spawn(poller.run(receiver));
        }
    }

    async fn wait(&self, ended: oneshot::Receiver<Ended>, operation: Operation) -> Finished {
        let Ok(ended) = ended.await else {
            let status = operation.base.map_or(StackStatus::ReviewInProgress, |base| base.status);
            return Finished::detached(status, None, "the watcher has ended".to_owned());
        };
        self.conclude(ended, operation).await
    }

    /// The same with a type that has a name, because the end of an update holds the wait for its cleanup.
    fn boxed_wait(
        self,
        ended: oneshot::Receiver<Ended>,
        operation: Operation,
    ) -> BoxFuture<'static, Finished> {
        Box::pin(async move { self.wait(ended, operation).await })
    }

    async fn conclude(&self, mut ended: Ended, operation: Operation) -> Finished {
        let cleanup = ended.cleanup.take();
        let cleanup = cleanup.map(|receiver| Cleanup(self.clone().boxed_wait(receiver, operation.clone())));
        let early = cleanup.is_some();
        let success = (early || operation.kind.reached(&ended.status))
            && ended.detached.is_none()
            && !ended.expired
            && ended.remark.is_none();
        let failure = if success || ended.detached.is_some() {
            None
        } else {
            // Decoding a message is worth a call only while the run is not being left.
            let may_decode = self.0.runtime.control.wish() == Wish::Continue;
            let reads = may_decode.then_some(self.0.reads.as_ref());
            cause::find(&ended, &operation, reads).await
        };
        Finished {
            warnings: if success { cause::left_behind(&ended) } else { Vec::new() },
            status: ended.status,
            stack: ended.stack,
            success,
            failure,
            detached: ended.detached,
            expired: ended.expired,
            cleanup,
        }
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
