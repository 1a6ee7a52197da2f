//! Takes a plan back that is not carried out: its change sets, and the shells of stacks that they made.

use super::calls::{failed, names, session};
use crate::aws::Session;
use crate::error::EngineError;
use crate::event::What;
use crate::journal::{Intent, Journal};
use crate::plan::model::{Operation, Plan, StackPlan};
use crate::plan::shell;
use crate::runtime::Runtime;

/// Deletes the change sets of a plan that was declined, and the empty stacks that stand for them alone. What cannot be
/// deleted is told; `formwork gc` finds it later.
pub async fn discard(plan: &Plan, runtime: &Runtime, journal: &Journal) {
    for stack in &plan.stacks {
        let done = match session(stack, runtime).await {
            Ok(session) => discard_stack(stack, &session, journal).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            let hint = Some("`formwork gc` deletes it once it is old enough".to_owned());
            runtime.tell_of(stack, What::Warning { message: error.message, hint });
        }
    }
}

/// Deletes the planned change set of a stack that was not begun.
pub(super) async fn discard_stack(
    stack: &StackPlan,
    session: &Session,
    journal: &Journal,
) -> Result<(), EngineError> {
    let Some(set) = &stack.change_set else { return Ok(()) };
    let ticket = journal.intent(Intent::new("DeleteChangeSet", &set.arn))?;
    let answer = session.cloudformation().delete_change_set(&set.arn, &ticket).await;
    journal.outcome(&ticket, answer.as_ref().map(|()| names([])));
    answer.map_err(|error| failed(&stack.name, &error))?;
    let makes_shell =
        stack.operation == Operation::Create || stack.operation == Operation::Import && stack.base.is_none();
    if !makes_shell {
        return Ok(());
    }
    shell::delete(&set.stack_id, &set.arn, session, journal, |error| failed(&stack.name, error)).await
}
