//! Which resources of a stack could be taken in, and what stands in the way of the others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::plan::input::entries;
use formwork_schema::Handler;

/// What stands in the way of a resource that the app itself can mend.
pub(super) const NO_POLICY: &str = "it has no DeletionPolicy, without which CloudFormation imports nothing";

/// A resource that the app has and the deployed stack has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Importable {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// The properties that together identify a resource of the type, as the import has to name them.
    pub identifier: Vec<String>,
    /// The values that the template gives for some of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<String, String>,
    /// Why it cannot be imported; nothing when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The resources of an app's stack, by whether the deployed stack has them.
pub(super) struct Candidates {
    /// Those that it has not.
    pub(super) importable: Vec<Importable>,
    /// The logical ids of those that it has.
    pub(super) present: BTreeSet<String>,
}

/// Compares the app's template with the deployed one.
pub(super) fn candidates(template: &Value, deployed: Option<&Value>) -> Candidates {
    let there = |id: &str| deployed.is_some_and(|deployed| deployed["Resources"].get(id).is_some());
    let (present, missing): (Vec<_>, Vec<_>) = entries(template, "Resources").partition(|(id, _)| there(id));
    Candidates {
        importable: missing.into_iter().map(|(id, body)| candidate(id, body)).collect(),
        present: present.into_iter().map(|(id, _)| id.to_owned()).collect(),
    }
}

fn candidate(id: &str, body: &Value) -> Importable {
    let kind = body["Type"].as_str().unwrap_or_default();
    let facts = formwork_schema::resource_type(kind);
    let identifier: Vec<String> = facts.map(|facts| facts.primary_identifier().to_vec()).unwrap_or_default();
    let literal = |name: &String| match &body["Properties"][name] {
        Value::String(text) if !text.contains("{{resolve:") => Some((name.clone(), text.clone())),
        _ => None,
    };
    let is_custom = kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource";
    let problem = match facts {
        _ if is_custom => Some("a custom resource cannot be imported".to_owned()),
        Some(facts) if identifier.is_empty() || facts.permissions(Handler::Read).is_none() => {
            Some(format!("CloudFormation cannot import resources of type {kind}"))
        }
        _ if body.get("DeletionPolicy").is_none() => Some(NO_POLICY.to_owned()),
        _ => None,
    };
    Importable {
        logical_id: id.to_owned(),
        resource_type: kind.to_owned(),
        known: identifier.iter().filter_map(literal).collect(),
        identifier,
        problem,
    }
}
