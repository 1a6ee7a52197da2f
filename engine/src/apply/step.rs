//! What all steps of a run share, and the end of a step.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use formwork_assembly::CloudAssembly;
use jiff::Timestamp;

use super::calls::{failed, names};
use super::options::ApplyOptions;
use super::report::Ending;
use super::schedule::{Phase, Step};
use super::state::State;
use crate::aws::Session;
use crate::aws::cloudformation::{Stack, StackStatus};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::event::{StackOutcome, What};
use crate::follow::{Finished, Operation, OperationKind, Places, Watchers};
use crate::journal::{History, Journal, Record};
use crate::plan::model::{Plan, StackPlan};
use crate::runtime::Runtime;

/// What all steps of a run share.
pub(super) struct Work<'r> {
    pub(super) plan: &'r Plan,
    pub(super) assembly: Option<&'r CloudAssembly>,
    pub(super) options: &'r ApplyOptions,
    pub(super) runtime: &'r Runtime,
    pub(super) journal: &'r Journal,
    pub(super) watchers: Watchers,
    /// What the journal held when this process began.
    pub(super) history: History,
    /// What CloudFormation does because of us.
    pub(super) running: Mutex<BTreeMap<Step, Running>>,
    /// Which construct made which resource, by stack.
    pub(super) places: Vec<Arc<Places>>,
    /// How long each stack's operation is estimated to take, in seconds.
    pub(super) estimates: Vec<u64>,
}

/// An operation of CloudFormation that this run started.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) session: Session,
    pub(super) stack_id: String,
    pub(super) kind: OperationKind,
}

/// An operation to wait for.
pub(super) struct Wait<'w> {
    pub(super) session: &'w Session,
    pub(super) stack_id: &'w str,
    pub(super) kind: OperationKind,
    pub(super) token: Option<String>,
    pub(super) started: Timestamp,
    pub(super) limit: Option<Duration>,
}

impl Work<'_> {
    pub(super) fn stack(&self, step: Step) -> &StackPlan {
        &self.plan.stacks[step.stack]
    }

    /// The caller of a stack's calls, in the right account.
    pub(super) async fn session(&self, stack: &StackPlan) -> Result<Session, EngineError> {
        super::calls::session(stack, self.runtime).await
    }

    /// A step's name in the journal: the stack's id, and what sets the step apart from the stack's others.
    pub(super) fn target(&self, step: Step, attempt: u32) -> String {
        let mut target = self.stack(step).id.clone();
        if step.phase == Phase::Second {
            target.push_str(" phase 2");
        }
        if attempt > 0 {
            target.push_str(&format!(" attempt {}", attempt + 1));
        }
        target
    }

    /// Writes down a stack's state.
    pub(super) fn note(&self, step: Step, attempt: u32, state: State, mut names: BTreeMap<String, String>) {
        if step.phase == Phase::Second {
            names.insert("phase".to_owned(), "2".to_owned());
        }
        if attempt > 0 {
            names.insert("attempt".to_owned(), attempt.to_string());
        }
        self.journal.stack_state(&self.stack(step).id, &state.to_string(), names);
    }

    /// Whether the journal tells that a step went well.
    pub(super) fn done_before(&self, step: Step) -> bool {
        let phase = (step.phase == Phase::Second).then_some("2");
        let mut states = self.history.lines.iter().rev().filter_map(|line| match &line.record {
            Record::Stack { stack, state, names }
                if *stack == self.stack(step).id && names.get("phase").map(String::as_str) == phase =>
            {
                Some(state)
            }
            _ => None,
        });
        states.next().is_some_and(|state| *state == State::Done.to_string())
    }

    /// Refuses to begin anything new once the run is to stop.
    pub(super) fn go_on(&self) -> Result<(), EngineError> {
        match self.runtime.control.wish() {
            Wish::Continue => Ok(()),
            Wish::Detach | Wish::Cancel => Err(not_started()),
        }
    }

    /// How long a stack is estimated to take, in seconds.
    pub(super) fn estimate(&self, stack: usize) -> u64 {
        self.estimates[stack]
    }

    /// Waits for an operation of a step.
    pub(super) async fn wait(&self, step: Step, wait: Wait<'_>) -> Finished {
        let stack = self.stack(step);
        let mut operation = Operation::new(wait.stack_id, &stack.name, wait.kind, wait.started);
        operation.token = wait.token;
        operation.base = stack.base.clone().filter(|base| base.stack_id == wait.stack_id);
        operation.places = Arc::clone(&self.places[step.stack]);
        operation.limit = wait.limit;
        // The typical times are those of creations.
        operation.typical =
            (wait.kind == OperationKind::Create).then(|| Duration::from_secs(self.estimate(step.stack)));
        if wait.kind != OperationKind::Unknown {
            let running = Running {
                session: wait.session.clone(),
                stack_id: wait.stack_id.to_owned(),
                kind: wait.kind,
            };
            self.running_now().insert(step, running);
        }
        let finished = self.watchers.of(wait.session).operation(operation).await;
        if finished.detached.is_none() && !finished.expired {
            self.running_now().remove(&step);
        }
        finished
    }

    pub(super) fn running_now(&self) -> std::sync::MutexGuard<'_, BTreeMap<Step, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing happens to a stack any more: the removal of what an update replaced, or somebody's operation.
    pub(super) async fn until_quiet(
        &self,
        step: Step,
        session: &Session,
        stack_id: &str,
    ) -> Result<Option<Stack>, EngineError> {
        let name = &self.stack(step).name;
        loop {
            let stack = self.read(session, name, stack_id).await?;
            let Some(stack) = stack.filter(|stack| stack.status.is_in_progress()) else {
                return self.read(session, name, stack_id).await;
            };
            self.go_on()?;
            let reason = format!("the operation that is {}", stack.status);
            self.runtime.tell_of(self.stack(step), What::StackWaiting { reason });
            let started = self.runtime.clock.now();
            let wait =
                Wait { session, stack_id, kind: OperationKind::Unknown, token: None, started, limit: None };
            let mut finished = self.wait(step, wait).await;
            if let Some(cleanup) = finished.cleanup.take() {
                finished = cleanup.finished().await;
            }
            if let Some(reason) = finished.detached {
                return Err(EngineError::new(Class::Detached, format!("stack {name}: {reason}")));
            }
        }
    }

    /// A stack by its ARN.
    pub(super) async fn read(
        &self,
        session: &Session,
        name: &str,
        stack_id: &str,
    ) -> Result<Option<Stack>, EngineError> {
        session.cloudformation().stack(stack_id).await.map_err(|error| failed(name, &error))
    }

    /// Writes a step's end down and tells it.
    pub(super) fn tell_end(&self, step: Step, ending: &Ending, seconds: f64, last: bool) {
        let stack = self.stack(step);
        let state = match ending.outcome {
            StackOutcome::Deployed | StackOutcome::Deleted | StackOutcome::Unchanged => State::Done,
            StackOutcome::RolledBack => State::RolledBack,
            StackOutcome::Failed => State::Failed,
            StackOutcome::Skipped => State::Skipped,
            StackOutcome::Detached => State::Detached,
        };
        let status = ending.status.as_ref().map_or("", StackStatus::as_str);
        self.note(step, 0, state, names([("status", status)]));
        if let Some(failure) = &ending.failure {
            self.runtime.tell_of(stack, What::Diagnosed(Box::new(failure.clone())));
        }
        for message in &ending.warnings {
            let warning = What::Warning { message: message.clone(), hint: None };
            self.runtime.tell_of(stack, warning);
        }
        if last {
            let finished = What::StackFinished {
                outcome: ending.outcome,
                status: ending.status.clone(),
                seconds,
                outputs: ending.outputs.clone(),
            };
            self.runtime.tell_of(stack, finished);
        }
    }
}

