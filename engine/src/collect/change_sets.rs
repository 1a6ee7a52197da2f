//! Change sets of ours that nobody will execute, and the empty stacks that were made for them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{CollectOptions, failed};
use crate::aws::Session;
use crate::aws::cloudformation::{ChangeSet, ChangeSetStatus, Deletion, ExecutionStatus, StackStatus};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::journal::{Intent, Journal};
use crate::plan::shell;
use crate::runtime::Runtime;

/// What the names of our change sets begin with.
const PREFIX: &str = "fw-";

/// A change set that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleChangeSet {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The stack's name.
    pub stack: String,
    /// Why it may go.
    pub reason: String,
    /// Whether the stack goes as well: it is empty, and was made for this change set.
    pub with_stack: bool,
}

/// A change set that was to go and did not, or not with its stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptChangeSet {
    /// The change set.
    pub change_set: StaleChangeSet,
    /// What of it is still there.
    pub part: KeptPart,
    /// Why.
    pub reason: String,
}

/// What is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptPart {
    /// The change set, and its stack.
    ChangeSet,
    /// Only the empty stack: the change set is gone.
    Stack,
}

/// The change sets of ours that failed, are obsolete, or are old, by stack.
///
/// # Errors
/// When the stacks or their change sets cannot be read.
pub async fn stale_change_sets(
    options: &CollectOptions,
    session: &Session,
    runtime: &Runtime,
) -> Result<Vec<StaleChangeSet>, EngineError> {
    let before = options.before(runtime.clock.now())?;
    let cloudformation = session.cloudformation();
    let stacks =
        cloudformation.list_stacks(&[]).await.map_err(|error| failed("list stacks", session, error))?;
    let mut stale = Vec::new();
    for stack in stacks.iter().filter(|stack| stack.status != StackStatus::DeleteComplete) {
        let wrap = |error| failed(&format!("list the change sets of stack {}", stack.name), session, error);
        let change_sets = cloudformation.change_sets(&stack.id).await.map_err(wrap)?;
        let (ours, others): (Vec<_>, Vec<_>) =
            change_sets.iter().partition(|change_set| change_set.name.starts_with(PREFIX));
        let found: Vec<_> = ours
            .iter()
            .filter(|change_set| !options.needed.change_sets.contains(&change_set.arn))
            .filter_map(|change_set| Some((change_set, reason(change_set, before)?)))
            .collect();
        // An empty stack goes only with the last of its change sets, and only when all of them were ours.
        // One that a plan needs is in `ours` and not in `found`, so that its stack stays.
        let all_go = others.is_empty() && found.len() == ours.len();
        let with_stack = stack.status == StackStatus::ReviewInProgress && all_go;
        let last = found.len();
        for (index, (change_set, reason)) in found.into_iter().enumerate() {
            stale.push(StaleChangeSet {
                arn: change_set.arn.clone(),
                name: change_set.name.clone(),
                stack_id: stack.id.clone(),
                stack: stack.name.clone(),
                reason,
                with_stack: with_stack && index + 1 == last,
            });
        }
    }
    Ok(stale)
}

fn reason(change_set: &ChangeSet, before: Timestamp) -> Option<String> {
    match (&change_set.status, &change_set.execution_status) {
        (_, ExecutionStatus::ExecuteInProgress | ExecutionStatus::ExecuteComplete) => None,
        (ChangeSetStatus::Failed, _) => Some("it failed".to_owned()),
        (_, ExecutionStatus::Obsolete) => Some("the stack has changed since it was made".to_owned()),
        _ => {
            let created = change_set.created.filter(|created| *created <= before)?;
            Some(format!("it was made on {} and not executed", created.strftime("%Y-%m-%d")))
        }
    }
}

/// Deletes change sets, and the empty stacks that were made for them; those that could not be deleted, and why. An empty
/// stack that somebody has used since the list was made, or made a change set for, stays.
///
/// # Errors
/// When the journal cannot be written, or the user wishes to stop: what was not deleted yet stays.
pub async fn delete_change_sets(
    change_sets: &[StaleChangeSet],
    session: &Session,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<Vec<KeptChangeSet>, EngineError> {
    let cloudformation = session.cloudformation();
    let mut kept = Vec::new();
    let still = |change_set: &StaleChangeSet, part, reason| KeptChangeSet {
        change_set: change_set.clone(),
        part,
        reason,
    };
    let mut deleted = BTreeSet::new();
    for change_set in change_sets {
        if runtime.control.wish() != Wish::Continue {
            let (done, all) = (deleted.len(), change_sets.len());
            let message = format!("interrupted: {done} of {all} change sets are deleted");
            return Err(EngineError::new(Class::Interrupted, message)
                .with_hint("the same command goes on with what is left"));
        }
        let ticket = journal.intent(Intent::new("DeleteChangeSet", change_set.arn.clone()))?;
        let result = cloudformation.delete_change_set(&change_set.arn, &ticket).await;
        journal.outcome(&ticket, result.as_ref().map(|_| Default::default()));
        if let Err(error) = result {
            kept.push(still(change_set, KeptPart::ChangeSet, error.message));
            continue;
        }
        deleted.insert(change_set.arn.as_str());
        // Somebody may have used the stack since it was listed; where that cannot be told, it stays.
        let gone = |arn: &str| deleted.contains(arn);
        if !change_set.with_stack
            || !shell::is_empty(&change_set.stack_id, session, gone).await.unwrap_or(false)
        {
            continue;
        }
        let ticket = journal.intent(Intent::new("DeleteStack", change_set.stack_id.clone()))?;
        let result = cloudformation.delete_stack(&change_set.stack_id, &Deletion::default(), &ticket).await;
        journal.outcome(&ticket, result.as_ref().map(|_| Default::default()));
        if let Err(error) = result {
            kept.push(still(change_set, KeptPart::Stack, error.message));
        }
    }
    Ok(kept)
}
