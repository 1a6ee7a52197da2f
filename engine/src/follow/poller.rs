//! The poller: one loop that reads for all operations of one caller in one account and region.
//!
//! Few stacks are read one by one. With more, one `ListStacks` tells for all of them who still works; whoever left the
//! list is described once, and what remains of the budget goes to events, the longest unread first. Nothing here fails:
//! a read that does not work is due again later.

mod answers;
mod jobs;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};

use super::operation::Operation;
use super::pace::{Budget, MANY, turn};
use super::reads::Reads;
use super::slot::Slot;
use super::telling::Telling;
use super::watch::{Ended, Watch};
use crate::aws::Error;
use crate::aws::cloudformation::{EventPage, Stack, StackPages, StackSummary};
use crate::control::Wish;
use crate::runtime::Runtime;

/// With so many stacks at most, each is read for itself: that is no more reads than listing all of them.
const FEW: usize = 1;
/// How many reads are on their way at once.
const AT_ONCE: usize = 4;
/// How long nothing may be readable before the run is detached.
pub(super) const SILENCE: Duration = Duration::from_secs(30 * 60);
/// The loop looks around at least this often.
const LOOK: Duration = Duration::from_secs(1);
/// How long a new operation is left to the list before its stack is described by itself.
const UNLISTED: Duration = Duration::from_secs(10);

/// An operation to watch, and where to say what came of it.
pub(super) struct Register(pub(super) Operation, pub(super) oneshot::Sender<Ended>);

/// What is read next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    List,
    Describe(u64),
    /// All stacks there are, for the sake of these.
    DescribeAll(Vec<u64>),
    /// Of the stack, or of a nested one.
    Events(u64, Option<String>),
}

enum Answer {
    List(Result<Vec<StackSummary>, Error>),
    Stack(Result<Option<Box<Stack>>, Error>),
    Stacks(Result<StackPages, Error>),
    Events(Result<EventPage, Error>),
}

struct Reply {
    job: Job,
    begun: Duration,
    answer: Answer,
}

/// The loop's state.
pub(super) struct Poller {
    reads: Arc<dyn Reads>,
    runtime: Runtime,
    watches: BTreeMap<u64, Watch>,
    next: u64,
    list: Slot,
    list_denied: bool,
    all: Slot,
    all_denied: bool,
    /// How many pages the descriptions of all stacks have, as far as known.
    all_pages: usize,
    budget: Budget,
    telling: Telling,
    /// No read goes out before this time.
    blocked: Duration,
    failures: u32,
    on_the_way: FuturesUnordered<BoxFuture<'static, Reply>>,
}

impl Poller {
    pub(super) fn new(reads: Arc<dyn Reads>, runtime: Runtime) -> Self {
        let now = runtime.clock.elapsed();
        Self {
            reads,
            telling: Telling::new(runtime.clone(), now),
            runtime,
            watches: BTreeMap::new(),
            next: 0,
            list: Slot::default(),
            list_denied: false,
            all: Slot::default(),
            all_denied: false,
            all_pages: 1,
            budget: Budget::new(now),
            blocked: Duration::ZERO,
            failures: 0,
            on_the_way: FuturesUnordered::new(),
        }
    }

    fn now(&self) -> Duration {
        self.runtime.clock.elapsed()
    }

    /// Runs until nobody can ask any more and nothing is watched.
    pub(super) async fn run(mut self, mut registrations: mpsc::UnboundedReceiver<Register>) {
        let mut open = true;
        while open || !self.watches.is_empty() {
            let idle = self.watches.is_empty();
            let wake = self.wake();
            let clock = self.runtime.clock;
            let control = self.runtime.control.clone();
            tokio::select! {
                registration = registrations.recv(), if open => match registration {
                    Some(Register(operation, done)) => self.register(operation, done),
                    None => open = false,
                },
                Some(reply) = self.on_the_way.next(), if !self.on_the_way.is_empty() => self.answered(reply),
                () = control.reached(Wish::Detach), if !idle => self.detach_all("the run was asked to stop"),
                () = clock.sleep(wake), if !idle => {}
            }
            self.look();
        }
    }

    fn register(&mut self, operation: Operation, done: oneshot::Sender<Ended>) {
        let now = self.now();
        let age = self.runtime.clock.now().duration_since(operation.started);
        let age = Duration::try_from(age).unwrap_or_default();
        if self.watches.is_empty() {
            self.telling.heard(now);
        }
        let mut watch = Watch::new(operation, done, now, age);
        let first = now + watch.pace(now);
        self.next += 1;
        self.budget.listed(self.watches.len() + 1);
        if !self.list_denied && self.watches.len() >= FEW {
            // The list tells; these are for a list that cannot be had.
            watch.describe.due = now + UNLISTED;
            watch.events.due = now + turn(self.watches.len() + 1);
            self.list.due = self.list.due.min(first);
        }
        self.watches.insert(self.next - 1, watch);
    }

    fn is_listing(&self) -> bool {
        !self.list_denied && self.watches.len() > FEW
    }

