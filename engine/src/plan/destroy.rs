//! The plan of a destruction: reverse order, with everything that would stand in its way found first.
//!
//! CloudFormation finds out half-way that a bucket is not empty or that an app still runs, and leaves a stack in
//! DELETE_FAILED. Here each of these is asked for before anything is deleted, named, and removed only when that was
//! asked for in so many words.

mod checks;
mod costs;
pub(crate) mod studio;

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::CloudAssembly;
use formwork_schema::consequences::loss_words;
use futures_util::future::join_all;
use serde_json::Value;

use self::checks::Obstacle;
use super::environment::{self, Target};
use super::failure::failed;
use super::input::{Input, entries};
use super::make::{assemble, gather, unplanned};
use super::model::{Left, Loss, LossKind, Operation, Plan, StackPlan};
use super::request::PlanRequest;
use super::settle::{Look, Standing, standing};
use super::stack;
use crate::aws::cloudformation::{ChangeAction, ResourceChange, StackResource};
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::runtime::Runtime;

/// What a destruction removes besides the stacks; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// Objects in buckets and images in repositories that would stop the deletion.
    pub content: bool,
    /// Apps and spaces of SageMaker Studio domains.
    pub studio: bool,
    /// Termination protection of stacks.
    pub protection: bool,
}

/// Makes the plan of a destruction.
///
/// # Errors
/// When something stands in the way that was not asked to be removed, or an answer cannot be had.
pub(crate) async fn make(
    request: &PlanRequest,
    assembly: &CloudAssembly,
    all: &[Input],
    selected: &BTreeSet<String>,
    runtime: &Runtime,
) -> Result<Plan, EngineError> {
    let inputs: Vec<&Input> = all.iter().filter(|input| selected.contains(&input.artifact.id)).collect();
    let targets = environment::targets(&inputs, request, runtime).await?;
    let look = Look {
        command: request.command,
        busy: request.busy,
        adopt: request.options.adopt,
        rollback: request.options.rollback,
        runtime,
    };
    let planned = join_all(inputs.iter().map(|input| async {
        let id = input.artifact.id.as_str();
        let target = targets.get(id).ok_or_else(|| unplanned(id))?;
        runtime.tell_of((input.name(), &target.session), What::StackPlanning);
        let standing = standing(&target.session, id, input.name(), None, look).await?;
        plan_stack(input, target, &standing, request.removals).await
    }))
    .await;
    let planned: Vec<Planned> = gather(planned)?;
    check_retained(&planned, &request.options.retain)?;
    let stacks = order(planned, &inputs)?;
    for stack in &stacks {
        let told = What::StackPlanned { changes: stack.changes.len(), provisional: false };
        runtime.tell_of(stack, told);
    }
    Ok(assemble(request, assembly, &targets, runtime, stacks))
}

/// A stack with what stands in its way.
struct Planned {
    plan: StackPlan,
    /// Who imports from it, by export.
    importers: BTreeMap<String, Vec<String>>,
    /// What is not asked to be removed.
    obstacles: Vec<Obstacle>,
}

/// Refuses names of resources to leave behind that no stack has: whoever mistypes one would find it deleted.
fn check_retained(planned: &[Planned], retain: &[String]) -> Result<(), EngineError> {
    let deleted = || planned.iter().map(|it| &it.plan).filter(|plan| plan.operation == Operation::Delete);
    let has = |plan: &StackPlan, id: &str| {
        let mut all =
            plan.changes.iter().map(|it| &it.logical_id).chain(plan.left.iter().map(|it| &it.logical_id));
        all.any(|logical_id| logical_id == id)
    };
    for name in retain.iter().filter(|_| deleted().next().is_some()) {
        let is_known = match name.split_once('.') {
            Some((stack, id)) => {
                deleted().any(|plan| (plan.name == stack || plan.id == stack) && has(plan, id))
            }
            None => deleted().any(|plan| has(plan, name)),
        };
        if !is_known {
            let message = format!("no stack that would be deleted has a resource `{name}`");
            return Err(EngineError::new(Class::Usage, message)
                .with_hint("name it as `LogicalId` or `STACK.LogicalId`"));
        }
    }
    Ok(())
}

async fn plan_stack(
    input: &Input,
    target: &Target,
    standing: &Standing,
    removals: Removals,
) -> Result<Planned, EngineError> {
    let mut plan = stack::of(input, target, standing);
    let planned = |plan: StackPlan| Planned { plan, importers: BTreeMap::new(), obstacles: Vec::new() };
    let Some(deployed) = standing.deployed.as_ref().filter(|_| plan.operation == Operation::Delete) else {
        return Ok(planned(plan));
    };
    let client = target.session.cloudformation();
    let told = move |error: &crate::aws::Error| failed(&format!("stack {}", input.name()), error);
    let resources = client.resources(&deployed.stack.id).await.map_err(|error| told(&error))?;
    let none = Value::Null;
    let template = deployed.template.as_ref().unwrap_or(&none);
    let (kept, goes): (Vec<&StackResource>, Vec<&StackResource>) = resources
        .iter()
        .filter(|resource| resource.status != "DELETE_COMPLETE")
        .partition(|resource| is_retained(template, &resource.logical_id));
    plan.left = kept.into_iter().map(left).collect();
    plan.changes = goes.iter().map(|resource| change(resource)).collect();
    let mut found = checks::obstacles(target, &deployed.stack, template, &goes).await;
    plan.notes.append(&mut found.unknown);
    let (asked, open): (Vec<Obstacle>, Vec<Obstacle>) =
        found.obstacles.drain(..).partition(|obstacle| obstacle.is_asked(removals));
    plan.removals = asked.into_iter().filter_map(|obstacle| obstacle.removal).collect();
    plan.losses = goes
        .iter()
        .filter(|resource| !found.empty.contains(&resource.logical_id))
        .filter_map(|it| loss(it))
        .collect();
    let exports = deployed.stack.outputs.values().filter_map(|output| output.export_name.as_ref());
    let asked = join_all(exports.map(|export| async move {
        let names = client.importers(export).await.map_err(|error| told(&error))?;
        Ok((export.clone(), names))
    }))
    .await;
    let importers: Vec<(String, Vec<String>)> = gather(asked)?;
    let importers = importers.into_iter().filter(|(_, names)| !names.is_empty()).collect();
    let mut planned = planned(plan);
    planned.importers = importers;
    planned.obstacles = open;
    Ok(planned)
}

