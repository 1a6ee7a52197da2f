//! From what the user says of existing resources to what CloudFormation wants to know: everything that is wrong, at once.

use std::collections::{BTreeMap, BTreeSet};

use formwork_schema::spelling::closest;
use serde_json::Value;

use super::candidates::{Candidates, Importable, NO_POLICY};
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

/// What is wrong with what was said of a resource, and what to say instead.
struct Wrong {
    problem: String,
    hint: String,
}

impl Wrong {
    fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: hint.into() }
    }
}

/// The resources to import into the stack of that name.
///
/// # Errors
/// When one is unknown, in the stack already, cannot be imported, or is not identified.
pub(super) fn resolve(
    given: &[GivenIdentifier],
    candidates: &Candidates,
    stack: &str,
    template: &Value,
) -> Result<Vec<ResourceToImport>, EngineError> {
    if given.is_empty() {
        return Err(EngineError::new(Class::Usage, "no resource is named that is to be imported")
            .with_hint(format!("`formwork import {stack}` lists what could be")));
    }
    let (mut problems, mut hints, mut found) = (Vec::new(), Vec::new(), Vec::new());
    let ids: BTreeSet<&str> = given.iter().map(|given| given.logical_id.as_str()).collect();
    for id in ids {
        let values: Vec<&GivenIdentifier> = given.iter().filter(|given| given.logical_id == id).collect();
        let resource = match candidates.importable.iter().find(|candidate| candidate.logical_id == id) {
            Some(candidate) => importable(candidate, &values),
            None => Err(unknown(id, candidates, stack, template)),
        };
        match resource {
            Ok(resource) => found.push(resource),
            Err(Wrong { problem, hint }) => {
                problems.push(problem);
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
        }
    }
    refuse(&problems, "problems").map_err(|refused| refused.with_hint(hints.join("; ")))?;
    Ok(found)
}

/// What is wrong with a logical id that names nothing that could be imported.
fn unknown(id: &str, candidates: &Candidates, stack: &str, template: &Value) -> Wrong {
    if candidates.present.contains(id) {
        return Wrong::new(format!("{id} is part of the stack already"), format!("leave {id} out"));
    }
    let known = template["Resources"].as_object().into_iter().flatten();
    let near = closest(id, known.map(|(name, _)| name.as_str()));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Wrong::new(
        format!("the app's stack has no resource {id}{near}"),
        format!("`formwork import {stack}` lists what could be imported"),
    )
}

fn importable(candidate: &Importable, given: &[&GivenIdentifier]) -> Result<ResourceToImport, Wrong> {
    let id = &candidate.logical_id;
    if let Some(problem) = &candidate.problem {
        let hint = match problem.as_str() {
            NO_POLICY => format!("give {id} a DeletionPolicy in the app, such as Retain"),
            _ => format!("leave {id} out"),
        };
        return Err(Wrong::new(format!("{id}: {problem}"), hint));
    }
    match identifier(candidate, given) {
        Ok(identifier) => Ok(ResourceToImport {
            logical_id: id.clone(),
            resource_type: candidate.resource_type.clone(),
            identifier,
        }),
        Err(Wrong { problem, hint }) => Err(Wrong::new(format!("{id}: {problem}"), hint)),
    }
}

/// How the values of properties are said of a resource.
fn to_say(candidate: &Importable, properties: &[&str]) -> String {
    let id = &candidate.logical_id;
    match (&candidate.identifier[..], properties) {
        ([_], _) => format!("say {id}=VALUE"),
        (_, []) => format!("say {id}:PROPERTY=VALUE for each property that identifies it"),
        _ => {
            let each: Vec<String> =
                properties.iter().map(|property| format!("{id}:{property}=VALUE")).collect();
            format!("say {}", each.join(" "))
        }
    }
}

/// The values of an identifier by property; what the template says itself need not be said again.
fn identifier(candidate: &Importable, given: &[&GivenIdentifier]) -> Result<BTreeMap<String, String>, Wrong> {
    let (kind, wanted) = (&candidate.resource_type, &candidate.identifier);
    let listed = || wanted.join(", ");
    let unsaid = || -> Vec<&str> {
        wanted.iter().filter(|name| !candidate.known.contains_key(*name)).map(String::as_str).collect()
    };
    let mut values = BTreeMap::new();
    for GivenIdentifier { property, value, .. } in given {
        let property = match (property, &wanted[..]) {
            (Some(property), []) => property,
            (Some(property), _) if wanted.contains(property) => property,
            (Some(property), several) => {
                let verb = if several.len() == 1 { "does" } else { "do" };
                let problem = format!("{property} identifies no {kind}: {} {verb}", listed());
                return Err(Wrong::new(problem, to_say(candidate, &unsaid())));
            }
            (None, [only]) => only,
            (None, []) => {
                let problem = format!("nothing is known of what identifies {kind}");
                return Err(Wrong::new(problem, to_say(candidate, &[])));
            }
            (None, several) => {
                let problem = format!(
                    "`{value}` is one value, and {} properties identify {kind}: {}",
                    several.len(),
                    listed()
                );
                return Err(Wrong::new(problem, to_say(candidate, &unsaid())));
            }
        };
        if value.is_empty() {
            let problem = format!("the value of {property} is empty");
            return Err(Wrong::new(problem, to_say(candidate, &[property])));
        }
        if let Some(other) = values.insert(property.clone(), value.clone()) {
            let problem = format!("{property} is given twice, as `{other}` and as `{value}`");
            return Err(Wrong::new(problem, "leave one of them out"));
        }
    }
    for (property, known) in &candidate.known {
        match values.get(property) {
            None => {
                values.insert(property.clone(), known.clone());
            }
            Some(value) if value != known => {
                let problem = format!("{property} is `{value}`, but the template says `{known}`");
                return Err(Wrong::new(problem, format!("say `{known}`, or change {property} in the app")));
            }
            Some(_) => {}
        }
    }
    let missing: Vec<&str> =
        wanted.iter().filter(|name| !values.contains_key(*name)).map(String::as_str).collect();
    match missing.is_empty() {
        true => Ok(values),
        false => Err(Wrong::new(format!("{} is missing", missing.join(", ")), to_say(candidate, &missing))),
    }
}
