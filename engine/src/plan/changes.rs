//! What a template alone tells about the changes of a stack, and what of it would lose data.
//!
//! A change set says it better, because CloudFormation knows the values. Where none can be made yet (the stack waits for
//! outputs of others, or nothing may be written), the templates are compared and the facts of the types say what would
//! be replaced.

use std::collections::BTreeSet;

use formwork_schema::Replacement as Fact;
use serde_json::Value;

use super::input::entries;
use super::model::{Loss, LossKind};
use crate::aws::cloudformation::{ChangeAction, ChangeDetail, Replacement, ResourceChange};

/// The changes from a deployed template to a new one; without a deployed one, everything is added.
pub(crate) fn between(deployed: Option<&Value>, new: &Value) -> Vec<ResourceChange> {
    let none = Value::Null;
    let old = deployed.unwrap_or(&none);
    let names: BTreeSet<&str> =
        entries(old, "Resources").chain(entries(new, "Resources")).map(|(name, _)| name).collect();
    let mut changes = Vec::new();
    for name in names {
        let before = old.get("Resources").and_then(|section| section.get(name));
        let after = new.get("Resources").and_then(|section| section.get(name));
        let kind = |body: &Value| body.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match (before, after) {
            (None, Some(after)) => changes.push(change(ChangeAction::Add, name, kind(after))),
            (Some(before), None) => {
                let mut removed = change(ChangeAction::Remove, name, kind(before));
                removed.policy_action = policy_action(before, "DeletionPolicy", "");
                changes.push(removed);
            }
            (Some(before), Some(after)) if before != after => {
                changes.push(modified(name, &kind(before), &kind(after), before, after));
            }
            _ => {}
        }
    }
    changes
}

fn change(action: ChangeAction, name: &str, resource_type: String) -> ResourceChange {
    ResourceChange {
        action,
        logical_id: name.to_owned(),
        physical_id: None,
        resource_type,
        replacement: None,
        policy_action: None,
        scope: Vec::new(),
        details: Vec::new(),
        nested_change_set: None,
        drift: None,
    }
}

fn modified(name: &str, old_type: &str, new_type: &str, before: &Value, after: &Value) -> ResourceChange {
    let mut modified = change(ChangeAction::Modify, name, new_type.to_owned());
    let facts = formwork_schema::resource_type(new_type);
    let mut worst = Fact::Never;
    let attributes: BTreeSet<&String> =
        before.as_object().into_iter().chain(after.as_object()).flat_map(|object| object.keys()).collect();
    for attribute in attributes {
        let (old, new) = (before.get(attribute), after.get(attribute));
        if old == new {
            continue;
        }
        modified.scope.push(attribute.clone());
        if attribute != "Properties" {
            modified.details.push(detail(attribute, None, old, new, None));
            continue;
        }
        for (path, old, new) in leaves(old, new) {
            let fact = facts.map_or(Fact::Never, |facts| facts.replacement(&path));
            worst = severer(worst, fact);
            let property = path.split('/').next().unwrap_or_default().to_owned();
            let recreation = match fact {
                Fact::Always => "Always",
                Fact::Conditional => "Conditionally",
                Fact::Never => "Never",
            };
            let mut told = detail(attribute, Some(property), old, new, Some(recreation));
            told.path = Some(format!("/Properties/{path}"));
            modified.details.push(told);
        }
    }
    if old_type != new_type {
        worst = Fact::Always;
    }
    let replacement = match worst {
        Fact::Always => Replacement::True,
        Fact::Conditional => Replacement::Conditional,
        Fact::Never => Replacement::False,
    };
    if replacement != Replacement::False {
        modified.policy_action = policy_action(after, "UpdateReplacePolicy", "ReplaceAnd");
    }
    modified.replacement = Some(replacement);
    modified
}

fn severer(one: Fact, other: Fact) -> Fact {
    match (one, other) {
        (Fact::Always, _) | (_, Fact::Always) => Fact::Always,
        (Fact::Conditional, _) | (_, Fact::Conditional) => Fact::Conditional,
        _ => Fact::Never,
    }
}

fn detail(
    attribute: &str,
    name: Option<String>,
    old: Option<&Value>,
    new: Option<&Value>,
    recreation: Option<&str>,
) -> ChangeDetail {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => formwork_assembly::json::to_compact_text(other),
    };
    ChangeDetail {
        attribute: attribute.to_owned(),
        name,
        path: None,
        recreation: recreation.map(str::to_owned),
        before: old.map(text),
        after: new.map(text),
        cause: None,
    }
}

