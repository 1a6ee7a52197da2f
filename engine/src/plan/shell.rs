//! The shell of a stack: what `CreateChangeSet` leaves of a stack that does not exist yet, in review and without a
//! resource.
//!
//! A shell goes with the last change set that it stands for, whoever takes that one back; `DeleteStack` would take the
//! change sets of others along.

use crate::aws::cloudformation::{Deletion, StackStatus};
use crate::aws::{Error, Session};
use crate::error::EngineError;
use crate::journal::{Intent, Journal};

/// Whether a stack is a shell that stands for nothing but change sets that are `gone`, told by their ARNs.
///
/// # Errors
/// When the stack or its change sets cannot be read.
pub(crate) async fn is_empty(
    stack_id: &str,
    session: &Session,
    gone: impl Fn(&str) -> bool,
) -> Result<bool, Error> {
    let client = session.cloudformation();
    let stack = client.stack(stack_id).await?;
    if stack.is_none_or(|stack| stack.status != StackStatus::ReviewInProgress) {
        return Ok(false);
    }
    Ok(client.change_sets(stack_id).await?.iter().all(|set| gone(&set.arn)))
}

/// Deletes a stack if it is the shell of one change set, which is deleted already; `told` makes errors of what a call
/// fails with.
///
/// # Errors
/// When the journal cannot be written, or a call fails.
pub(crate) async fn delete(
    stack_id: &str,
    change_set: &str,
    session: &Session,
    journal: &Journal,
    told: impl Fn(&Error) -> EngineError,
) -> Result<(), EngineError> {
    if !is_empty(stack_id, session, |arn| arn == change_set).await.map_err(|error| told(&error))? {
        return Ok(());
    }
    let ticket = journal.intent(Intent::new("DeleteStack", stack_id))?;
    let answer = session.cloudformation().delete_stack(stack_id, &Deletion::default(), &ticket).await;
    journal.outcome(&ticket, answer.as_ref().map(|()| Default::default()));
    answer.map_err(|error| told(&error))
}
