//! Finds runs of ours in an account, for when their journal is lost or on another machine.
//!
//! Three things lead from a stack to its run: the mark of the owner says that it is ours, the name of the change set that
//! was executed begins with the run, and so does the token of every call. What a run was still going to do stands
//! nowhere but in its journal, and neither does its approval: what goes on is followed, and nothing is begun.

use std::collections::BTreeMap;

use futures_util::StreamExt;

use super::attach::Attached;
use super::report::RunReport;
use crate::aws::cloudformation::{ChangeSetStatus, Stack, StackStatus};
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::follow::OperationKind;
use crate::plan::model::Environment;
use crate::plan::{Located, owner};
use crate::runtime::Runtime;

/// What all tokens and names of change sets of ours begin with.
const PREFIX: &str = owner::CHANGE_SET_PREFIX;

/// How many stacks are looked at at once.
const AT_ONCE: usize = 8;

/// The runs that stacks tell of, by run.
pub type FoundRuns = BTreeMap<String, FoundRun>;

/// What is left to see of a run.
#[derive(Clone, Default)]
pub struct FoundRun {
    /// The operations of CloudFormation that go on.
    pub going_on: Vec<Attached>,
    /// The change sets that were made and not carried out. Whether they were approved, nobody knows.
    pub waiting: Vec<Waiting>,
    /// The stacks whose latest operation was the run's, and has ended, by name.
    pub ended: BTreeMap<String, StackStatus>,
}

impl FoundRun {
    /// The exit code by the worst of the stacks that have ended, as [`RunReport::worst_code`] orders them.
    pub fn code_of_ended(&self) -> u8 {
        let code = |status: &StackStatus| match status {
            StackStatus::DeleteComplete => 0,
            status if status.is_success() => 0,
            status if status.is_rolled_back() => Class::RolledBack.exit_code(),
            _ => Class::NeedsAction.exit_code(),
        };
        self.ended.values().map(code).fold(0, RunReport::worst_code)
    }
}

/// A change set that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The stack's name.
    pub stack: String,
    /// Where.
    pub environment: Environment,
    /// The change set's name.
    pub change_set: String,
}

/// Looks at stacks for what runs of ours did and do. Stacks that cannot be read are told and left out.
///
/// # Errors
/// When none of the stacks can be read.
pub async fn find_runs(stacks: &[Located], runtime: &Runtime) -> Result<FoundRuns, EngineError> {
    let looks = stacks.iter().map(|stack| async move { (stack, look(stack).await) });
    let mut looks = futures_util::stream::iter(looks).buffered(AT_ONCE);
    let mut found = FoundRuns::new();
    let (mut read, mut refused) = (0, None);
    while let Some((stack, seen)) = looks.next().await {
        match seen {
            Ok(seen) => {
                read += 1;
                seen.into_iter().for_each(|(run, trace)| put(&mut found, run, trace));
            }
            Err(error) => {
                let message = format!("cannot tell what goes on: {}", error.message);
                runtime.tell_of((stack.name.as_str(), &stack.session), What::Warning { message, hint: None });
                refused = refused.or(Some(super::calls::failed(&stack.name, &error)));
            }
        }
    }
    match refused {
        Some(error) if read == 0 => Err(error),
        _ => Ok(found),
    }
}

/// What one stack tells of a run.
enum Trace {
    GoesOn(Box<Attached>),
    Waits(Waiting),
    Ended(String, StackStatus),
}

fn put(found: &mut FoundRuns, run: String, trace: Trace) {
    let found = found.entry(run).or_default();
    match trace {
        Trace::GoesOn(attached) => found.going_on.push(*attached),
        Trace::Waits(waiting) => found.waiting.push(waiting),
        Trace::Ended(stack, status) => drop(found.ended.insert(stack, status)),
    }
}

