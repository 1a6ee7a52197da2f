//! Where a change of templates grants more rights or opens more of the network.
//!
//! What both templates grant is collected and compared, so that a statement or a rule that only moved is no finding. For
//! a new stack there is nothing before, so everything that it grants is found. Functions are compared by their form;
//! parameters by their values where those are known.

mod attachments;
mod cidr;
mod documents;
mod exposure;
mod reading;
mod statements;
mod traffic;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diff::diff;
pub(crate) use reading::give_the_same;
pub use reading::readable;
use reading::{Guards, Reader};
use statements::Statement;
use traffic::Rule;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BroadeningKind {
    /// Who may do what: policies, trust, managed policies, permissions boundaries.
    Rights,
    /// Who can reach what: security groups, public addresses, routes to the internet.
    Network,
}

/// Something that grants more than before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broadening {
    /// The logical id of the resource.
    pub logical_id: String,
    /// Its type.
    pub resource_type: String,
    /// What grows.
    pub kind: BroadeningKind,
    /// The place as a JSON pointer: in the new template, or in the old one when something was removed.
    pub pointer: String,
    /// What grows, in plain words: "allows s3:PutObject on arn:aws:s3:::data/*".
    pub words: String,
}

/// A template with the values of its parameters.
#[derive(Clone, Copy, Debug)]
pub struct Side<'t> {
    /// The template in long form; `null` when there is none.
    pub template: &'t Value,
    /// The values of parameters as far as they are known. For others the default counts.
    pub parameters: &'t BTreeMap<String, String>,
}

static NO_PARAMETERS: BTreeMap<String, String> = BTreeMap::new();

impl<'t> Side<'t> {
    /// A template whose parameters have their defaults.
    pub fn of(template: &'t Value) -> Self {
        Self { template, parameters: &NO_PARAMETERS }
    }
}

/// Something that a side grants, or a limit that it sets.
#[derive(Clone, Debug)]
struct Grant {
    /// Whom or what it is about: a logical id, the new one for what moved, or the text that names it.
    subject: String,
    what: What,
    guards: Guards,
    kind: BroadeningKind,
    logical_id: String,
    resource_type: String,
    pointer: String,
    /// The words, where the grant alone tells them.
    words: String,
}

#[derive(Clone, Debug)]
enum What {
    /// A statement of a policy; one that denies is a limit.
    Statement(Box<Statement>),
    /// Traffic that may pass.
    Rule(Rule),
    /// Something with a name.
    Item(String),
    /// Something with a name whose absence grants more.
    Limit(String),
}

impl Grant {
    fn is_limit(&self) -> bool {
        match &self.what {
            What::Statement(statement) => !statement.allows,
            What::Limit(_) => true,
            What::Rule(_) | What::Item(_) => false,
        }
    }

    /// What this says beyond the others about the same subject, in plain words.
    fn beyond(&self, others: &[&Self]) -> Option<String> {
        let holds = |other: &Self| other.guards.is_subset(&self.guards);
        match &self.what {
            What::Statement(statement) => {
                let others: Vec<&Statement> = others
                    .iter()
                    .filter_map(|other| match &other.what {
                        What::Statement(other) if other.role == statement.role => Some(&**other),
                        _ => None,
                    })
                    .collect();
                statement.beyond(&others)
            }
            What::Rule(rule) => {
                let rules = |only_held: bool| -> Vec<&Rule> {
                    others
                        .iter()
                        .filter(|other| !only_held || holds(other))
                        .filter_map(|other| match &other.what {
                            What::Rule(rule) => Some(rule),
                            _ => None,
                        })
                        .collect()
                };
                let is_covered = rules(true).iter().any(|other| other.covers(rule));
                (!is_covered).then(|| rule.words(&rules(false)))
            }
            What::Item(name) => {
                let same = |other: &str| {
                    other == name || name.strip_prefix(other).is_some_and(|rest| rest.starts_with('?'))
                };
                let is_covered = others
                    .iter()
                    .any(|other| holds(other) && matches!(&other.what, What::Item(other) if same(other)));
                (!is_covered).then(|| self.words.clone())
            }
            What::Limit(name) => {
                // A limit that now holds only under a condition is gone where the condition does not hold.
                let is_kept = others
                    .iter()
                    .any(|other| holds(other) && matches!(&other.what, What::Limit(other) if other == name));
                (!is_kept).then(|| self.words.clone())
            }
        }
    }
}

/// Finds what the new side grants and the old one does not, by logical id.
pub fn broadenings(before: Side<'_>, after: Side<'_>) -> Vec<Broadening> {
    let moves = diff(before.template, after.template).moves;
    let renamed = moves.into_iter().map(|found| (found.from, found.to)).collect();
    let (old_reader, new_reader) = (Reader::new(before, renamed), Reader::new(after, BTreeMap::new()));
    let (old, new) = (grants(&old_reader), grants(&new_reader));
    let (old_by_subject, new_by_subject) = (by_subject(&old), by_subject(&new));
    let none = Vec::new();
    let mut found: Vec<Broadening> = Vec::new();
    for grant in new.iter().filter(|grant| !grant.is_limit()) {
        let others = old_by_subject.get(grant.subject.as_str()).unwrap_or(&none);
        found.extend(grant.beyond(others).map(|words| grant.told(words)));
    }
    for limit in old.iter().filter(|grant| grant.is_limit()) {
        // What goes as a whole needs no limit any more.
        if old_reader.has(&limit.subject) && !new_reader.has(&limit.subject) {
            continue;
        }
        let others = new_by_subject.get(limit.subject.as_str()).unwrap_or(&none);
        found.extend(limit.beyond(others).map(|words| limit.told(words)));
    }
    found.sort();
    found.dedup_by(|one, other| {
        (&one.logical_id, &one.pointer, &one.words) == (&other.logical_id, &other.pointer, &other.words)
    });
    found
}

impl Grant {
    fn told(&self, words: String) -> Broadening {
        Broadening {
            logical_id: self.logical_id.clone(),
            resource_type: self.resource_type.clone(),
            kind: self.kind,
            pointer: self.pointer.clone(),
            words,
        }
    }
}

fn grants(reader: &Reader<'_>) -> Vec<Grant> {
    let mut found = Vec::new();
    for resource in reader.resources() {
        documents::grants(reader, &resource, &mut found);
        attachments::grants(reader, &resource, &mut found);
        exposure::grants(reader, &resource, &mut found);
        traffic::grants(reader, &resource, &mut found);
    }
    found
}

fn by_subject(grants: &[Grant]) -> BTreeMap<&str, Vec<&Grant>> {
    let mut found: BTreeMap<&str, Vec<&Grant>> = BTreeMap::new();
    for grant in grants {
        found.entry(&grant.subject).or_default().push(grant);
    }
    found
}

#[cfg(test)]
mod tests;
