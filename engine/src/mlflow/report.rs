//! What a copy found, made and verified.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use super::item::Kind;
use crate::error::{Class, EngineError};

/// The most differences that a report lists; all are counted.
const MOST_LISTED: usize = 1000;

/// What a copy did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct CopyReport {
    /// What was copied.
    pub from: String,
    /// Where it was copied to.
    pub to: String,
    /// The file by which a copy goes on, and which names for each item what it became.
    pub state: String,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The counts.
    pub kinds: Vec<KindReport>,
    /// How many differences there are.
    pub differences_found: usize,
    /// What differs, a thousand at most.
    pub differences: Vec<Difference>,
    /// What has to be known besides.
    pub notes: Vec<String>,
}

/// The counts of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KindReport {
    /// `experiment`, `run`, `metric point`, `artifact` ...
    pub kind: String,
    /// How many there are at the source.
    pub found: u64,
    /// How many of them an earlier process had copied; what belongs to those is not counted again.
    pub before: u64,
    /// How many were copied now.
    pub copied: u64,
    /// How many of those were read again at the target and are the same.
    pub verified: u64,
}

/// Something that is not at the target as it is at the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its id or name at the source.
    pub source: String,
    /// What differs.
    pub what: String,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being copied.
    pub kind: Kind,
    /// How many of them are done.
    pub done: u64,
}

/// What belongs to items and is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Parameters,
    Tags,
    Points,
    Datasets,
    Artifacts,
    ArtifactBytes,
    Aliases,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Parameters => "parameter",
            Self::Tags => "tag",
            Self::Points => "metric point",
            Self::Datasets => "dataset",
            Self::Artifacts => "artifact",
            Self::ArtifactBytes => "artifact byte",
            Self::Aliases => "alias",
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counted {
    Item(Kind),
    Part(Part),
}

/// How something came to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    Found,
    Before,
    Copied,
    Verified,
}

/// Counts while a copy goes on.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    counts: BTreeMap<Counted, KindReport>,
    differences: Vec<Difference>,
    differences_found: usize,
    notes: Vec<String>,
}

impl Tally {
    pub(crate) fn count(&self, what: Counted, how: As, number: u64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inner.counts.entry(what).or_default();
        *match how {
            As::Found => &mut count.found,
            As::Before => &mut count.before,
            As::Copied => &mut count.copied,
            As::Verified => &mut count.verified,
        } += number;
    }

    pub(crate) fn item(&self, kind: Kind, how: As) {
        self.count(Counted::Item(kind), how, 1);
    }

    /// A part that is found and copied in one step, and whether it was found to be the same.
    pub(crate) fn part(&self, part: Part, number: u64, same: bool) {
        for how in [As::Found, As::Copied] {
            self.count(Counted::Part(part), how, number);
        }
        if same {
            self.count(Counted::Part(part), As::Verified, number);
        }
    }

    pub(crate) fn differs(&self, kind: Kind, source: &str, what: impl Into<String>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.differences_found += 1;
        if inner.differences.len() < MOST_LISTED {
            inner.differences.push(Difference { kind, source: source.to_owned(), what: what.into() });
        }
    }

    /// Takes what went wrong with one item as a difference, and goes on; what would go wrong with every other item too
    /// ends the copy.
    pub(crate) fn fails(&self, kind: Kind, source: &str, failed: EngineError) -> Result<(), EngineError> {
        if failed.class != Class::Input {
            return Err(failed);
        }
        self.differs(kind, source, failed.message);
        Ok(())
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = text.into();
        if !inner.notes.contains(&text) {
            inner.notes.push(text);
        }
    }

    pub(crate) fn into_report(self, report: CopyReport) -> CopyReport {
        let inner = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let kinds = inner.counts.into_iter().map(|(counted, count)| {
            let kind = match counted {
                Counted::Item(kind) => kind.word(),
                Counted::Part(part) => part.word(),
            };
            KindReport { kind: kind.to_owned(), ..count }
        });
        let mut differences = inner.differences;
        differences.sort_by(|a, b| (a.kind, &a.source, &a.what).cmp(&(b.kind, &b.source, &b.what)));
        CopyReport {
            kinds: kinds.collect(),
            differences,
            differences_found: inner.differences_found,
            notes: inner.notes,
            ..report
        }
    }
}
