//! Finds runs of ours in an account, for when their journal is lost or on another machine.
//!
//! Three things lead from a stack to its run: the mark of the owner says that it is ours, the name of the change set that
//! was executed begins with the run, and so does the token of every call.

use super::attach::{Attached, FoundRuns, Whereabouts, environment};
use super::calls::failed;
use crate::aws::Session;
use crate::aws::cloudformation::{StackStatus, StackSummary};
use crate::error::EngineError;
use crate::follow::OperationKind;
use crate::plan::owner;
use crate::runtime::Runtime;

/// What all tokens and names of change sets of ours begin with.
const PREFIX: &str = owner::CHANGE_SET_PREFIX;

/// The operations that go on in an account and region because of runs of ours, by run; of one run when it is named.
///
/// # Errors
/// When the stacks cannot be listed.
pub async fn find_runs(
    whereabouts: &Whereabouts,
    run: Option<&str>,
    runtime: &Runtime,
) -> Result<FoundRuns, EngineError> {
    let session = whereabouts.session("of any name", runtime).await?;
    let statuses: Vec<StackStatus> =
        StackStatus::ALL.iter().filter(|status| status.is_in_progress()).cloned().collect();
    let listed = session.cloudformation().list_stacks(&statuses).await;
    let listed = listed.map_err(|error| failed("of any name", &error))?;
    let mut found = FoundRuns::new();
    for summary in listed.iter().filter(|summary| summary.parent_id.is_none()) {
        // One stack that cannot be read must not hide the others.
        let Some((its_run, attached)) = look(&session, summary).await else { continue };
        if run.is_none_or(|run| run == its_run) {
            found.entry(its_run).or_default().push(attached);
        }
    }
    Ok(found)
}

async fn look(session: &Session, summary: &StackSummary) -> Option<(String, Attached)> {
    let client = session.cloudformation();
    let stack = client.stack(&summary.id).await.ok()??;
    let id = stack.tags.get(owner::TAG).cloned();
    let events = client.events(&stack.id, None).await.map(|page| page.events).unwrap_or_default();
    let event = events.iter().find(|event| event.logical_id == stack.name && event.token.is_some());
    let token = event.and_then(|event| event.token.clone());
    let by_token = token.as_deref().and_then(run_of);
    let by_name = stack.change_set_id.as_deref().and_then(|arn| run_of(change_set_name(arn)?));
    // A first creation shows its tags late; the token is proof enough then.
    let run = match (by_token, by_name, &id) {
        (Some(run), ..) => run,
        (None, Some(run), Some(_)) => run,
        _ => return None,
    };
    let kind = match stack.status.as_str() {
        status if status.starts_with("DELETE") => OperationKind::Delete,
        status if status.starts_with("CREATE") || status.starts_with("ROLLBACK") => OperationKind::Create,
        status if status.starts_with("IMPORT") => OperationKind::Import,
        _ => OperationKind::Update,
    };
    let started = event.map(|event| event.timestamp).or(stack.updated).or(stack.created)?;
    let attached = Attached {
        id: id.unwrap_or_else(|| stack.name.clone()),
        name: stack.name,
        environment: environment(session),
        session: session.clone(),
        stack_id: stack.id,
        token: token.filter(|token| token.starts_with(PREFIX)),
        kind,
        started,
        places: std::sync::Arc::default(),
    };
    Some((run, attached))
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
