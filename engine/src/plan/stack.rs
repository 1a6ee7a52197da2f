//! Plans one stack: nothing when nothing changed, a change set where one can be made, the template's word otherwise.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::broadening::Side;
use serde_json::Value;

use super::change_set::{Outcome, name};
use super::changes;
use super::environment::Target;
use super::failure::failed;
use super::growth::growth;
use super::input::Input;
use super::leftovers::{Leftovers, leftovers};
use super::make::{Making, tags, unplanned};
use super::model::{Broadening, Operation, PlanOptions, PlannedChangeSet, PlannedTemplate, StackPlan};
use super::parameters::{self, Declared, Resolved};
use super::phases::{self, Phases};
use super::request::{Depth, PlanRequest};
use super::settle::Standing;
use super::unchanged;
use crate::assets::{digests_wanted, of_stack};
use crate::aws::cloudformation::{ChangeSetType, NewChangeSet, ResourceChange, TemplateSource};
use crate::aws::{ErrorKind, Session};
use crate::drift::hide_secrets;
use crate::error::{Class, EngineError};
use crate::follow::Places;

/// The capabilities that are granted unless the user restricts them. The last one does nothing for change sets, and does
/// no harm either.
pub(crate) const CAPABILITIES: [&str; 3] =
    ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

/// Plans one stack; `late` says why its change set cannot be made yet.
pub(crate) async fn plan(
    making: &Making<'_>,
    id: &str,
    late: Option<String>,
) -> Result<StackPlan, EngineError> {
    let input = making.inputs.get(id).ok_or_else(|| unplanned(id))?;
    let target = making.targets.get(id).ok_or_else(|| unplanned(id))?;
    let standing = making.standings.get(id).ok_or_else(|| unplanned(id))?;
    let mut draft = draft(making, input, target, standing);
    let wanted = asset_parameters(making, input)?;
    let mut resolved = settle_parameters(making, input, standing, &previous_digests(&wanted, standing))?;
    let waits = unchanged::resolve_ssm(input, target, &mut resolved, !draft.needs.is_empty()).await?;
    if !making.request.options.force
        && !making.request.options.revert_drift
        && (late.is_none() || making.request.depth == Depth::Templates)
        && waits.is_none()
        && unchanged::is_unchanged(input, standing, &resolved, &draft, &making.request.options)
    {
        draft.operation = Operation::Nothing;
        draft.parameters = resolved.planned;
        return Ok(draft);
    }
    if making.request.depth == Depth::ChangeSets {
        let session = &target.session;
        let done = making.publisher.assets(&input.artifact, making.assembly, session, making.journal).await?;
        draft.assets = done.assets;
        if !done.parameters.is_empty() {
            let ssm: BTreeMap<_, _> =
                resolved.planned.iter().map(|(n, p)| (n.clone(), p.resolved.clone())).collect();
            resolved = settle_parameters(making, input, standing, &done.parameters)?;
            for (name, value) in ssm {
                if let Some(planned) = resolved.planned.get_mut(&name) {
                    planned.resolved = value;
                }
            }
        }
    }
    draft.notes.append(&mut resolved.notes);
    draft.parameters = resolved.planned.clone();
    let phases = phases::find(making, input, target, standing)?;
    draft.first_phase = phases.as_ref().map(|phases| phases.planned.clone());
    if let Some(phases) = &phases {
        draft.notes.extend(phases.notes.clone());
    }
    let deployed = standing.deployed.as_ref().and_then(|deployed| deployed.template.as_ref());
    let told = changes::between(deployed.filter(|_| draft.operation == Operation::Update), &input.template);
    draft.provisional = late.or(waits);
    if draft.provisional.is_some() {
        draft.changes = told;
    } else {
        with_change_set(making, input, target, &mut draft, &resolved, phases.as_ref()).await?;
        if let (Some(_), Operation::Update) = (&phases, draft.operation) {
            // What the second phase does is known from the templates only.
            let known: BTreeSet<String> =
                draft.changes.iter().map(|change| change.logical_id.clone()).collect();
            draft.changes.extend(told.into_iter().filter(|change| !known.contains(&change.logical_id)));
        }
    }
    hide_secrets(&mut draft.changes, &input.template);
    judge(&mut draft, deployed, &input.template, &resolved.known(), standing);
    if let (Operation::Recreate, Some(deployed)) = (draft.operation, &standing.deployed) {
        let Leftovers { losses, left } = leftovers(&target.session, deployed).await?;
        draft.losses.extend(losses);
        draft.left = left;
    }
    Ok(draft)
}

/// The parameters that take the digest of an asset that is made when it is published, with the asset's id.
fn asset_parameters(making: &Making<'_>, input: &Input) -> Result<BTreeMap<String, String>, EngineError> {
    Ok(digests_wanted(&input.template, &of_stack(making.assembly, &input.artifact)?))
}