    /// How long to wait for the next thing to do.
    fn wake(&self) -> Duration {
        let now = self.now();
        let told = self.watches.values().flat_map(|watch| {
            watch
                .nested
                .values()
                .map(|nested| &nested.log)
                .chain([&watch.log])
                .filter_map(|log| log.next_told())
        });
        let read = self.jobs(now + LOOK).first().map(|(_, due, job)| {
            let busy = self.on_the_way.len() >= AT_ONCE;
            if busy { now + LOOK } else { (*due).max(self.blocked).max(self.budget.ready(self.cost(job))) }
        });
        let next = told.chain(read).min().unwrap_or(now + LOOK).min(now + LOOK);
        // Never quite nothing: time has to pass for a clock that only moves while it is waited for.
        next.saturating_sub(now).max(Duration::from_millis(1))
    }

    /// Tells what is to be told, ends what is over and sends what is due.
    fn look(&mut self) {
        let now = self.now();
        for watch in self.watches.values_mut() {
            self.telling.tell(watch, now, false);
        }
        self.finish(now);
        if now < self.blocked {
            return;
        }
        for (_, _, job) in self.jobs(now) {
            if self.on_the_way.len() >= AT_ONCE || !self.budget.take(now, self.cost(&job)) {
                break;
            }
            self.send(job, now);
        }
    }

    fn finish(&mut self, now: Duration) {
        if self.telling.silence(now) >= SILENCE && !self.watches.is_empty() {
            let reason = format!(
                "nothing could be read from CloudFormation for {} minutes: {}",
                SILENCE.as_secs() / 60,
                self.telling.last_error()
            );
            self.detach_all(&reason);
        }
        let mut over: Vec<(u64, bool)> = Vec::new();
        let many = self.is_listing() && self.watches.len() > MANY;
        for (id, watch) in &mut self.watches {
            if watch.done.is_closed() {
                over.push((*id, false));
                continue;
            }
            if watch.is_final_early() {
                self.telling.tell(watch, now, true);
                watch.finish_early();
            }
            let expired = watch.operation.limit.is_some_and(|limit| watch.age(now) >= limit);
            if watch.is_over(now, many) || expired {
                over.push((*id, expired && !watch.is_ending()));
            }
        }
        let was_listing = self.is_listing();
        for (id, expired) in over {
            let Some(mut watch) = self.watches.remove(&id) else { continue };
            self.telling.tell(&mut watch, now, true);
            let ended = watch.ended(None, expired);
            // Whoever does not wait any more does not want to know.
            let _ = watch.done.send(ended);
        }
        if was_listing && !self.is_listing() {
            // The next list would have told of it within this time; now its events have to.
            for watch in self.watches.values_mut() {
                watch.events.due = watch.events.due.min(now + LOOK);
            }
        }
    }

    fn detach_all(&mut self, reason: &str) {
        let now = self.now();
        for (_, mut watch) in std::mem::take(&mut self.watches) {
            self.telling.tell(&mut watch, now, true);
            let ended = watch.ended(Some(reason.to_owned()), false);
            let _ = watch.done.send(ended);
        }
    }

    fn slot(&mut self, job: &Job) -> Option<&mut Slot> {
        match job {
            Job::List => Some(&mut self.list),
            Job::Describe(id) => self.watches.get_mut(id).map(|watch| &mut watch.describe),
            Job::DescribeAll(_) => Some(&mut self.all),
            Job::Events(id, None) => self.watches.get_mut(id).map(|watch| &mut watch.events),
            Job::Events(id, Some(arn)) => {
                self.watches.get_mut(id)?.nested.get_mut(arn).map(|nested| &mut nested.slot)
            }
        }
    }

    fn send(&mut self, job: Job, begun: Duration) {
        let Some(slot) = self.slot(&job) else { return };
        slot.busy = true;
        let reads = Arc::clone(&self.reads);
        let (arn, page) = match &job {
            Job::List => (String::new(), None),
            Job::DescribeAll(ids) => {
                for id in ids {
                    if let Some(watch) = self.watches.get_mut(id) {
                        watch.describe.busy = true;
                    }
                }
                (String::new(), None)
            }
            Job::Describe(id) => (self.watches[id].operation.stack_arn.clone(), None),
            Job::Events(id, None) => {
                (self.watches[id].operation.stack_arn.clone(), self.watches[id].log.page())
            }
            Job::Events(id, Some(arn)) => {
                (arn.clone(), self.watches[id].nested.get(arn).and_then(|nested| nested.log.page()))
            }
        };
        self.on_the_way.push(Box::pin(async move {
            let answer = match &job {
                Job::List => Answer::List(reads.in_progress().await),
                // As many pages as there would be single calls.
                Job::DescribeAll(ids) => Answer::Stacks(reads.stacks(ids.len()).await),
                Job::Describe(_) => Answer::Stack(reads.stack(arn).await.map(|stack| stack.map(Box::new))),
                Job::Events(..) => Answer::Events(reads.events(arn, page).await),
            };
            Reply { job, begun, answer }
        }));
    }
}
