//! Drift: what somebody changed behind CloudFormation's back, found by CloudFormation's own detection.
//!
//! A detection reads every resource of a stack, which takes a while, and runs once at a time for a stack; it leaves out
//! nested stacks, which are asked one by one. What could not be looked at is told as such: a stack is in sync only when
//! CloudFormation says so. Taking drift back is no matter of this room: it is a plan with
//! [`crate::plan::PlanOptions::revert_drift`].

mod detection;
mod report;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use self::detection::{Detected, Stack, detect};
pub use self::report::{
    DriftReport, HowDrifted, PropertyDrift, ResourceDrift, StackDrift, UncheckedResource, Verdict,
};
pub(crate) use self::shown::hide_secrets;
use crate::aws::ErrorKind;
use crate::error::EngineError;
use crate::follow::Places;
use crate::journal::Journal;
use crate::plan::Located;
use crate::runtime::Runtime;

/// How long CloudFormation may take to look at one stack.
pub const DETECTION_DEADLINE: Duration = Duration::from_secs(900);

/// How many stacks are looked at at once. The rate of requests is limited elsewhere; this bounds what is kept in memory.
const AT_ONCE: usize = 32;

/// A stack to look at, and where its resources come from.
#[derive(Clone)]
pub struct Subject {
    /// The stack.
    pub located: Located,
    /// The constructs and source lines of its resources.
    pub places: Places,
}

/// Looks for drift in stacks and in those that are nested in them. `deadline` is the time that one stack may take.
///
/// # Errors
/// When there are no credentials, or the journal cannot be written. Whatever else keeps a stack from being looked at
/// stands in its report.
pub async fn detect_drift(
    subjects: &[Subject],
    deadline: Duration,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<DriftReport, EngineError> {
    let mut found: BTreeMap<usize, StackDrift> = BTreeMap::new();
    let mut waiting: Vec<Stack> = Vec::new();
    for (index, subject) in subjects.iter().enumerate().rev() {
        found.insert(index, StackDrift::of(&subject.located));
        waiting.push(Stack { subject: index, path: String::new(), name: subject.located.name.clone() });
    }
    let mut seen = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(stack) = waiting.pop()
        {
            let session = &subjects[stack.subject].located.session;
            running.push(async move {
                let detected = detect(session, &stack, deadline, runtime, journal).await;
                (stack, detected)
            });
        }
        let Some((stack, detected)) = running.next().await else { break };
        let Some(report) = found.get_mut(&stack.subject) else { continue };
        match detected {
            Ok(Detected::Absent) if stack.path.is_empty() => report.verdict = Verdict::NotDeployed,
            Ok(Detected::Absent) => report.untold(&stack.path, "the nested stack is gone"),
            Ok(Detected::Unknown { id, reason }) => {
                if stack.path.is_empty() {
                    report.stack_id = id;
                }
                report.untold(&stack.path, &reason);
            }
            Ok(Detected::Told(told)) => {
                // A nested stack that is its own ancestor cannot be, but nothing may hang on that.
                for (id, arn) in &told.nested {
                    if seen.insert((stack.subject, arn.clone())) {
                        let path = format!("{}{id}.", stack.path);
                        waiting.push(Stack { subject: stack.subject, path, name: arn.clone() });
                    }
                }
                report.add(&stack.path, *told, &subjects[stack.subject].places);
            }
            Err(error) if is_everywhere(&error) => return Err(error),
            Err(error) => {
                let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                report.untold(&stack.path, &format!("{}{hint}", error.message));
            }
        }
    }
    Ok(DriftReport { stacks: found.into_values().collect() })
}

/// Whether an error is none of one stack: without credentials nothing can be asked, without a journal nothing done.
fn is_everywhere(error: &EngineError) -> bool {
    error
        .source
        .as_ref()
        .is_none_or(|source| matches!(source.kind, ErrorKind::Credentials | ErrorKind::ExpiredCredentials))
}
