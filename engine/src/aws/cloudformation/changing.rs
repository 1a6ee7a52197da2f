//! The calls that change something. Each takes a ticket of the journal and is made with its token.
//!
//! A call whose answer is lost is made again with the same token. CloudFormation forgets tokens once an operation has
//! begun and then answers that the state does not allow it; the events of the stack carry the token and tell whether it
//! was our own call that began the operation.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_cloudformation::types;

use super::client::Client;
use super::model::*;
use super::request::create_request;
use super::status::ExecutionStatus;
use crate::aws::error::{Error, ErrorKind};
use crate::aws::limiter::Effect;
use crate::aws::messages;
use crate::journal::Ticket;

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

/// How often, and after how long, events are asked for that may be late.
const LATE_EVENTS: u32 = 6;
const LATE_BY: Duration = Duration::from_secs(2);
/// Pages of events, of which each has a hundred, that are searched for a token.
const PAGES: usize = 20;

/// A call that was refused in the end.
struct Refusal {
    error: Error,
    /// How many of the attempts may have been carried out although no answer came.
    lost: u32,
}

impl Client {
    /// Makes a call until it is taken or refused. What follows from a refusal is looked at afterwards: asking from within
    /// would need a second leave to call while one is held.
    async fn write<T, F>(&self, operation: &'static str, send: impl Fn() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let lost_so_far = AtomicU32::new(0);
        let made = self.caller.call(operation, Effect::Write, self.patience, |lost| {
            lost_so_far.store(lost, Ordering::Relaxed);
            send()
        });
        let made = made.await;
        made.map_err(|error| Refusal { error, lost: lost_so_far.load(Ordering::Relaxed) })
    }

    /// Begins an operation of a stack. A repeat that is refused because of the stack's state was taken the first time, if
    /// an event carries its token.
    async fn begin<F>(
        &self,
        operation: &'static str,
        stack: &str,
        ticket: &Ticket,
        send: impl Fn() -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let Err(refusal) = self.write(operation, send).await else { return Ok(()) };
        let kind = &refusal.error.kind;
        let by_state = matches!(kind, ErrorKind::WrongState | ErrorKind::TokenReused | ErrorKind::Invalid);
        if refusal.lost > 0 && by_state && self.has_begun(stack, ticket.token()).await? {
            return Ok(());
        }
        Err(refusal.error)
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
        const OPERATION: &str = "CreateChangeSet";
        let request = create_request(&self.sdk, new, ticket.token());
        let made = self.write(OPERATION, || async {
            let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
            let nothing = || Error::new(OPERATION, ErrorKind::Protocol, "the answer has no ARN");
            answer.id.zip(answer.stack_id).ok_or_else(nothing)
        });
        let refusal = match made.await {
            Ok(arns) => return Ok(arns),
            Err(refusal) => refusal,
        };
        let taken = matches!(refusal.error.kind, ErrorKind::AlreadyExists | ErrorKind::TokenReused);
        if taken && refusal.lost > 0 {
            // The name is the run's own: an attempt whose answer was lost has taken it.
            if let Some(ours) = self.change_set(&new.name, Some(&new.stack)).await? {
                return Ok((ours.arn, ours.stack_id));
            }
        }
        Err(refusal.error)
    }

