//! What a template alone tells about the changes of a stack, and what of it would lose data.
//!
//! A change set says it better, because CloudFormation knows the values. Where none can be made yet (the stack waits for
//! outputs of others, or nothing may be written), the templates are compared and the facts of the types say what would
//! be replaced.

use std::collections::BTreeMap;

use formwork_assembly::diff::{Change, ResourceDiff, diff};
use formwork_schema::Replacement as Fact;
use formwork_schema::consequences::{Cause, Consequence, Outcome, consequences, loss_words};
use serde_json::Value;

use super::model::{Loss, LossKind};
use crate::aws::cloudformation::{ChangeAction, ChangeDetail, Replacement, ResourceChange};

/// The changes from a deployed template to a new one; without a deployed one, everything is added.
pub(crate) fn between(deployed: Option<&Value>, new: &Value) -> Vec<ResourceChange> {
    let none = Value::Null;
    let old = deployed.unwrap_or(&none);
    let differences = diff(old, new);
    let direct: BTreeMap<&str, &ResourceDiff> =
        differences.resources.iter().map(|resource| (resource.logical_id.as_str(), resource)).collect();
    consequences(&differences, old, new)
        .iter()
        .map(|consequence| {
            change(consequence, direct.get(consequence.logical_id.as_str()).copied(), old, new)
        })
        .collect()
}

fn change(found: &Consequence, diff: Option<&ResourceDiff>, old: &Value, new: &Value) -> ResourceChange {
    let id = found.logical_id.as_str();
    let (action, replacement, policy_action) = match found.outcome {
        Outcome::Created => (ChangeAction::Add, None, None),
        Outcome::Updated => (ChangeAction::Modify, Some(Replacement::False), None),
        Outcome::PerhapsReplaced => {
            (ChangeAction::Modify, Some(Replacement::Conditional), policy(new, id, "UpdateReplacePolicy"))
        }
        Outcome::Replaced => {
            (ChangeAction::Modify, Some(Replacement::True), policy(new, id, "UpdateReplacePolicy"))
        }
        Outcome::PerhapsDeleted => (ChangeAction::Dynamic, None, policy(old, id, "DeletionPolicy")),
        Outcome::Deleted | Outcome::Released => {
            (ChangeAction::Remove, None, policy(old, id, "DeletionPolicy"))
        }
    };
    let mut details = Vec::new();
    let mut scope = Vec::new();
    if matches!(action, ChangeAction::Modify | ChangeAction::Dynamic) {
        let direct = diff.into_iter().flat_map(|diff| &diff.changes).filter(|change| !change.alike);
        for change in direct {
            details.push(detail(change, &found.causes));
        }
        for cause in found.causes.iter().filter(|cause| cause.through.is_some()) {
            details.push(ChangeDetail {
                attribute: attribute(&cause.pointer).to_owned(),
                name: property(&cause.pointer),
                path: below_resource(&cause.pointer),
                recreation: Some(recreation(cause.replacement).to_owned()),
                cause: cause.through.clone(),
                ..ChangeDetail::default()
            });
        }
        scope = details.iter().map(|detail| detail.attribute.clone()).collect();
        scope.sort();
        scope.dedup();
    }
    ResourceChange {
        action,
        logical_id: id.to_owned(),
        physical_id: None,
        resource_type: found.resource_type.clone(),
        replacement,
        policy_action,
        scope,
        details,
        nested_change_set: None,
        drift: None,
    }
}

fn detail(change: &Change, causes: &[Cause]) -> ChangeDetail {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => formwork_assembly::json::to_compact_text(other),
    };
    let cause = causes.iter().find(|cause| cause.through.is_none() && cause.pointer == change.pointer);
    let attribute = attribute(&change.pointer).to_owned();
    let recreation =
        cause.filter(|_| attribute == "Properties").map(|cause| recreation(cause.replacement).to_owned());
    ChangeDetail {
        name: property(&change.pointer),
        path: below_resource(&change.pointer),
        attribute,
        recreation,
        before: change.before.as_ref().map(text),
        after: change.after.as_ref().map(text),
        cause: None,
    }
}

fn recreation(fact: Fact) -> &'static str {
    match fact {
        Fact::Always => "Always",
        Fact::Conditional => "Conditionally",
        Fact::Never => "Never",
    }
}

/// `Properties` of `/Resources/Queue/Properties/Name`.
fn attribute(pointer: &str) -> &str {
    pointer.split('/').nth(3).unwrap_or("Properties")
}

fn property(pointer: &str) -> Option<String> {
    pointer.split('/').nth(4).filter(|_| attribute(pointer) == "Properties").map(str::to_owned)
}

