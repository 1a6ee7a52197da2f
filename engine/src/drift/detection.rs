//! One detection: begun, waited for, and read.

use std::time::Duration;

use serde_json::Value;

use super::report::UncheckedResource;
use crate::aws::cloudformation::{Client, ResourceDrift, StackResource, StackStatus};
use crate::aws::{ErrorKind, Session};
use crate::error::EngineError;
use crate::event::{StackRef, What};
use crate::journal::{Intent, Journal};
use crate::plan::failure::failed;
use crate::plan::input::parse;
use crate::runtime::Runtime;

/// A stack that is looked at.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    /// The number of the stack that was asked for: this one, or the one that it is nested in.
    pub(super) subject: usize,
    /// The logical ids on the way to a nested stack, each with a dot after it.
    pub(super) path: String,
    /// The name or ARN.
    pub(super) name: String,
}

/// What came of a detection.
pub(super) enum Detected {
    /// There is no such stack.
    Absent,
    /// It could not be made.
    Unknown {
        /// The stack's ARN.
        id: Option<String>,
        /// Why not.
        reason: String,
    },
    /// It was made.
    Told(Box<Told>),
}

/// What a detection tells.
pub(super) struct Told {
    /// The stack's ARN.
    pub(super) stack_id: String,
    /// How many resources were compared.
    pub(super) checked: usize,
    /// Those that differ.
    pub(super) drifts: Vec<ResourceDrift>,
    /// Those that were not compared.
    pub(super) unchecked: Vec<UncheckedResource>,
    /// The nested stacks: logical id and ARN.
    pub(super) nested: Vec<(String, String)>,
    /// The template that is deployed, when something differs and it can be read.
    pub(super) template: Option<Value>,
    /// Why not everything is told.
    pub(super) reason: Option<String>,
}

/// The type of nested stacks.
const NESTED: &str = "AWS::CloudFormation::Stack";

/// The waits between two looks at a detection.
const WAITS: [u64; 5] = [1, 2, 3, 5, 8];
/// The longest of them.
const LONGEST: u64 = 10;

