//! The calls that only ask. They are repeated until they work or the caller's patience ends.
//!
//! Every list is read to its last page: what stands on the second page is as true as what stands on the first.

use std::collections::BTreeMap;

pub use super::changing::{Deletion, Execution, RollbackContinuation};
use super::convert;
use super::experience::Experience;
use super::model::*;
use super::status::StackStatus;
use crate::aws::error::{Error, ErrorKind};
use crate::aws::retry::{Caller, Patience};
use crate::aws::{limiter::Effect, messages};

/// CloudFormation in one account and region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) sdk: aws_sdk_cloudformation::Client,
    pub(super) caller: Caller,
    pub(super) patience: Patience,
    pub(super) experience: Experience,
}

/// A page of events, the newest first.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<StackEvent>,
    /// Where the next, older page begins.
    pub next: Option<String>,
}

/// How a drift detection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftStatus {
    /// `DETECTION_IN_PROGRESS`, `DETECTION_COMPLETE` or `DETECTION_FAILED`.
    pub detection: String,
    /// `DRIFTED`, `IN_SYNC` ..., once it is over.
    pub drift: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// Sends one request of an SDK client, which is made anew for each attempt.
macro_rules! ask {
    ($client:expr, $operation:literal, $request:expr) => {{
        let request = $request;
        $client
            .read($operation, || async {
                request.clone().send().await.map_err(|error| Error::of($operation, &error))
            })
            .await
    }};
}

/// Sends a request for page after page and gathers what the pages hold. A page that cannot be had any more, because its
/// token is too old, makes it begin once more from the start.
macro_rules! pages {
    ($client:expr, $operation:literal, $request:expr, $items:ident, $convert:expr) => {{
        let mut gathered = Vec::new();
        let mut next: Option<String> = None;
        let mut again = false;
        loop {
            let answer = match ask!($client, $operation, $request.set_next_token(next.clone())) {
                Err(stale) if next.is_some() && stale.kind == ErrorKind::Invalid && !again => {
                    (again, next) = (true, None);
                    gathered.clear();
                    continue;
                }
                answer => answer?,
            };
            gathered.extend(answer.$items.unwrap_or_default().into_iter().filter_map($convert));
            next = following(&next, answer.next_token);
            if next.is_none() {
                break gathered;
            }
        }
    }};
}

/// The next page. A service that names the page it just gave would be asked for ever.
fn following(last: &Option<String>, token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty() && last.as_ref() != Some(token))
}

impl Client {
    pub(crate) fn new(sdk: aws_sdk_cloudformation::Client, caller: Caller) -> Self {
        Self { sdk, caller, patience: Patience::USUAL, experience: Experience::default() }
    }

