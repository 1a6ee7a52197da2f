//! Change sets that are made when their turn comes, from the template that was approved.
//!
//! A provisional stack was approved by its template. What its change set really does is known only now, so it is
//! compared with what was approved: it may not lose anything that the plan did not name, nor grant it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use formwork_assembly::CloudAssembly;
use formwork_assembly::broadening::Side;
use serde_json::Value;

use super::change_set::{Maker, Outcome};
use super::changes;
use super::environment;
use super::failure::failed;
use super::growth::beyond;
use super::input::{self, Input, parse};
use super::model::{LossKind, Operation, ParameterSource, Plan, PlannedChangeSet, StackPlan};
use super::parameters;
use super::phases;
use super::publish::Publishing;
use super::request::{CHANGE_SET_DEADLINE, GivenParameter};
use super::stack::{nested, new_change_set, secrets};
use crate::assets::PublishOptions;
use crate::aws::Session;
use crate::aws::cloudformation::{ParameterValue, ResourceChange, Stack, StackStatus, TemplateSource};
use crate::drift::hide_secrets;
use crate::error::{Class, EngineError};
use crate::follow::Places;
use crate::journal::Journal;
use crate::runtime::Runtime;

/// How a late change set is made.
#[derive(Clone, Debug)]
pub struct LateOptions {
    /// The values that were given when the plan was made: a plan keeps none of `NoEcho` parameters.
    pub parameters: Vec<GivenParameter>,
    /// How a template is published that is too large to go with the call.
    pub publish: PublishOptions,
    /// How long CloudFormation may take for it.
    pub deadline: Duration,
    /// Whether it is for the second of two phases.
    pub second_phase: bool,
    /// Whether rights and reachability may grow beyond what the plan said.
    pub may_broaden: bool,
    /// Whether this run has changed the stack already, so that it may be another one than the plan saw.
    pub repeated: bool,
}

impl Default for LateOptions {
    fn default() -> Self {
        Self {
            parameters: Vec::new(),
            publish: PublishOptions::default(),
            deadline: CHANGE_SET_DEADLINE,
            second_phase: false,
            may_broaden: false,
            repeated: false,
        }
    }
}

/// A change set that was made late.
#[derive(Clone, Debug)]
pub struct LateChangeSet {
    /// The change set.
    pub planned: PlannedChangeSet,
    /// What it changes.
    pub changes: Vec<ResourceChange>,
}

