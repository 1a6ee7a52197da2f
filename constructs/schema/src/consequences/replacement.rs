//! Whether the change of a property replaces its resource.
//!
//! A fact may speak of a place above the change, at it or below it: of `NetworkInterfaces` as a whole, or of one member
//! deep inside a value that was added in one piece.

use serde_json::Value;

use super::loss;
use crate::{Replacement, ResourceType};

/// What a change at a path below `Properties` means for a resource of a type.
pub(super) fn of_change(
    resource_type: &str,
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Replacement {
    let Some(facts) = facts(resource_type) else { return Replacement::Conditional };
    if let Some(custom) = loss::custom(resource_type)
        && custom.replaced_by.iter().any(|property| path.split('/').next() == Some(property))
    {
        return Replacement::Always;
    }
    let (path, is_chosen) = plain(path);
    let worst = stronger(facts.replacement(&path), below(facts, &path, before, after));
    // In a branch of a condition that is not taken, nothing changes.
    if is_chosen && worst == Replacement::Always { Replacement::Conditional } else { worst }
}

/// What a changed value that a function brings to a path means: the same, except that it may come out as it was.
pub(super) fn of_place(resource_type: &str, path: &str) -> Replacement {
    of_change(resource_type, path, None, None)
}

/// The facts of a type; custom resources share theirs.
fn facts(resource_type: &str) -> Option<&'static ResourceType> {
    crate::type_for(resource_type).ok()
}

pub(super) fn stronger(one: Replacement, other: Replacement) -> Replacement {
    if rank(one) >= rank(other) { one } else { other }
}

/// How strong a statement is.
pub(super) fn rank(replacement: Replacement) -> u8 {
    match replacement {
        Replacement::Never => 0,
        Replacement::Conditional => 1,
        Replacement::Always => 2,
    }
}

/// The property that a path leads to, without the functions around its value.
pub(super) fn property(path: &str) -> String {
    plain(path).0
}

/// A path without the functions that only choose a value, and whether there was one; what follows another function is
/// its argument and no property.
fn plain(path: &str) -> (String, bool) {
    let (mut parts, mut is_chosen) = (Vec::new(), false);
    let mut rest = path.split('/');
    while let Some(part) = rest.next() {
        match part {
            "Fn::If" => {
                is_chosen = true;
                rest.next();
            }
            "Ref" => break,
            function if function.starts_with("Fn::") => break,
            part => parts.push(part),
        }
    }
    (parts.join("/"), is_chosen)
}

/// What facts about places below the path say of the two values.
fn below(facts: &ResourceType, path: &str, before: Option<&Value>, after: Option<&Value>) -> Replacement {
    let lists = [
        (facts.create_only(), Replacement::Always),
        (facts.conditional_create_only(), Replacement::Conditional),
    ];
    let mut worst = Replacement::Never;
    for (list, replacement) in lists {
        for known in list {
            let Some((ends_in_item, rest)) = remainder(known, path) else { continue };
            let found = match differs(&rest, before, after) {
                Difference::None => Replacement::Never,
                Difference::Perhaps => Replacement::Conditional,
                // An item that came or went is not a change of an item; providers differ in what they make of it.
                Difference::Sure if ends_in_item && (before.is_none() || after.is_none()) => {
                    Replacement::Conditional
                }
                Difference::Sure => replacement,
            };
            worst = stronger(worst, found);
        }
    }
    worst
}

/// What is left of a known path below another path, and whether the other one ends at an item of a list.
fn remainder<'k>(known: &'k str, path: &str) -> Option<(bool, Vec<&'k str>)> {
    let mut parts = known.split('/');
    let mut ends_in_item = false;
    for have in path.split('/') {
        let want = parts.next()?;
        ends_in_item = want == "*";
        let is_item = have == "*" || have.bytes().all(|byte| byte.is_ascii_digit());
        if have != want && !(ends_in_item && is_item) {
            return None;
        }
    }
    let rest: Vec<&str> = parts.collect();
    (!rest.is_empty()).then_some((ends_in_item, rest))
}

enum Difference {
    None,
    Perhaps,
    Sure,
}

/// Whether two values differ at a path below them.
fn differs(path: &[&str], before: Option<&Value>, after: Option<&Value>) -> Difference {
    if before == after {
        return Difference::None;
    }
    let Some((part, rest)) = path.split_first() else { return Difference::Sure };
    let is_function = |value: Option<&Value>| {
        value
            .and_then(formwork_assembly::references::only_member)
            .is_some_and(|(name, _)| formwork_assembly::references::is_function(name))
    };
    if is_function(before) || is_function(after) {
        return Difference::Perhaps;
    }
    if *part != "*" {
        return differs(
            rest,
            before.and_then(|value| value.get(part)),
            after.and_then(|value| value.get(part)),
        );
    }
    let (old, new) = (items(before), items(after));
    let changed =
        old.iter().zip(new).any(|(old, new)| matches!(differs(rest, Some(old), Some(new)), Difference::Sure));
    let longer = if old.len() > new.len() { &old[new.len()..] } else { &new[old.len()..] };
    let has_more = longer.iter().any(|item| !matches!(differs(rest, None, Some(item)), Difference::None));
    match (changed, has_more) {
        (true, false) if old.len() == new.len() => Difference::Sure,
        (false, false) => Difference::None,
        _ => Difference::Perhaps,
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
