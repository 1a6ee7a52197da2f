//! Where rights or reachability grow, by what CloudFormation itself would put in the place of functions.
//!
//! Templates tell most of it. A rule whose address range is imported, however, is the same text before and after the
//! exporting stack changes the range: only the change set knows both values.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::broadening::{Broadening, Side, broadenings};
use serde_json::Value;

use super::model::StackPlan;
use crate::aws::cloudformation::ResourceChange;

/// What a change set has for a value that is known only once others are deployed.
const NOT_KNOWN_YET: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// What grows from one template to the other: what the templates tell, and what the values of a change set tell besides.
pub(crate) fn growth(old: Side<'_>, new: Side<'_>, changes: &[ResourceChange]) -> Vec<Broadening> {
    let mut found = broadenings(old, new);
    let (Some(before), Some(after)) = (
        with_values(old.template, changes, |(before, _)| before),
        with_values(new.template, changes, |(_, after)| after),
    ) else {
        return found;
    };
    let more = broadenings(Side { template: &before, ..old }, Side { template: &after, ..new })
        .into_iter()
        .filter(|more| {
            !found.iter().any(|known| known.logical_id == more.logical_id && near(known, &more.pointer))
        });
    let more: Vec<Broadening> = more.collect();
    found.extend(more);
    found
}

/// What grows in a change set that was made late and was not approved with the plan, in words. `planned` are the values
/// of parameters that the plan knew, `now` those of the change set.
pub(crate) fn beyond(
    plan: &StackPlan,
    old: Side<'_>,
    new: &Value,
    planned: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    changes: &[ResourceChange],
) -> Vec<String> {
    let approved: BTreeSet<(&str, &str)> =
        plan.broadenings.iter().map(|it| (it.logical_id.as_str(), it.words.as_str())).collect();
    let is_approved = |it: &Broadening| approved.contains(&(it.logical_id.as_str(), it.words.as_str()));
    // The same place was approved with a value that nobody knew yet, and is told in other words now.
    let places: Vec<Broadening> = broadenings(old, Side { template: new, parameters: planned })
        .into_iter()
        .filter(|it| is_approved(it))
        .collect();
    growth(old, Side { template: new, parameters: now }, changes)
        .into_iter()
        .filter(|it| !is_approved(it))
        .filter(|it| {
            !places.iter().any(|place| place.logical_id == it.logical_id && near(place, &it.pointer))
        })
        .map(|it| format!("{} ({}) {}", it.logical_id, it.resource_type, it.words))
        .collect()
}

/// Whether one place is within the other.
fn near(known: &Broadening, pointer: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(pointer, &known.pointer) || within(&known.pointer, pointer)
}

/// A template with the values that a change set tells of one side; nothing when it tells none.
fn with_values(
    template: &Value,
    changes: &[ResourceChange],
    side: impl for<'v> Fn((&'v str, &'v str)) -> &'v str,
) -> Option<Value> {
    let mut filled: Option<Value> = None;
    for change in changes {
        for detail in &change.details {
            let (Some(path), Some(before), Some(after)) = (&detail.path, &detail.before, &detail.after)
            else {
                continue;
            };
            if before.contains(NOT_KNOWN_YET) || after.contains(NOT_KNOWN_YET) {
                continue;
            }
            let pointer =
                format!("/Resources/{}{path}", change.logical_id.replace('~', "~0").replace('/', "~1"));
            if template.pointer(&pointer).is_none() {
                continue;
            }
            let place = filled.get_or_insert_with(|| template.clone()).pointer_mut(&pointer);
            if let Some(place) = place {
                *place = value(side((before, after)), place);
            }
        }
    }
    filled
}

/// The API tells every value as a text.
fn value(text: &str, instead: &Value) -> Value {
    let is_other = text.starts_with(['{', '[']) || instead.is_number() || instead.is_boolean();
    let parsed = is_other.then(|| serde_json::from_str(text).ok()).flatten();
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests;
