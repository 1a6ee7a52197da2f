//! Takes existing resources into a stack, with a change set of type IMPORT.
//!
//! CloudFormation lets an import change nothing else: neither other resources, nor outputs, nor tags. So the template of
//! the import is not the app's but the deployed one with the resources that are taken in; for a new stack it is those
//! resources alone. What the app says besides, outputs among it, comes with the next deployment.

mod candidates;
mod identifiers;
mod template;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::candidates::Importable;
use self::candidates::{Candidates, candidates};
pub use self::identifiers::GivenIdentifier;
use self::template::import_template;
use super::change_set::{Maker, Outcome};
use super::environment::{self, Target};
use super::input::{self, Input, sha256};
use super::limits;
use super::make::{assemble, select, tags, unplanned};
use super::model::{Operation, Plan, PlannedChangeSet, PlannedTemplate, StackPlan};
use super::parameters;
use super::publish::Publishing;
use super::request::PlanRequest;
use super::settle::{Look, Standing, standing};
use super::stack::{self, new_change_set};
use crate::aws::cloudformation::{NewChangeSet, TemplateSource};
use crate::drift::hide_secrets;
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::follow::Places;
use crate::journal::Journal;
use crate::runtime::Runtime;
use formwork_assembly::CloudAssembly;

/// The stack of an import, as the app has it and as it is deployed.
struct Subject {
    input: Input,
    target: Target,
    standing: Standing,
}

impl Subject {
    /// The template that is deployed; nothing for a stack that is still to be made.
    fn deployed(&self) -> Option<&Value> {
        self.standing.deployed.as_ref().and_then(|deployed| deployed.template.as_ref())
    }
}

/// The resources of a stack that could be taken in: those that the app has and the deployed stack has not. `request`
/// names one stack.
///
/// # Errors
/// When there is no such stack, it is not ours, or it cannot be read.
pub async fn importable(
    request: &PlanRequest,
    assembly: &CloudAssembly,
    runtime: &Runtime,
) -> Result<Vec<Importable>, EngineError> {
    let subject = subject(request, assembly, runtime).await?;
    let Candidates { importable, .. } = candidates(&subject.input.template, subject.deployed());
    Ok(importable)
}

