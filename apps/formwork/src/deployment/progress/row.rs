//! The line of something at work: what it is, how far it is, how long it takes and what it waits for.
//!
//! The line is a pure function of a [`Glance`] and a width, so that every width can be tested without a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use formwork_engine::event::ResourceProgress;
use jiff::Timestamp;

use super::words;

/// The columns between two parts of a line.
const GAP: usize = 2;
/// A part that is cut has to keep this many columns, else it says too little.
const WORTH: usize = 14;

/// A stack or an asset at work.
#[derive(Debug)]
pub(super) struct Row {
    activity: String,
    started: Timestamp,
    total: Option<usize>,
    typical: Option<Duration>,
    reason: Option<String>,
    failed: bool,
    /// The last status of each resource.
    statuses: BTreeMap<Vec<String>, String>,
    done: BTreeSet<String>,
    /// What is in progress, since when and of which type.
    busy: BTreeMap<Vec<String>, (Timestamp, String)>,
}

impl Row {
    /// Something that does this since then.
    pub(super) fn new(activity: &str, started: Timestamp) -> Self {
        Self {
            activity: activity.to_owned(),
            started,
            total: None,
            typical: None,
            reason: None,
            failed: false,
            statuses: BTreeMap::new(),
            done: BTreeSet::new(),
            busy: BTreeMap::new(),
        }
    }

    /// How many resources it concerns and how long it typically takes, as far as that is known.
    pub(super) fn expecting(mut self, total: Option<usize>, typical: Option<Duration>) -> Self {
        self.total = total;
        self.typical = typical;
        self
    }

    /// It waits, or what is to be said in the place of it.
    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Since when it is at work.
    pub(super) fn started(&self) -> Timestamp {
        self.started
    }

    /// Whether something happens to it.
    pub(super) fn is_at_work(&self) -> bool {
        self.reason.is_none()
    }

    /// Takes a resource's status in; whether it has not been told before.
    pub(super) fn take(&mut self, resource: &ResourceProgress, time: Timestamp) -> bool {
        let status = &resource.status;
        if self.statuses.insert(resource.path.clone(), status.clone()).as_ref() == Some(status) {
            return false;
        }
        if status.ends_with("_IN_PROGRESS") {
            let since = || (time, resource.resource_type.clone());
            self.busy.entry(resource.path.clone()).or_insert_with(since);
            return true;
        }
        self.busy.remove(&resource.path);
        if words::is_failed_status(status) {
            self.failed = true;
        } else if let [own] = resource.path.as_slice() {
            // What is in nested stacks is not in the number of changes.
            self.done.insert(own.clone());
        }
        true
    }

    /// What there is to see now.
    pub(super) fn glance<'a>(&'a self, name: &'a str, now: Timestamp) -> Glance<'a> {
        Glance {
            name,
            activity: match self.failed {
                true => format!("{} failed", self.activity),
                false => self.activity.clone(),
            },
            count: self.total.map(|total| (self.done.len().min(total), total)),
            elapsed: now.duration_since(self.started).try_into().unwrap_or_default(),
            typical: self.typical,
            waits_for: self.reason.clone().or_else(|| self.slowest()),
        }
    }

    /// The resource that is in progress for longest. A nested stack gives way to what is in it.
    fn slowest(&self) -> Option<String> {
        self.busy
            .iter()
            .filter(|(path, _)| {
                !self.busy.keys().any(|other| other.len() > path.len() && other.starts_with(path))
            })
            .min_by_key(|(_, (since, _))| *since)
            .map(|(path, (_, kind))| {
                format!("waits for {} ({})", path.join("/"), kind.strip_prefix("AWS::").unwrap_or(kind))
            })
    }
}

/// What a line shows.
#[derive(Clone, Debug)]
pub(super) struct Glance<'a> {
    pub(super) name: &'a str,
    pub(super) activity: String,
    /// How many resources are done, of how many.
    pub(super) count: Option<(usize, usize)>,
    pub(super) elapsed: Duration,
    pub(super) typical: Option<Duration>,
    pub(super) waits_for: Option<String>,
}

impl Glance<'_> {
    /// The line without the sign before it, at most `width` columns wide. Names are filled up to `column`, so that the
    /// lines of several stacks stand below each other; where that is too wide parts are left out, the least important
    /// first.
    pub(super) fn line(&self, width: usize, column: usize) -> String {
        let count = self.count.map(|(done, total)| format!("{done}/{total}"));
        let needed = count.as_ref().map_or(0, |count| count.len() + GAP);
        let mut name = keep_end(self.name, width.saturating_sub(needed));
        let mut room = width.saturating_sub(columns(&name) + needed);
        let mut elapsed = clock(self.elapsed);
        let mut take = |text: &str, gap: usize| {
            let fits = columns(text) + gap <= room;
            room -= if fits { columns(text) + gap } else { 0 };
            fits
        };
        let is_timed = take(&elapsed, GAP);
        let is_named = take(&self.activity, GAP);
        if let Some(typical) = self.typical.filter(|_| is_timed) {
            let typical = format!(" of about {}", clock(typical));
            if take(&typical, 0) {
                elapsed.push_str(&typical);
            }
        }
        let padding = column.saturating_sub(columns(&name));
        if take(&" ".repeat(padding), 0) {
            name.push_str(&" ".repeat(padding));
        }
        let waits_for = self
            .waits_for
            .as_deref()
            .filter(|text| room >= GAP + columns(text).min(WORTH))
            .map(|text| keep_start(text, room - GAP));
        let parts = [
            Some(name),
            is_named.then(|| self.activity.clone()),
            count,
            is_timed.then_some(elapsed),
            waits_for,
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        keep_start(parts.join("  ").trim_end(), width)
    }
}

/// How many columns a text takes. Names of stacks and resources are ASCII.
pub(super) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The end of a name: names of one app begin alike.
pub(super) fn keep_end(text: &str, width: usize) -> String {
    let length = columns(text);
    if length <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(length + 1 - width.max(1)).collect();
    if width == 0 { String::new() } else { format!("…{kept}") }
}

fn keep_start(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    if width == 0 { String::new() } else { format!("{}…", kept.trim_end()) }
}

/// `0:41`, `2:10`, `1:02:10`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests;
