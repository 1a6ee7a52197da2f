//! Whether a plan still holds: what it found must be what there is when it is carried out.

use formwork_assembly::CloudAssembly;
use futures_util::future::join_all;

use super::environment::Target;
use super::failure::{combine, failed};
use super::late::{approved_input, changed, check_base, session};
use super::model::{Operation, Plan, StackPlan};
use super::publish::Publishing;
use super::seen::{AllSeen, Place};
use super::stack::{Ssm, ssm};
use crate::assets::PublishOptions;
use crate::aws::Session;
use crate::aws::cloudformation::ExecutionStatus;
use crate::error::{Class, EngineError};
use crate::runtime::Runtime;

/// Refuses a plan that no longer holds, naming everything that is not what the plan found.
///
/// # Errors
/// When the plan has no change sets by design, a change set is gone or obsolete, a template, asset or SSM parameter is another one, a stack was changed since,
/// or the credentials are of another account.
pub async fn check_fresh(
    plan: &Plan,
    assembly: &CloudAssembly,
    runtime: &Runtime,
) -> Result<(), EngineError> {
    if plan.options.templates_only {
        let message =
            "the plan was made without change sets: nobody has looked at what CloudFormation would do";
        return Err(EngineError::new(Class::Refused, message)
            .with_hint("make it again without --no-change-sets, with `formwork plan --out FILE`"));
    }
    let callers = join_all(plan.stacks.iter().map(|stack| session(stack, runtime))).await;
    let (mut errors, mut callable) = (Vec::new(), Vec::new());
    for (stack, session) in plan.stacks.iter().zip(callers) {
        match session {
            Ok(session) => callable.push((stack, session)),
            // Whoever is somebody else sees another account's stacks: the rest would be wrong.
            Err(error) => errors.push(error),
        }
    }
    let seen = &AllSeen::of(callable.iter().map(|(stack, session)| (place(stack), session))).await;
    let checks =
        join_all(callable.iter().map(|(stack, session)| check(stack, session, seen, assembly, runtime)));
    errors.extend(checks.await.into_iter().flatten());
    if errors.is_empty() { Ok(()) } else { Err(combine(errors)) }
}

fn place(stack: &StackPlan) -> Place {
    (stack.environment.clone(), stack.assume_role_arn.clone())
}

fn check_template(stack: &StackPlan, assembly: &CloudAssembly) -> Result<(), EngineError> {
    if stack.operation == Operation::Delete || stack.template.is_none() {
        return Ok(());
    }
    approved_input(stack, assembly).map(drop)
}

async fn check(
    stack: &StackPlan,
    session: &Session,
    seen: &AllSeen,
    assembly: &CloudAssembly,
    runtime: &Runtime,
) -> Vec<EngineError> {
    let mut errors = Vec::new();
    errors.extend(check_template(stack, assembly).err());
    errors.extend(check_change_set(stack, session).await.err());
    let now = match seen.stack(&place(stack), &stack.name) {
        Some(known) => Ok(known),
        None => session.cloudformation().stack(&stack.name).await,
    };
    match now {
        Ok(now) => errors.extend(check_base(stack, now.as_ref()).err()),
        Err(error) => errors.push(failed(&format!("stack {}", stack.name), &error)),
    }
    if stack.operation == Operation::Nothing || stack.operation == Operation::Delete {
        return errors;
    }
    errors.extend(check_parameters(stack, session).await);
    errors.extend(Publishing::new(PublishOptions::default(), runtime).verify(stack, session).await.err());
    errors
}

async fn check_change_set(stack: &StackPlan, session: &Session) -> Result<(), EngineError> {
    let Some(planned) = &stack.change_set else { return Ok(()) };
    let set = session
        .cloudformation()
        .change_set(&planned.arn, Some(&planned.stack_id))
        .await
        .map_err(|error| failed(&format!("stack {}", stack.name), &error))?;
    let Some(set) = set else {
        return Err(changed(&stack.name, &format!("change set {} is gone", planned.name)));
    };
    match set.execution_status {
        ExecutionStatus::Available => Ok(()),
        ExecutionStatus::Obsolete => Err(changed(
            &stack.name,
            &format!("change set {} is OBSOLETE, another one was executed", planned.name),
        )),
        other => Err(changed(&stack.name, &format!("change set {} is {other}", planned.name))),
    }
}

async fn check_parameters(stack: &StackPlan, session: &Session) -> Vec<EngineError> {
    let target = Target {
        session: session.clone(),
        environment: stack.environment.clone(),
        role: None,
        external_id: None,
        execution_role: None,
    };
    let mut errors = Vec::new();
    for (name, planned) in &stack.parameters {
        let (Some(parameter), Some(then)) = (&planned.value, &planned.resolved) else { continue };
        match ssm(&target, parameter).await {
            Ok(Ssm::Value(now)) if now != *then => errors.push(changed(
                &stack.name,
                &format!("parameter {name}: SSM parameter {parameter} was `{then}` and is `{now}`"),
            )),
            Ok(Ssm::Missing) => {
                errors.push(changed(
                    &stack.name,
                    &format!("parameter {name}: SSM parameter {parameter} is gone"),
                ));
            }
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    errors
}
