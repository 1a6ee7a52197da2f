//! One stack's part of a destruction.

use super::calls::{failed, names, while_running};
use super::report::Ending;
use super::schedule::Step;
use super::state::State;
use super::step::{Wait, Work, ending_of};
use crate::aws::cloudformation::{Deletion, Stack, StackStatus};
use crate::aws::{ErrorKind, Session};
use crate::error::{Class, EngineError};
use crate::event::{StackOutcome, What};
use crate::follow::{Finished, OperationKind};
use crate::journal::Intent;
use crate::journal::history::Fate;
use crate::plan::late::check_base;
use crate::plan::model::{Operation, RemovalKind};
use crate::plan::removal;

/// How often a deletion is repeated whose answer did not come.
const REPETITIONS: u32 = 2;

impl Work<'_> {
    /// Deletes a stack.
    ///
    /// # Errors
    /// When something is refused before CloudFormation begins, or nobody can watch.
    pub(super) async fn destroy(&self, step: Step) -> Result<Ending, EngineError> {
        let stack = self.stack(step);
        let base = match &stack.base {
            Some(base) if stack.operation == Operation::Delete => base,
            _ => return Ok(Ending::new(StackOutcome::Unchanged)),
        };
        if self.done_before(step) {
            return Ok(Ending::new(StackOutcome::Deleted));
        }
        let session = self.session(stack).await?;
        let target = self.target(step, 0);
        let begun =
            self.history.last_call("DeleteStack", &target).is_some_and(|call| call.fate == Fate::Done);
        let mut deletion = Deletion { role_arn: stack.execution_role_arn.clone(), ..Deletion::default() };
        if !begun {
            self.go_on()?;
            let Some(now) = self.deletable(step, &session, &base.stack_id).await? else {
                return Ok(Ending::new(StackOutcome::Deleted));
            };
            // What stands in the way and was approved to go, as the plan names it.
            let removed = Box::pin(removal::remove(stack, &session, self.runtime, self.journal)).await;
            removed.map_err(|error| while_running(&stack.name, error))?;
            // CloudFormation takes these only where a deletion has failed before.
            if now.status == StackStatus::DeleteFailed {
                self.leave_behind(step, &session, &base.stack_id, &mut deletion).await;
            }
        }
        let told = What::StackStarted {
            operation: "delete".to_owned(),
            resources: (!stack.changes.is_empty()).then_some(stack.changes.len()),
            typical_seconds: Some(self.estimate(step.stack)),
        };
        self.runtime.tell_of(stack, told);
        let mut finished = self.delete(step, &target, &session, &base.stack_id, &deletion).await?;
        let again =
            finished.status == StackStatus::DeleteFailed && deletion.retain.is_empty() && !deletion.force;
        if again && self.leave_behind(step, &session, &base.stack_id, &mut deletion).await {
            finished = self.delete(step, &self.target(step, 1), &session, &base.stack_id, &deletion).await?;
        }
        let deleted = finished.success;
        let expired = finished.expired;
        let mut ending = ending_of(&stack.name, OperationKind::Delete, finished);
        if expired {
            ending.outcome = StackOutcome::Detached;
            ending.class = Some(Class::Detached);
            ending.message = Some("it was not done in time; CloudFormation goes on".to_owned());
            ending.hint = Some(format!("look on with `formwork follow {}`", stack.name));
        }
        if deleted && !deletion.retain.is_empty() {
            ending.warnings.push(format!("left behind, and yours to delete: {}", deletion.retain.join(", ")));
        }
        if ending.outcome == StackOutcome::Failed {
            self.name_what_is_left(&session, &base.stack_id, &stack.name, &mut ending).await;
        }
        Ok(ending)
    }

    /// The stack once it may be deleted; nothing when it is gone.
    async fn deletable(
        &self,
        step: Step,
        session: &Session,
        stack_id: &str,
    ) -> Result<Option<Stack>, EngineError> {
        let name = &self.stack(step).name;
        let now = if self.options.wait_busy {
            self.until_quiet(step, session, stack_id).await?
        } else {
            self.read(session, name, stack_id).await?
        };
        let Some(now) = now.filter(|now| now.status != StackStatus::DeleteComplete) else { return Ok(None) };
        if now.status.is_in_progress() {
            return Err(EngineError::new(
                Class::Refused,
                format!("stack {name} is {}: somebody works on it", now.status),
            )
            .with_hint(format!("look on with `formwork follow {name}`, then try again")));
        }
        // What this run has begun before it was cut off is no change by somebody else.
        if self.history.last_call("DeleteStack", &self.target(step, 0)).is_none() {
            check_base(self.stack(step), Some(&now))?;
        }
        let unprotects =
            self.stack(step).removals.iter().any(|it| it.kind == RemovalKind::TerminationProtection);
        if now.termination_protection && !unprotects {
            return Err(EngineError::new(
                Class::Refused,
                format!("stack {name} is protected against deletion"),
            )
            .with_hint("deploy it with terminationProtection off, then destroy it"));
        }
        Ok(Some(now))
    }

    /// Deletes a stack by its ARN, once, and waits for the end.
    pub(super) async fn delete(
        &self,
        step: Step,
        target: &str,
        session: &Session,
        stack_id: &str,
        deletion: &Deletion,
    ) -> Result<Finished, EngineError> {
        let stack = self.stack(step);
        let before = self.history.last_call("DeleteStack", target);
        let begun = before.filter(|call| call.fate == Fate::Done);
        let (token, started) = match begun {
            Some(call) => (call.token.map(str::to_owned), call.time),
            None => self.call_delete(&stack.name, target, session, stack_id, deletion).await?,
        };
        self.note(step, 0, State::Executing, names([("stackId", stack_id)]));
        let kind = OperationKind::Delete;
        let limit = self.options.limit;
        Ok(self.wait(step, Wait { session, stack_id, kind, token, started, limit }).await)
    }

    async fn call_delete(
        &self,
        name: &str,
        target: &str,
        session: &Session,
        stack_id: &str,
        deletion: &Deletion,
    ) -> Result<(Option<String>, jiff::Timestamp), EngineError> {
        let mut pause = std::time::Duration::from_secs(2);
        let mut round = 0;
        loop {
            let started = self.runtime.clock.now();
            let ticket =
                self.journal.intent(Intent::new("DeleteStack", target).with_name("stackId", stack_id))?;
            let answer = session.cloudformation().delete_stack(stack_id, deletion, &ticket).await;
            self.journal.outcome(&ticket, answer.as_ref().map(|()| names([])));
            match answer {
                Ok(()) => return Ok((Some(ticket.token().to_owned()), started)),
                Err(error) if error.is_transient() && round < REPETITIONS => {
                    round += 1;
                    self.runtime.clock.sleep(pause).await;
                    pause *= 2;
                }
                Err(error) if error.message.contains("TerminationProtection") => {
                    return Err(EngineError::new(
                        Class::Refused,
                        format!("stack {name} is protected against deletion"),
                    )
                    .with_hint("deploy it with terminationProtection off, then destroy it")
                    .with_source(error));
                }
                Err(error) if error.kind == ErrorKind::NotFound => return Ok((None, started)),
                Err(error) => return Err(failed(name, &error)),
            }
        }
    }

    /// Says what a deletion leaves behind, as the options want it; whether that is anything.
    async fn leave_behind(
        &self,
        step: Step,
        session: &Session,
        stack_id: &str,
        deletion: &mut Deletion,
    ) -> bool {
        deletion.force = self.plan.options.force;
        if !self.plan.options.retain.is_empty() {
            let name = &self.stack(step).name;
            let resources = session.cloudformation().resources(stack_id).await.unwrap_or_default();
            deletion.retain = resources
                .into_iter()
                .filter(|it| it.status == "DELETE_FAILED")
                .map(|it| it.logical_id)
                .filter(|id| {
                    self.plan.options.retain.iter().any(|kept| match kept.split_once('.') {
                        Some((stack, rest)) => (stack == name || stack == self.stack(step).id) && rest == id,
                        None => kept == id,
                    })
                })
                .collect();
        }
        deletion.force || !deletion.retain.is_empty()
    }

    async fn name_what_is_left(&self, session: &Session, stack_id: &str, name: &str, ending: &mut Ending) {
        let Ok(resources) = session.cloudformation().resources(stack_id).await else { return };
        let left: Vec<_> = resources.iter().filter(|it| it.status == "DELETE_FAILED").collect();
        if left.is_empty() {
            return;
        }
        let words: Vec<String> = left
            .iter()
            .map(|it| {
                let physical = it.physical_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
                let reason = it.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                format!("{} ({}{physical}){reason}", it.logical_id, it.resource_type)
            })
            .collect();
        let ids: Vec<&str> = left.iter().map(|it| it.logical_id.as_str()).collect();
        ending.message = Some(format!("not deleted: {}", words.join("; ")));
        ending.hint = Some(format!(
            "delete what is in the way and run `formwork destroy {name}`, or leave it behind with `formwork destroy {name} --retain {}`",
            ids.join(",")
        ));
    }
}
