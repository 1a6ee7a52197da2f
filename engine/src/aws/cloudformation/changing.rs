//! The calls that change something. Each takes a ticket of the journal and is made with its token.
//!
//! A call whose answer is lost is made again with the same token. CloudFormation forgets tokens once an operation has
//! begun and then answers that the state does not allow it; the events of the stack carry the token and tell whether it
//! was our own call that began the operation.

use std::time::Duration;

use aws_sdk_cloudformation::types;

use super::client::Client;
use super::model::*;
use super::status::ExecutionStatus;
use crate::aws::error::{Error, ErrorKind};
use crate::aws::limiter::Effect;
use crate::aws::{Patience, messages};
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

impl Client {
    async fn write<T, F>(&self, operation: &'static str, send: impl Fn(u32) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.caller.call(operation, Effect::Write, self.patience, send).await
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
        let made = self.write(OPERATION, |lost| {
            let request = request.clone();
            async move {
                let failed = match request.send().await {
                    Ok(answer) => match (answer.id, answer.stack_id) {
                        (Some(id), Some(stack)) => return Ok((id, stack)),
                        _ => return Err(Error::new(OPERATION, ErrorKind::Protocol, "the answer has no ARN")),
                    },
                    Err(error) => Error::of(OPERATION, &error),
                };
                let taken = matches!(failed.kind, ErrorKind::AlreadyExists | ErrorKind::TokenReused);
                if taken && lost > 0 {
                    // The name is the run's own: an attempt whose answer was lost has taken it.
                    let patient = self.with_patience(Patience::NONE);
                    if let Some(ours) = patient.change_set(&new.name, Some(&new.stack)).await? {
                        return Ok((ours.arn, ours.stack_id));
                    }
                }
                Err(failed)
            }
        });
        made.await
    }

    /// `DeleteChangeSet`; one that is gone already is no error.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn delete_change_set(&self, change_set: &str, _ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "DeleteChangeSet";
        let request = self.sdk.delete_change_set().change_set_name(change_set);
        let deleted = self.write(OPERATION, |_| async {
            request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error))
        });
        match deleted.await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            answer => answer,
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
        let executed = self.write(OPERATION, |_| async {
            request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error))
        });
        match executed.await {
            Err(refused)
                if refused.kind == ErrorKind::WrongState || refused.kind == ErrorKind::TokenReused =>
            {
                self.was_executed_by(change_set, ticket.token(), refused).await
            }
            answer => answer,
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

    /// A repeated call that is refused because of the stack's state was taken the first time, if an event carries its
    /// token. `lost` counts the attempts that may have been.
    async fn unless_begun(&self, stack: &str, token: &str, lost: u32, refused: Error) -> Result<(), Error> {
        let by_state =
            matches!(refused.kind, ErrorKind::WrongState | ErrorKind::TokenReused | ErrorKind::Invalid);
        if lost > 0 && by_state && self.has_begun(stack, token).await? {
            return Ok(());
        }
        Err(refused)
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
        let deleted = self.write(OPERATION, |lost| {
            let request = request.clone();
            async move {
                match request.send().await.map_err(|error| Error::of(OPERATION, &error)) {
                    Ok(_) => Ok(()),
                    Err(refused) => self.unless_begun(stack, ticket.token(), lost, refused).await,
                }
            }
        });
        deleted.await
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
        let rolled_back = self.write(OPERATION, |lost| {
            let request = request.clone();
            async move {
                match request.send().await.map_err(|error| Error::of(OPERATION, &error)) {
                    Ok(_) => Ok(()),
                    Err(refused) => self.unless_begun(stack, ticket.token(), lost, refused).await,
                }
            }
        });
        rolled_back.await
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
        let continued = self.write(OPERATION, |lost| {
            let request = request.clone();
            async move {
                match request.send().await.map_err(|error| Error::of(OPERATION, &error)) {
                    Ok(_) => Ok(()),
                    Err(refused) => self.unless_begun(stack, ticket.token(), lost, refused).await,
                }
            }
        });
        continued.await
    }

    /// `CancelUpdateStack`.
    ///
    /// # Errors
    /// When the service refuses; `WrongState` when no update is running.
    pub async fn cancel_update(&self, stack: &str, ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "CancelUpdateStack";
        let request = self.sdk.cancel_update_stack().stack_name(stack).client_request_token(ticket.token());
        let cancelled = self.write(OPERATION, |lost| {
            let request = request.clone();
            async move {
                match request.send().await.map_err(|error| Error::of(OPERATION, &error)) {
                    Ok(_) => Ok(()),
                    Err(refused) => {
                        let refused = match messages::is_nothing_to_cancel(&refused.message) {
                            true => Error { kind: ErrorKind::WrongState, ..refused },
                            false => refused,
                        };
                        self.unless_begun(stack, ticket.token(), lost, refused).await
                    }
                }
            }
        });
        cancelled.await
    }

    /// `UpdateTerminationProtection`.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn protect(&self, stack: &str, protected: bool, _ticket: &Ticket) -> Result<(), Error> {
        const OPERATION: &str = "UpdateTerminationProtection";
        let request = self.sdk.update_termination_protection().stack_name(stack);
        let request = request.enable_termination_protection(protected);
        let updated = self.write(OPERATION, |_| async {
            request.clone().send().await.map(drop).map_err(|error| Error::of(OPERATION, &error))
        });
        updated.await
    }

    /// `DetectStackDrift`; the id of the detection.
    ///
    /// # Errors
    /// When the service refuses; `WrongState` while another detection of the stack runs.
    pub async fn detect_drift(&self, stack: &str, _ticket: &Ticket) -> Result<String, Error> {
        const OPERATION: &str = "DetectStackDrift";
        let request = self.sdk.detect_stack_drift().stack_name(stack);
        let begun = self.write(OPERATION, |_| async {
            let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
            let nothing = || Error::new(OPERATION, ErrorKind::Protocol, "the answer has no id");
            answer.stack_drift_detection_id.ok_or_else(nothing)
        });
        begun.await.map_err(|error| match messages::is_drift_detection_running(&error.message) {
            true => Error { kind: ErrorKind::WrongState, ..error },
            false => error,
        })
    }
}