/// Looks at one stack.
///
/// # Errors
/// When CloudFormation refuses, or cannot be reached.
pub(super) async fn detect(
    session: &Session,
    stack: &Stack,
    deadline: Duration,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<Detected, EngineError> {
    let client = session.cloudformation();
    let told = |error: &crate::aws::Error| failed(&format!("stack {}", stack.name), error);
    let found = client.stack(&stack.name).await.map_err(|error| told(&error))?;
    let Some(found) = found
        .filter(|found| !matches!(found.status, StackStatus::DeleteComplete | StackStatus::ReviewInProgress))
    else {
        return Ok(Detected::Absent);
    };
    let unknown = |reason: String| Ok(Detected::Unknown { id: Some(found.id.clone()), reason });
    if !takes_detection(&found.status) {
        return unknown(format!("the stack is {}, in which drift cannot be detected", found.status));
    }
    let until = runtime.clock.elapsed() + deadline;
    let late = || {
        let minutes = deadline.as_secs().div_ceil(60);
        unknown(format!("CloudFormation was not done after {minutes} minutes"))
    };
    let Some(detection) = begin(client, &found.id, until, runtime, journal, &stack.name).await? else {
        return late();
    };
    let mut waits = WAITS.into_iter().chain(std::iter::repeat(LONGEST));
    let (ended, reason) = loop {
        let status = client.drift_status(&detection).await.map_err(|error| told(&error))?;
        if status.detection != "DETECTION_IN_PROGRESS" {
            break (status.detection, status.reason);
        }
        if !wait(&mut waits, until, runtime).await {
            return late();
        }
    };
    let resources = client.resources(&found.id).await.map_err(|error| told(&error))?;
    let wanted = ["MODIFIED", "DELETED", "UNKNOWN", "NOT_CHECKED"];
    let drifts = client.drifts(&found.id, &wanted).await.map_err(|error| told(&error))?;
    // After a failure the results hold for the resources that could be compared.
    let reason = (ended != "DETECTION_COMPLETE").then(|| match reason {
        Some(reason) => format!("the detection failed in part: {reason}"),
        None => format!("the detection ended as {ended}"),
    });
    let mut told = sort(found.id.clone(), &resources, drifts, reason);
    if told.drifts.iter().any(|drift| !drift.differences.is_empty()) {
        // It says only what may be shown; without it nothing is.
        let text = client.template(&found.id).await.ok().flatten();
        told.template = text.and_then(|text| parse(&found.name, &text).ok());
    }
    Ok(Detected::Told(Box::new(told)))
}

/// Begins a detection, once nobody else's runs; nothing when that takes too long.
async fn begin(
    client: &Client,
    id: &str,
    until: Duration,
    runtime: &Runtime,
    journal: &Journal,
    name: &str,
) -> Result<Option<String>, EngineError> {
    let mut waits = WAITS.into_iter().chain(std::iter::repeat(LONGEST));
    let mut said = false;
    loop {
        let ticket = journal.intent(Intent::new("DetectStackDrift", id))?;
        let answer = client.detect_drift(id, &ticket).await;
        journal.outcome(&ticket, answer.as_ref().map(|_| Default::default()));
        match answer {
            Ok(detection) => return Ok(Some(detection)),
            // Also our own, whose answer was lost: its id is lost with it, and its result may be another moment's.
            Err(error) if error.kind == ErrorKind::WrongState => {
                if !std::mem::replace(&mut said, true) {
                    let reason = "a drift detection that runs already".to_owned();
                    runtime.tell_of(StackRef::of_arn(name, id), What::StackWaiting { reason });
                }
                if !wait(&mut waits, until, runtime).await {
                    return Ok(None);
                }
            }
            Err(error) => return Err(failed(&format!("stack {name}"), &error)),
        }
    }
}

/// Waits for the next look; whether there is time for one.
async fn wait(waits: &mut impl Iterator<Item = u64>, until: Duration, runtime: &Runtime) -> bool {
    let pause = Duration::from_secs(waits.next().unwrap_or(LONGEST));
    if runtime.clock.elapsed() + pause > until {
        return false;
    }
    runtime.clock.sleep(pause).await;
    true
}

/// Whether CloudFormation detects drift of a stack in this status, by the documentation of `DetectStackDrift`.
fn takes_detection(status: &StackStatus) -> bool {
    match status {
        StackStatus::CreateComplete
        | StackStatus::UpdateComplete
        | StackStatus::UpdateRollbackComplete
        | StackStatus::UpdateRollbackFailed
        | StackStatus::ImportComplete
        | StackStatus::ImportRollbackComplete => true,
        // What this program does not know may be allowed: the service says.
        StackStatus::Other(_) => true,
        _ => false,
    }
}

/// Puts what the resources say and what the drifts say together.
fn sort(
    stack_id: String,
    resources: &[StackResource],
    drifts: Vec<ResourceDrift>,
    mut reason: Option<String>,
) -> Told {
    let (differing, others): (Vec<_>, Vec<_>) =
        drifts.into_iter().partition(|drift| matches!(drift.status.as_str(), "MODIFIED" | "DELETED"));
    let mut unchecked = Vec::new();
    let mut checked = 0;
    let mut untold = 0;
    for resource in resources.iter().filter(|it| it.status != "DELETE_COMPLETE") {
        let other = others.iter().find(|drift| drift.logical_id == resource.logical_id);
        let is_differing = differing.iter().any(|drift| drift.logical_id == resource.logical_id);
        let why = match other.map(|drift| drift.status.as_str()).or(resource.drift.as_deref()) {
            _ if is_differing => None,
            Some("IN_SYNC") => None,
            Some("UNSUPPORTED") => Some("CloudFormation does not compare resources of this type".to_owned()),
            None | Some("NOT_CHECKED") => {
                Some("CloudFormation did not compare it, most often because of its type".to_owned())
            }
            Some(word) => {
                untold += 1;
                let reason = other.and_then(|drift| drift.reason.as_deref());
                Some(reason.map_or_else(
                    || format!("its drift is {word}"),
                    |reason| format!("its drift is {word}: {reason}"),
                ))
            }
        };
        match why {
            None => checked += 1,
            Some(reason) => unchecked.push(UncheckedResource {
                logical_id: resource.logical_id.clone(),
                resource_type: resource.resource_type.clone(),
                reason,
            }),
        }
    }
    if untold > 0 && reason.is_none() {
        reason = Some(format!("{untold} of {} resources could not be compared", resources.len()));
    }
    let nested = resources.iter().filter(|it| it.resource_type == NESTED && it.status != "DELETE_COMPLETE");
    let nested =
        nested.filter_map(|it| Some((it.logical_id.clone(), it.physical_id.clone()?))).filter(|(id, _)| {
            !differing.iter().any(|drift| drift.logical_id == *id && drift.status == "DELETED")
        });
    Told { nested: nested.collect(), stack_id, checked, drifts: differing, unchecked, template: None, reason }
}
