//! Takes a failed operation back, or goes on with taking it back.

use std::collections::BTreeSet;
use std::time::Duration;

use super::attach::{Attached, absent};
use super::calls::{failed, names};
use super::report::{Ending, StackReport};
use super::step::{advice, ending_of};
use crate::aws::Session;
use crate::aws::cloudformation::{RollbackContinuation, Stack, StackResource, StackStatus};
use crate::error::{Class, EngineError};
use crate::event::{StackOutcome, What};
use crate::follow::{Operation, OperationKind, Watchers};
use crate::journal::{Intent, Journal};
use crate::plan::failure::failed as unstarted;
use crate::plan::{Located, owner};
use crate::runtime::Runtime;

/// How deep nested stacks are looked into.
const DEPTH: usize = 5;

/// How a stack is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollbackOptions {
    /// Resources to leave as they are because taking them back fails, as `LogicalId` or `Nested.LogicalId`.
    pub skip: Vec<String>,
    /// Whether CloudFormation leaves out whatever fails.
    pub force: bool,
    /// Whether a stack may be taken back that does not carry the mark of its app.
    pub adopt: bool,
    /// The role that CloudFormation acts with; without one that which the assembly names for the stack.
    pub role_arn: Option<String>,
    /// How long to watch at most.
    pub limit: Option<Duration>,
}

/// What can be done about a stack in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `RollbackStack`.
    Start,
    /// `ContinueUpdateRollback`.
    Continue,
    /// It is being taken back already.
    Watch,
    /// Nothing, for this reason.
    Nothing(&'static str),
}

fn way(status: &StackStatus) -> Way {
    use StackStatus as S;
    match status {
        S::CreateFailed | S::UpdateFailed => Way::Start,
        S::UpdateRollbackFailed | S::ImportRollbackFailed => Way::Continue,
        S::RollbackInProgress
        | S::UpdateRollbackInProgress
        | S::UpdateRollbackCompleteCleanupInProgress
        | S::ImportRollbackInProgress => Way::Watch,
        S::RollbackFailed | S::DeleteFailed => Way::Nothing("it can only be deleted"),
        S::RollbackComplete => {
            Way::Nothing("its creation is taken back already, and the next deployment makes it anew")
        }
        S::UpdateRollbackComplete | S::ImportRollbackComplete => Way::Nothing("it is taken back already"),
        S::CreateComplete | S::UpdateComplete | S::ImportComplete => Way::Nothing("nothing failed"),
        S::ReviewInProgress => Way::Nothing("it was never made"),
        S::DeleteComplete => Way::Nothing("it is deleted"),
        S::CreateInProgress
        | S::UpdateInProgress
        | S::UpdateCompleteCleanupInProgress
        | S::ImportInProgress
        | S::DeleteInProgress => Way::Nothing("an operation is running"),
        S::Other(_) => Way::Nothing("nothing is known about this status"),
    }
}

