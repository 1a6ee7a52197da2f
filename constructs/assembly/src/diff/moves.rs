//! Resources that are probably the same under another logical id.
//!
//! A construct that was renamed or moved in the tree gets another logical id, which CloudFormation takes for one
//! resource deleted and another made. The two have the same type and nearly the same properties.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ChangeKind, ResourceDiff, lists};
use crate::references::{is_function, only_member};

/// The least part of the properties that both share.
const SAME_RESOURCE: f64 = 0.75;

/// A removed and an added resource that are probably one.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The logical id in the old template.
    pub from: String,
    /// The logical id in the new template.
    pub to: String,
    /// The type of both.
    pub resource_type: String,
    /// The part of the properties that both share, from 0 to 1.
    pub similarity: f64,
}

pub(super) fn find(resources: &[ResourceDiff]) -> Vec<Move> {
    let of = |kind: ChangeKind| resources.iter().filter(move |resource| resource.kind == kind);
    // Resources that move together name each other by their new ids; such names must not tell them apart.
    let strangers: BTreeSet<&str> = of(ChangeKind::Added)
        .chain(of(ChangeKind::Removed))
        .map(|resource| resource.logical_id.as_str())
        .collect();
    let properties = |resource: &ResourceDiff| {
        let whole = resource.changes.first();
        let whole = whole.and_then(|change| change.before.as_ref().or(change.after.as_ref()));
        whole
            .and_then(|whole| whole.get("Properties"))
            .map_or(Value::Null, |value| blurred(value, &strangers))
    };
    let added: Vec<(&ResourceDiff, Value)> =
        of(ChangeKind::Added).map(|resource| (resource, properties(resource))).collect();
    let mut candidates: Vec<Move> = Vec::new();
    for old in of(ChangeKind::Removed) {
        let before = properties(old);
        for (new, after) in added.iter().filter(|(new, _)| new.resource_type() == old.resource_type()) {
            let similarity = lists::similarity(&before, after);
            if similarity >= SAME_RESOURCE {
                candidates.push(Move {
                    from: old.logical_id.clone(),
                    to: new.logical_id.clone(),
                    resource_type: old.resource_type().to_owned(),
                    similarity,
                });
            }
        }
    }
    // The nearest pairs first; of equal ones, those whose names begin alike.
    candidates.sort_by(|one, other| {
        let likeness = |pair: &Move| common_prefix(&pair.from, &pair.to);
        other.similarity.total_cmp(&one.similarity).then(likeness(other).cmp(&likeness(one)))
    });
    let (mut taken, mut moves) = (BTreeSet::new(), Vec::new());
    for candidate in candidates {
        let ends = [("from", candidate.from.clone()), ("to", candidate.to.clone())];
        if ends.iter().all(|end| !taken.contains(end)) {
            taken.extend(ends);
            moves.push(candidate);
        }
    }
    moves.sort_by(|one, other| one.from.cmp(&other.from));
    moves
}

fn common_prefix(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(left, right)| left == right).count()
}

/// The value with the given logical ids blotted out where functions name them.
fn blurred(value: &Value, strangers: &BTreeSet<&str>) -> Value {
    match value {
        Value::Object(members) => match only_member(value) {
            Some((name, argument)) if is_function(name) => {
                let text = argument.to_string();
                let named = |id: &&&str| {
                    text.contains(&format!("\"{id}\""))
                        || text.contains(&format!("\"{id}."))
                        || text.contains(&format!("${{{id}"))
                };
                match strangers.iter().filter(named).max_by_key(|id| id.len()) {
                    Some(id) => Value::from(format!("{name}{}", text.replace(*id, "?"))),
                    None => value.clone(),
                }
            }
            _ => Value::Object(
                members.iter().map(|(name, member)| (name.clone(), blurred(member, strangers))).collect(),
            ),
        },
        Value::Array(items) => items.iter().map(|item| blurred(item, strangers)).collect(),
        scalar => scalar.clone(),
    }
}
