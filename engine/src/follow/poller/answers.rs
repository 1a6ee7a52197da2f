//! What the poller makes of each answer: when to read next, and whether it matters that a read failed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::log::Next;
use super::super::pace::{backoff, lively, patience, quiet, turn};
use super::super::watch::LISTED;
use super::{Answer, Job, Poller, Reply};
use crate::aws::cloudformation::{EventPage, Stack, StackPages, StackSummary};
use crate::aws::{Error, ErrorKind};

impl Poller {
    pub(super) fn answered(&mut self, reply: Reply) {
        let now = self.now();
        let Reply { job, begun, answer } = reply;
        let few = !self.is_listing();
        let Some(slot) = self.slot(&job) else { return };
        slot.busy = false;
        if let Job::DescribeAll(ids) = &job {
            for id in ids {
                if let Some(watch) = self.watches.get_mut(id) {
                    watch.describe.busy = false;
                }
            }
        }
        let error = match answer {
            Answer::List(Ok(stacks)) => {
                self.list.failures = 0;
                self.listed(&stacks, now);
                None
            }
            Answer::Stack(Ok(stack)) => {
                let stack = stack.map(|stack| *stack);
                self.described(&job, stack, few, now);
                None
            }
            Answer::Stacks(Ok(pages)) => {
                self.all.failures = 0;
                self.described_all(&job, pages, now);
                None
            }
            Answer::Events(Ok(page)) => {
                self.add_events(&job, page, few, begun);
                None
            }
            Answer::List(Err(error))
            | Answer::Stack(Err(error))
            | Answer::Stacks(Err(error))
            | Answer::Events(Err(error)) => Some(error),
        };
        match error {
            None => {
                self.failures = 0;
                self.telling.heard(now);
            }
            Some(error) => self.failed(&job, error, begun),
        }
    }

    fn listed(&mut self, stacks: &[StackSummary], now: Duration) {
        self.budget.listed(stacks.len().max(self.watches.len()));
        let by_arn: BTreeMap<&str, &StackSummary> =
            stacks.iter().map(|stack| (stack.id.as_str(), stack)).collect();
        for watch in self.watches.values_mut() {
            let status = by_arn.get(watch.operation.stack_arn.as_str()).map(|stack| &stack.status);
            watch.listed(status, now);
        }
        let soonest =
            self.watches.values().filter(|watch| !watch.is_ending()).map(|watch| watch.pace(now)).min();
        self.list.due = now + soonest.unwrap_or_default().max(self.budget.list_interval());
    }

    fn described_all(&mut self, job: &Job, pages: StackPages, now: Duration) {
        let Job::DescribeAll(ids) = job else { return };
        self.all_pages = if pages.whole { pages.pages } else { pages.pages + 1 };
        let mut by_arn: BTreeMap<String, Stack> =
            pages.stacks.into_iter().map(|stack| (stack.id.clone(), stack)).collect();
        for id in ids {
            let Some(watch) = self.watches.get_mut(id) else { continue };
            match by_arn.remove(&watch.operation.stack_arn) {
                Some(stack) => self.described(&Job::Describe(*id), Some(stack), false, now),
                None => watch.alone = true,
            }
        }
    }

    fn described(&mut self, job: &Job, stack: Option<Stack>, few: bool, now: Duration) {
        let Job::Describe(id) = job else { return };
        let Some(watch) = self.watches.get_mut(id) else { return };
        watch.describe.failures = 0;
        watch.describe.answered = Some(now);
        let pace = watch.pace(now);
        // Events tell of the end sooner; a listed stack is described when it leaves the list.
        let patient = !watch.events_denied && watch.log.end().is_none();
        watch.describe.due = now + if few && patient { pace.max(patience(watch.age(now))) } else { pace };
        let running = stack.as_ref().is_some_and(|stack| stack.status.is_in_progress());
        watch.described(stack, now);
        if !few && running {
            watch.describe.due = now + LISTED;
        }
    }