/// The end of an operation as its watcher tells it. What a failure leaves is said with the next command.
pub(super) fn ending_of(name: &str, kind: OperationKind, finished: Finished) -> Ending {
    let outcome = match kind {
        _ if finished.detached.is_some() => StackOutcome::Detached,
        OperationKind::Delete if finished.success => StackOutcome::Deleted,
        OperationKind::Unknown if finished.status == StackStatus::DeleteComplete => StackOutcome::Deleted,
        _ if finished.success => StackOutcome::Deployed,
        // Nothing is left of a creation that was taken back by deleting it.
        OperationKind::Create if finished.status == StackStatus::DeleteComplete => StackOutcome::RolledBack,
        _ if kind != OperationKind::Delete && finished.status.is_rolled_back() => StackOutcome::RolledBack,
        _ => StackOutcome::Failed,
    };
    let mut ending = Ending::new(outcome);
    if outcome == StackOutcome::Failed {
        ending.hint = advice(&finished.status, name);
    }
    if finished.success {
        ending.outputs = finished.stack.map(|stack| stack.outputs).unwrap_or_default();
    }
    ending.status = finished.detached.is_none().then_some(finished.status);
    ending.message = finished.detached;
    ending.failure = finished.failure;
    ending.warnings = finished.warnings;
    ending.cleanup = finished.cleanup;
    ending
}

/// A step that did not begin because the run is to stop.
pub(super) fn not_started() -> EngineError {
    EngineError::new(Class::Detached, "not started, because the run was asked to stop")
}

/// What to do about a stack that a failed operation left in a status; the next command.
pub(super) fn advice(status: &StackStatus, name: &str) -> Option<String> {
    use StackStatus as S;
    Some(match status {
        S::CreateFailed | S::UpdateFailed => format!(
            "correct the cause and go on with `formwork deploy {name} --no-rollback`, or take it back with `formwork rollback {name}`"
        ),
        S::RollbackFailed | S::DeleteFailed => format!(
            "delete what is in the way and run `formwork destroy {name}`, or leave it behind with `formwork destroy {name} --retain LOGICAL_ID`"
        ),
        S::UpdateRollbackFailed | S::ImportRollbackFailed => format!(
            "correct the cause and run `formwork rollback {name}`, or leave resources out with `formwork rollback {name} --skip LOGICAL_ID`"
        ),
        _ => return None,
    })
}
