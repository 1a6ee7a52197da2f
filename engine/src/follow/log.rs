//! The events of one stack, put together from pages that come late, twice, cut off or in another order.
//!
//! CloudFormation gives events newest first. A read goes back until it meets what is known for sure, with an overlap for
//! events that show up late; what a broken read has found is kept, but counts as known only once a read is complete.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::aws::cloudformation::{EventPage, StackEvent};

/// The type of stacks, also as resources of other stacks.
pub(super) const STACK_TYPE: &str = "AWS::CloudFormation::Stack";
/// How far back a read looks behind what is known, because events of the same time show up at different times.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// How long an event is held back, so that an older one which shows up a little later is still told first.
const SETTLE: Duration = Duration::from_secs(1);
/// How many pages a read goes back while no event of the operation is known.
const BLIND_PAGES: usize = 5;

/// How many known events in a row are deep enough for a read that is not the last.
const DEEP: usize = 50;

/// What a page leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// An older page is needed.
    Page(String),
    /// The read is complete; whether it found something new.
    Complete { new: bool },
}

/// The events of one stack.
#[derive(Debug)]
pub(super) struct EventLog {
    stack_id: String,
    /// The token of the operation; learnt from the stack when it was not given.
    token: Option<String>,
    /// For a nested stack: when the operation came to it.
    since: Option<Timestamp>,
    known: HashSet<String>,
    /// All known events in the order of time.
    events: Vec<StackEvent>,
    /// Own events that are not told yet, with the time since which they are known.
    waiting: Vec<(Duration, StackEvent)>,
    told: HashSet<String>,
    reading: Vec<StackEvent>,
    pages: usize,
    page: Option<String>,
    reads: usize,
    /// The event of the stack itself with which the operation ended.
    end: Option<StackEvent>,
    /// Whether reads go on behind pages on which everything is known.
    thorough: bool,
}

impl EventLog {
    pub(super) fn new(stack_id: &str, token: Option<String>, since: Option<Timestamp>) -> Self {
        Self {
            stack_id: stack_id.to_owned(),
            token,
            since,
            known: HashSet::new(),
            events: Vec::new(),
            waiting: Vec::new(),
            told: HashSet::new(),
            reading: Vec::new(),
            pages: 0,
            page: None,
            reads: 0,
            end: None,
            thorough: false,
        }
    }

    /// The page to read next; nothing for the newest.
    pub(super) fn page(&self) -> Option<String> {
        self.page.clone()
    }

    /// How many reads are complete.
    pub(super) fn reads(&self) -> usize {
        self.reads
    }

    /// Begins again at the newest page: the service does not know the page any more. What was read stays.
    pub(super) fn restart(&mut self) {
        self.page = None;
        self.pages = 0;
    }

    /// From now on reads look behind pages on which everything is known: nobody will look once more.
    pub(super) fn read_thoroughly(&mut self) {
        self.thorough = true;
    }

    /// Takes a page.
    pub(super) fn add(&mut self, page: EventPage, now: Duration) -> Next {
        self.pages += 1;
        let enough = self.is_enough(&page.events);
        self.reading.extend(page.events);
        match page.next {
            Some(next) if !enough => {
                self.page = Some(next.clone());
                Next::Page(next)
            }
            _ => Next::Complete { new: self.complete(now) },
        }
    }

    /// Whether nothing older than this page can be new and of this operation.
    fn is_enough(&self, page: &[StackEvent]) -> bool {
        if let Some(since) = self.since {
            return page.iter().any(|event| event.timestamp < since) || self.meets_known(page);
        }
        let own_known = self.own_start().is_some()
            || page
                .iter()
                .chain(&self.reading)
                .any(|event| self.token.is_some() && event.token == self.token);
        if self.token.is_some() && !own_known {
            // Somebody else's operations lie on top, or ours does not show yet.
            return self.pages >= if self.reads == 0 { BLIND_PAGES } else { 1 };
        }
        // The end of an earlier operation: a stack has one operation at a time.
        let earlier_end = page.iter().any(|event| {
            self.is_of_stack(event)
                && !event.status.ends_with("_IN_PROGRESS")
                && self.token.is_some()
                && event.token != self.token
                && self.own_start().is_none_or(|start| event.timestamp < start)
        });
        let start_of_unknown = self.token.is_none() && page.iter().any(|event| self.is_start(event));
        earlier_end || start_of_unknown || self.meets_known(page)
    }

    fn meets_known(&self, page: &[StackEvent]) -> bool {
        let Some(newest) = self.events.last() else { return false };
        // What comes late does not come that late; a stack with thousands of events is not read again and again.
        if !self.thorough && page.len() >= DEEP && page.iter().all(|event| self.known.contains(&event.id)) {
            return true;
        }
        let horizon = newest.timestamp.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        page.iter().any(|event| event.timestamp <= horizon && self.known.contains(&event.id))
    }

