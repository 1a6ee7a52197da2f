//! The calls. Reads are repeated until they work or the network is given up; calls that change something are repeated
//! with the same token only where a repeat is harmless.

use std::collections::BTreeMap;

use super::model::*;
use super::status::StackStatus;
use crate::aws::error::Error;
use crate::journal::Ticket;

/// CloudFormation in one account and region.
#[derive(Clone, Debug)]
pub struct Client {}

/// What `ExecuteChangeSet` is told besides the change set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Execution {
    /// Whether a failure leaves things as they are.
    pub disable_rollback: bool,
}

/// What `DeleteStack` is told besides the stack.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// The role that CloudFormation acts with.
    pub role_arn: Option<String>,
    /// Resources that a stack in `DELETE_FAILED` leaves behind.
    pub retain: Vec<String>,
    /// Whether resources that cannot be deleted are left behind.
    pub force: bool,
}

/// What `ContinueUpdateRollback` is told besides the stack.
#[derive(Clone, Debug, Default)]
pub struct RollbackContinuation {
    /// The role that CloudFormation acts with.
    pub role_arn: Option<String>,
    /// Resources to leave out, as `Logical` or `Nested.Logical`.
    pub skip: Vec<String>,
    /// Whether CloudFormation itself leaves out what fails.
    pub force: bool,
}

/// A page of events, the newest first.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<StackEvent>,
    /// Where the next, older page begins.
    pub next: Option<String>,
}

#[allow(unused_variables, reason = "the signatures come first")]
impl Client {
    /// `DescribeStacks` of one stack, by name or ARN; `None` when there is none. A deleted stack is found by its ARN only.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn stack(&self, stack: &str) -> Result<Option<Stack>, Error> {
        unavailable("DescribeStacks")
    }

    /// `ListStacks` with a filter of statuses, all pages.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn list_stacks(&self, statuses: &[StackStatus]) -> Result<Vec<StackSummary>, Error> {
        unavailable("ListStacks")
    }

    /// One page of `DescribeStackEvents`.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn events(&self, stack: &str, page: Option<&str>) -> Result<EventPage, Error> {
        unavailable("DescribeStackEvents")
    }

    /// `DescribeEvents` with failed events only, of a change set or an operation.
    ///
    /// # Errors
    /// When the answer cannot be had; `Denied` where the caller lacks cloudformation:DescribeEvents.
    pub async fn findings(&self, change_set: &str) -> Result<Vec<OperationFinding>, Error> {
        unavailable("DescribeEvents")
    }

    /// `ListStackResources`, all pages.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn resources(&self, stack: &str) -> Result<Vec<StackResource>, Error> {
        unavailable("ListStackResources")
    }

    /// `GetTemplate` of a stack as it was sent; `None` when there is no such stack.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn template(&self, stack: &str) -> Result<Option<String>, Error> {
        unavailable("GetTemplate")
    }

    /// `ListExports`, all pages, by name.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn exports(&self) -> Result<BTreeMap<String, Export>, Error> {
        unavailable("ListExports")
    }

    /// `ListImports`: the names of the stacks that import an export; none when nobody does.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn importers(&self, export: &str) -> Result<Vec<String>, Error> {
        unavailable("ListImports")
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
        unavailable("DescribeChangeSet")
    }

    /// `ListChangeSets` of a stack: names and ARNs with their statuses, without their changes.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn change_sets(&self, stack: &str) -> Result<Vec<ChangeSet>, Error> {
        unavailable("ListChangeSets")
    }

    /// `CreateChangeSet`; the change set's and the stack's ARN.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn create_change_set(
        &self,
        new: &NewChangeSet,
        ticket: &Ticket,
    ) -> Result<(String, String), Error> {
        unavailable("CreateChangeSet")
    }

    /// `DeleteChangeSet`; one that is gone already is no error.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn delete_change_set(&self, change_set: &str, ticket: &Ticket) -> Result<(), Error> {
        unavailable("DeleteChangeSet")
    }

    /// `ExecuteChangeSet`.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn execute_change_set(
        &self,
        change_set: &str,
        execution: Execution,
        ticket: &Ticket,
    ) -> Result<(), Error> {
        unavailable("ExecuteChangeSet")
    }

    /// `DeleteStack`, by ARN.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn delete_stack(&self, stack: &str, deletion: &Deletion, ticket: &Ticket) -> Result<(), Error> {
        unavailable("DeleteStack")
    }

    /// `RollbackStack`, for a stack whose failure was left as it was.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn roll_back(&self, stack: &str, role_arn: Option<&str>, ticket: &Ticket) -> Result<(), Error> {
        unavailable("RollbackStack")
    }

    /// `ContinueUpdateRollback`, for a rollback that failed.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn continue_rollback(
        &self,
        stack: &str,
        continuation: &RollbackContinuation,
        ticket: &Ticket,
    ) -> Result<(), Error> {
        unavailable("ContinueUpdateRollback")
    }

    /// `CancelUpdateStack`.
    ///
    /// # Errors
    /// When the service refuses; `WrongState` when no update is running.
    pub async fn cancel_update(&self, stack: &str, ticket: &Ticket) -> Result<(), Error> {
        unavailable("CancelUpdateStack")
    }

    /// `UpdateTerminationProtection`.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn protect(&self, stack: &str, protected: bool, ticket: &Ticket) -> Result<(), Error> {
        unavailable("UpdateTerminationProtection")
    }

    /// `DetectStackDrift`; the id of the detection.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn detect_drift(&self, stack: &str, ticket: &Ticket) -> Result<String, Error> {
        unavailable("DetectStackDrift")
    }

    /// `DescribeStackDriftDetectionStatus`: whether it is over, and what it says then.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn drift_status(&self, detection: &str) -> Result<DriftStatus, Error> {
        unavailable("DescribeStackDriftDetectionStatus")
    }

    /// `DescribeStackResourceDrifts`, all pages.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn drifts(&self, stack: &str) -> Result<Vec<ResourceDrift>, Error> {
        unavailable("DescribeStackResourceDrifts")
    }
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

fn unavailable<T>(operation: &'static str) -> Result<T, Error> {
    Err(Error {
        operation,
        kind: crate::aws::ErrorKind::Other,
        code: None,
        message: "not there yet".to_owned(),
        request_id: None,
    })
}
