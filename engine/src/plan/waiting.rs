//! Which stacks have to wait: a change set that is made before the values that it reads are there tells what will not be.

use std::collections::BTreeMap;

use formwork_assembly::references::references;
use serde_json::Value;

use super::make::{Making, unplanned};
use super::model::{Operation, ParameterSource, PlannedParameter, StackPlan};
use super::request::Depth;
use crate::aws::cloudformation::{ChangeAction, Replacement, ResourceChange};
use crate::error::EngineError;

/// Why the change set of a stack can only be made once others are deployed; nothing when it can be made now.
///
/// # Errors
/// When the value of an export would change that somebody goes on importing: CloudFormation refuses that.
pub(crate) fn late_reason(
    making: &Making<'_>,
    id: &str,
    done: &BTreeMap<String, StackPlan>,
) -> Result<Option<String>, EngineError> {
    if making.request.depth == Depth::Templates {
        return Ok(Some("nothing is written: this is what the templates tell".to_owned()));
    }
    let standing = making.standings.get(id).ok_or_else(|| unplanned(id))?;
    if standing.operation == Operation::Recreate {
        return Ok(Some("what is left of the failed stack is deleted first".to_owned()));
    }
    let (Some(ties), Some(target)) = (making.exports.ties.get(id), making.targets.get(id)) else {
        return Ok(None);
    };
    for producer in making.exports.producers(id) {
        let (Some(plan), Some(gives)) = (done.get(producer), making.exports.ties.get(producer)) else {
            continue;
        };
        if plan.operation == Operation::Nothing {
            continue;
        }
        for (export, output) in gives.exports.iter().filter(|(export, _)| ties.imports.contains(*export)) {
            if making.exports.exported(&target.environment, export).is_none() {
                return Ok(Some(format!("waits for export {export} of stack {}", plan.name)));
            }
            if value_changes(making, producer, plan, output) {
                return Ok(Some(format!("the value of export {export} changes with stack {}", plan.name)));
            }
        }
        for read in ties.reads.iter().filter(|read| read.stack == plan.name) {
            let deployed = making.standings.get(producer).and_then(|standing| standing.deployed.as_ref());
            if deployed.is_none_or(|deployed| !deployed.stack.outputs.contains_key(&read.output)) {
                return Ok(Some(format!("waits for output {} of stack {}", read.output, plan.name)));
            }
            if value_changes(making, producer, plan, &read.output) {
                return Ok(Some(format!("output {} changes with stack {}", read.output, plan.name)));
            }
        }
    }
    Ok(None)
}

/// Whether an output may have another value once its stack is deployed.
fn value_changes(making: &Making<'_>, producer: &str, plan: &StackPlan, output: &str) -> bool {
    let Some(input) = making.inputs.get(producer) else { return true };
    let deployed = making.standings.get(producer).and_then(|standing| standing.deployed.as_ref());
    let Some(old) = deployed.and_then(|deployed| deployed.template.as_ref()) else { return true };
    let value = |template: &Value| template.get("Outputs")?.get(output)?.get("Value").cloned();
    let new = value(&input.template);
    if value(old) != new {
        return true;
    }
    references(&input.template)
        .list
        .iter()
        .filter(|reference| reference.section == "Outputs" && reference.owner == output)
        .any(|reference| {
            if let Some(change) = plan.changes.iter().find(|change| change.logical_id == reference.target) {
                return feeds(change, reference.attribute);
            }
            let changed = |planned: &PlannedParameter| {
                planned.source != ParameterSource::Previous
                    && deployed.and_then(|d| d.stack.parameters.get(reference.target))
                        != planned.value.as_ref()
            };
            plan.parameters.get(reference.target).is_some_and(changed)
        })
}

/// Whether a resource's change may change what others read of it. What names a resource stays unless it is replaced.
fn feeds(change: &ResourceChange, attribute: Option<&str>) -> bool {
    let replaced = change.replacement.as_ref().is_some_and(|word| *word != Replacement::False);
    let names = attribute.is_none_or(|name| ["Arn", "Id", "Name"].iter().any(|end| name.ends_with(end)));
    replaced || change.action != ChangeAction::Modify || !names
}
