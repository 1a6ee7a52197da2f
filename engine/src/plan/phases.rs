//! Removal of an export in use, in two phases: CloudFormation refuses to drop an export while a stack imports it, and the
//! importer cannot be changed first when it needs something new of the exporter.
//!
//! The first phase is the new template with the old outputs still in it, and with what they refer to. Then the importers
//! are changed, and the second phase brings the template as it is.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::json::to_text;
use formwork_assembly::references::references;
use serde_json::{Map, Value};

use super::changes;
use super::environment::Target;
use super::input::{Input, sha256};
use super::make::Making;
use super::model::{FirstPhase, Operation, PlannedTemplate};
use super::settle::Standing;
use crate::aws::cloudformation::{ParameterValue, Replacement, Stack};
use crate::error::{Class, EngineError};

/// The first of two phases.
#[derive(Clone, Debug)]
pub(crate) struct Phases {
    /// The template's text.
    pub(crate) text: String,
    /// What the plan says of it.
    pub(crate) planned: FirstPhase,
    /// Parameters that only kept entries need; they keep their values.
    pub(crate) kept_parameters: BTreeMap<String, ParameterValue>,
    /// What the user should know.
    pub(crate) notes: Vec<String>,
}

/// Finds whether a stack has to be changed in two phases.
///
/// # Errors
/// When a stack of the plan goes on importing an export that is dropped or gets another value.
pub(crate) fn find(
    making: &Making<'_>,
    input: &Input,
    target: &Target,
    standing: &Standing,
) -> Result<Option<Phases>, EngineError> {
    let id = &input.artifact.id;
    let deployed = standing.deployed.as_ref().filter(|_| standing.operation == Operation::Update);
    let Some((deployed, old)) = deployed.and_then(|deployed| Some((deployed, deployed.template.as_ref()?)))
    else {
        return Ok(None);
    };
    let mut kept = BTreeMap::new();
    let (mut then_after, mut held_by, mut problems) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for ((stack, export), importers) in &making.exports.importers {
        if stack != id {
            continue;
        }
        kept.insert(export.clone(), importers.clone());
        for importer in importers {
            let planned = making.inputs.values().find(|other| {
                let there = making.targets.get(&other.artifact.id);
                other.name() == importer && there.is_some_and(|there| there.environment == target.environment)
            });
            match planned {
                Some(other) => {
                    let ties = making.exports.ties.get(&other.artifact.id);
                    if ties.is_some_and(|ties| ties.imports.contains(export)) {
                        problems.push(format!("stack {importer} goes on importing {export}"));
                    }
                    then_after.insert(other.artifact.id.clone());
                }
                None => {
                    held_by.insert(importer.clone());
                }
            }
        }
    }
    if kept.is_empty() {
        return Ok(None);
    }
    if !problems.is_empty() {
        let message = format!(
            "stack {id} drops or changes an export that is in use, which CloudFormation refuses: {}",
            problems.join(", ")
        );
        return Err(EngineError::new(Class::Refused, message).with_hint(
            "export the new value under another name, or read outputs instead: -c crossStackReferences=weak",
        ));
    }
    let outputs = outputs_of(kept.keys(), Some(&deployed.stack));
    let (text, parameters) = first_text(old, &input.template, &outputs);
    let mut notes = Vec::new();
    for (export, importers) in &kept {
        let outside: Vec<&str> =
            importers.iter().filter(|name| held_by.contains(*name)).map(String::as_str).collect();
        if !outside.is_empty() {
            notes.push(format!(
                "export {export} stays: {} imports it and is not part of this plan; deploy it, then deploy {id} again",
                outside.join(", ")
            ));
        }
    }
    if held_by.is_empty() {
        let names: Vec<&str> = kept.keys().map(String::as_str).collect();
        notes.push(format!("exports in use are removed in a second phase: {}", names.join(", ")));
    }
    let planned = FirstPhase {
        template: PlannedTemplate { sha256: sha256(&text), bytes: text.len(), url: None },
        kept_exports: kept,
        then_after: then_after.into_iter().collect(),
        held_by: held_by.into_iter().collect(),
    };
    let kept_parameters = parameters.into_iter().map(|name| (name, ParameterValue::Previous)).collect();
    Ok(Some(Phases { text, planned, kept_parameters, notes }))
}

/// The outputs that export names.
pub(crate) fn outputs_of<'n>(
    names: impl Iterator<Item = &'n String>,
    stack: Option<&Stack>,
) -> BTreeSet<String> {
    let names: BTreeSet<&String> = names.collect();
    let outputs = stack.into_iter().flat_map(|stack| &stack.outputs);
    outputs
        .filter(|(_, output)| output.export_name.as_ref().is_some_and(|name| names.contains(name)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// [`first_template`] as text.
pub(crate) fn first_text(old: &Value, new: &Value, outputs: &BTreeSet<String>) -> (String, BTreeSet<String>) {
    let (template, parameters) = first_template(old, new, outputs);
    (to_text(&template), parameters)
}

/// The new template with outputs of the old one kept, and the names of parameters that only they need.
pub(crate) fn first_template(
    old: &Value,
    new: &Value,
    outputs: &BTreeSet<String>,
) -> (Value, BTreeSet<String>) {
    let mut template = new.clone();
    let replaced: BTreeSet<String> = changes::between(Some(old), new)
        .into_iter()
        .filter(|change| change.replacement.as_ref().is_some_and(|word| *word != Replacement::False))
        .map(|change| change.logical_id)
        .collect();
    let mut parameters = BTreeSet::new();
    // What is kept, by its section and name in the old template.
    let mut todo: Vec<(String, String)> = Vec::new();
    for output in outputs {
        let Some(body) = old.get("Outputs").and_then(|section| section.get(output)) else { continue };
        let section = section(&mut template, "Outputs");
        let taken = section.get(output).is_some_and(|there| there.get("Export") != body.get("Export"));
        let name = if taken { free_name(section, output) } else { output.clone() };
        section.insert(name, body.clone());
        todo.push(("Outputs".to_owned(), output.clone()));
    }
    let all = references(old);
    let mut seen = BTreeSet::new();
    while let Some((from, owner)) = todo.pop() {
        if !seen.insert((from.clone(), owner.clone())) {
            continue;
        }
        for reference in all.list.iter().filter(|found| found.section == from && found.owner == owner) {
            for name in ["Resources", "Parameters", "Conditions", "Mappings"] {
                let Some(body) = old.get(name).and_then(|section| section.get(reference.target)) else {
                    continue;
                };
                let content = section(&mut template, name);
                let there = content.get(reference.target);
                let keep = there.is_none() || (name == "Resources" && replaced.contains(reference.target));
                if keep {
                    if name == "Parameters" {
                        parameters.insert(reference.target.to_owned());
                    }
                    content.insert(reference.target.to_owned(), body.clone());
                    todo.push((name.to_owned(), reference.target.to_owned()));
                }
            }
        }
    }
    if let Value::Object(sections) = &mut template {
        sections.retain(|_, content| content.as_object().is_none_or(|entries| !entries.is_empty()));
    }
    (template, parameters)
}

fn section<'t>(template: &'t mut Value, name: &str) -> &'t mut Map<String, Value> {
    if !template.is_object() {
        *template = Value::Object(Map::new());
    }
    let sections = template.as_object_mut().expect("it was made an object just now");
    let content = sections.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !content.is_object() {
        *content = Value::Object(Map::new());
    }
    content.as_object_mut().expect("it was made an object just now")
}

fn free_name(section: &Map<String, Value>, name: &str) -> String {
    (1..).map(|n| format!("{name}Kept{n}")).find(|name| !section.contains_key(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
