//! Conditions: known to hold, known not to hold, or open.
//!
//! What a condition guards counts only where it may hold. An open condition is told by its resolved form and not by its
//! name, so that a condition that was renamed is the same and one that was defined anew is another.

use serde_json::Value;

use super::{Guards, Reader};
use crate::json::to_compact_text;
use crate::references::only_member;

/// Conditions that stand on each other deeper than this are told by name.
const DEEPEST_CONDITION: usize = 8;

enum Truth {
    Known(bool),
    Open(String),
}

impl Reader<'_> {
    /// The guards with one condition more; nothing when the condition is known not to hold.
    pub(super) fn with(&self, guards: &Guards, condition: &str, wanted: bool) -> Option<Guards> {
        match self.condition(condition, 0) {
            Truth::Known(truth) => (truth == wanted).then(|| guards.clone()),
            Truth::Open(text) => {
                let (this, other) = (text.clone(), format!("!{text}"));
                let (this, other) = if wanted { (this, other) } else { (other, this) };
                // Both a condition and its contrary never hold.
                (!guards.contains(&other)).then(|| guards.iter().cloned().chain([this]).collect())
            }
        }
    }

    fn condition(&self, name: &str, depth: usize) -> Truth {
        match self.section("Conditions").and_then(|conditions| conditions.get(name)) {
            Some(definition) if depth < DEEPEST_CONDITION => self.truth(definition, depth + 1),
            _ => Truth::Open(name.to_owned()),
        }
    }

    fn truth(&self, definition: &Value, depth: usize) -> Truth {
        let open = || Truth::Open(to_compact_text(definition));
        let arguments = |argument: &Value| -> Vec<Truth> {
            argument.as_array().into_iter().flatten().map(|item| self.truth(item, depth)).collect()
        };
        match only_member(definition) {
            Some(("Condition", Value::String(name))) => self.condition(name, depth),
            Some(("Fn::Not", argument)) => match arguments(argument).as_slice() {
                [Truth::Known(truth)] => Truth::Known(!truth),
                [Truth::Open(text)] => Truth::Open(format!("not({text})")),
                _ => open(),
            },
            Some((name @ ("Fn::And" | "Fn::Or"), argument)) => {
                // One false ends an And, one true an Or; the other value says nothing.
                let ends = name == "Fn::Or";
                let mut left = Vec::new();
                for truth in arguments(argument) {
                    match truth {
                        Truth::Known(truth) if truth == ends => return Truth::Known(ends),
                        Truth::Known(_) => {}
                        Truth::Open(text) => left.push(text),
                    }
                }
                if left.is_empty() {
                    Truth::Known(!ends)
                } else {
                    Truth::Open(format!("{name}({})", left.join(", ")))
                }
            }
            Some(("Fn::Equals", Value::Array(sides))) => match sides.as_slice() {
                [one, other] => {
                    let (one, other) = (self.text(one), self.text(other));
                    if one == other {
                        Truth::Known(true)
                    } else if one.contains("${") || other.contains("${") {
                        Truth::Open(format!("{one} = {other}"))
                    } else {
                        Truth::Known(false)
                    }
                }
                _ => open(),
            },
            _ => open(),
        }
    }
}
