//! Executes a change set exactly once, whatever becomes of the answer.
//!
//! Executing twice is what must not happen, and not executing while believing it is the other way to be wrong. The token
//! makes a repetition harmless; where the service refuses the repetition, the change set itself tells whether it was
//! executed.

use std::time::Duration;

use jiff::Timestamp;

use super::calls::{failed, names};
use super::schedule::Step;
use super::step::{Work, not_started};
use crate::aws::ErrorKind;
use crate::aws::Session;
use crate::aws::cloudformation::client::Execution;
use crate::aws::cloudformation::{ExecutionStatus, StackStatus};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::journal::Intent;
use crate::journal::history::Fate;
use crate::plan::model::PlannedChangeSet;

/// How often an execution is repeated whose answer did not come, each time after all that the client does by itself.
const REPETITIONS: u32 = 2;
/// How long to wait before the first of them.
const PAUSE: Duration = Duration::from_secs(2);

/// An operation that CloudFormation has taken.
#[derive(Clone, Debug)]
pub(super) struct Started {
    pub(super) stack_id: String,
    pub(super) token: Option<String>,
    pub(super) time: Timestamp,
}

/// What a change set tells about its execution.
enum Seen {
    /// It was executed.
    Executed,
    /// It could be.
    NotYet,
    /// It cannot be any more.
    Stale(&'static str),
}

impl Work<'_> {
    /// The execution that the journal tells of, and the change set, when the answer is not known.
    pub(super) fn executed_before(&self, target: &str) -> Option<(Fate<'_>, PlannedChangeSet, Started)> {
        let call = self.history.last_call("ExecuteChangeSet", target)?;
        let name = |key: &str| call.names.get(key).map(|text| (*text).to_owned());
        let stack_id = name("stackId")?;
        let set =
            PlannedChangeSet { arn: name("changeSet")?, name: name("name")?, stack_id: stack_id.clone() };
        let started = Started { stack_id, token: call.token.map(str::to_owned), time: call.time };
        Some((call.fate, set, started))
    }

    /// The execution that this process has written down.
    pub(super) fn last_execution(&self, target: &str) -> Option<PlannedChangeSet> {
        let history = self.journal.history();
        let call = history.last_call("ExecuteChangeSet", target)?;
        let name = |key: &str| call.names.get(key).map(|text| (*text).to_owned());
        Some(PlannedChangeSet { arn: name("changeSet")?, name: name("name")?, stack_id: name("stackId")? })
    }

    /// Executes a change set.
    ///
    /// # Errors
    /// `Refused` when the stack was changed since the change set was made, `Detached` when it cannot be known whether
    /// CloudFormation took it.
    pub(super) async fn execute(
        &self,
        step: Step,
        target: &str,
        session: &Session,
        set: &PlannedChangeSet,
    ) -> Result<Started, EngineError> {
        let stack = self.stack(step);
        let client = session.cloudformation();
        let execution = Execution { disable_rollback: !self.plan.options.rollback };
        let mut pause = PAUSE;
        for round in 0.. {
            if self.runtime.control.wish() != Wish::Continue {
                return Err(not_started());
            }
            let time = self.runtime.clock.now();
            let intent = Intent::new("ExecuteChangeSet", target)
                .with_name("changeSet", &set.arn)
                .with_name("name", &set.name)
                .with_name("stackId", &set.stack_id);
            let ticket = self.journal.intent(intent)?;
            let started =
                Started { stack_id: set.stack_id.clone(), token: Some(ticket.token().to_owned()), time };
            let answer = client.execute_change_set(&set.arn, execution, &ticket).await;
            let Err(error) = answer else {
                self.journal.outcome(&ticket, Ok(names([])));
                return Ok(started);
            };
            let unclear = error.is_transient() || error.kind == ErrorKind::Other;
            let refused = matches!(
                error.kind,
                ErrorKind::WrongState | ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::TokenReused
            );
            if !unclear && !refused {
                self.journal.outcome(&ticket, Err(&error));
                return Err(failed(&stack.name, &error));
            }
            match self.look(session, set).await {
                Ok(Seen::Executed) => {
                    self.journal.outcome(&ticket, Ok(names([])));
                    return Ok(started);
                }
                Ok(Seen::Stale(why)) => {
                    self.journal.outcome(&ticket, Err(&error));
                    return Err(stale(&stack.name, why));
                }
                Ok(Seen::NotYet) if refused => {
                    self.journal.outcome(&ticket, Err(&error));
                    return Err(match self.busy(session, set).await {
                        Some(busy) => busy,
                        None => failed(&stack.name, &error),
                    });
                }
                Ok(Seen::NotYet) if round < REPETITIONS => {
                    self.journal.outcome(&ticket, Err(&error));
                    self.runtime.clock.sleep(pause).await;
                    pause *= 2;
                }
                Ok(Seen::NotYet) | Err(_) => {
                    self.journal.outcome(&ticket, Err(&error));
                    let message = format!(
                        "stack {}: it is not known whether CloudFormation began: {error}",
                        stack.name
                    );
                    return Err(EngineError::new(Class::Detached, message)
                        .with_hint("go on with `formwork resume`, which repeats the call harmlessly"));
                }
            }
        }
        Err(not_started())
    }

