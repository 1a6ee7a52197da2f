//! What the poller tells: the events of stacks, and what stands in the way of reading, neither twice nor too often.

use std::time::Duration;

use super::log::EventLog;
use super::watch::Watch;
use crate::aws::cloudformation::StackEvent;
use crate::aws::{Error, ErrorKind};
use crate::event::{ResourceProgress, StackRef, What};
use crate::runtime::Runtime;

/// Silence that is told of.
const NOTICEABLE: Duration = Duration::from_secs(5);

/// Tells the listener of a run.
pub(super) struct Telling {
    runtime: Runtime,
    heard: Duration,
    error: Option<Error>,
    /// When to tell of trouble again, and how long after that.
    again: (Duration, Duration),
    denied: bool,
}

impl Telling {
    pub(super) fn new(runtime: Runtime, now: Duration) -> Self {
        Self { runtime, heard: now, error: None, again: (Duration::ZERO, NOTICEABLE), denied: false }
    }

    /// Notes that something could be read.
    pub(super) fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.again = (now, NOTICEABLE);
    }

    /// How long nothing could be read.
    pub(super) fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.heard)
    }

    /// What the last failure was.
    pub(super) fn last_error(&self) -> String {
        self.error.as_ref().map_or_else(|| "no answer".to_owned(), ToString::to_string)
    }

    /// Tells of a failed read, at growing intervals while it goes on.
    pub(super) fn failed(&mut self, error: &Error, now: Duration, next: Duration) {
        self.error = Some(error.clone());
        if now < self.again.0 {
            return;
        }
        let seconds = self.silence(now).as_secs_f64();
        let what = match error.kind {
            ErrorKind::Throttled { .. } => {
                What::Throttled { next_seconds: next.saturating_sub(now).as_secs_f64() }
            }
            _ if self.silence(now) < NOTICEABLE => return,
            _ => What::Unreachable { reason: error.to_string(), seconds },
        };
        self.runtime.tell(what);
        self.again = (now + self.again.1, (self.again.1 * 2).min(Duration::from_secs(120)));
    }

    /// Tells once that single reads are used, because the list may not be read.
    pub(super) fn list_denied(&self) {
        self.runtime.tell(What::Note {
            message:
                "the caller may not call cloudformation:ListStacks, so that each stack is asked for by itself"
                    .to_owned(),
        });
    }

    /// Tells once that there will be no events.
    pub(super) fn events_denied(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.denied, true) {
            self.runtime.tell(What::Warning {
                message: format!("the events of stacks cannot be read: {}", error.message),
                hint: Some(
                    "allow cloudformation:DescribeStackEvents to see progress and the causes of failures"
                        .to_owned(),
                ),
            });
        }
    }

    /// Tells the events of an operation that are ready, or all of them.
    pub(super) fn tell(&self, watch: &mut Watch, now: Duration, all: bool) {
        let subject = StackRef::of_arn(&watch.operation.stack_name, &watch.operation.stack_arn);
        let mut told: Vec<(Vec<String>, StackEvent, bool)> = Vec::new();
        let mut take = |path: &[String], log: &mut EventLog| {
            for event in log.tell(now, all) {
                let of_stack = log.is_of_stack(&event);
                told.push((path.to_vec(), event, of_stack));
            }
        };
        take(&[], &mut watch.log);
        for nested in watch.nested.values_mut() {
            take(&nested.path, &mut nested.log);
        }
        told.sort_by_key(|(_, event, _)| event.timestamp);
        for (mut path, event, of_stack) in told {
            let what = if of_stack {
                // Ends of stacks are told by whoever started them; a turn for the worse cannot wait for the end.
                if !path.is_empty() || !event.status.ends_with("ROLLBACK_IN_PROGRESS") {
                    continue;
                }
                let reason = event.reason.map_or_else(String::new, |reason| format!(": {reason}"));
                What::Warning { message: format!("it is being rolled back{reason}"), hint: None }
            } else {
                let place = path.first().unwrap_or(&event.logical_id);
                let place = watch.operation.places.get(place);
                path.push(event.logical_id);
                What::Resource(ResourceProgress {
                    path,
                    resource_type: event.resource_type,
                    status: event.status,
                    physical_id: event.physical_id.filter(|id| !id.is_empty()),
                    reason: event.reason.filter(|reason| !reason.is_empty()),
                    construct_path: place.and_then(|place| place.construct_path.clone()),
                })
            };
            self.runtime.tell_of(subject.clone(), what);
        }
    }
}
