//! What the poller reads next: which reads are due, which come first, and which are put together.

use std::time::Duration;

use super::super::pace::{STACKS_A_PAGE, lively, patience};
use super::super::slot::Slot;
use super::super::watch::Watch;
use super::{Job, Poller};

impl Poller {
    /// What is due until a time, the most urgent first.
    pub(super) fn jobs(&self, until: Duration) -> Vec<(u8, Duration, Job)> {
        let mut jobs = Vec::new();
        if self.is_listing() && !self.list.busy && self.list.due <= until {
            jobs.push((1, self.list.due, Job::List));
        }
        let mut together: Vec<(Duration, u64)> = Vec::new();
        for (id, watch) in &self.watches {
            let ending = watch.is_ending();
            let (describe_due, events_due) = self.due(watch);
            if !ending && !watch.describe.busy && describe_due <= until {
                // The end that events tell of is what others wait for.
                let urgency = if watch.log.end().is_some() { 0 } else { 2 };
                jobs.push((urgency, describe_due, Job::Describe(*id)));
                if !watch.alone {
                    together.push((describe_due, *id));
                }
            }
            let urgency = if ending { 1 } else { 3 };
            if !watch.events_denied && !watch.events.busy && events_due <= until {
                jobs.push((urgency, events_due, Job::Events(*id, None)));
            }
            for (arn, nested) in &watch.nested {
                if nested.active && !watch.events_denied && !nested.slot.busy && nested.slot.due <= until {
                    jobs.push((urgency, nested.slot.due, Job::Events(*id, Some(arn.clone()))));
                }
            }
        }
        if !self.all_denied && together.len() > self.all_pages() {
            let due = together.iter().map(|(due, _)| *due).min().unwrap_or_default();
            let ids: Vec<u64> = together.into_iter().map(|(_, id)| id).collect();
            jobs.retain(|(_, _, job)| !matches!(job, Job::Describe(id) if ids.contains(id)));
            let due = due.max(self.all.due);
            if !self.all.busy && due <= until {
                jobs.push((0, due, Job::DescribeAll(ids)));
            }
        }
        jobs.sort();
        jobs
    }

    /// How many pages the descriptions of all stacks are expected to have.
    fn all_pages(&self) -> usize {
        self.all_pages.max(self.watches.len().div_ceil(STACKS_A_PAGE))
    }

    /// When a stack and its events are due. What was left to the list comes sooner once there is no list any more.
    fn due(&self, watch: &Watch) -> (Duration, Duration) {
        let (describe, events) = (watch.describe.due, watch.events.due);
        if self.is_listing() {
            return (describe, events);
        }
        if watch.describe.failures + watch.events.failures > 0 {
            return (describe, events);
        }
        let since = |slot: &Slot, wait: &dyn Fn(Duration) -> Duration| {
            slot.answered.map_or(slot.due, |at| slot.due.min(at + wait(at)))
        };
        let patience = |at| if watch.events_denied { Duration::ZERO } else { patience(watch.age(at)) };
        (
            since(&watch.describe, &|at| watch.pace(at).max(patience(at))),
            since(&watch.events, &|at| watch.pace(at).min(lively(watch.events.quiet))),
        )
    }

    pub(super) fn cost(&self, job: &Job) -> usize {
        match job {
            Job::List => self.budget.pages(),
            Job::DescribeAll(_) => self.all_pages(),
            _ => 1,
        }
    }
}