type Leaf<'v> = (String, Option<&'v Value>, Option<&'v Value>);

/// The deepest places at which two values differ, as `/`-separated paths; lists and functions are one place.
fn leaves<'v>(old: Option<&'v Value>, new: Option<&'v Value>) -> Vec<Leaf<'v>> {
    let mut found = Vec::new();
    walk(String::new(), old, new, &mut found);
    found
}

fn walk<'v>(path: String, old: Option<&'v Value>, new: Option<&'v Value>, found: &mut Vec<Leaf<'v>>) {
    if old == new {
        return;
    }
    let is_function = |value: Option<&Value>| {
        value.and_then(Value::as_object).is_some_and(|object| {
            object.len() == 1 && object.keys().any(|key| key == "Ref" || key.starts_with("Fn::"))
        })
    };
    let top = path.is_empty();
    match (old.and_then(Value::as_object), new.and_then(Value::as_object)) {
        (before, after) if top || (before.is_some() && after.is_some()) => {
            if !top && (is_function(old) || is_function(new)) {
                found.push((path, old, new));
                return;
            }
            let names: BTreeSet<&String> =
                before.into_iter().chain(after).flat_map(|object| object.keys()).collect();
            for name in names {
                let deeper = if top { name.clone() } else { format!("{path}/{name}") };
                let (old, new) = (before.and_then(|o| o.get(name)), after.and_then(|o| o.get(name)));
                walk(deeper, old, new, found);
            }
        }
        _ => found.push((path, old, new)),
    }
}

fn policy_action(resource: &Value, attribute: &str, prefix: &str) -> Option<String> {
    let policy = resource.get(attribute).and_then(Value::as_str).unwrap_or("Delete");
    let word = match policy {
        "Retain" => "Retain",
        "RetainExceptOnCreate" => "Retain",
        "Snapshot" => "Snapshot",
        _ => "Delete",
    };
    Some(format!("{prefix}{word}"))
}

/// What of the changes would lose data: stateful resources that are replaced, or deleted without being retained.
pub(crate) fn losses(changes: &[ResourceChange], deployed: Option<&Value>, new: Option<&Value>) -> Vec<Loss> {
    changes.iter().filter_map(|change| loss(change, deployed, new)).collect()
}

fn loss(change: &ResourceChange, deployed: Option<&Value>, new: Option<&Value>) -> Option<Loss> {
    let reason = stateful(&change.resource_type)?;
    let id = change.logical_id.as_str();
    let policy = |template: Option<&Value>, attribute: &str, prefix: &str| match &change.policy_action {
        Some(action) => Some(action.clone()),
        None => {
            let resource = template?.get("Resources")?.get(id)?;
            policy_action(resource, attribute, prefix)
        }
    };
    let (by, verb, kept) = match (&change.action, &change.replacement) {
        (ChangeAction::Remove, _) => (LossKind::Delete, "is deleted", policy(deployed, "DeletionPolicy", "")),
        (_, Some(Replacement::True)) => {
            (LossKind::Replace, "is replaced", policy(new, "UpdateReplacePolicy", "ReplaceAnd"))
        }
        (_, Some(Replacement::Conditional)) => {
            (LossKind::Replace, "may be replaced", policy(new, "UpdateReplacePolicy", "ReplaceAnd"))
        }
        _ => return None,
    };
    let kept = kept.unwrap_or_default();
    if kept == "Retain" {
        return None;
    }
    let rest = match kept.as_str() {
        "ReplaceAndRetain" => "the old one stays outside the stack, the new one starts empty",
        "Snapshot" | "ReplaceAndSnapshot" => "a snapshot is kept",
        _ => "what it holds is lost",
    };
    Some(Loss {
        logical_id: id.to_owned(),
        resource_type: change.resource_type.clone(),
        by,
        words: format!("{id} {verb}: {rest} ({reason})"),
    })
}

/// Why a type holds data; `None` when it does not.
pub(crate) fn stateful(resource_type: &str) -> Option<String> {
    let facts = formwork_schema::resource_type(resource_type)?;
    facts.stateful_reason().map(str::to_owned)
}
