//! One watched operation: what the answers mean for it.
//!
//! The only hard question is whether a stack that shows an end shows the end of *this* operation: answers may be older
//! than the operation. The state before it, its own events and what was seen in between decide.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::log::EventLog;
use super::nested::{Mention, Nested, mentions};
use super::operation::{Operation, OperationKind};
use super::pace::interval;
use super::slot::Slot;
use crate::aws::cloudformation::{Stack, StackEvent, StackStatus};

/// How long an end has to stand when nothing else tells it from an older answer.
const CONFIRM: Duration = Duration::from_secs(10);
/// How long a stack that is listed as working is not asked for by itself.
pub(super) const LISTED: Duration = Duration::from_secs(120);
/// How old an operation is at least that the list should show, if it goes on.
const UNSEEN: Duration = Duration::from_secs(3);
/// How long to wait for a sign of an operation that was accepted.
const NO_SIGN: Duration = Duration::from_secs(600);
/// How long a stack may be absent before it counts as gone.
const ABSENT: Duration = Duration::from_secs(120);
/// How long the last events are tried for after a success, and after a failure, which they explain.
const LAST_EVENTS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// What an operation came to, before the cause of a failure is looked for.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: StackStatus,
    pub(super) stack: Option<Stack>,
    /// The operation's events of the stack (with an empty path) and of nested stacks.
    pub(super) events: Vec<(Vec<String>, Vec<StackEvent>)>,
    pub(super) detached: Option<String>,
    pub(super) expired: bool,
    /// Something that the watcher itself has to say.
    pub(super) remark: Option<String>,
    pub(super) cleanup: Option<oneshot::Receiver<Ended>>,
}

/// Where an operation stands.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) operation: Operation,
    pub(super) done: oneshot::Sender<Ended>,
    pub(super) log: EventLog,
    /// Nested stacks by ARN.
    pub(super) nested: BTreeMap<String, Nested>,
    pub(super) status: Option<StackStatus>,
    pub(super) stack: Option<Stack>,
    /// By the poller's clock.
    pub(super) since: Duration,
    pub(super) describe: Slot,
    /// Whether the descriptions of all stacks do not hold this one.
    pub(super) alone: bool,
    pub(super) events: Slot,
    pub(super) events_denied: bool,
    pub(super) describe_denied: bool,
    /// Whether the operation was seen at work.
    running: bool,
    ended_since: Option<Duration>,
    absent_since: Option<Duration>,
    /// Since when only the last events are missing, and how many reads were complete then.
    ending: Option<(Duration, usize)>,
    remark: Option<String>,
    /// Whether the cleanup after an update was announced as an end.
    cleaning: bool,
}

impl Watch {
    pub(super) fn new(
        operation: Operation,
        done: oneshot::Sender<Ended>,
        now: Duration,
        age: Duration,
    ) -> Self {
        let log = EventLog::new(&operation.stack_arn, operation.token.clone(), None);
        // Right after the call that started it, an operation shows nothing yet.
        let slot = |seconds| Slot {
            due: now + Duration::from_secs_f64(seconds).saturating_sub(age),
            ..Slot::default()
        };
        Self {
            log,
            done,
            nested: BTreeMap::new(),
            status: None,
            stack: None,
            since: now.saturating_sub(age),
            describe: slot(1.0),
            alone: operation.kind == OperationKind::Delete,
            events: slot(0.5),
            events_denied: false,
            describe_denied: false,
            running: false,
            ended_since: None,
            absent_since: None,
            ending: None,
            remark: None,
            cleaning: false,
            operation,
        }
    }

