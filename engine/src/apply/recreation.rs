//! What becomes of stacks whose creation failed: they hold nothing that was approved, and only their deletion is left.

use super::report::Ending;
use super::schedule::Step;
use super::step::{Work, advice};
use crate::aws::Session;
use crate::aws::cloudformation::{Deletion, StackStatus};
use crate::error::{Class, EngineError};
use crate::journal::history::Fate;
use crate::plan::LossKind;
use crate::plan::leftovers::{Leftovers, sorted};

impl Work<'_> {
    /// Deletes what is left of a stack that never came to be.
    ///
    /// # Errors
    /// When it holds more than a failed creation, or data that nobody approved to be deleted.
    pub(super) async fn remove_failed(
        &self,
        step: Step,
        session: &Session,
        stack_id: &str,
    ) -> Result<(), EngineError> {
        let stack = self.stack(step);
        let target = format!("{} before its creation: {stack_id}", stack.id);
        let before = self.history.last_call("DeleteStack", &target);
        if before.is_none_or(|call| call.fate != Fate::Done) {
            match self.until_quiet(step, session, stack_id).await?.map(|stack| stack.status) {
                None | Some(StackStatus::DeleteComplete) => return Ok(()),
                Some(
                    StackStatus::RollbackComplete | StackStatus::CreateFailed | StackStatus::ReviewInProgress,
                ) => {}
                Some(status) => {
                    let why = format!("is {status} and holds more than a failed creation");
                    return Err(EngineError::new(Class::Refused, format!("stack {} {why}", stack.name))
                        .with_hint("make a new plan, which shows what would change now"));
                }
            }
            self.check_losses(step, session, stack_id).await?;
        }
        let deletion = Deletion { role_arn: stack.execution_role_arn.clone(), ..Deletion::default() };
        let finished = self.delete(step, &target, session, stack_id, &deletion).await?;
        if finished.success {
            return Ok(());
        }
        let class = if finished.detached.is_some() { Class::Detached } else { Class::NeedsAction };
        let message =
            format!("stack {}: what is left of its failed creation could not be deleted", stack.name);
        let error = EngineError::new(class, message);
        Err(match advice(&finished.status, &stack.name) {
            Some(hint) => error.with_hint(hint),
            None => error,
        })
    }

    /// Refuses to delete data with the rest of a creation unless the plan said so.
    async fn check_losses(&self, step: Step, session: &Session, stack_id: &str) -> Result<(), EngineError> {
        let stack = self.stack(step);
        let approved =
            |id: &str| stack.losses.iter().any(|loss| loss.by == LossKind::Delete && loss.logical_id == id);
        let found = self.leftovers(session, stack_id).await?;
        let more: Vec<String> = found
            .losses
            .into_iter()
            .filter(|loss| !approved(&loss.logical_id))
            .map(|loss| loss.words)
            .collect();
        if more.is_empty() {
            return Ok(());
        }
        let message = format!(
            "stack {}: with what is left of its failed creation data would be lost:\n  {}",
            stack.name,
            more.join("\n  ")
        );
        Err(EngineError::new(Class::Refused, message)
            .with_hint("make a new plan, and approve it with --allow delete if the data may be lost"))
    }

    /// What a stack still holds. Where nothing can be had of the template, everything counts that is there.
    async fn leftovers(&self, session: &Session, stack_id: &str) -> Result<Leftovers, EngineError> {
        let told = |error: &crate::aws::Error| super::calls::failed(stack_id, error);
        let client = session.cloudformation();
        let resources = client.resources(stack_id).await.map_err(|error| told(&error))?;
        let text = client.template(stack_id).await.ok().flatten();
        let template = text.and_then(|text| crate::plan::template(stack_id, &text).ok()).unwrap_or_default();
        Ok(sorted(&resources, &template))
    }

    /// What a creation that was taken back has left outside of its rollback, in words; nothing when it is not known.
    pub(super) async fn still_holds(&self, session: &Session, stack_id: &str) -> Option<Vec<String>> {
        let Leftovers { losses, left } = self.leftovers(session, stack_id).await.ok()?;
        let losses = losses.into_iter().map(|it| format!("{} ({})", it.logical_id, it.resource_type));
        let left = left.into_iter().map(|it| format!("{} ({})", it.logical_id, it.resource_type));
        Some(losses.chain(left).collect())
    }

    /// Says what becomes of a stack whose creation failed, and deletes it where that was asked for and nothing is lost.
    pub(super) async fn failed_create(
        &self,
        step: Step,
        session: &Session,
        stack_id: &str,
        ending: &mut Ending,
    ) {
        let name = &self.stack(step).name;
        if ending.status != Some(StackStatus::RollbackComplete) || self.worth_repeating(ending) {
            return;
        }
        ending.hint = Some(format!(
            "correct the cause and run `formwork deploy {name}`: what is left of the stack is deleted first"
        ));
        if !self.options.delete_failed_creates || self.go_on().is_err() {
            return;
        }
        let Some(kept) = self.still_holds(session, stack_id).await else { return };
        if !kept.is_empty() {
            ending.warnings.push(format!("the stack still holds {}: it was not deleted", kept.join(", ")));
            return;
        }
        match self.remove_failed(step, session, stack_id).await {
            Ok(()) => {
                ending.status = Some(StackStatus::DeleteComplete);
                ending.hint = Some(format!("correct the cause and run `formwork deploy {name}`"));
            }
            Err(error) => ending.warnings.push(error.message),
        }
    }
}