    /// Whether a change set was executed. Only our run knows its name, so that whoever executed it did what was approved.
    async fn look(&self, session: &Session, set: &PlannedChangeSet) -> Result<Seen, crate::aws::Error> {
        let client = session.cloudformation();
        let found = client.change_set(&set.arn, Some(&set.stack_id)).await?;
        Ok(match found.map(|found| found.execution_status) {
            Some(
                ExecutionStatus::ExecuteInProgress
                | ExecutionStatus::ExecuteComplete
                | ExecutionStatus::ExecuteFailed,
            ) => Seen::Executed,
            Some(ExecutionStatus::Available) => Seen::NotYet,
            Some(ExecutionStatus::Obsolete) => {
                Seen::Stale("was changed by somebody else since it was planned")
            }
            Some(ExecutionStatus::Unavailable) => Seen::Stale("has a change set that cannot be executed"),
            Some(ExecutionStatus::Other(_)) => Seen::NotYet,
            // Gone: CloudFormation removes change sets with their stack, and others when one is executed.
            None => match client.stack(&set.stack_id).await? {
                Some(stack)
                    if stack.change_set_id.as_deref() == Some(&set.arn)
                        && stack.status != StackStatus::ReviewInProgress =>
                {
                    Seen::Executed
                }
                Some(_) => {
                    Seen::Stale("was changed by somebody else since it was planned: its change set is gone")
                }
                None => Seen::Stale("was deleted by somebody else since it was planned"),
            },
        })
    }

    /// Whose operation stands in the way of an execution, when there is one.
    async fn busy(&self, session: &Session, set: &PlannedChangeSet) -> Option<EngineError> {
        let client = session.cloudformation();
        let stack = client.stack(&set.stack_id).await.ok()??;
        if !stack.status.is_in_progress() {
            return None;
        }
        let events = client.events(&set.stack_id, None).await.map(|page| page.events).unwrap_or_default();
        let token =
            events.iter().find(|event| event.logical_id == stack.name).and_then(|it| it.token.clone());
        let whose = token.map(|token| format!(", token {token}")).unwrap_or_default();
        let message =
            format!("stack {} is being changed by somebody else ({}{whose})", stack.name, stack.status);
        Some(EngineError::new(Class::Refused, message).with_hint(format!(
            "look on with `formwork follow {}`, then plan again: what was approved no longer holds",
            stack.name
        )))
    }
}

/// The stack is not what the plan was made for.
pub(super) fn stale(name: &str, why: &str) -> EngineError {
    EngineError::new(Class::Refused, format!("stack {name} {why}"))
        .with_hint("make a new plan, which shows what would change now")
}
