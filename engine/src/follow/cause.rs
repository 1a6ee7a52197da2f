//! The root cause of a failure: the first event that failed by itself, wherever in the stack it happened.
//!
//! One failure leaves many: siblings are cancelled, the stack around it fails, the rollback may fail as well. What
//! counts is the first in time over the operation and its rollback that is not the consequence of another.

use super::classify::{self, Circumstances};
use super::failure::Failure;
use super::log::{STACK_TYPE, is_own_stack};
use super::operation::Operation;
use super::reads::Reads;
use super::watch::Ended;
use crate::aws::cloudformation::StackEvent;

/// An event that failed, with the way down to it.
struct Failed<'event> {
    path: Vec<String>,
    event: &'event StackEvent,
    of_stack: bool,
}

/// Finds the root cause of an operation that failed; nothing when nothing failed.
pub(super) async fn find(ended: &Ended, operation: &Operation, reads: Option<&dyn Reads>) -> Option<Failure> {
    let mut failed = failures(ended);
    let first = failed.iter().position(|it| !it.of_stack);
    // Without a resource that failed, the stack's own events say why: an export in use, a failed validation.
    let first = first.or_else(|| (!failed.is_empty()).then_some(0));
    let mut failure = match first {
        Some(index) => {
            let root = failed.remove(index);
            Failure {
                path: root.path,
                resource_type: root.event.resource_type.clone(),
                reason: root.event.reason.clone().unwrap_or_else(|| root.event.status.clone()),
                ..Failure::default()
            }
        }
        None => {
            let told = ended.stack.as_ref().and_then(|stack| stack.status_reason.clone());
            let reason = ended.remark.clone().or(told);
            if reason.is_none() && ended.expired {
                return None;
            }
            let reason = reason.unwrap_or_else(|| format!("the stack ended in {}", ended.status));
            Failure { resource_type: STACK_TYPE.to_owned(), reason, ..Failure::default() }
        }
    };
    failure.stack = operation.stack_name.clone();
    failure.others = failed
        .iter()
        .filter(|other| !other.of_stack && other.path != failure.path)
        .map(|other| {
            let reason = other.event.reason.as_deref().unwrap_or(&other.event.status);
            format!("{} ({}): {reason}", other.path.join("/"), other.event.resource_type)
        })
        .collect();
    failure.others.dedup();
    if let Some((before, encoded, after)) = classify::encoded_message(&failure.reason)
        && let Some(reads) = reads
        && let Some(decoded) = reads.decode(encoded.to_owned()).await
    {
        failure.reason = format!("{before}{}{after}", classify::decoded_in_words(&decoded));
    }
    place(&mut failure, operation);
    let circumstances = circumstances(ended, operation, &failure);
    classify::classify(&mut failure, &circumstances);
    Some(failure)
}

/// What an operation that succeeded could not remove.
pub(super) fn left_behind(ended: &Ended) -> Vec<String> {
    let mut left = Vec::new();
    for (path, events) in &ended.events {
        for event in events.iter().filter(|event| event.status == "DELETE_FAILED") {
            let later = events
                .iter()
                .rev()
                .find(|it| it.logical_id == event.logical_id && it.physical_id == event.physical_id);
            if later
                .is_some_and(|later| later.status == "DELETE_COMPLETE" || later.status == "DELETE_SKIPPED")
            {
                continue;
            }
            let name = path.iter().chain([&event.logical_id]).cloned().collect::<Vec<_>>().join("/");
            left.push(format!(
                "{name} ({}) could not be deleted and is left behind: {} ({})",
                event.resource_type,
                event.physical_id.as_deref().unwrap_or("without an id"),
                event.reason.as_deref().unwrap_or("no reason is given"),
            ));
        }
    }
    left.dedup();
    left
}

fn failures(ended: &Ended) -> Vec<Failed<'_>> {
    let mut failed: Vec<Failed<'_>> = Vec::new();
    let nested_paths: Vec<&Vec<String>> = ended.events.iter().map(|(path, _)| path).collect();
    let nested_failed = |path: &Vec<String>| {
        nested_paths.contains(&path)
            && ended.events.iter().any(|(of, events)| {
                of.starts_with(path)
                    && !of.is_empty()
                    && events.iter().any(|event| is_failed(event) && !is_own_stack(event))
            })
    };
    for (path, events) in &ended.events {
        for event in events {
            let of_stack = is_own_stack(event);
            let turned = of_stack && event.status.contains("ROLLBACK_IN_PROGRESS") && event.reason.is_some();
            if !(is_failed(event) || turned) {
                continue;
            }
            let mut full = path.clone();
            if !of_stack {
                full.push(event.logical_id.clone());
            }
            // A nested stack that failed repeats what failed in it.
            if event.resource_type == STACK_TYPE && !of_stack && nested_failed(&full) {
                continue;
            }
            failed.push(Failed { path: full, event, of_stack });
        }
    }
    failed.sort_by_key(|it| it.event.timestamp);
    failed
}

fn is_failed(event: &StackEvent) -> bool {
    event.status.ends_with("_FAILED") && !event.reason.as_deref().is_some_and(is_cancellation)
}

/// Whether a failure only says that something else failed first.
fn is_cancellation(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["creation", "update", "deletion", "import"]
        .iter()
        .any(|what| reason.contains(&format!("resource {what} cancelled")))
}

fn place(failure: &mut Failure, operation: &Operation) {
    // The resources of nested stacks are not in this stack's tree; the nested stack is.
    let place = failure.path.iter().rev().find_map(|logical_id| operation.places.get(logical_id));
    if let Some(place) = place {
        failure.construct_path = place.construct_path.clone();
        failure.source = place.source.clone();
    }
}

fn circumstances(ended: &Ended, operation: &Operation, failure: &Failure) -> Circumstances {
    let events = || ended.events.iter().flat_map(|(_, events)| events);
    let logical_id = failure.path.last();
    let handler = logical_id
        .and_then(|logical_id| operation.places.get(logical_id))
        .and_then(|place| place.handler.as_ref())
        .and_then(|handler| {
            events()
                .rev()
                .find(|event| event.logical_id == *handler && event.resource_type == "AWS::Lambda::Function")
                .and_then(|event| event.physical_id.clone())
        });
    let made = |resource_type: &str| {
        events().any(|event| event.resource_type == resource_type && event.status == "CREATE_COMPLETE")
    };
    let stuck: Vec<String> = ended
        .events
        .iter()
        .flat_map(|(path, events)| {
            let phase = if ended.status.as_str() == "UPDATE_ROLLBACK_FAILED" {
                "UPDATE_FAILED"
            } else {
                "DELETE_FAILED"
            };
            let turn =
                events.iter().position(|event| is_own_stack(event) && event.status.contains("ROLLBACK"));
            events
                .iter()
                .skip(if phase == "UPDATE_FAILED" { turn.unwrap_or(0) } else { 0 })
                .filter(move |event| event.status == phase && !is_own_stack(event))
                .map(|event| path.iter().chain([&event.logical_id]).cloned().collect::<Vec<_>>().join("."))
        })
        .collect();
    Circumstances {
        status: ended.status.clone(),
        kind: operation.kind,
        handler,
        role_is_new: made("AWS::IAM::Role") || made("AWS::IAM::InstanceProfile") || made("AWS::IAM::Policy"),
        stuck,
    }
}
