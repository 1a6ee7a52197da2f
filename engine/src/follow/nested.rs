//! Nested stacks: found in the events of the stack around them, read for as long as something happens in them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::log::{EventLog, STACK_TYPE, is_own_stack};
use super::slot::Slot;
use crate::aws::cloudformation::StackEvent;

/// A nested stack.
#[derive(Debug)]
pub(super) struct Nested {
    /// The logical ids down to it.
    pub(super) path: Vec<String>,
    pub(super) log: EventLog,
    pub(super) slot: Slot,
    /// Whether something happens in it, as far as the stack around it tells.
    pub(super) active: bool,
    /// How many events of the stack around it were about it, since when that is known, and whether the last one was
    /// an end.
    mentions: usize,
    mentioned: Duration,
    over: bool,
}

impl Nested {
    pub(super) fn new(mention: &Mention, now: Duration) -> Self {
        Self {
            path: mention.path.clone(),
            log: EventLog::new(&mention.arn, None, Some(mention.since)),
            slot: Slot { due: now, ..Slot::default() },
            mentions: 0,
            mentioned: now,
            over: false,
            active: false,
        }
    }

    /// Takes what the stack around it tells of it.
    pub(super) fn mentioned(&mut self, mention: &Mention, now: Duration) {
        if mention.count > self.mentions {
            // Also when it has just ended: its last events are still to be read.
            self.mentions = mention.count;
            self.mentioned = now;
            self.over = mention.over;
            self.active = true;
            self.slot.due = self.slot.due.min(now);
            self.slot.quiet = 0;
        }
    }

    /// Notes that a read which began at a time is complete.
    pub(super) fn complete(&mut self, begun: Duration) {
        if self.over && begun >= self.mentioned {
            self.active = false;
        }
    }
}

/// What a stack's events say about a stack nested in it.
pub(super) struct Mention {
    /// Its ARN.
    pub(super) arn: String,
    /// The logical ids down to it.
    pub(super) path: Vec<String>,
    /// When the operation came to it.
    pub(super) since: Timestamp,
    /// How many events are about it.
    count: usize,
    /// Whether the last of them is an end.
    over: bool,
}

/// The nested stacks that the events of a stack tell of. The events are in the order of time.
pub(super) fn mentions(path: &[String], events: &[&StackEvent]) -> Vec<Mention> {
    let mut first: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut found: BTreeMap<&str, Mention> = BTreeMap::new();
    for event in events.iter().filter(|event| event.resource_type == STACK_TYPE && !is_own_stack(event)) {
        // The first event of a new one has no ARN yet.
        let since = *first.entry(&event.logical_id).or_insert(event.timestamp);
        let arn = event.physical_id.as_deref().filter(|id| id.starts_with("arn:") && id.contains(":stack/"));
        let Some(arn) = arn else { continue };
        let mention = found.entry(arn).or_insert_with(|| Mention {
            arn: arn.to_owned(),
            path: path.iter().chain([&event.logical_id]).cloned().collect(),
            since,
            count: 0,
            over: false,
        });
        mention.count += 1;
        mention.over = !event.status.ends_with("_IN_PROGRESS");
    }
    found.into_values().collect()
}
