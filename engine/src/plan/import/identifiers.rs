//! From what the user says of existing resources to what CloudFormation wants to know: everything that is wrong, at once.

use std::collections::{BTreeMap, BTreeSet};

use formwork_schema::spelling::closest;
use serde_json::Value;

use super::candidates::{Candidates, Importable};
use crate::aws::cloudformation::ResourceToImport;
use crate::error::{Class, EngineError};
use crate::plan::limits::refuse;

/// What names an existing resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenIdentifier {
    /// The logical id that it gets.
    pub logical_id: String,
    /// The property of the identifier; nothing where the type has only one.
    pub property: Option<String>,
    /// The value.
    pub value: String,
}

/// The resources to import.
///
/// # Errors
/// When one is unknown, in the stack already, cannot be imported, or is not identified.
pub(super) fn resolve(
    given: &[GivenIdentifier],
    candidates: &Candidates,
    template: &Value,
) -> Result<Vec<ResourceToImport>, EngineError> {
    if given.is_empty() {
        return Err(EngineError::new(Class::Usage, "no resource is named that is to be imported")
            .with_hint("`formwork import STACK` lists what could be"));
    }
    let (mut problems, mut found) = (Vec::new(), Vec::new());
    let ids: BTreeSet<&str> = given.iter().map(|given| given.logical_id.as_str()).collect();
    for id in ids {
        let values: Vec<&GivenIdentifier> = given.iter().filter(|given| given.logical_id == id).collect();
        match candidates.importable.iter().find(|candidate| candidate.logical_id == id) {
            Some(Importable { problem: Some(problem), .. }) => problems.push(format!("{id}: {problem}")),
            Some(candidate) => match identifier(candidate, &values) {
                Ok(identifier) => found.push(ResourceToImport {
                    logical_id: id.to_owned(),
                    resource_type: candidate.resource_type.clone(),
                    identifier,
                }),
                Err(problem) => problems.push(format!("{id}: {problem}")),
            },
            None if candidates.present.contains(id) => {
                problems.push(format!("{id} is part of the stack already"));
            }
            None => {
                let known = template["Resources"].as_object().into_iter().flatten();
                let near = closest(id, known.map(|(name, _)| name.as_str()));
                let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                problems.push(format!("the app's stack has no resource {id}{near}"));
            }
        }
    }
    refuse(&problems, "problems").map(|()| found)
}

/// The values of an identifier by property; what the template says itself need not be said again.
fn identifier(
    candidate: &Importable,
    given: &[&GivenIdentifier],
) -> Result<BTreeMap<String, String>, String> {
    let wanted = &candidate.identifier;
    let listed = || wanted.join(", ");
    let mut values = BTreeMap::new();
    for GivenIdentifier { property, value, .. } in given {
        let property = match (property, &wanted[..]) {
            (Some(property), []) => property,
            (Some(property), _) if wanted.contains(property) => property,
            (Some(property), _) => {
                return Err(format!(
                    "{property} identifies no {}: {} does",
                    candidate.resource_type,
                    listed()
                ));
            }
            (None, [only]) => only,
            (None, _) => {
                let id = &candidate.logical_id;
                return Err(format!("say {id}:PROPERTY=VALUE for each of {}", listed()));
            }
        };
        if value.is_empty() {
            return Err(format!("the value of {property} is empty"));
        }
        if values.insert(property.clone(), value.clone()).is_some() {
            return Err(format!("{property} is given twice"));
        }
    }
    for (property, known) in &candidate.known {
        match values.get(property) {
            None => {
                values.insert(property.clone(), known.clone());
            }
            Some(value) if value != known => {
                return Err(format!("{property} is `{value}`, but the template says `{known}`"));
            }
            Some(_) => {}
        }
    }
    let missing: Vec<&str> =
        wanted.iter().filter(|name| !values.contains_key(*name)).map(String::as_str).collect();
    if missing.is_empty() { Ok(values) } else { Err(format!("{} is missing", missing.join(", "))) }
}