fn settle_parameters(
    making: &Making<'_>,
    input: &Input,
    standing: &Standing,
    digests: &BTreeMap<String, String>,
) -> Result<Resolved, EngineError> {
    let deployed = standing.deployed.as_ref().filter(|_| standing.operation == Operation::Update);
    let PlanRequest { parameters: given, previous_parameters, .. } = making.request;
    parameters::resolve(input, given, digests, deployed, *previous_parameters).map_err(|missing| {
        let name = missing.first().and_then(|text| text.split("parameter ").nth(1)).unwrap_or_default();
        let name = name.split(' ').next().unwrap_or_default();
        EngineError::new(Class::Input, missing.join("\n  "))
            .with_hint(format!("give it with --parameters {}:{name}=VALUE", input.artifact.id))
    })
}

/// Digests that an asset will have: until it is published, what the stack has counts. Its key is in the template, so that
/// another asset is another template.
fn previous_digests(wanted: &BTreeMap<String, String>, standing: &Standing) -> BTreeMap<String, String> {
    let deployed = standing.deployed.as_ref().map(|deployed| &deployed.stack.parameters);
    wanted
        .keys()
        .map(|name| {
            let previous = deployed.and_then(|parameters| parameters.get(name)).cloned();
            // A stack that is not there yet has none; any digest will do until the real one is known.
            (name.clone(), previous.unwrap_or_else(|| "0".repeat(64)))
        })
        .collect()
}

fn draft(making: &Making<'_>, input: &Input, target: &Target, standing: &Standing) -> StackPlan {
    let planned = |id: &String| making.inputs.contains_key(id);
    let mut needs: BTreeSet<String> =
        input.artifact.dependencies.iter().filter(|id| planned(id)).cloned().collect();
    needs.extend(making.exports.producers(&input.artifact.id).cloned());
    let mut notification_arns = input.more.notification_arns.clone();
    notification_arns.extend(making.request.options.notification_arns.clone());
    notification_arns.sort();
    notification_arns.dedup();
    StackPlan {
        needs: needs.into_iter().collect(),
        template: Some(PlannedTemplate { sha256: input.sha256.clone(), bytes: input.text.len(), url: None }),
        tags: tags(input, making.request),
        notification_arns,
        termination_protection: input.artifact.properties.termination_protection,
        ..of(input, target, standing)
    }
}

/// The plan of a stack with nothing in it but which stack it is, where, and how it stands.
pub(super) fn of(input: &Input, target: &Target, standing: &Standing) -> StackPlan {
    StackPlan {
        id: input.artifact.id.clone(),
        name: input.name().to_owned(),
        environment: target.environment.clone(),
        operation: standing.operation,
        adopted: standing.adopted,
        needs: Vec::new(),
        provisional: None,
        template: None,
        first_phase: None,
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        assume_role_arn: target.role.clone(),
        external_id: target.external_id.clone(),
        execution_role_arn: target.execution_role.clone(),
        notification_arns: Vec::new(),
        termination_protection: None,
        assets: Vec::new(),
        change_set: None,
        base: standing.base(),
        changes: Vec::new(),
        losses: Vec::new(),
        broadenings: Vec::new(),
        removals: Vec::new(),
        left: Vec::new(),
        notes: standing.notes.clone(),
    }
}

/// Makes the change set, of the first phase when there are two.
async fn with_change_set(
    making: &Making<'_>,
    input: &Input,
    target: &Target,
    draft: &mut StackPlan,
    resolved: &Resolved,
    phases: Option<&Phases>,
) -> Result<(), EngineError> {
    let (text, digest) = match phases {
        Some(phases) => (phases.text.as_str(), phases.planned.template.sha256.as_str()),
        None => (input.text.as_str(), input.sha256.as_str()),
    };
    let session = &target.session;
    let publisher = &making.publisher;
    let placed = publisher.template(&input.artifact, text, making.assembly, session, making.journal).await?;
    let (url, object) = placed.unzip();
    draft.assets.extend(object);
    match (&mut draft.first_phase, &mut draft.template) {
        (Some(first), _) => first.template.url.clone_from(&url),
        (None, Some(template)) => template.url.clone_from(&url),
        (None, None) => {}
    }
    let mut values = resolved.values.clone();
    if let Some(phases) = phases {
        values.extend(phases.kept_parameters.clone());
    }
    let template = url.map_or_else(|| TemplateSource::Body(text.to_owned()), TemplateSource::Url);
    let PlanRequest { options, run, .. } = making.request;
    let new = new_change_set(draft, options, run, digest, template, values);
    let places = || Places::of(making.assembly, &input.artifact);
    let outcome = making.maker.make(session, new, places).await?;
    match outcome {
        // The first phase is what the stack has already; the second one still has to come.
        Outcome::Empty if phases.is_some_and(|phases| phases.planned.held_by.is_empty()) => {}
        Outcome::Empty => {
            draft.operation = Operation::Nothing;
            draft.first_phase = None;
        }
        Outcome::Ready(set) => {
            draft.changes = set.changes;
            let unread = nested(&target.session, &mut draft.changes).await;
            draft.notes.extend(unread);
            if draft.base.is_none() {
                draft.operation = Operation::Create;
            }
            draft.change_set =
                Some(PlannedChangeSet { arn: set.arn, name: set.name, stack_id: set.stack_id });
        }
    }
    Ok(())
}