async fn look(located: &Located) -> Result<Vec<(String, Trace)>, crate::aws::Error> {
    let client = located.session.cloudformation();
    let Some(stack) = client.stack(&located.name).await? else { return Ok(Vec::new()) };
    let mut traces = Vec::new();
    for set in client.change_sets(&stack.id).await? {
        let is_usable = !matches!(set.status, ChangeSetStatus::Failed | ChangeSetStatus::DeleteComplete);
        // The one that is carried out is listed as well, until its operation has ended.
        let is_used =
            stack.change_set_id.as_deref() == Some(&set.arn) && stack.status != StackStatus::ReviewInProgress;
        if let Some(run) = run_of(&set.name).filter(|_| is_usable && !is_used) {
            let waiting = Waiting {
                stack: stack.name.clone(),
                environment: located.environment.clone(),
                change_set: set.name,
            };
            traces.push((run, Trace::Waits(waiting)));
        }
    }
    if stack.status == StackStatus::ReviewInProgress {
        return Ok(traces);
    }
    traces.extend(operation(located, stack).await?);
    Ok(traces)
}

/// The latest operation of a stack, when a run of ours began it.
async fn operation(located: &Located, stack: Stack) -> Result<Option<(String, Trace)>, crate::aws::Error> {
    let page = located.session.cloudformation().events(&stack.id, None).await?;
    let event = page.events.iter().find(|event| event.logical_id == stack.name && event.token.is_some());
    let token = event.and_then(|event| event.token.clone());
    let by_name = stack.change_set_id.as_deref().and_then(|arn| run_of(change_set_name(arn)?));
    let is_marked = stack.tags.contains_key(owner::TAG);
    // A first creation shows its tags late; the token is proof enough then. A token of somebody else is one, too.
    let run = match (&token, by_name) {
        (Some(token), _) => run_of(token),
        (None, Some(run)) if is_marked => Some(run),
        (None, _) => None,
    };
    let Some(run) = run else { return Ok(None) };
    if !stack.status.is_in_progress() {
        return Ok(Some((run, Trace::Ended(stack.name, stack.status))));
    }
    let kind = match stack.status.as_str() {
        status if status.starts_with("DELETE") => OperationKind::Delete,
        status if status.starts_with("CREATE") || status.starts_with("ROLLBACK") => OperationKind::Create,
        status if status.starts_with("IMPORT") => OperationKind::Import,
        _ => OperationKind::Update,
    };
    let Some(started) = event.map(|event| event.timestamp).or(stack.updated).or(stack.created) else {
        return Ok(None);
    };
    let attached = Attached {
        id: located.id.clone(),
        name: stack.name,
        environment: located.environment.clone(),
        session: located.session.clone(),
        stack_id: stack.id,
        token,
        kind,
        started,
        places: std::sync::Arc::default(),
    };
    Ok(Some((run, Trace::GoesOn(Box::new(attached)))))
}

/// The run in a token or in the name of a change set, `fw-YYYYMMDD-HHMMSS-xxxx-...`.
fn run_of(text: &str) -> Option<String> {
    let mut parts = text.strip_prefix(PREFIX)?.split('-');
    let parts = [parts.next()?, parts.next()?, parts.next()?];
    let right = parts[0].len() == 8 && parts[1].len() == 6 && parts[2].len() == 4;
    let digits = parts[..2].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    (right && digits).then(|| parts.join("-"))
}

/// The name in `arn:aws:cloudformation:eu-west-1:111122223333:changeSet/NAME/UUID`.
fn change_set_name(arn: &str) -> Option<&str> {
    arn.split_once(":changeSet/")?.1.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault 72: the journal is on another machine.
    #[test]
    fn the_run_is_read_from_tokens_and_names() {
        let run = "20261122-014431-abcd";
        let token = crate::journal::token(run, "DeleteStack", "web", 0);
        assert_eq!(run_of(&token).as_deref(), Some(run));
        let arn =
            "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/fw-20261122-014431-abcd-1a2b3c4d-2/uuid";
        assert_eq!(change_set_name(arn).and_then(run_of).as_deref(), Some(run));
        for other in ["cdk-deploy-change-set", "fw-", "fw-nightly", "fw-2026-1-2-3", "Console-DeleteStack-1"]
        {
            assert_eq!(run_of(other), None, "{other}");
        }
    }
}