/// Plans the import of resources into one stack, which `request` names.
///
/// # Errors
/// When a resource is unknown, is in the stack already, cannot be imported or is not identified, or CloudFormation refuses
/// the change set. What was made is deleted then.
pub async fn make_import(
    request: &PlanRequest,
    given: &[GivenIdentifier],
    assembly: &CloudAssembly,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<Plan, EngineError> {
    let subject = subject(request, assembly, runtime).await?;
    let Subject { input, target, standing } = &subject;
    let candidates = candidates(&input.template, subject.deployed());
    let resources = identifiers::resolve(given, &candidates, input.name(), &input.template)?;
    let ids: Vec<&str> = resources.iter().map(|resource| resource.logical_id.as_str()).collect();
    let template = import_template(subject.deployed(), &input.template, &ids)?;
    let text = formwork_assembly::json::to_text(&template);
    let digest = sha256(&text);
    let mut partial = Input { text, template, sha256: digest.clone(), ..input.clone() };
    let declared = &partial.template["Parameters"];
    partial.artifact.properties.parameters.retain(|name, _| declared.get(name).is_some());
    limits::refuse(&parameters::problems(&[&partial], &request.parameters), "problems")?;
    let existing = standing.deployed.as_ref().filter(|_| standing.operation == Operation::Update);
    let none = std::collections::BTreeMap::new();
    let resolved =
        parameters::resolve(&partial, &request.parameters, &none, existing, true).map_err(|missing| {
            EngineError::new(Class::Input, missing.join("\n  "))
                .with_hint("give it with --parameters NAME=VALUE")
        })?;
    let mut plan = stack_plan(&subject, request, &digest, partial.text.len());
    plan.parameters = resolved.planned;
    plan.notes.extend(resolved.notes);
    let publisher = Publishing::new(request.publishing(), runtime);
    let placed =
        publisher.template(&input.artifact, &partial.text, assembly, &target.session, journal).await?;
    let (url, object) = placed.unzip();
    plan.assets.extend(object);
    let source = url.map_or_else(|| TemplateSource::Body(partial.text.clone()), TemplateSource::Url);
    let new = NewChangeSet {
        resources_to_import: resources,
        import_existing: false,
        include_nested: false,
        revert_drift: false,
        rollback: None,
        ..new_change_set(&plan, &request.options, &request.run, &digest, source, resolved.values)
    };
    runtime.tell_of(&plan, What::StackPlanning);
    let maker = Maker::new(runtime, journal, request.change_set_deadline);
    let made = maker.make(&target.session, new, || Places::of(assembly, &input.artifact)).await;
    match made {
        Ok(Outcome::Ready(set)) => {
            plan.changes = set.changes;
            hide_secrets(&mut plan.changes, &partial.template);
            plan.change_set = Some(PlannedChangeSet { arn: set.arn, name: set.name, stack_id: set.stack_id });
        }
        Ok(Outcome::Empty) => plan.operation = Operation::Nothing,
        Err(error) => {
            maker.forget_all().await;
            return Err(error);
        }
    }
    let told = What::StackPlanned { changes: plan.changes.len(), provisional: false };
    runtime.tell_of(&plan, told);
    let targets = [(input.artifact.id.clone(), target.clone())].into();
    Ok(assemble(request, assembly, &targets, runtime, vec![plan]))
}

/// Finds the one stack that is meant, and how it stands.
async fn subject(
    request: &PlanRequest,
    assembly: &CloudAssembly,
    runtime: &Runtime,
) -> Result<Subject, EngineError> {
    let all = input::read(assembly)?;
    let selected = select(&all, request)?;
    let mut chosen: Vec<Input> =
        all.into_iter().filter(|input| selected.contains(&input.artifact.id)).collect();
    let input = match (chosen.pop(), &chosen[..]) {
        (Some(input), []) => input,
        (last, others) => {
            let names: Vec<&str> = others.iter().chain(&last).map(Input::name).collect();
            let message = format!("{} stacks are selected: {}", names.len(), names.join(", "));
            return Err(EngineError::new(Class::Input, message)
                .with_hint("name one stack: resources are imported into one at a time"));
        }
    };
    let id = input.artifact.id.clone();
    let mut targets = environment::targets(&[&input], request, runtime).await?;
    let target = targets.remove(&id).ok_or_else(|| unplanned(&id))?;
    let look = Look {
        command: request.command,
        busy: request.busy,
        adopt: request.options.adopt,
        rollback: true,
        runtime,
    };
    let standing = standing(&target.session, &id, input.name(), None, look).await?;
    if !matches!(standing.operation, Operation::Create | Operation::Update) {
        let name = input.name();
        let message = format!("stack {name} never came to be: nothing can be imported into what is left");
        return Err(EngineError::new(Class::NeedsAction, message)
            .with_hint(format!("delete what is left with `formwork destroy {name}`, then import")));
    }
    Ok(Subject { input, target, standing })
}

fn stack_plan(subject: &Subject, request: &PlanRequest, digest: &str, bytes: usize) -> StackPlan {
    let Subject { input, target, standing } = subject;
    let existing = standing.deployed.as_ref().filter(|deployed| deployed.template.is_some());
    // An import leaves the tags and topics of a stack as they are; a new stack gets those of the app, our mark too.
    let (tags, notification_arns) = match existing {
        Some(deployed) => (deployed.stack.tags.clone(), deployed.stack.notification_arns.clone()),
        None => (tags(input, request), input.more.notification_arns.clone()),
    };
    let mut notes = Vec::new();
    if standing.adopted {
        notes.push(format!(
            "stack {} carries no mark of Formwork: the next deployment with --adopt takes it over",
            input.name()
        ));
    }
    notes.push(
        "an import changes nothing else: `formwork deploy` brings what the app says besides".to_owned(),
    );
    StackPlan {
        operation: Operation::Import,
        template: Some(PlannedTemplate { sha256: digest.to_owned(), bytes, url: None }),
        tags,
        notification_arns,
        notes,
        ..stack::of(input, target, standing)
    }
}
