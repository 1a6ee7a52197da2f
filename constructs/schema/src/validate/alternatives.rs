//! Alternatives: `anyOf`, `oneOf`, `not`, `if`.
//!
//! A branch is decided on its own. Where a function's value decides, nothing is reported. Where no branch holds, the
//! nearest one speaks: the one with the fewest mistakes is most likely the one that was meant.

use serde_json::Value;

use super::objects::list;
use super::{Check, Mode, Outcome, Path};
use crate::finding::Finding;
use crate::keyword::Keyword;
use crate::schema::Schema;

impl Check<'_> {
    fn decide(&self, schema: &Schema, value: &Value, path: Path<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        Check { mode: Mode::Decide, ..*self }.value(schema, value, path, &mut outcome);
        outcome
    }

    pub(super) fn any_of(&self, branches: &[Schema], value: &Value, path: Path<'_>, outcome: &mut Outcome) {
        let mut failed = Vec::new();
        let mut unknown = false;
        for branch in branches {
            let tried = self.decide(branch, value, path);
            if tried.is_valid() {
                return;
            }
            unknown |= tried.unknown;
            failed.push(tried);
        }
        if unknown {
            outcome.unknown = true;
        } else {
            outcome.findings.extend(nearest(branches, failed, path));
        }
    }

    pub(super) fn one_of(&self, branches: &[Schema], value: &Value, path: Path<'_>, outcome: &mut Outcome) {
        let mut failed = Vec::new();
        let mut valid = Vec::new();
        let mut unknown = false;
        for branch in branches {
            let tried = self.decide(branch, value, path);
            if tried.is_valid() {
                valid.push(branch);
            } else {
                unknown |= tried.unknown;
                failed.push(tried);
            }
        }
        if valid.len() > 1 {
            let names: Option<Vec<&str>> = valid.iter().map(|branch| distinguishing(branch)).collect();
            let finding = match names {
                Some(names) => Finding::error(
                    "mutually-exclusive",
                    path.pointer(),
                    format!("{} exclude each other", list(&names)),
                )
                .with_hint("keep one of them"),
                None => {
                    Finding::error("ambiguous", path.pointer(), "several alternatives match, exactly one may")
                }
            };
            outcome.findings.push(finding);
        } else if unknown {
            outcome.unknown = true;
        } else if valid.is_empty() {
            outcome.findings.extend(nearest(branches, failed, path));
        }
    }

    pub(super) fn not(&self, schema: &Schema, value: &Value, path: Path<'_>, outcome: &mut Outcome) {
        let tried = self.decide(schema, value, path);
        if tried.unknown {
            outcome.unknown = true;
        } else if tried.has_no_error() {
            let shown = super::lists::shortened(&value.to_string());
            outcome.findings.push(Finding::error(
                "forbidden-value",
                path.pointer(),
                format!("{shown} is not allowed here"),
            ));
        }
    }

    pub(super) fn if_then(&self, schema: &Schema, value: &Value, path: Path<'_>, outcome: &mut Outcome) {
        let mut condition = None;
        let mut then = None;
        let mut otherwise = None;
        for keyword in schema.keywords() {
            match keyword {
                Keyword::If(schema) => condition = Some(schema),
                Keyword::Then(schema) => then = Some(schema),
                Keyword::Else(schema) => otherwise = Some(schema),
                _ => {}
            }
        }
        let Some(condition) = condition else { return };
        let tried = self.decide(condition, value, path);
        if tried.unknown {
            outcome.unknown = true;
            return;
        }
        let chosen = if tried.has_no_error() { then } else { otherwise };
        if let Some(chosen) = chosen {
            self.value(chosen, value, path, outcome);
        }
    }
}

/// The one property that a branch requires and nothing else, which then tells it from the others.
fn distinguishing(branch: &Schema) -> Option<&str> {
    match branch.required() {
        [name] => Some(name),
        _ => None,
    }
}

/// What to say when no branch holds.
fn nearest(branches: &[Schema], failed: Vec<Outcome>, path: Path<'_>) -> Vec<Finding> {
    // "one of these properties" is written as branches that require one property each.
    let missing: Option<Vec<&str>> = branches.iter().map(distinguishing).collect();
    let only_missing = failed
        .iter()
        .all(|outcome| matches!(outcome.findings.as_slice(), [one] if one.rule == "missing-required"));
    if let (Some(names), true) = (missing, only_missing) {
        let finding =
            Finding::error("required-one-of", path.pointer(), format!("one of {} is required", list(&names)));
        return vec![finding.with_hint("add one of them")];
    }
    // All branches want texts or names of some form: say all forms rather than one of them.
    let formats: Option<Vec<&str>> = branches.iter().map(Schema::format).collect();
    if let (Some(formats), Some(first)) =
        (formats, failed.first().and_then(|outcome| outcome.findings.first()))
    {
        let message = format!("{}, nor one of {}", first.message, list(&formats[1..]));
        return vec![Finding { message, ..first.clone() }];
    }
    failed
        .into_iter()
        .map(|outcome| outcome.findings)
        .filter(|findings| !findings.is_empty())
        // A wrong type means that another branch was meant.
        .min_by_key(|findings| {
            let wrong_type = findings
                .iter()
                .any(|finding| finding.rule == "wrong-type" && finding.pointer == path.pointer());
            (wrong_type, findings.len())
        })
        .unwrap_or_default()
}
