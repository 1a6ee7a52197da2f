//! The single parts of a change: attributes beside the properties, contexts, removals.

use serde_json::{Map, Value};

use crate::cloudformation::state::{Change, Detail, StackResource};
use crate::cloudformation::template::parameters;

/// `True`, `False` or `Conditional`.
pub(super) fn replacement(details: &[Detail]) -> &'static str {
    let sure = details.iter().any(|it| it.recreation == "Always" && it.evaluation == "Static");
    let perhaps = details.iter().any(|it| it.recreation == "Always" || it.recreation == "Conditionally");
    match (sure, perhaps) {
        (true, _) => "True",
        (false, true) => "Conditional",
        _ => "False",
    }
}

pub(super) fn attribute_details(old: &Value, new: &Value) -> Vec<Detail> {
    let mut details = Vec::new();
    for attribute in ["Metadata", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy", "CreationPolicy"] {
        let (before, after) = (old.get(attribute), new.get(attribute));
        if before != after {
            details.push(Detail {
                attribute,
                path: format!("/{attribute}"),
                recreation: "",
                before: before.map(parameters::plain),
                after: after.map(parameters::plain),
                evaluation: "Static",
                source: "DirectModification",
                ..Detail::default()
            });
        }
    }
    details
}

pub(super) fn told(properties: &Value, pointer: &str) -> Option<String> {
    properties.pointer(pointer).map(parameters::plain)
}

pub(super) fn context(properties: &Value, declaration: &Value) -> String {
    let mut members = Map::new();
    members.insert("Properties".to_owned(), properties.clone());
    for name in ["Metadata", "DeletionPolicy", "UpdateReplacePolicy"] {
        if let Some(value) = declaration.get(name) {
            members.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(members).to_string()
}

pub(super) fn removal(id: &str, resource: &StackResource) -> Change {
    Change {
        action: "Remove",
        logical_id: id.to_owned(),
        physical_id: resource.physical_id.clone(),
        resource_type: resource.resource_type.clone(),
        replacement: None,
        policy_action: Some(match resource.policy("DeletionPolicy") {
            Some("Retain" | "RetainExceptOnCreate") => "Retain",
            Some("Snapshot") => "Snapshot",
            _ => "Delete",
        }),
        scope: Vec::new(),
        details: Vec::new(),
        before: Some(context(&resource.shown, &resource.declaration)),
        after: None,
        change_set_id: None,
        drift: None,
    }
}
