//! How the calls of this room end: errors of the service as errors for people.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Error, ErrorKind, RoleOptions, Session};
use crate::error::{Class, EngineError, Moment};
use crate::plan::model::{Operation, Plan, PlannedEnvironment, StackPlan};
use crate::runtime::Runtime;

/// The caller of a stack's calls, who must be in the plan's account.
pub(super) async fn session(stack: &StackPlan, runtime: &Runtime) -> Result<Session, EngineError> {
    let role = stack
        .assume_role_arn
        .as_deref()
        .map(|role| RoleOptions { external_id: stack.external_id.clone(), ..RoleOptions::of(role) });
    let region = Some(stack.environment.region.as_str());
    let session = runtime.sessions.session_with(region, role.as_ref()).await;
    let session = session.map_err(|error| failed(&stack.name, &error))?;
    if session.account() == stack.environment.account {
        return Ok(session);
    }
    let (ours, planned) = (session.account(), &stack.environment.account);
    let message = format!("stack {}: the plan is for account {planned}, the caller is in {ours}", stack.name);
    Err(EngineError::new(Class::Refused, message)
        .with_hint("use the credentials with which the plan was made, or make a new plan"))
}

/// Who carries a plan out, as each account and region knows the caller. Of a place that cannot be reached nothing is
/// known; its stacks say so when their turn comes.
pub(super) async fn callers(plan: &Plan, runtime: &Runtime) -> Vec<PlannedEnvironment> {
    let mut asked = BTreeSet::new();
    let mut callers: Vec<PlannedEnvironment> = Vec::new();
    for stack in plan.stacks.iter().filter(|stack| stack.operation != Operation::Nothing) {
        if !asked.insert((&stack.environment, &stack.assume_role_arn, &stack.external_id)) {
            continue;
        }
        let Ok(session) = session(stack, runtime).await else { continue };
        let caller = PlannedEnvironment {
            environment: stack.environment.clone(),
            identity: session.identity().to_owned(),
        };
        if !callers.contains(&caller) {
            callers.push(caller);
        }
    }
    callers
}

/// An error of a part that plans, while a run goes on: what would end a plan detaches a run.
pub(super) fn while_running(stack: &str, error: EngineError) -> EngineError {
    match &error.source {
        Some(source)
            if source.is_transient()
                || matches!(source.kind, ErrorKind::ExpiredCredentials | ErrorKind::Credentials) =>
        {
            failed(stack, source)
        }
        _ => error,
    }
}

/// The error of a call on a stack, as the run's error. Where credentials or network are at fault, nothing has failed: the
/// run is detached and can be resumed.
pub(super) fn failed(stack: &str, error: &Error) -> EngineError {
    let message = match error.kind {
        ErrorKind::ExpiredCredentials | ErrorKind::Credentials => {
            format!("stack {stack}: the credentials are expired and could not be renewed")
        }
        ErrorKind::Unreachable | ErrorKind::Protocol | ErrorKind::Throttled { .. } => {
            format!("stack {stack}: the service cannot be reached: {}", error.message)
        }
        ErrorKind::Denied => format!("stack {stack}: {} is denied", error.operation),
        _ => format!("stack {stack}: {} failed: {}", error.operation, error.message),
    };
    EngineError::of_call(message, error, Moment::During)
}

/// Names for the journal.
pub(super) fn names<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