    /// The same client, repeating calls for so long.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self { patience, ..self.clone() }
    }

    async fn read<T, F>(&self, operation: &'static str, send: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.caller.call(operation, Effect::Read, self.patience, |_| send()).await
    }

    /// `DescribeStacks` of one stack, by name or ARN; `None` when there is none. A deleted stack is found by its ARN only.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn stack(&self, stack: &str) -> Result<Option<Stack>, Error> {
        const OPERATION: &str = "DescribeStacks";
        let request = self.sdk.describe_stacks().stack_name(stack);
        let answer = self.read(OPERATION, || async {
            let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
            let first = answer.stacks.unwrap_or_default().into_iter().next().and_then(convert::stack);
            // A stack that is not there is an error of the service. An answer without it is a broken one, and taking it
            // for a deletion would let a run create the stack again.
            first.ok_or_else(|| {
                Error::new(OPERATION, ErrorKind::Protocol, format!("the answer has no stack {stack}"))
            })
        });
        or_none(answer.await)
    }

    /// How long things take here, as far as this process has seen. All clones share it.
    pub(crate) fn experience(&self) -> &Experience {
        &self.experience
    }

    /// `DescribeStacks` of all stacks that are there, `most` pages of them.
    ///
    /// # Errors
    /// When the answer cannot be had; `Denied` where the caller may describe single stacks only.
    pub(crate) async fn stacks(&self, most: usize) -> Result<StackPages, Error> {
        let mut read = StackPages::default();
        let mut next: Option<String> = None;
        while read.pages < most {
            let request = self.sdk.describe_stacks().set_next_token(next.clone());
            let answer = ask!(self, "DescribeStacks", request)?;
            read.stacks.extend(answer.stacks.unwrap_or_default().into_iter().filter_map(convert::stack));
            read.pages += 1;
            next = following(&next, answer.next_token);
            if next.is_none() {
                read.whole = true;
                break;
            }
        }
        Ok(read)
    }

    /// `ListStacks` with a filter of statuses, all pages.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn list_stacks(&self, statuses: &[StackStatus]) -> Result<Vec<StackSummary>, Error> {
        let filter: Vec<_> = statuses.iter().map(|status| status.as_str().into()).collect();
        let filter = (!filter.is_empty()).then_some(filter);
        let request = || self.sdk.list_stacks().set_stack_status_filter(filter.clone());
        Ok(pages!(self, "ListStacks", request(), stack_summaries, convert::stack_summary))
    }

    /// One page of `DescribeStackEvents`.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn events(&self, stack: &str, page: Option<&str>) -> Result<EventPage, Error> {
        let request = self.sdk.describe_stack_events().stack_name(stack);
        let answer =
            ask!(self, "DescribeStackEvents", request.clone().set_next_token(page.map(str::to_owned)))?;
        let events = answer.stack_events.unwrap_or_default().into_iter().filter_map(convert::event).collect();
        Ok(EventPage { events, next: answer.next_token.filter(|token| !token.is_empty()) })
    }

    /// `DescribeEvents` with failed events only, of a change set or an operation.
    ///
    /// # Errors
    /// When the answer cannot be had; `Denied` where the caller lacks cloudformation:DescribeEvents.
    pub async fn findings(&self, change_set: &str) -> Result<Vec<OperationFinding>, Error> {
        let filter = aws_sdk_cloudformation::types::EventFilter::builder().failed_events(true).build();
        let request = || {
            let request = self.sdk.describe_events().filters(filter.clone());
            // An operation's id is a UUID, a change set's is an ARN.
            if change_set.starts_with("arn:") {
                request.change_set_name(change_set)
            } else {
                request.operation_id(change_set)
            }
        };
        Ok(pages!(self, "DescribeEvents", request(), operation_events, convert::finding))
    }

    /// `ListStackResources`, all pages.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn resources(&self, stack: &str) -> Result<Vec<StackResource>, Error> {
        let request = || self.sdk.list_stack_resources().stack_name(stack);
        Ok(pages!(self, "ListStackResources", request(), stack_resource_summaries, convert::resource))
    }

    /// `GetTemplate` of a stack as it was sent; `None` when there is no such stack.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn template(&self, stack: &str) -> Result<Option<String>, Error> {
        const OPERATION: &str = "GetTemplate";
        let stage = aws_sdk_cloudformation::types::TemplateStage::Original;
        let request = self.sdk.get_template().stack_name(stack).template_stage(stage);
        let answer = self.read(OPERATION, || async {
            let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
            let nothing = || Error::new(OPERATION, ErrorKind::Protocol, "the answer has no template");
            answer.template_body.ok_or_else(nothing)
        });
        or_none(answer.await)
    }

    /// `ListExports`, all pages, by name.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn exports(&self) -> Result<BTreeMap<String, Export>, Error> {
        let request = || self.sdk.list_exports();
        let exports = pages!(self, "ListExports", request(), exports, convert::export);
        Ok(exports.into_iter().map(|export| (export.name.clone(), export)).collect())
    }

    /// `ListImports`: the names of the stacks that import an export; none when nobody does.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn importers(&self, export: &str) -> Result<Vec<String>, Error> {
        match self.list_imports(export).await {
            Err(error) if messages::is_not_imported(&error.message) => Ok(Vec::new()),
            answer => answer,
        }
    }

    async fn list_imports(&self, export: &str) -> Result<Vec<String>, Error> {
        let request = || self.sdk.list_imports().export_name(export);
        Ok(pages!(self, "ListImports", request(), imports, Some))
    }

    /// `DescribeChangeSet` with property values, all pages; once more without the values where the service says that
    /// they made the answer incomplete, and both answers put together. `None` when there is no such change set.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn change_set(
        &self,
        change_set: &str,
        stack: Option<&str>,
    ) -> Result<Option<ChangeSet>, Error> {
        let described = or_none(self.describe_change_set(change_set, stack, true).await)?;
        let Some(mut described) = described else { return Ok(None) };
        if described.status_reason.as_deref().is_some_and(messages::is_incomplete_with_values)
            && let Some(whole) = or_none(self.describe_change_set(change_set, stack, false).await)?
        {
            convert::complete(&mut described, whole);
        }
        Ok(Some(described))
    }

    async fn describe_change_set(
        &self,
        change_set: &str,
        stack: Option<&str>,
        values: bool,
    ) -> Result<ChangeSet, Error> {
        const OPERATION: &str = "DescribeChangeSet";
        let mut gathered: Option<ChangeSet> = None;
        let mut next: Option<String> = None;
        loop {
            let request = self
                .sdk
                .describe_change_set()
                .change_set_name(change_set)
                .set_stack_name(stack.map(str::to_owned))
                .set_include_property_values(values.then_some(true))
                .set_next_token(next.clone());
            let answer = self.read(OPERATION, || async {
                let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
                let token = answer.next_token.clone();
                let nothing = || Error::new(OPERATION, ErrorKind::Protocol, "the answer has no change set");
                convert::change_set(answer).map(|page| (page, token)).ok_or_else(nothing)
            });
            let (page, token) = answer.await?;
            match &mut gathered {
                None => gathered = Some(page),
                Some(first) => first.changes.extend(page.changes),
            }
            next = following(&next, token);
            if next.is_none() {
                break;
            }
        }
        gathered.ok_or_else(|| Error::new(OPERATION, ErrorKind::Protocol, "the answer has no change set"))
    }

    /// `ListChangeSets` of a stack: names and ARNs with their statuses, without their changes.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn change_sets(&self, stack: &str) -> Result<Vec<ChangeSet>, Error> {
        let request = || self.sdk.list_change_sets().stack_name(stack);
        Ok(pages!(self, "ListChangeSets", request(), summaries, convert::change_set_summary))
    }

    /// `DescribeStackDriftDetectionStatus`: whether it is over, and what it says then.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn drift_status(&self, detection: &str) -> Result<DriftStatus, Error> {
        const OPERATION: &str = "DescribeStackDriftDetectionStatus";
        let request = self.sdk.describe_stack_drift_detection_status().stack_drift_detection_id(detection);
        let answer = self.read(OPERATION, || async {
            let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
            let nothing = || Error::new(OPERATION, ErrorKind::Protocol, "the answer has no status");
            let detection = answer.detection_status.ok_or_else(nothing)?.as_str().to_owned();
            let drift = answer.stack_drift_status.map(|word| word.as_str().to_owned());
            Ok(DriftStatus { detection, drift, reason: answer.detection_status_reason })
        });
        answer.await
    }

    /// `DescribeStackResourceDrifts` of the resources in one of these statuses, all pages; of all that were checked when
    /// no status is named.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn drifts(&self, stack: &str, statuses: &[&str]) -> Result<Vec<ResourceDrift>, Error> {
        let filter: Vec<_> = statuses.iter().map(|status| (*status).into()).collect();
        let filter = (!filter.is_empty()).then_some(filter);
        let request = || {
            let request = self.sdk.describe_stack_resource_drifts().stack_name(stack);
            request.set_stack_resource_drift_status_filters(filter.clone())
        };
        Ok(pages!(self, "DescribeStackResourceDrifts", request(), stack_resource_drifts, convert::drift))
    }
}

/// What is not there is an answer, too.
fn or_none<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