/// Takes a stack's failed operation back and waits for the end. The stack is looked for where its app has it, as the
/// role that the assembly names.
///
/// # Errors
/// When the stack is not the app's, there is nothing to take back, with the next command; or when CloudFormation refuses.
pub async fn rollback(
    place: &Located,
    options: &RollbackOptions,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<StackReport, EngineError> {
    if options.force && !options.skip.is_empty() {
        return Err(EngineError::new(Class::Usage, "--force and --skip exclude each other")
            .with_hint("--force leaves out whatever fails, --skip what is named"));
    }
    let (name, session) = (place.name.as_str(), &place.session);
    // Nothing is started yet, so that there is nothing to resume.
    let stack = session.cloudformation().stack(name).await;
    let stack = stack.map_err(|error| unstarted(&format!("stack {name}"), &error))?;
    let stack = stack.filter(|stack| stack.status != StackStatus::DeleteComplete);
    let Some(stack) = stack else { return Err(absent(name, session)) };
    owner::check(&owner::owner(&stack, &place.id, &[]), name, "rollback", options.adopt)?;
    let role = options.role_arn.as_deref().or(place.execution_role.as_deref());
    let begun = runtime.clock.elapsed();
    let started = runtime.clock.now();
    let token = match way(&stack.status) {
        Way::Start => Some(start(&stack, session, role, options, journal).await?),
        Way::Continue => {
            check_skipped(&stack, session, options).await?;
            Some(go_on(&stack, session, role, options, journal).await?)
        }
        Way::Watch => None,
        Way::Nothing(why) => return Err(nothing(&stack, why)),
    };
    runtime.tell_of(
        (name, session),
        What::StackStarted { operation: "rollback".to_owned(), resources: None, typical_seconds: None },
    );
    let mut operation = Operation::new(&stack.id, &stack.name, OperationKind::Rollback, started);
    operation.token = token;
    operation.limit = options.limit;
    operation.base = Some(crate::plan::model::BaseState {
        stack_id: stack.id.clone(),
        status: stack.status.clone(),
        updated: stack.updated,
    });
    let mut finished = Watchers::new(runtime).of(session).operation(operation).await;
    if let Some(cleanup) = finished.cleanup.take() {
        finished = cleanup.finished().await;
    }
    let status = finished.status.clone();
    let mut ending = if finished.success {
        let mut ending = Ending::new(StackOutcome::RolledBack);
        // What was asked for was done.
        ending.class = None;
        ending.status = Some(status.clone());
        ending.warnings = finished.warnings;
        ending
    } else {
        ending_of(name, OperationKind::Rollback, finished)
    };
    if status == StackStatus::UpdateRollbackFailed {
        let stuck = stuck(session, &stack.id).await;
        if !stuck.is_empty() {
            ending.message = Some(format!("could not be taken back: {}", stuck.join(", ")));
            ending.hint = Some(format!(
                "correct the cause and run `formwork rollback {name}`, or leave them out: `formwork rollback {name} --skip {}`",
                stuck.join(",")
            ));
        }
    }
    if !options.skip.is_empty() && ending.class.is_none() {
        ending.warnings.push(format!(
            "{} may differ from what the template says: deploy again",
            options.skip.join(", ")
        ));
    }
    let seconds = runtime.clock.elapsed().saturating_sub(begun).as_secs_f64();
    if let Some(failure) = &ending.failure {
        runtime.tell_of((name, session), What::Diagnosed(Box::new(failure.clone())));
    }
    runtime.tell_of(
        (name, session),
        What::StackFinished {
            outcome: ending.outcome,
            status: ending.status.clone(),
            seconds,
            outputs: Default::default(),
        },
    );
    Ok(ending.report(&place.id, name, &place.environment, seconds))
}

async fn start(
    stack: &Stack,
    session: &Session,
    role: Option<&str>,
    options: &RollbackOptions,
    journal: &Journal,
) -> Result<String, EngineError> {
    if options.force || !options.skip.is_empty() {
        let message = format!(
            "stack {} is {}: --skip and --force are for rollbacks that failed",
            stack.name, stack.status
        );
        return Err(EngineError::new(Class::Usage, message)
            .with_hint(format!("run `formwork rollback {}`", stack.name)));
    }
    let ticket = journal.intent(Intent::new("RollbackStack", &stack.name).with_name("stackId", &stack.id))?;
    let answer = session.cloudformation().roll_back(&stack.id, role, &ticket).await;
    journal.outcome(&ticket, answer.as_ref().map(|()| names([])));
    answer.map_err(|error| failed(&stack.name, &error))?;
    Ok(ticket.token().to_owned())
}

async fn go_on(
    stack: &Stack,
    session: &Session,
    role: Option<&str>,
    options: &RollbackOptions,
    journal: &Journal,
) -> Result<String, EngineError> {
    let continuation = RollbackContinuation {
        role_arn: role.map(str::to_owned),
        skip: options.skip.clone(),
        force: options.force,
    };
    let intent = Intent::new("ContinueUpdateRollback", &stack.name).with_name("stackId", &stack.id);
    let ticket = journal.intent(intent)?;
    let answer = session.cloudformation().continue_rollback(&stack.id, &continuation, &ticket).await;
    journal.outcome(&ticket, answer.as_ref().map(|()| names([])));
    answer.map_err(|error| failed(&stack.name, &error))?;
    Ok(ticket.token().to_owned())
}

/// CloudFormation takes only resources whose rollback failed, and tells the wrong ones apart badly.
async fn check_skipped(
    stack: &Stack,
    session: &Session,
    options: &RollbackOptions,
) -> Result<(), EngineError> {
    if options.skip.is_empty() {
        return Ok(());
    }
    let stuck = stuck(session, &stack.id).await;
    let known: BTreeSet<&str> = stuck.iter().map(String::as_str).collect();
    let wrong: Vec<&str> =
        options.skip.iter().map(String::as_str).filter(|skipped| !known.contains(skipped)).collect();
    // Nothing known: the resources could not be read, and CloudFormation itself decides.
    if wrong.is_empty() || known.is_empty() {
        return Ok(());
    }
    Err(EngineError::new(
        Class::Usage,
        format!("stack {}: {} did not fail, so that it cannot be left out", stack.name, wrong.join(", ")),
    )
    .with_hint(format!("what failed: {}", stuck.join(", "))))
}

/// The resources whose rollback failed, as `--skip` names them.
async fn stuck(session: &Session, stack_id: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), stack_id.to_owned(), 0)];
    while let Some((path, id, depth)) = waiting.pop() {
        let resources = session.cloudformation().resources(&id).await.unwrap_or_default();
        for resource in resources.iter().filter(|it| it.status == "UPDATE_FAILED") {
            match nested(resource).filter(|_| depth < DEPTH) {
                // CloudFormation names the stack that holds the resource and the resource, however deep it is.
                Some(child) => waiting.push((format!("{}.", resource.logical_id), child, depth + 1)),
                None => found.push(format!("{path}{}", resource.logical_id)),
            }
        }
    }
    found.sort();
    found
}