fn below_resource(pointer: &str) -> Option<String> {
    pointer.splitn(4, '/').nth(3).map(|rest| format!("/{rest}"))
}

/// What becomes of an old resource, in the word that a change set has for it.
fn policy(template: &Value, id: &str, attribute: &str) -> Option<String> {
    let resource = template.get("Resources")?.get(id)?;
    let word = match resource.get(attribute).and_then(Value::as_str) {
        Some("Retain" | "RetainExceptOnCreate") => "Retain",
        Some("Snapshot") => "Snapshot",
        _ => "Delete",
    };
    let prefix = if attribute == "UpdateReplacePolicy" { "ReplaceAnd" } else { "" };
    Some(format!("{prefix}{word}"))
}

/// What of the changes would lose data: stateful resources that are replaced, or deleted without being retained.
pub(crate) fn losses(changes: &[ResourceChange], deployed: Option<&Value>, new: Option<&Value>) -> Vec<Loss> {
    changes.iter().filter_map(|change| loss(change, deployed, new)).collect()
}

fn loss(change: &ResourceChange, deployed: Option<&Value>, new: Option<&Value>) -> Option<Loss> {
    let words = loss_words(&change.resource_type)?;
    let id = change.logical_id.as_str();
    let kept = |template: Option<&Value>, attribute: &str| {
        change.policy_action.clone().or_else(|| policy(template?, id, attribute)).unwrap_or_default()
    };
    let (by, verb, kept) = match (&change.action, &change.replacement) {
        (ChangeAction::Remove, _) => (LossKind::Delete, "is deleted", kept(deployed, "DeletionPolicy")),
        (ChangeAction::Dynamic, _) => (LossKind::Delete, "may be deleted", kept(deployed, "DeletionPolicy")),
        (_, Some(Replacement::True)) => (LossKind::Replace, "is replaced", kept(new, "UpdateReplacePolicy")),
        (_, Some(Replacement::Conditional)) => {
            (LossKind::Replace, "may be replaced", kept(new, "UpdateReplacePolicy"))
        }
        _ => return None,
    };
    let rest = match kept.as_str() {
        "Retain" => return None,
        "ReplaceAndRetain" => "the old one stays outside of the stack and the new one is empty".to_owned(),
        "Snapshot" | "ReplaceAndSnapshot" => format!("{words}, but for a snapshot"),
        _ => words,
    };
    let resource_type = change.resource_type.clone();
    Some(Loss {
        logical_id: id.to_owned(),
        words: format!("{id} ({resource_type}) {verb}: {rest}"),
        resource_type,
        by,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bucket(name: &str) -> Value {
        json!({"Resources": {"Data": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}}})
    }

    /// Fault 55: a stateful resource is replaced, which loses what it holds.
    #[test]
    fn replacement_of_a_stateful_resource_is_a_loss() {
        for resource_type in
            ["AWS::S3::Bucket", "AWS::RDS::DBInstance", "AWS::EFS::FileSystem", "AWS::SageMaker::Domain"]
        {
            let mut replaced = between(Some(&bucket("one")), &bucket("two")).remove(0);
            assert_eq!(replaced.replacement, Some(Replacement::True));
            replaced.resource_type = resource_type.to_owned();
            let lost = losses(std::slice::from_ref(&replaced), None, None);
            assert_eq!(lost.len(), 1, "{resource_type}");
            assert_eq!(lost[0].by, LossKind::Replace);
        }
    }

    #[test]
    fn what_is_retained_is_no_loss_and_what_is_removed_is_one() {
        let mut old = bucket("one");
        let lost = |old: &Value| losses(&between(Some(old), &json!({"Resources": {}})), Some(old), None);
        assert_eq!(lost(&old)[0].by, LossKind::Delete);
        old["Resources"]["Data"]["DeletionPolicy"] = "Retain".into();
        assert!(lost(&old).is_empty());
    }

    #[test]
    fn a_new_stack_adds_everything_and_loses_nothing() {
        let changes = between(None, &bucket("one"));
        assert_eq!(changes[0].action, ChangeAction::Add);
        assert!(losses(&changes, None, Some(&bucket("one"))).is_empty());
    }

    #[test]
    fn the_details_name_the_property_with_its_values() {
        let changes = between(Some(&bucket("one")), &bucket("two"));
        let detail = &changes[0].details[0];
        assert_eq!(detail.path.as_deref(), Some("/Properties/BucketName"));
        assert_eq!(detail.name.as_deref(), Some("BucketName"));
        assert_eq!((detail.before.as_deref(), detail.after.as_deref()), (Some("one"), Some("two")));
        assert_eq!(detail.recreation.as_deref(), Some("Always"));
    }
}