    pub(super) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }

    /// The time to the next look.
    pub(super) fn pace(&self, now: Duration) -> Duration {
        interval(self.age(now), self.operation.typical)
    }

    /// Whether the stack's end is known and only its last events are waited for.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Takes an answer of `ListStacks`: the status, or nothing when no operation of the stack is listed.
    pub(super) fn listed(&mut self, status: Option<&StackStatus>, now: Duration) {
        if self.is_ending() {
            return;
        }
        match status {
            Some(status) => {
                self.ended_since = None;
                self.running |= !self.is_of_before(status, None);
                let is_final = *status == StackStatus::UpdateCompleteCleanupInProgress && !self.cleaning;
                self.explain(status, now);
                self.status = Some(status.clone());
                // While it is listed, nothing else has to tell that it works.
                self.describe.due = if is_final || self.log.end().is_some() { now } else { now + LISTED };
            }
            None if self.describe.failures == 0 && !self.describe.busy && self.is_worth_describing(now) => {
                self.describe.due = self.describe.due.min(now);
            }
            None => {}
        }
    }

    /// A stack that left the list is described at once, and one that was never seen in it, once; one whose answer is being
    /// confirmed waits for its turn.
    fn is_worth_describing(&self, now: Duration) -> bool {
        let unseen = self.describe.answered.is_none() && self.age(now) >= UNSEEN;
        self.ended_since.is_none() && (self.running || unseen)
    }

    /// Has the events read when a stack turns to what has to be explained.
    fn explain(&mut self, status: &StackStatus, now: Duration) {
        let word = status.as_str();
        if self.status.as_ref() != Some(status) && (word.contains("ROLLBACK") || word.contains("FAILED")) {
            self.events.due = self.events.due.min(now);
            self.events.quiet = 0;
        }
    }

    /// Takes an answer of `DescribeStacks`.
    pub(super) fn described(&mut self, answer: Option<Stack>, now: Duration) {
        if self.is_ending() {
            return;
        }
        let Some(stack) = answer else {
            self.absent(now);
            return;
        };
        self.absent_since = None;
        let before = self.is_of_before(&stack.status, Some(stack.updated));
        let status = stack.status.clone();
        self.explain(&status, now);
        self.status = Some(status.clone());
        self.stack = Some(stack);
        if let Some(end) = self.log.end() {
            // The event is exact. The stack may lag behind it, and somebody else's operation may be ahead of it.
            let end = StackStatus::from(end.status.as_str());
            let since = *self.ended_since.get_or_insert(now);
            let stands = now.saturating_sub(since) >= CONFIRM * 3;
            if end == status || stands || self.log.is_followed() {
                self.status = Some(end);
                self.end(now);
            }
            return;
        }
        if status.is_in_progress() {
            self.running |= !before;
            self.ended_since = None;
            return;
        }
        if status == StackStatus::ReviewInProgress {
            // An answer of before the execution, or an execution that never began.
            if self.age(now) >= NO_SIGN {
                self.no_sign(now);
            }
            return;
        }
        let since = *self.ended_since.get_or_insert(now);
        let changed =
            !before && (self.operation.base.is_some() || self.operation.kind == OperationKind::Create);
        let gone = status == StackStatus::DeleteComplete;
        let stands = (self.running || self.log.is_started()) && now.saturating_sub(since) >= CONFIRM;
        if changed || gone || stands {
            self.end(now);
        } else if self.age(now) >= NO_SIGN && !self.running && !self.log.is_started() {
            self.no_sign(now);
        }
    }

    /// Takes the end from the events, where they alone may be read.
    pub(super) fn end_by_events(&mut self, now: Duration) {
        if self.describe_denied
            && !self.is_ending()
            && let Some(end) = self.log.end()
        {
            self.status = Some(end.status.as_str().into());
            self.end(now);
        }
    }

    /// Whether an answer may be of before the operation.
    fn is_of_before(&self, status: &StackStatus, updated: Option<Option<Timestamp>>) -> bool {
        self.operation.base.as_ref().is_some_and(|base| {
            base.status == *status && updated.is_none_or(|updated| updated == base.updated)
        })
    }

    fn absent(&mut self, now: Duration) {
        let since = *self.absent_since.get_or_insert(now);
        let deleting = self.operation.kind == OperationKind::Delete;
        // Just after its creation a stack may not be known everywhere. After a deletion it is known by its ARN for 90
        // days, but not to every server that speaks this API.
        if now.saturating_sub(since) >= if deleting { CONFIRM } else { ABSENT } {
            self.status = Some(StackStatus::DeleteComplete);
            self.end(now);
        }
    }

    fn no_sign(&mut self, now: Duration) {
        self.remark = Some(format!(
            "CloudFormation shows no sign of the operation after {} minutes",
            self.age(now).as_secs() / 60
        ));
        self.end(now);
    }

    fn end(&mut self, now: Duration) {
        if self.operation.kind != OperationKind::Delete
            && self.status == Some(StackStatus::DeleteComplete)
            && !self.log.is_started()
        {
            self.remark = Some(format!(
                "the stack {} was deleted while it was watched; a stack of this name is another one now",
                self.operation.stack_name
            ));
        }
        // A read that is on its way may be too early for the last events.
        self.ending = Some((now, self.log.reads() + usize::from(self.events.busy)));
        self.events.due = now;
        self.events.quiet = 0;
        self.log.read_thoroughly();
        for nested in self.nested.values_mut().filter(|nested| nested.active) {
            nested.slot.due = now;
            nested.log.read_thoroughly();
        }
    }

    /// Whether everything is known that will be.
    ///
    /// Of a success among `many` stacks the last events are not waited for: there are too many for somebody to look at,
    /// and other stacks wait for this one.
    pub(super) fn is_over(&self, now: Duration, many: bool) -> bool {
        let Some((since, reads)) = self.ending else { return false };
        let read = self.log.end().is_some() || self.log.reads() > reads;
        let nested = self.nested.values().all(|nested| !nested.active);
        let success = self.status.as_ref().is_some_and(|status| self.operation.kind.reached(status));
        let plain = matches!(self.operation.kind, OperationKind::Create | OperationKind::Import);
        self.events_denied
            || (read && nested)
            || (success && many && plain && self.nested.is_empty())
            || now.saturating_sub(since) >= LAST_EVENTS[usize::from(!success)]
    }

    /// Whether the outputs are final although old resources are still being removed.
    pub(super) fn is_final_early(&self) -> bool {
        !self.cleaning
            && self.status == Some(StackStatus::UpdateCompleteCleanupInProgress)
            && self.stack.as_ref().is_some_and(|stack| Some(&stack.status) == self.status.as_ref())
            && !self.is_of_before(&StackStatus::UpdateCompleteCleanupInProgress, None)
    }

    /// Whether the events tell that only old resources are left to remove, and the stack was not seen so.
    pub(super) fn is_cleanup_told(&self) -> bool {
        let cleanup = StackStatus::UpdateCompleteCleanupInProgress;
        let told =
            || self.log.own().any(|event| self.log.is_of_stack(event) && event.status == cleanup.as_str());
        !self.cleaning && self.status.as_ref() != Some(&cleanup) && told()
    }

    /// Announces the end of the update; the watching of the cleanup goes on.
    pub(super) fn finish_early(&mut self) {
        let (done, cleaned) = oneshot::channel();
        let done = std::mem::replace(&mut self.done, done);
        self.cleaning = true;
        // Whoever asked may have left; then the cleanup is of no interest either and goes with its receiver.
        let _ = done.send(Ended { cleanup: Some(cleaned), ..self.ended(None, false) });
    }

    /// What there is to say when it is over.
    pub(super) fn ended(&self, detached: Option<String>, expired: bool) -> Ended {
        let mut events = vec![(Vec::new(), self.log.own().cloned().collect())];
        for nested in self.nested.values() {
            events.push((nested.path.clone(), nested.log.own().cloned().collect()));
        }
        let status = self.status.clone().or_else(|| self.log.end().map(|event| event.status.as_str().into()));
        Ended {
            status: status.unwrap_or_else(|| match self.operation.base.as_ref() {
                Some(base) => base.status.clone(),
                None => StackStatus::ReviewInProgress,
            }),
            stack: self.stack.clone(),
            events,
            detached,
            expired,
            remark: self.remark.clone(),
            cleanup: None,
        }
    }

    /// Looks for nested stacks in the events, and for what happens in those that are known.
    pub(super) fn find_nested(&mut self, now: Duration) {
        let mut found: Vec<Mention> = mentions(&[], &self.log.own().collect::<Vec<_>>());
        for nested in self.nested.values() {
            found.extend(mentions(&nested.path, &nested.log.own().collect::<Vec<_>>()));
        }
        for mention in found {
            let new = Nested::new(&mention, now);
            self.nested.entry(mention.arn.clone()).or_insert(new).mentioned(&mention, now);
        }
    }
}
