//! The comparison of two values of a template, down to the leaves.
//!
//! A function call is a leaf as far as a reader is concerned (`{"Ref": "A"}` became `{"Ref": "B"}`), except for the
//! functions that carry whole values of their own.

use serde_json::{Map, Value};

use super::{Change, lists, names};
use crate::broadening::give_the_same;
use crate::references::{is_function, only_member, push_pointer};

/// Functions whose arguments are values in their own right.
const CARRIERS: [&str; 2] = ["Fn::If", "Fn::Transform"];

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    /// Whether numbers and texts differ, because nothing turns one into the other.
    pub(super) exact: bool,
    /// Whether the value is part of a policy document.
    pub(super) in_policy: bool,
}

/// A place in both templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) before: String,
    pub(super) after: String,
}

impl Place {
    pub(super) fn member(&self, name: &str) -> Self {
        let mut place = self.clone();
        push_pointer(&mut place.before, name);
        push_pointer(&mut place.after, name);
        place
    }

    pub(super) fn item(&self, before: usize, after: usize) -> Self {
        Self { before: format!("{}/{before}", self.before), after: format!("{}/{after}", self.after) }
    }
}

/// The differences of two values at one pointer. Numbers and their texts differ when it has to be `exact`.
pub(super) fn compare(
    pointer: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    exact: bool,
) -> Vec<Change> {
    let mut found = Vec::new();
    let place = Place { before: pointer.to_owned(), after: pointer.to_owned() };
    value(&place, before, after, Mode { exact, in_policy: false }, &mut found);
    found
}

/// The differences of a resource.
pub(super) fn resource(pointer: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let place = Place { before: pointer.to_owned(), after: pointer.to_owned() };
    let mode = Mode { exact: false, in_policy: false };
    let mut found = Vec::new();
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) else {
        value(&place, before, after, mode, &mut found);
        return found;
    };
    for name in names(old, new) {
        let place = place.member(name);
        let (before, after) = (old.get(name), new.get(name));
        match name.as_str() {
            "DependsOn" => lists::depends_on(&place, before, after, &mut found),
            "Metadata" => value(&place, before, after, Mode { exact: true, ..mode }, &mut found),
            "Properties" => properties(&place, before, after, mode, &mut found),
            _ => value(&place, before, after, mode, &mut found),
        }
    }
    found
}

/// The properties are compared one by one also when one side has none, so that each is named.
fn properties(
    place: &Place,
    before: Option<&Value>,
    after: Option<&Value>,
    mode: Mode,
    found: &mut Vec<Change>,
) {
    let empty = Map::new();
    let side = |value: Option<&'_ Value>| value.is_none_or(Value::is_object);
    if !side(before) || !side(after) {
        return value(place, before, after, mode, found);
    }
    let old = before.and_then(Value::as_object).unwrap_or(&empty);
    let new = after.and_then(Value::as_object).unwrap_or(&empty);
    if old.is_empty() && new.is_empty() {
        // `Properties: {}` and no properties are the same to CloudFormation.
        if before.is_some() != after.is_some() {
            push(place, before, after, true, found);
        }
        return;
    }
    members(place, old, new, mode, found);
}

pub(super) fn push(
    place: &Place,
    before: Option<&Value>,
    after: Option<&Value>,
    alike: bool,
    found: &mut Vec<Change>,
) {
    let pointer = if after.is_some() { &place.after } else { &place.before };
    found.push(Change {
        pointer: pointer.clone(),
        pointer_before: (before.is_some() && *pointer != place.before).then(|| place.before.clone()),
        before: before.cloned(),
        after: after.cloned(),
        alike,
    });
}

pub(super) fn value(
    place: &Place,
    before: Option<&Value>,
    after: Option<&Value>,
    mode: Mode,
    found: &mut Vec<Change>,
) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => match opens(before, after) {
            Opening::Members => members(place, old, new, mode, found),
            Opening::Arguments(name, before, after) => {
                let place = place.member(name);
                for (index, (before, after)) in before.iter().zip(after).enumerate() {
                    value(&place.item(index, index), Some(before), Some(after), mode, found);
                }
            }
            Opening::Closed => push(place, before, after, both_alike(before, after, mode), found),
        },
        (Some(Value::Array(old)), Some(Value::Array(new))) if !old.is_empty() && !new.is_empty() => {
            lists::items(place, old, new, mode, found);
        }
        (Some(old), Some(new)) => push(place, before, after, alike(old, new, mode), found),
        _ => push(place, before, after, false, found),
    }
}

/// How two objects are compared.
enum Opening<'v> {
    /// Member by member.
    Members,
    /// As two calls of one function that carries values, argument by argument.
    Arguments(&'v str, &'v [Value], &'v [Value]),
    /// As a whole.
    Closed,
}

fn opens<'v>(before: Option<&'v Value>, after: Option<&'v Value>) -> Opening<'v> {
    let call = |value: Option<&'v Value>| value.and_then(only_member).filter(|(name, _)| is_function(name));
    match (call(before), call(after)) {
        (None, None) => Opening::Members,
        (Some((old, before)), Some((new, after))) if old == new && CARRIERS.contains(&old) => {
            match (before.as_array(), after.as_array()) {
                (Some(before), Some(after)) if before.len() == after.len() => {
                    Opening::Arguments(old, before, after)
                }
                (None, None) if before.is_object() && after.is_object() => Opening::Members,
                _ => Opening::Closed,
            }
        }
        _ => Opening::Closed,
    }
}

fn members(
    place: &Place,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    mode: Mode,
    found: &mut Vec<Change>,
) {
    // A policy document is known by its statements, wherever it stands.
    let is_policy = |members: &Map<String, Value>| members.contains_key("Statement");
    let mode = Mode { in_policy: mode.in_policy || is_policy(old) && is_policy(new), ..mode };
    for name in names(old, new) {
        let place = place.member(name);
        let (before, after) = (old.get(name), new.get(name));
        // In a policy, one value and a list with it are the same.
        if mode.in_policy && before != after && before.is_some() && after.is_some() {
            let lone = |value: Option<&Value>| match value {
                Some(Value::Array(_)) | None => None,
                Some(one) => Some(Value::Array(vec![one.clone()])),
            };
            let listed = |value: Option<&Value>| lone(value).or_else(|| value.cloned());
            if lone(before).is_some() != lone(after).is_some() && listed(before) == listed(after) {
                push(&place, before, after, true, found);
                continue;
            }
        }
        value(&place, before, after, mode, found);
    }
}

fn both_alike(before: Option<&Value>, after: Option<&Value>, mode: Mode) -> bool {
    before.zip(after).is_some_and(|(before, after)| alike(before, after, mode))
}

/// Whether CloudFormation takes two different values for the same: a number or a truth value and its text, functions
/// that give the same.
pub(super) fn alike(before: &Value, after: &Value, mode: Mode) -> bool {
    if before == after {
        return true;
    }
    if mode.exact {
        return false;
    }
    match (before, after) {
        (Value::Object(_), _) | (_, Value::Object(_)) => give_the_same(before, after),
        (Value::String(text), other) | (other, Value::String(text)) => match other {
            Value::Bool(truth) => *text == truth.to_string(),
            Value::Number(number) => *text == number.to_string(),
            _ => false,
        },
        (Value::Number(old), Value::Number(new)) => old.as_f64() == new.as_f64() && old.as_f64().is_some(),
        _ => false,
    }
}
