//! Whether a stack is what the assembly says already, so that nothing is written at all.
//!
//! CloudFormation can be asked with a change set, but that is a write, and stacks with nested stacks always show some
//! change. What is compared here is what `CreateChangeSet` would be given.

use super::environment::Target;
use super::input::Input;
use super::model::{ParameterSource, PlanOptions, StackPlan};
use super::parameters::{Declared, Resolved};
use super::settle::Standing;
use super::stack::{Ssm, ssm};
use crate::error::{Class, EngineError};

/// Reads what parameters of SSM types stand for. Tells why the stack has to wait when one does not exist yet and stacks
/// before it may make it.
///
/// # Errors
/// When a parameter is missing that no stack of the plan can make.
pub(crate) async fn resolve_ssm(
    input: &Input,
    target: &Target,
    resolved: &mut Resolved,
    follows_others: bool,
) -> Result<Option<String>, EngineError> {
    let mut waits = None;
    for (name, declared) in Declared::of(&input.template) {
        let Some(planned) = resolved.planned.get_mut(name).filter(|_| declared.is_ssm()) else { continue };
        let Some(parameter) = planned.value.clone() else { continue };
        match ssm(target, &parameter).await? {
            Ssm::Value(value) => planned.resolved = Some(value),
            Ssm::Hidden => {}
            Ssm::Missing if follows_others => {
                waits = Some(format!("waits for SSM parameter {parameter}"));
            }
            Ssm::Missing => {
                let super::model::Environment { account, region } = &target.environment;
                let message = format!(
                    "stack {}: parameter {name} names SSM parameter {parameter}, which {account} does not have in {region}",
                    input.artifact.id
                );
                let error = EngineError::new(Class::Refused, message);
                let rest = parameter.strip_prefix("/formwork/bootstrap/");
                let Some((qualifier, _)) = rest.and_then(|rest| rest.split_once('/')) else {
                    return Err(error);
                };
                let option = match qualifier {
                    "formwork" => String::new(),
                    other => format!(" --qualifier {other}"),
                };
                let command = format!("formwork bootstrap aws://{account}/{region}{option}");
                return Err(
                    error.with_hint(format!("run `{command}`, or name a bucket of yours with --bucket NAME"))
                );
            }
        }
    }
    Ok(waits)
}

/// Whether everything that would be sent is what the stack has.
pub(crate) fn is_unchanged(
    input: &Input,
    standing: &Standing,
    resolved: &Resolved,
    plan: &StackPlan,
    options: &PlanOptions,
) -> bool {
    let Some(deployed) = &standing.deployed else { return false };
    let stack = &deployed.stack;
    if deployed.template.as_ref() != Some(&input.template) || stack.status.as_str().ends_with("_FAILED") {
        return false;
    }
    if stack.tags != plan.tags {
        return false;
    }
    let mut topics = stack.notification_arns.clone();
    topics.sort();
    // No role in the plan means that CloudFormation keeps the one that the stack has.
    let role = plan.execution_role_arn.as_ref().is_none_or(|role| stack.role_arn.as_ref() == Some(role));
    let protected = plan.termination_protection.is_none_or(|wanted| wanted == stack.termination_protection);
    // None in the plan means that those of the stack stay.
    let alarms = options.rollback_configuration.as_ref().is_none_or(|wanted| {
        let mut deployed = stack.rollback.clone().unwrap_or_default();
        let mut wanted = wanted.clone();
        deployed.alarm_arns.sort();
        wanted.alarm_arns.sort();
        deployed == wanted
    });
    topics == plan.notification_arns
        && role
        && protected
        && alarms
        && same_parameters(input, resolved, standing)
}

fn same_parameters(input: &Input, resolved: &Resolved, standing: &Standing) -> bool {
    let Some(deployed) = &standing.deployed else { return false };
    let stack = &deployed.stack;
    let declared = Declared::of(&input.template);
    declared.into_iter().all(|(name, declared)| {
        let Some(planned) = resolved.planned.get(name) else { return false };
        if planned.source == ParameterSource::Previous && !declared.is_ssm() {
            return true;
        }
        // A secret that is given may be another one: nothing tells.
        let same = planned.value.is_some() && stack.parameters.get(name) == planned.value.as_ref();
        let resolved = !declared.is_ssm()
            || (planned.resolved.is_some()
                && stack.resolved_parameters.get(name) == planned.resolved.as_ref());
        same && resolved
    })
}