fn create_request(
    sdk: &aws_sdk_cloudformation::Client,
    new: &NewChangeSet,
    token: &str,
) -> aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder {
    let parameters = new.parameters.iter().map(|(name, value)| {
        let parameter = types::Parameter::builder().parameter_key(name);
        match value {
            ParameterValue::Value(value) => parameter.parameter_value(value).build(),
            ParameterValue::Previous => parameter.use_previous_value(true).build(),
        }
    });
    let parameters: Vec<_> = parameters.collect();
    let tags = new.tags.iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build());
    let tags: Vec<_> = tags.collect();
    let imports = new.resources_to_import.iter().map(|resource| {
        types::ResourceToImport::builder()
            .logical_resource_id(&resource.logical_id)
            .resource_type(&resource.resource_type)
            .set_resource_identifier(Some(resource.identifier.clone().into_iter().collect()))
            .build()
    });
    let imports: Vec<_> = imports.collect();
    let capabilities: Vec<_> = new.capabilities.iter().map(|word| word.as_str().into()).collect();
    let rollback = new.rollback.as_ref().map(|rollback| {
        let triggers = rollback
            .alarm_arns
            .iter()
            .map(|arn| types::RollbackTrigger::builder().arn(arn).r#type("AWS::CloudWatch::Alarm").build());
        types::RollbackConfiguration::builder()
            .set_rollback_triggers(Some(triggers.collect()))
            .monitoring_time_in_minutes(i32::try_from(rollback.monitoring_minutes).unwrap_or(180))
            .build()
    });
    let request = match &new.template {
        TemplateSource::Body(text) => sdk.create_change_set().template_body(text),
        TemplateSource::Url(url) => sdk.create_change_set().template_url(url),
        TemplateSource::Previous => sdk.create_change_set().use_previous_template(true),
    };
    request
        .stack_name(&new.stack)
        .change_set_name(&new.name)
        .change_set_type(new.kind.as_str().into())
        .client_token(token)
        .set_parameters(some(parameters))
        // An empty list would leave the stack's tags as they are and cannot be sent.
        .set_tags(some(tags))
        .set_capabilities(some(capabilities))
        .set_notification_arns(Some(new.notification_arns.clone()))
        .set_role_arn(new.role_arn.clone())
        .set_description(new.description.clone())
        .set_resources_to_import(some(imports))
        .set_import_existing_resources(new.import_existing.then_some(true))
        .set_include_nested_stacks(new.include_nested.then_some(true))
        .set_deployment_mode(new.revert_drift.then_some(types::DeploymentMode::RevertDrift))
        .set_rollback_configuration(rollback)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