    fn add_events(&mut self, job: &Job, page: EventPage, few: bool, begun: Duration) {
        let now = self.now();
        let Job::Events(id, arn) = job else { return };
        let watching = self.watches.len();
        let Some(watch) = self.watches.get_mut(id) else { return };
        let (pace, longest) = (watch.pace(now), quiet(watch.age(now), watching));
        let (log, slot) = match arn {
            None => (&mut watch.log, &mut watch.events),
            Some(arn) => match watch.nested.get_mut(arn) {
                Some(nested) => (&mut nested.log, &mut nested.slot),
                None => return,
            },
        };
        slot.failures = 0;
        slot.answered = Some(now);
        match log.add(page, now) {
            Next::Page(_) => slot.due = now,
            Next::Complete { new } => {
                slot.quiet = if new { 0 } else { slot.quiet + 1 };
                // Where the list tells of the end, a stack in which nothing happens can wait.
                slot.due = now
                    + if few {
                        pace.min(lively(slot.quiet))
                    } else {
                        pace.mul_f64(1.5_f64.powi(slot.quiet.min(8) as i32)).min(longest).max(turn(watching))
                    };
                match arn {
                    Some(arn) => {
                        if let Some(nested) = watch.nested.get_mut(arn) {
                            nested.complete(begun);
                        }
                    }
                    None if watch.log.end().is_some() || watch.is_cleanup_told() => {
                        watch.describe.due = watch.describe.due.min(now);
                    }
                    None => {}
                }
                watch.find_nested(now);
                watch.end_by_events(now);
            }
        }
    }

    fn failed(&mut self, job: &Job, error: Error, begun: Duration) {
        let now = self.now();
        match (&error.kind, job) {
            (ErrorKind::ExpiredCredentials | ErrorKind::Credentials, _) => {
                self.detach_all(&format!("the credentials are not valid any more: {}", error.message));
                return;
            }
            (ErrorKind::Denied, Job::List) => {
                self.list_denied = true;
                for watch in self.watches.values_mut() {
                    watch.describe.due = watch.describe.due.min(now);
                }
                self.telling.list_denied();
                return;
            }
            (ErrorKind::Denied, Job::DescribeAll(_)) => {
                self.all_denied = true;
                return;
            }
            (ErrorKind::Denied, Job::Events(id, _)) => {
                if let Some(watch) = self.watches.get_mut(id) {
                    watch.events_denied = true;
                }
                self.telling.events_denied(&error);
                self.detach_blind(&error);
                return;
            }
            (ErrorKind::Denied, Job::Describe(id)) => {
                if let Some(watch) = self.watches.get_mut(id) {
                    watch.describe_denied = true;
                    watch.end_by_events(now);
                }
                self.detach_blind(&error);
            }
            (ErrorKind::Invalid | ErrorKind::NotFound, Job::Events(id, arn)) => {
                // A page that is not known any more: once more from the newest.
                if let Some(watch) = self.watches.get_mut(id) {
                    match arn {
                        None => watch.log.restart(),
                        Some(arn) => {
                            if let Some(nested) = watch.nested.get_mut(arn) {
                                nested.log.restart();
                            }
                        }
                    }
                }
            }
            _ => {}
        }
        let Some(slot) = self.slot(job) else { return };
        slot.failures += 1;
        let wait = backoff(slot.failures);
        slot.due = now + wait;
        if let Job::DescribeAll(ids) = job {
            for id in ids {
                if let Some(watch) = self.watches.get_mut(id) {
                    watch.describe.due = now + wait;
                }
            }
        }
        if let ErrorKind::Throttled { .. } | ErrorKind::Unreachable = error.kind {
            // Reads that were on their way together fail together: that is one failure.
            if begun >= self.blocked {
                self.failures += 1;
            }
            let asked = match error.kind {
                ErrorKind::Throttled { retry_after } => retry_after.unwrap_or_default(),
                _ => Duration::ZERO,
            };
            let wait = backoff(self.failures.saturating_sub(1)).max(asked);
            self.blocked = self.blocked.max(now + wait);
        }
        self.telling.failed(&error, now, self.blocked.max(now + wait));
    }

    /// Leaves the operations of which neither the stack nor its events may be read.
    fn detach_blind(&mut self, error: &Error) {
        let blind: Vec<u64> = self
            .watches
            .iter()
            .filter(|(_, watch)| watch.describe_denied && watch.events_denied)
            .map(|(id, _)| *id)
            .collect();
        for watch in blind.iter().filter_map(|id| self.watches.remove(id)) {
            let ended = watch.ended(Some(format!("the stack may not be read: {}", error.message)), false);
            let _ = watch.done.send(ended);
        }
    }
}