    fn complete(&mut self, now: Duration) -> bool {
        // Pages come newest first; turned round, a stable sort keeps the service's order of equal times.
        let mut read = std::mem::take(&mut self.reading);
        read.reverse();
        read.sort_by_key(|event| event.timestamp);
        let mut new = false;
        for event in read {
            if self.known.insert(event.id.clone()) {
                new = true;
                self.events.push(event);
            }
        }
        if new {
            self.events.sort_by_key(|event| event.timestamp);
        }
        self.reads += 1;
        self.restart();
        if self.token.is_none() && self.since.is_none() {
            self.adopt();
        }
        self.end = self.find_end().cloned();
        let held: HashSet<&str> = self.waiting.iter().map(|(_, event)| event.id.as_str()).collect();
        let fresh: Vec<StackEvent> = self
            .own()
            .filter(|event| !self.told.contains(&event.id) && !held.contains(event.id.as_str()))
            .cloned()
            .collect();
        self.waiting.extend(fresh.into_iter().map(|event| (now, event)));
        self.waiting.sort_by_key(|(_, event)| event.timestamp);
        new
    }

    /// Takes the latest operation of the stack for ours.
    fn adopt(&mut self) {
        let Some(start) = self.events.iter().rev().find(|event| self.is_start(event)) else { return };
        self.token = start.token.clone();
        if self.token.is_none() {
            self.since = Some(start.timestamp);
        }
    }

    /// Whether an event is about the stack itself.
    pub(super) fn is_of_stack(&self, event: &StackEvent) -> bool {
        event.resource_type == STACK_TYPE && event.physical_id.as_deref() == Some(&self.stack_id)
    }

    fn is_start(&self, event: &StackEvent) -> bool {
        const STARTS: [&str; 4] =
            ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];
        self.is_of_stack(event) && STARTS.contains(&event.status.as_str())
    }

    fn has_token(&self, event: &StackEvent) -> bool {
        self.token.is_some() && event.token == self.token
    }

    fn own_start(&self) -> Option<Timestamp> {
        if self.since.is_some() {
            return self.since;
        }
        self.events
            .iter()
            .find(|event| self.has_token(event) && self.is_of_stack(event))
            .map(|it| it.timestamp)
    }

    /// The events of the operation in the order of time: those with its token, and those without it that lie within it
    /// (a rollback that a cancellation with another token began).
    pub(super) fn own(&self) -> impl Iterator<Item = &StackEvent> {
        let start = self.own_start();
        let end = start.and_then(|start| {
            self.events
                .iter()
                .find(|event| event.timestamp > start && !self.has_token(event) && self.is_start(event))
                .map(|event| event.timestamp)
        });
        let own_end = self.end().map(|event| event.timestamp);
        self.events.iter().filter(move |event| {
            self.has_token(event)
                || (start.is_some_and(|start| event.timestamp >= start)
                    && (self.since.is_some()
                        || (end.is_none_or(|end| event.timestamp < end)
                            && own_end.is_none_or(|end| event.timestamp <= end))))
        })
    }

    /// Whether an event of the operation is known.
    pub(super) fn is_started(&self) -> bool {
        self.own_start().is_some() || self.events.iter().any(|event| self.has_token(event))
    }

    /// The event of the stack itself with which the operation ended.
    pub(super) fn end(&self) -> Option<&StackEvent> {
        self.end.as_ref()
    }

    /// Whether somebody started another operation after the end of ours.
    pub(super) fn is_followed(&self) -> bool {
        self.end.as_ref().is_some_and(|end| {
            self.events.iter().any(|event| {
                event.timestamp >= end.timestamp && self.is_start(event) && !self.has_token(event)
            })
        })
    }

    fn find_end(&self) -> Option<&StackEvent> {
        self.events.iter().rev().find(|event| {
            self.is_of_stack(event)
                && (self.has_token(event) || self.since.is_some_and(|since| event.timestamp >= since))
                && !event.status.ends_with("_IN_PROGRESS")
        })
    }

    /// When the next event may be told.
    pub(super) fn next_told(&self) -> Option<Duration> {
        self.waiting.iter().map(|(since, _)| *since + SETTLE).min()
    }

    /// The events to tell now, in the order of time; all that are known with `all`.
    pub(super) fn tell(&mut self, now: Duration, all: bool) -> Vec<StackEvent> {
        let last = self.waiting.iter().rposition(|(since, _)| all || *since + SETTLE <= now);
        let Some(last) = last else { return Vec::new() };
        let events: Vec<StackEvent> = self.waiting.drain(..=last).map(|(_, event)| event).collect();
        self.told.extend(events.iter().map(|event| event.id.clone()));
        events
    }
}

/// Whether an event is about the stack that it is an event of.
pub(super) fn is_own_stack(event: &StackEvent) -> bool {
    event.resource_type == STACK_TYPE && event.physical_id.as_deref() == Some(&event.stack_id)
}