    /// `DeleteChangeSet`; one that is gone already is no error.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn delete_change_set(&self, change_set: &str, _ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "DeleteChangeSet";
        let request = self.sdk.delete_change_set().change_set_name(change_set);
        let deleted = self.write(OPERATION, || async {
            request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error))
        });
        match deleted.await {
            Err(refusal) if refusal.error.kind != ErrorKind::NotFound => Err(refusal.error),
            _ => Ok(()),
        }
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
        const OPERATION: &str = "ExecuteChangeSet";
        let request = self
            .sdk
            .execute_change_set()
            .change_set_name(change_set)
            .client_request_token(ticket.token())
            .disable_rollback(execution.disable_rollback);
        let executed = self.write(OPERATION, || async {
            request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error))
        });
        match executed.await {
            Ok(()) => Ok(()),
            // Also without a lost answer: a resumed run makes the call of the run before it again.
            Err(Refusal { error, .. })
                if matches!(error.kind, ErrorKind::WrongState | ErrorKind::TokenReused) =>
            {
                self.was_executed_by(change_set, ticket.token(), error).await
            }
            Err(refusal) => Err(refusal.error),
        }
    }

    /// Whether a change set that cannot be executed any more was executed by our own call.
    async fn was_executed_by(&self, change_set: &str, token: &str, refused: Error) -> Result<(), Error> {
        let Some(described) = self.change_set(change_set, None).await? else { return Err(refused) };
        let begun = [
            ExecutionStatus::ExecuteInProgress,
            ExecutionStatus::ExecuteComplete,
            ExecutionStatus::ExecuteFailed,
        ];
        if begun.contains(&described.execution_status) && self.has_begun(&described.stack_id, token).await? {
            return Ok(());
        }
        Err(refused)
    }

    /// Whether an event of a stack carries a token. Events may be late.
    async fn has_begun(&self, stack: &str, token: &str) -> Result<bool, Error> {
        for attempt in 0..LATE_EVENTS {
            if attempt > 0 {
                self.caller.clock().sleep(LATE_BY).await;
            }
            let mut page = None;
            for _ in 0..PAGES {
                let events = self.events(stack, page.as_deref()).await?;
                if events.events.iter().any(|event| event.token.as_deref() == Some(token)) {
                    return Ok(true);
                }
                page = events.next;
                if page.is_none() {
                    break;
                }
            }
        }
        Ok(false)
    }

    /// `DeleteStack`, by ARN.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn delete_stack(&self, stack: &str, deletion: &Deletion, ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "DeleteStack";
        let retain = (!deletion.retain.is_empty()).then(|| deletion.retain.clone());
        let request = self
            .sdk
            .delete_stack()
            .stack_name(stack)
            .client_request_token(ticket.token())
            .set_role_arn(deletion.role_arn.clone())
            .set_retain_resources(retain)
            .set_deletion_mode(deletion.force.then_some(types::DeletionMode::ForceDeleteStack));
        let sent =
            || async { request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error)) };
        self.begin(OPERATION, stack, ticket, sent).await
    }

    /// `RollbackStack`, for a stack whose failure was left as it was.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn roll_back(&self, stack: &str, role_arn: Option<&str>, ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "RollbackStack";
        // Resources that the failed operation made itself go, whatever their deletion policy says.
        let request = self
            .sdk
            .rollback_stack()
            .stack_name(stack)
            .client_request_token(ticket.token())
            .set_role_arn(role_arn.map(str::to_owned))
            .retain_except_on_create(true);
        let sent =
            || async { request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error)) };
        self.begin(OPERATION, stack, ticket, sent).await
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
        const OPERATION: &str = "ContinueUpdateRollback";
        let skip = (!continuation.skip.is_empty()).then(|| continuation.skip.clone());
        let request = self
            .sdk
            .continue_update_rollback()
            .stack_name(stack)
            .client_request_token(ticket.token())
            .set_role_arn(continuation.role_arn.clone())
            .set_resources_to_skip(skip)
            .set_force_rollback(continuation.force.then_some(true));
        let sent =
            || async { request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error)) };
        self.begin(OPERATION, stack, ticket, sent).await
    }

    /// `CancelUpdateStack`.
    ///
    /// # Errors
    /// When the service refuses; `WrongState` when no update is running.
    pub async fn cancel_update(&self, stack: &str, ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "CancelUpdateStack";
        let request = self.sdk.cancel_update_stack().stack_name(stack).client_request_token(ticket.token());
        let sent = || async {
            let refused = match request.clone().send().await {
                Ok(_) => return Ok(()),
                Err(error) => Error::of(OPERATION, &error),
            };
            Err(match messages::is_nothing_to_cancel(&refused.message) {
                true => Error { kind: ErrorKind::WrongState, ..refused },
                false => refused,
            })
        };
        self.begin(OPERATION, stack, ticket, sent).await
    }

    /// `UpdateTerminationProtection`.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn protect(&self, stack: &str, protected: bool, _ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "UpdateTerminationProtection";
        let request = self.sdk.update_termination_protection().stack_name(stack);
        let request = request.enable_termination_protection(protected);
        let updated = self.write(OPERATION, || async {
            request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error))
        });
        updated.await.map_err(|refusal| refusal.error)
    }

    /// `DetectStackDrift`; the id of the detection.
    ///
    /// # Errors
    /// When the service refuses; `WrongState` while another detection of the stack runs.
    pub async fn detect_drift(&self, stack: &str, _ticket: &Ticket) -> Result<String, Error> {
        const OPERATION: &str = "DetectStackDrift";
        let request = self.sdk.detect_stack_drift().stack_name(stack);
        let begun = self.write(OPERATION, || async {
            let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
            let nothing = || Error::new(OPERATION, ErrorKind::Protocol, "the answer has no id");
            answer.stack_drift_detection_id.ok_or_else(nothing)
        });
        begun.await.map_err(|Refusal { error, .. }| {
            match messages::is_drift_detection_running(&error.message) {
                true => Error { kind: ErrorKind::WrongState, ..error },
                false => error,
            }
        })
    }
}