/// Adds the changes of nested stacks, whose logical ids become `Nested.Resource`; what could not be read, in words.
pub(crate) async fn nested(session: &Session, changes: &mut Vec<ResourceChange>) -> Vec<String> {
    let child =
        |change: &ResourceChange| Some((change.logical_id.clone(), change.nested_change_set.clone()?));
    let mut todo: Vec<(String, String)> = changes.iter().filter_map(child).collect();
    let (mut seen, mut unread) = (BTreeSet::new(), Vec::new());
    while let Some((parent, arn)) = todo.pop() {
        if !seen.insert(arn.clone()) {
            continue;
        }
        match session.cloudformation().change_set(&arn, None).await {
            Ok(Some(set)) => {
                for mut change in set.changes {
                    change.logical_id = format!("{parent}.{}", change.logical_id);
                    todo.extend(child(&change));
                    changes.push(change);
                }
            }
            _ => unread.push(format!("the changes of nested stack {parent} could not be read")),
        }
    }
    unread
}

/// What `CreateChangeSet` is asked for.
pub(crate) fn new_change_set(
    plan: &StackPlan,
    options: &PlanOptions,
    run: &str,
    digest: &str,
    template: TemplateSource,
    parameters: BTreeMap<String, crate::aws::cloudformation::ParameterValue>,
) -> NewChangeSet {
    let kind = match plan.operation {
        Operation::Create | Operation::Recreate => ChangeSetType::Create,
        Operation::Import => ChangeSetType::Import,
        _ => ChangeSetType::Update,
    };
    NewChangeSet {
        stack: plan.name.clone(),
        name: name(run, digest),
        kind,
        template,
        parameters,
        tags: plan.tags.clone(),
        capabilities: options
            .capabilities
            .clone()
            .unwrap_or_else(|| CAPABILITIES.map(str::to_owned).to_vec()),
        notification_arns: plan.notification_arns.clone(),
        role_arn: plan.execution_role_arn.clone(),
        description: Some(format!("formwork run {run}")),
        resources_to_import: Vec::new(),
        import_existing: options.import_existing,
        // CloudFormation takes neither for an import nor for drift.
        include_nested: !options.revert_drift,
        revert_drift: options.revert_drift && plan.base.is_some(),
        rollback: options.rollback_configuration.clone(),
    }
}

/// Finds losses and broadenings.
pub(crate) fn judge(
    plan: &mut StackPlan,
    deployed: Option<&Value>,
    new: &Value,
    values: &BTreeMap<String, String>,
    standing: &Standing,
) {
    plan.losses = changes::losses(&plan.changes, deployed, Some(new));
    let none = BTreeMap::new();
    let before = standing.deployed.as_ref().map_or(&none, |deployed| &deployed.stack.parameters);
    let old = deployed.unwrap_or(&Value::Null);
    let (old, new) = (Side { template: old, parameters: before }, Side { template: new, parameters: values });
    plan.broadenings = growth(old, new, &plan.changes)
        .into_iter()
        .map(|found| Broadening {
            logical_id: found.logical_id,
            resource_type: found.resource_type,
            words: found.words,
        })
        .collect();
}

/// The value of an SSM parameter; nothing when the caller may not read it.
pub(crate) async fn ssm(target: &Target, name: &str) -> Result<Ssm, EngineError> {
    match target.session.parameter(name).await {
        Ok(Some(value)) => Ok(Ssm::Value(value)),
        Ok(None) => Ok(Ssm::Missing),
        Err(error) if error.kind == ErrorKind::Denied => Ok(Ssm::Hidden),
        Err(error) => Err(failed(&format!("cannot read SSM parameter {name}"), &error)),
    }
}

/// What an SSM parameter holds.
pub(crate) enum Ssm {
    /// This.
    Value(String),
    /// There is no such parameter.
    Missing,
    /// The caller may not read it.
    Hidden,
}

/// The names of parameters that must not be shown.
pub(crate) fn secrets(template: &Value) -> BTreeSet<String> {
    let declared = Declared::of(template).into_iter();
    declared.filter(|(_, declared)| declared.is_secret()).map(|(name, _)| name.to_owned()).collect()
}
