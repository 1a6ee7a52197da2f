//! Lists: their items, how many, and whether they differ.

use std::collections::BTreeSet;

use serde_json::Value;

use super::presence::{Presence, is_no_value};
use super::{Check, Mode, Outcome, Path};
use crate::finding::Finding;
use crate::keyword::Keyword;
use crate::schema::Schema;

impl Check<'_> {
    /// The keywords about single items.
    pub(super) fn list(
        &self,
        schema: &Schema,
        keyword: &Keyword,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        let Some(items) = value.as_array() else { return };
        match keyword {
            Keyword::Items(each) => {
                let first = schema
                    .keywords()
                    .iter()
                    .find_map(|keyword| match keyword {
                        Keyword::PrefixItems(list) => Some(list.len()),
                        _ => None,
                    })
                    .unwrap_or(0);
                for (position, item) in items.iter().enumerate().skip(first) {
                    self.item(each, item, path.item(position), outcome);
                }
            }
            Keyword::PrefixItems(list) => {
                for (position, (schema, item)) in list.iter().zip(items).enumerate() {
                    self.item(schema, item, path.item(position), outcome);
                }
            }
            Keyword::Contains(wanted) => self.contains(wanted, items, path, outcome),
            _ => {}
        }
    }

    fn item(&self, schema: &Schema, item: &Value, path: Path<'_>, outcome: &mut Outcome) {
        if is_no_value(item) {
            return;
        }
        if self.mode != Mode::Report && self.presence(item) == Presence::Absent {
            return;
        }
        self.value(schema, item, path, outcome);
    }

    fn contains(&self, wanted: &Schema, items: &[Value], path: Path<'_>, outcome: &mut Outcome) {
        let decide = Check { mode: Mode::Decide, ..*self };
        let mut unknown = false;
        for (position, item) in items.iter().enumerate() {
            let mut tried = Outcome::default();
            decide.value(wanted, item, path.item(position), &mut tried);
            if tried.is_valid() {
                return;
            }
            unknown |= tried.unknown;
        }
        if unknown {
            outcome.unknown = true;
        } else {
            outcome.findings.push(Finding::error(
                "missing-item",
                path.pointer(),
                "no item is the one that must be here",
            ));
        }
    }

    /// The keywords about all items that are there.
    pub(super) fn list_group(
        &self,
        keyword: &Keyword,
        items: &[Value],
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        match keyword {
            Keyword::MinItems(least) => {
                let (present, unknown) = self.count_items(items);
                if present + unknown < *least {
                    let message = format!("the list has {}, at least {least} are needed", counted(present));
                    outcome.findings.push(Finding::error("too-few-items", path.pointer(), message));
                } else if present < *least {
                    outcome.unknown = true;
                }
            }
            Keyword::MaxItems(most) => {
                let (present, unknown) = self.count_items(items);
                if present > *most {
                    let message = format!("the list has {}, at most {most} are allowed", counted(present));
                    outcome.findings.push(Finding::error("too-many-items", path.pointer(), message));
                } else if present + unknown > *most {
                    outcome.unknown = true;
                }
            }
            Keyword::UniqueItems(true) => {
                let mut seen = BTreeSet::new();
                for (position, item) in self.present(items) {
                    let text = item.to_string();
                    if seen.contains(&text) {
                        let message = format!("{} is in the list twice", shortened(&text));
                        outcome.findings.push(Finding::error(
                            "duplicate-item",
                            path.item(position).pointer(),
                            message,
                        ));
                    }
                    seen.insert(text);
                }
            }
            Keyword::UniqueKeys(names) => {
                let mut seen = BTreeSet::new();
                for (position, item) in self.present(items) {
                    let key: Option<Vec<String>> =
                        names.iter().map(|name| Some(item.get(name)?.to_string())).collect();
                    let Some(key) = key else { continue };
                    let text = key.join(", ");
                    if !seen.insert(key) {
                        let message =
                            format!("two items have the same {} {text}", super::objects::list(names));
                        outcome.findings.push(Finding::error(
                            "duplicate-item",
                            path.item(position).pointer(),
                            message,
                        ));
                    }
                }
            }
            Keyword::MaxUniqueItems(most) => {
                let distinct: BTreeSet<String> =
                    self.present(items).map(|(_, item)| item.to_string()).collect();
                if distinct.len() as u64 > *most {
                    let message = format!(
                        "the list has {} different items, at most {most} are allowed",
                        distinct.len()
                    );
                    outcome.findings.push(Finding::error("too-many-items", path.pointer(), message));
                }
            }
            _ => {}
        }
    }

    /// The items that are certainly there, with the values that settled conditions choose.
    fn present<'v>(&self, items: &'v [Value]) -> impl Iterator<Item = (usize, &'v Value)> {
        items
            .iter()
            .enumerate()
            .filter(|(_, item)| self.presence(item) == Presence::Present)
            .map(|(position, item)| (position, self.settled(item)))
    }

    fn count_items(&self, items: &[Value]) -> (u64, u64) {
        let mut counts = (0, 0);
        for item in items {
            match self.presence(item) {
                Presence::Present => counts.0 += 1,
                Presence::Unknown if super::function_of(item).is_some_and(|(name, _)| name != "Fn::If") => {
                    // A macro or a loop may leave any number of items.
                    counts.1 = u64::from(u32::MAX);
                }
                Presence::Unknown => counts.1 += 1,
                Presence::Absent => {}
            }
        }
        counts
    }
}

fn counted(items: u64) -> String {
    match items {
        0 => "no item".into(),
        1 => "1 item".into(),
        many => format!("{many} items"),
    }
}

/// A value for a message.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 {
        text.to_owned()
    } else {
        text.chars().take(77).chain("...".chars()).collect()
    }
}
