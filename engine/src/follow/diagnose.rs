//! Why a stack's latest failed operation failed, found after the fact and for any stack.
//!
//! There is no token to go by: the stack's own events tell where one operation ends and the next begins.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cause;
use super::failure::Failure;
use super::log::is_own_stack;
use super::nested::mentions;
use super::operation::{Operation, OperationKind};
use super::places::Places;
use super::reads::{Reads, SessionReads};
use super::watch::Ended;
use crate::aws::cloudformation::{Stack, StackEvent, StackStatus};
use crate::aws::{Error, Session};
use crate::error::{Class, EngineError, Moment};

/// How many pages of events are looked through, 100 events each.
const PAGES: usize = 100;

/// What is found about a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The stack's name.
    pub stack: String,
    /// Its ARN.
    pub stack_id: String,
    /// Its status now.
    pub status: StackStatus,
    /// When the operation that failed began, by the server's clock; nothing when none failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub began: Option<Timestamp>,
    /// How that operation ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<StackStatus>,
    /// Why it failed; nothing when no operation did, as far as events are kept (90 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Finds the root cause of the latest operation of a stack that failed. The stack is named or, when it is deleted, given by
/// its ARN.
///
/// # Errors
/// When there is no such stack, or it cannot be read.
pub async fn diagnose(session: &Session, stack: &str, places: Arc<Places>) -> Result<Diagnosis, EngineError> {
    of(&SessionReads(session.clone()), stack, places).await
}

pub(super) async fn of(
    reads: &dyn Reads,
    stack: &str,
    places: Arc<Places>,
) -> Result<Diagnosis, EngineError> {
    let unreadable = |error: Error| {
        let message = format!("the stack {stack} cannot be read: {}", error.message);
        EngineError::of_call(message, &error, Moment::Before)
    };
    let described = reads.stack(stack.to_owned()).await.map_err(&unreadable)?.ok_or_else(|| {
        EngineError::new(Class::Input, format!("there is no stack {stack} in this account and region"))
            .with_hint("a deleted stack is found by its ARN only")
    })?;
    let Some(operation) = latest_failed(reads, &described.id).await.map_err(&unreadable)? else {
        return Ok(Diagnosis {
            stack: described.name,
            stack_id: described.id,
            status: described.status,
            began: None,
            ended: None,
            failure: None,
        });
    };
    let began = operation.first().map(|event| event.timestamp);
    let status = end_of(&operation).unwrap_or_else(|| described.status.clone());
    let events = with_nested(reads, operation).await;
    let failure = failure(reads, &described, status.clone(), events, places).await;
    Ok(Diagnosis {
        stack: described.name,
        stack_id: described.id,
        status: described.status,
        began,
        ended: Some(status),
        failure,
    })
}

async fn failure(
    reads: &dyn Reads,
    stack: &Stack,
    status: StackStatus,
    events: Vec<(Vec<String>, Vec<StackEvent>)>,
    places: Arc<Places>,
) -> Option<Failure> {
    let kind =
        if status == StackStatus::DeleteFailed { OperationKind::Delete } else { OperationKind::Unknown };
    let mut operation = Operation::new(&stack.id, &stack.name, kind, Timestamp::UNIX_EPOCH);
    operation.places = places;
    let ended = Ended {
        status,
        stack: Some(stack.clone()),
        events,
        detached: None,
        expired: false,
        remark: None,
        cleanup: None,
    };
    cause::find(&ended, &operation, Some(reads)).await
}

/// The events of the latest operation that failed, in the order of time.
async fn latest_failed(reads: &dyn Reads, arn: &str) -> Result<Option<Vec<StackEvent>>, Error> {
    let mut operation: Vec<StackEvent> = Vec::new();
    let mut page = None;
    for _ in 0..PAGES {
        let events = reads.events(arn.to_owned(), page).await?;
        for event in events.events {
            let start = is_start(&event);
            operation.push(event);
            if start {
                operation.reverse();
                if end_of(&operation).is_some_and(|status| is_failure(&status)) {
                    return Ok(Some(operation));
                }
                operation.clear();
            }
        }
        match events.next {
            Some(next) => page = Some(next),
            None => break,
        }
    }
    Ok(None)
}

/// Adds the events of nested stacks of the same time. One that cannot be read is left out.
async fn with_nested(reads: &dyn Reads, root: Vec<StackEvent>) -> Vec<(Vec<String>, Vec<StackEvent>)> {
    let until = root.last().map(|event| event.timestamp);
    let mut found = vec![(Vec::new(), root)];
    let mut next = 0;
    while let Some((path, events)) = found.get(next) {
        next += 1;
        let mentioned = mentions(path, &events.iter().collect::<Vec<_>>());
        for mention in mentioned {
            let mut events: Vec<StackEvent> = Vec::new();
            let mut page = None;
            for _ in 0..PAGES {
                let Ok(answer) = reads.events(mention.arn.clone(), page).await else { break };
                let over = answer.events.iter().any(|event| event.timestamp < mention.since);
                events.extend(answer.events.into_iter().filter(|event| {
                    event.timestamp >= mention.since && until.is_none_or(|until| event.timestamp <= until)
                }));
                page = answer.next;
                if over || page.is_none() {
                    break;
                }
            }
            events.reverse();
            if !events.is_empty() && !found.iter().any(|(path, _)| *path == mention.path) {
                found.push((mention.path, events));
            }
        }
    }
    found
}

fn is_start(event: &StackEvent) -> bool {
    const STARTS: [&str; 4] =
        ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];
    is_own_stack(event) && STARTS.contains(&event.status.as_str())
}

/// How an operation ended, as far as its events tell.
fn end_of(operation: &[StackEvent]) -> Option<StackStatus> {
    operation.iter().rev().find(|event| is_own_stack(event)).map(|event| event.status.as_str().into())
}

fn is_failure(status: &StackStatus) -> bool {
    status.as_str().contains("ROLLBACK") || status.as_str().ends_with("_FAILED")
}