fn nested(resource: &StackResource) -> Option<String> {
    let is_stack = resource.resource_type == "AWS::CloudFormation::Stack";
    resource.physical_id.clone().filter(|id| is_stack && id.starts_with("arn:"))
}

fn nothing(stack: &Stack, why: &str) -> EngineError {
    let name = &stack.name;
    let hint = advice(&stack.status, name).unwrap_or_else(|| match &stack.status {
        status if status.is_in_progress() => {
            format!("look on with `formwork follow {name}`, or stop an update with `formwork cancel {name}`")
        }
        _ => format!("run `formwork deploy {name}`"),
    });
    EngineError::new(Class::Refused, format!("stack {name} is {}: {why}", stack.status)).with_hint(hint)
}

/// Asks CloudFormation to take running updates back; what was asked for each, by stack.
///
/// # Errors
/// When a call fails for another reason than that nothing runs.
pub async fn cancel(
    attached: &[Attached],
    runtime: &Runtime,
    journal: &Journal,
) -> Result<Vec<String>, EngineError> {
    let mut cancelled = Vec::new();
    for it in attached {
        let now = it
            .session
            .cloudformation()
            .stack(&it.stack_id)
            .await
            .map_err(|error| failed(&it.name, &error))?;
        let status = now.map(|now| now.status);
        let warn = |message: String, hint: Option<String>| {
            runtime.tell_of(it, What::Warning { message, hint });
        };
        match status {
            Some(StackStatus::UpdateInProgress) => {
                let asked =
                    super::cancel::cancel_update(journal, &it.name, &it.name, &it.session, &it.stack_id);
                if asked.await? {
                    cancelled.push(it.name.clone());
                } else {
                    warn("the update has just ended: there is nothing to cancel".to_owned(), None);
                }
            }
            Some(status @ (StackStatus::CreateInProgress | StackStatus::ImportInProgress)) => warn(
                format!("it is {status}, and only updates can be cancelled"),
                Some(format!("give it up with `formwork destroy {}`", it.name)),
            ),
            Some(status) if status.is_in_progress() => {
                warn(format!("it is {status}, and only updates can be cancelled"), None);
            }
            _ => warn("nothing runs: there is nothing to cancel".to_owned(), None),
        }
    }
    Ok(cancelled)
}