/// Makes the change set of a stack whose turn has come; nothing when it would change nothing.
///
/// # Errors
/// When the template is not the one that was approved, the stack was changed since, CloudFormation refuses the change
/// set, or it would lose or grant more than was approved. What was made is deleted then.
pub async fn change_set(
    plan: &Plan,
    stack: &StackPlan,
    options: &LateOptions,
    assembly: &CloudAssembly,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<Option<LateChangeSet>, EngineError> {
    let name = &stack.name;
    let input = approved_input(stack, assembly)?;
    let session = session(stack, runtime).await?;
    let told = |error: &crate::aws::Error| failed(&format!("stack {name}"), error);
    // That a stack is there which was not when the plan was made, CloudFormation says by itself.
    let unseen = stack.base.is_none() && !options.second_phase && !options.repeated;
    let now = match unseen {
        true => None,
        false => session.cloudformation().stack(name).await.map_err(|error| told(&error))?,
    };
    let now = now.filter(|now| now.status != StackStatus::DeleteComplete);
    if !options.second_phase && !options.repeated {
        check_base(stack, now.as_ref())?;
    }
    let living = now.as_ref().filter(|now| now.status != StackStatus::ReviewInProgress);
    let deployed = match living {
        Some(now) => {
            let text = session.cloudformation().template(&now.id).await.map_err(|error| told(&error))?;
            text.and_then(|text| parse(name, &text).ok())
        }
        None => None,
    };
    let mut step = stack.clone();
    step.operation = match (stack.operation, living) {
        (Operation::Import, _) => Operation::Import,
        (_, None) => Operation::Create,
        (_, Some(_)) => Operation::Update,
    };
    let mut values = values(stack, &input, options, living)?;
    let (text, digest) = match stack.first_phase.as_ref().filter(|_| !options.second_phase) {
        None => (input.text.clone(), input.sha256.clone()),
        Some(first) => {
            let old = deployed.as_ref().ok_or_else(|| changed(name, "it is gone"))?;
            let kept = phases::outputs_of(first.kept_exports.keys(), living);
            let (text, kept_parameters) = phases::first_text(old, &input.template, &kept);
            let digest = input::sha256(&text);
            if digest != first.template.sha256 {
                return Err(changed(name, "the template of the first phase is another one now"));
            }
            values.extend(kept_parameters.into_iter().map(|name| (name, ParameterValue::Previous)));
            (text, digest)
        }
    };
    let publisher = Publishing::new(plan.options.publishing(&options.publish), runtime);
    let placed = publisher.template(&input.artifact, &text, assembly, &session, journal).await?;
    let template = placed.map_or(TemplateSource::Body(text), |(url, _)| TemplateSource::Url(url));
    let new = new_change_set(&step, &plan.options, &plan.run, &digest, template, values);
    let maker = Maker { late: true, ..Maker::new(runtime, journal, options.deadline) };
    let places = || Places::of(assembly, &input.artifact);
    let made = maker.make(&session, new, places).await;
    let set = match made {
        Ok(Outcome::Empty) => return Ok(None),
        Ok(Outcome::Ready(set)) => set,
        Err(error) => {
            maker.forget_all().await;
            return Err(if unseen { cause(stack, error, &session).await } else { error });
        }
    };
    let mut changes = set.changes;
    hide_secrets(&mut changes, &input.template);
    nested(&session, &mut changes).await;
    let losses = changes::losses(&changes, deployed.as_ref(), Some(&input.template));
    let approved: BTreeSet<(&str, LossKind)> =
        stack.losses.iter().map(|loss| (loss.logical_id.as_str(), loss.by)).collect();
    let more: Vec<String> = losses
        .iter()
        .filter(|loss| !approved.contains(&(loss.logical_id.as_str(), loss.by)))
        .map(|loss| loss.words.clone())
        .collect();
    if !more.is_empty() {
        maker.forget_all().await;
        let message = format!("stack {name} would lose more than was approved:\n  {}", more.join("\n  "));
        return Err(EngineError::new(Class::Refused, message)
            .with_hint("look at it with `formwork plan`, then approve it with --allow replace,delete"));
    }
    if !options.may_broaden {
        let none = BTreeMap::new();
        let old = Side {
            template: deployed.as_ref().unwrap_or(&Value::Null),
            parameters: living.map_or(&none, |living| &living.parameters),
        };
        let planned =
            stack.parameters.iter().filter_map(|(name, it)| Some((name.clone(), it.value.clone()?)));
        let planned = planned.collect();
        let mut now = set.parameters;
        now.extend(set.resolved_parameters);
        // CloudFormation tells stars in place of secrets.
        now.retain(|name, _| !secrets(&input.template).contains(name));
        let more = beyond(stack, old, &input.template, &planned, &now, &changes);
        if !more.is_empty() {
            maker.forget_all().await;
            let message =
                format!("stack {name} would grant more than was approved:\n  {}", more.join("\n  "));
            return Err(EngineError::new(Class::Refused, message).with_hint(
                "deploy it again, which asks about it now; `--require-approval never` does not ask",
            ));
        }
    }
    let planned = PlannedChangeSet { arn: set.arn, name: set.name, stack_id: set.stack_id };
    Ok(Some(LateChangeSet { planned, changes }))
}

/// The stack as the assembly has it, which must be what was approved.
pub(crate) fn approved_input(stack: &StackPlan, assembly: &CloudAssembly) -> Result<Input, EngineError> {
    let input = input::read_one(assembly, &stack.id)?;
    let input = input.ok_or_else(|| changed(&stack.name, "the assembly has no such stack any more"))?;
    let approved = stack.template.as_ref().map(|template| template.sha256.as_str());
    if approved.is_some_and(|approved| approved != input.sha256) {
        return Err(changed(&stack.name, "its template in the assembly is another one now"));
    }
    Ok(input)
}

/// The caller of a stack's calls, who must be in the plan's account.
pub(crate) async fn session(stack: &StackPlan, runtime: &Runtime) -> Result<Session, EngineError> {
    let place = &stack.environment;
    let (role, external) = (stack.assume_role_arn.as_deref(), stack.external_id.as_deref());
    let session = environment::session(runtime, &place.region, role, external)
        .await
        .map_err(|error| failed(&format!("stack {}: no session in {}", stack.name, place.region), &error))?;
    if session.account() == place.account {
        return Ok(session);
    }
    Err(EngineError::new(
        Class::Refused,
        format!(
            "stack {}: the plan is for account {}, the credentials are of {}",
            stack.name,
            place.account,
            session.account()
        ),
    )
    .with_hint("choose the profile with which the plan was made, or make a new plan"))
}

/// Whether the stack is what the plan saw.
///
/// # Errors
/// When it was changed, made or deleted since.
pub(crate) fn check_base(stack: &StackPlan, now: Option<&Stack>) -> Result<(), EngineError> {
    let now = now.filter(|now| now.status != StackStatus::DeleteComplete);
    let differs = |why: &str| Err(changed(&stack.name, why));
    match (&stack.base, now) {
        (None, None) => Ok(()),
        (None, Some(now)) if now.status == StackStatus::ReviewInProgress => match stack.change_set.as_ref() {
            Some(set) if set.stack_id != now.id => differs("somebody else made a stack of this name"),
            _ => Ok(()),
        },
        (None, Some(_)) => differs("somebody made a stack of this name"),
        // What a recreation deletes first may be gone already.
        (Some(_), None) if stack.operation == Operation::Recreate => Ok(()),
        (Some(_), None) => differs("it is gone"),
        (Some(base), Some(now)) if base.stack_id != now.id => differs("it was deleted and made again"),
        (Some(base), Some(now))
            if base.updated != now.updated.or(now.created) || base.status != now.status =>
        {
            differs(&format!("it was {} and is {}", base.status, now.status))
        }
        (Some(_), Some(_)) => Ok(()),
    }
}

pub(crate) fn changed(name: &str, why: &str) -> EngineError {
    EngineError::new(Class::Refused, format!("stack {name} changed since the plan was made: {why}"))
        .with_hint("make a new plan")
}

/// Why a new stack got no change set. That CloudFormation refused the call may be because somebody made a stack of this name
/// meanwhile; what is only a shell, or is being deleted, is ours or empty, and the refusal itself says why.
async fn cause(stack: &StackPlan, error: EngineError, session: &Session) -> EngineError {
    if error.source.as_ref().is_none_or(|source| source.operation != "CreateChangeSet") {
        return error;
    }
    let now = session.cloudformation().stack(&stack.name).await.ok().flatten();
    let now = now
        .filter(|now| !matches!(now.status, StackStatus::ReviewInProgress | StackStatus::DeleteInProgress));
    check_base(stack, now.as_ref()).err().unwrap_or(error)
}

/// The values that the plan names, with the secrets that it does not.
fn values(
    stack: &StackPlan,
    input: &Input,
    options: &LateOptions,
    living: Option<&Stack>,
) -> Result<BTreeMap<String, ParameterValue>, EngineError> {
    let given = parameters::given(input, &options.parameters);
    let hidden = secrets(&input.template);
    let mut values = BTreeMap::new();
    for (name, planned) in &stack.parameters {
        let value = match (planned.source, &planned.value) {
            (ParameterSource::Default, _) => continue,
            (ParameterSource::Previous, _) if living.is_some() => ParameterValue::Previous,
            (_, Some(value)) => ParameterValue::Value(value.clone()),
            (ParameterSource::Assembly, None) => match input.artifact.properties.parameters.get(name) {
                Some(value) => ParameterValue::Value(value.clone()),
                None => return Err(changed(&stack.name, &format!("parameter {name} has no value any more"))),
            },
            (_, None) => match given.get(name.as_str()) {
                Some(value) => ParameterValue::Value((*value).to_owned()),
                None if living.is_some() && options.second_phase => ParameterValue::Previous,
                None => {
                    let why = if hidden.contains(name) {
                        "it is NoEcho, so that no plan keeps it"
                    } else {
                        "it was not kept"
                    };
                    let message = format!("stack {}: parameter {name} has no value: {why}", stack.name);
                    return Err(EngineError::new(Class::Usage, message)
                        .with_hint(format!("give it again with --parameters {}:{name}=VALUE", stack.id)));
                }
            },
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}