/// Skips what others still import from, and puts each stack after those that need it.
fn order(mut all: Vec<Planned>, inputs: &[&Input]) -> Result<Vec<StackPlan>, EngineError> {
    skip_shared(&mut all, inputs);
    let open: Vec<String> = all
        .iter()
        .filter(|planned| planned.plan.operation == Operation::Delete)
        .flat_map(|planned| &planned.obstacles)
        .map(|obstacle| obstacle.words.clone())
        .collect();
    if !open.is_empty() {
        let mut hints: Vec<&str> =
            all.iter().flat_map(|planned| &planned.obstacles).map(|it| it.hint).collect();
        hints.sort_unstable();
        hints.dedup();
        let message = format!("nothing was deleted, this stands in the way:\n  {}", open.join("\n  "));
        return Err(EngineError::new(Class::Refused, message).with_hint(hints.join("; ")));
    }
    let names: BTreeMap<String, String> =
        all.iter().map(|planned| (planned.plan.name.clone(), planned.plan.id.clone())).collect();
    let by_import: Vec<BTreeSet<String>> = all
        .iter()
        .map(|planned| {
            planned.importers.values().flatten().filter_map(|name| names.get(name).cloned()).collect()
        })
        .collect();
    let mut stacks = Vec::new();
    for (mut planned, importers) in all.into_iter().zip(by_import).rev() {
        let mut needs: BTreeSet<String> = planned.plan.needs.drain(..).collect();
        needs.extend(importers);
        needs.extend(
            inputs
                .iter()
                .filter(|other| other.artifact.dependencies.contains(&planned.plan.id))
                .map(|other| other.artifact.id.clone()),
        );
        planned.plan.needs = needs.into_iter().collect();
        stacks.push(planned.plan);
    }
    Ok(stacks)
}

/// A stack stays while a stack that is not deleted imports from it or needs it.
fn skip_shared(all: &mut [Planned], inputs: &[&Input]) {
    loop {
        let deleted: BTreeSet<String> = all
            .iter()
            .filter(|planned| planned.plan.operation == Operation::Delete)
            .map(|planned| planned.plan.name.clone())
            .collect();
        let staying: BTreeSet<String> = all
            .iter()
            .filter(|planned| planned.plan.operation == Operation::Nothing && planned.plan.base.is_some())
            .map(|planned| planned.plan.id.clone())
            .collect();
        let mut again = false;
        for planned in all.iter_mut().filter(|planned| planned.plan.operation == Operation::Delete) {
            let mut holders: BTreeSet<&str> = planned
                .importers
                .values()
                .flatten()
                .filter(|name| !deleted.contains(*name))
                .map(String::as_str)
                .collect();
            let needing = inputs.iter().filter(|other| {
                other.artifact.dependencies.contains(&planned.plan.id) && staying.contains(&other.artifact.id)
            });
            holders.extend(needing.map(|other| other.name()));
            if holders.is_empty() {
                continue;
            }
            let names: Vec<&str> = holders.into_iter().collect();
            planned.plan.notes.push(format!("stays, because it is needed by {}", names.join(", ")));
            planned.plan.operation = Operation::Nothing;
            planned.plan.changes.clear();
            planned.plan.losses.clear();
            planned.plan.removals.clear();
            planned.plan.left.clear();
            again = true;
        }
        if !again {
            return;
        }
    }
}

pub(super) fn is_retained(template: &Value, logical_id: &str) -> bool {
    let policy = template
        .get("Resources")
        .and_then(|section| section.get(logical_id)?.get("DeletionPolicy")?.as_str());
    matches!(policy, Some("Retain" | "RetainExceptOnCreate"))
}

pub(super) fn left(resource: &StackResource) -> Left {
    Left {
        logical_id: resource.logical_id.clone(),
        resource_type: resource.resource_type.clone(),
        physical_id: resource.physical_id.clone(),
        cost: costs::words(&resource.resource_type).map(str::to_owned),
    }
}

fn change(resource: &StackResource) -> ResourceChange {
    ResourceChange {
        action: ChangeAction::Remove,
        logical_id: resource.logical_id.clone(),
        physical_id: resource.physical_id.clone(),
        resource_type: resource.resource_type.clone(),
        replacement: None,
        policy_action: Some("Delete".to_owned()),
        scope: Vec::new(),
        details: Vec::new(),
        nested_change_set: None,
        drift: None,
    }
}

pub(super) fn loss(resource: &StackResource) -> Option<Loss> {
    let words = loss_words(&resource.resource_type)?;
    let StackResource { logical_id, resource_type, .. } = resource;
    Some(Loss {
        logical_id: logical_id.clone(),
        resource_type: resource_type.clone(),
        by: LossKind::Delete,
        words: format!("{logical_id} ({resource_type}) is deleted: {words}"),
    })
}

/// The resources of a template by logical id.
fn resources_of(template: &Value) -> BTreeMap<&str, &Value> {
    entries(template, "Resources").collect()
}

#[cfg(test)]
mod tests;
