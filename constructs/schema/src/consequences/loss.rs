//! What is lost with a resource, in plain words, and what keeps it.
//!
//! The words stand in `facts/losses.json`, because they are facts of a type and people will want to change them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::{Loss, LossKind, Outcome};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Losses {
    #[serde(rename = "about")]
    _about: String,
    words: BTreeMap<String, String>,
    custom: BTreeMap<String, Custom>,
}

/// A custom resource type whose function is known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Custom {
    /// The properties whose change makes the function give a new resource.
    pub(super) replaced_by: Vec<String>,
    words: String,
}

fn losses() -> &'static Losses {
    static LOSSES: OnceLock<Losses> = OnceLock::new();
    LOSSES.get_or_init(|| {
        serde_json::from_str(include_str!("../../facts/losses.json")).expect("the table is read by a test")
    })
}

/// What is known of a custom resource type.
pub(super) fn custom(resource_type: &str) -> Option<&'static Custom> {
    losses().custom.get(resource_type)
}

/// What is lost with a resource of a type that holds data, in plain words; nothing for a type that holds none.
///
/// ```
/// assert!(formwork_schema::loss_words("AWS::SageMaker::MlflowApp").is_some_and(|words| words.starts_with("all runs are lost")));
/// assert_eq!(formwork_schema::loss_words("AWS::IAM::Role"), None);
/// ```
pub fn loss_words(resource_type: &str) -> Option<String> {
    if let Some(custom) = custom(resource_type) {
        return Some(custom.words.clone());
    }
    let reason = crate::resource_type(resource_type)?.stateful_reason()?;
    let words = losses().words.get(resource_type).cloned();
    Some(words.unwrap_or_else(|| format!("all its data is lost: {reason}")))
}

/// What keeps a resource or a copy of it when it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    Nothing,
    Snapshot,
    Itself,
}

/// What a policy attribute of a resource says. An attribute that is a function counts as the default: better warn once
/// too often.
pub(super) fn keeping(resource: &Value, attribute: &str) -> Keeping {
    match resource.get(attribute).and_then(Value::as_str) {
        Some("Retain" | "RetainExceptOnCreate") => Keeping::Itself,
        Some("Snapshot") => Keeping::Snapshot,
        Some(_) => Keeping::Nothing,
        None if attribute == "DeletionPolicy" && is_snapshotted_by_default(resource) => Keeping::Snapshot,
        None => Keeping::Nothing,
    }
}

/// Databases of their own get a last snapshot unless the template says otherwise.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
fn is_snapshotted_by_default(resource: &Value) -> bool {
    match resource.get("Type").and_then(Value::as_str) {
        Some("AWS::RDS::DBCluster") => true,
        Some("AWS::RDS::DBInstance") => {
            resource.get("Properties").and_then(|properties| properties.get("DBClusterIdentifier")).is_none()
        }
        _ => false,
    }
}

/// The loss that an outcome brings, judged by the resource as it was and as it will be.
pub(super) fn loss(
    resource_type: &str,
    outcome: Outcome,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Option<Loss> {
    let words = loss_words(resource_type)?;
    // A removed resource goes by the deployed template; a replaced one by the new template, which is carried out.
    let (kind, keeping) = match outcome {
        Outcome::Replaced | Outcome::PerhapsReplaced => {
            (LossKind::Replace, keeping(after?, "UpdateReplacePolicy"))
        }
        Outcome::Deleted => (LossKind::Delete, keeping(before?, "DeletionPolicy")),
        Outcome::PerhapsDeleted => (LossKind::Delete, keeping(before?, "DeletionPolicy")),
        Outcome::Created | Outcome::Updated | Outcome::Released => return None,
    };
    let is_certain = matches!(outcome, Outcome::Replaced | Outcome::Deleted);
    let words = match (kind, keeping) {
        (_, Keeping::Nothing) => words,
        (LossKind::Replace, Keeping::Itself) => {
            "the new one starts empty; the old one is kept outside the stack".to_owned()
        }
        (LossKind::Replace, Keeping::Snapshot) => {
            "the new one starts empty; a snapshot of the old one is kept".to_owned()
        }
        (LossKind::Delete, Keeping::Itself) => return None,
        (LossKind::Delete, Keeping::Snapshot) => format!("{words}; a snapshot is kept"),
    };
    Some(Loss { kind, is_certain, is_kept: keeping != Keeping::Nothing, words })
}

/// The types that have words.
#[cfg(test)]
pub(super) fn named_types() -> impl Iterator<Item = &'static str> {
    losses().words.keys().map(String::as_str)
}
