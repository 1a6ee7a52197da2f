//! What conditions leave in an object or a list, and the rules that depend on it.
//!
//! A condition is tried with both values, one condition at a time: the cost stays linear in the number of conditions,
//! and what would need two of them at once is left undecided.

use std::collections::BTreeSet;

use serde_json::Value;

use super::functions::{function_of, is_loop};
use super::{Assumption, Check, Mode, Outcome, Path};
use crate::finding::Finding;
use crate::keyword::Keyword;
use crate::schema::Schema;

/// More conditions than these in one object are left undecided, so that a template made to be slow is not.
const MOST_CONDITIONS: usize = 16;

/// Whether a property or item is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    Absent,
    Unknown,
}

/// Whether a value is `Ref: AWS::NoValue`, which removes what it stands for.
pub(super) fn is_no_value(value: &Value) -> bool {
    matches!(function_of(value), Some(("Ref", Value::String(name))) if name == "AWS::NoValue")
}

impl Check<'_> {
    /// Whether a value is there, given the settled conditions.
    pub(super) fn presence(&self, value: &Value) -> Presence {
        if is_no_value(value) {
            return Presence::Absent;
        }
        match function_of(value) {
            Some(("Fn::If", Value::Array(arguments))) => {
                let [Value::String(condition), then, otherwise] = arguments.as_slice() else {
                    return Presence::Unknown;
                };
                match self.assumed(condition) {
                    Some(true) => self.presence(then),
                    Some(false) => self.presence(otherwise),
                    None => match (self.presence(then), self.presence(otherwise)) {
                        (one, other) if one == other => one,
                        _ => Presence::Unknown,
                    },
                }
            }
            // What a macro or a loop leaves behind is known to nobody.
            Some(("Fn::Transform", _)) => Presence::Unknown,
            Some((name, _)) if is_loop(name) => Presence::Unknown,
            _ => Presence::Present,
        }
    }

    /// Whether a property of an object is there. A macro or a loop beside it may add it.
    pub(super) fn property_presence(&self, value: &Value, name: &str) -> Presence {
        let Some(map) = value.as_object() else { return Presence::Absent };
        match map.get(name) {
            Some(value) => self.presence(value),
            None if map.keys().any(|key| key == "Fn::Transform" || is_loop(key)) => Presence::Unknown,
            None => Presence::Absent,
        }
    }

    /// Applies the keywords that depend on which properties or items are there, under each value of each condition.
    pub(super) fn grouped(&self, schema: &Schema, value: &Value, path: Path<'_>, outcome: &mut Outcome) {
        if !schema.keywords().iter().any(is_grouped) {
            return;
        }
        self.group(schema, value, path, outcome);
        if self.mode == Mode::Decide {
            return;
        }
        for condition in self.open_conditions(value) {
            for settled in [true, false] {
                let mut assumptions: Vec<Assumption<'_>> = self.assumptions.to_vec();
                assumptions.push((condition, settled));
                if !self.is_possible(&assumptions) {
                    continue;
                }
                let check = Check { assumptions: &assumptions, ..*self };
                let mut tried = Outcome::default();
                check.group(schema, value, path, &mut tried);
                for finding in tried.findings {
                    let known = |other: &Finding| {
                        other.pointer == finding.pointer && finding.message.starts_with(&other.message)
                    };
                    if !outcome.findings.iter().any(known) {
                        let state = if settled { "true" } else { "false" };
                        let message = format!("{} when condition `{condition}` is {state}", finding.message);
                        outcome.findings.push(Finding { message, ..finding });
                    }
                }
            }
        }
    }

    fn group(&self, schema: &Schema, value: &Value, path: Path<'_>, outcome: &mut Outcome) {
        for keyword in schema.keywords() {
            match value {
                Value::Object(_) => self.object_group(keyword, value, path, outcome),
                Value::Array(items) => self.list_group(keyword, items, path, outcome),
                _ => {}
            }
        }
        self.if_then(schema, value, path, outcome);
    }

    fn is_possible(&self, assumptions: &[Assumption<'_>]) -> bool {
        match self.context.possible {
            Some(possible) => possible(assumptions),
            None => assumptions.len() == 1,
        }
    }

    /// The conditions that decide about direct parts of a value and are not settled.
    fn open_conditions<'v>(&self, value: &'v Value) -> Vec<&'v str> {
        let mut found = BTreeSet::new();
        match value {
            Value::Object(map) => map.values().for_each(|value| self.conditions_of(value, &mut found)),
            Value::Array(items) => items.iter().for_each(|value| self.conditions_of(value, &mut found)),
            _ => {}
        }
        if found.len() > MOST_CONDITIONS { Vec::new() } else { found.into_iter().collect() }
    }

    fn conditions_of<'v>(&self, value: &'v Value, found: &mut BTreeSet<&'v str>) {
        if let Some(("Fn::If", Value::Array(arguments))) = function_of(value)
            && let [Value::String(condition), branches @ ..] = arguments.as_slice()
        {
            if self.assumed(condition).is_none() {
                found.insert(condition);
            }
            branches.iter().for_each(|branch| self.conditions_of(branch, found));
        }
    }
}

/// Whether a keyword depends on which properties or items are there.
fn is_grouped(keyword: &Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Required(_)
            | Keyword::RequiredOr(_)
            | Keyword::RequiredXor(_)
            | Keyword::DependentRequired(_)
            | Keyword::DependentExcluded(_)
            | Keyword::DependentSchemas(_)
            | Keyword::MinProperties(_)
            | Keyword::MaxProperties(_)
            | Keyword::MinItems(_)
            | Keyword::MaxItems(_)
            | Keyword::UniqueItems(_)
            | Keyword::UniqueKeys(_)
            | Keyword::MaxUniqueItems(_)
            | Keyword::NotAbove(_)
            | Keyword::If(_)
    )
}
