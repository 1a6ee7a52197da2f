//! One stack's part of a deployment, from wherever it stands.

use std::time::Duration;

use super::calls::names;
use super::execution::Started;
use super::report::Ending;
use super::schedule::{Phase, Step};
use super::state::State;
use super::step::{Wait, Work, ending_of};
use crate::aws::Session;
use crate::aws::cloudformation::Stack;
use crate::error::{Class, EngineError};
use crate::event::{StackOutcome, What};
use crate::follow::{FailureClass, OperationKind};
use crate::journal::history::Fate;
use crate::journal::{Intent, Record};
use crate::plan::model::{Operation, PlannedChangeSet};

/// How long a just-created role is given to become known everywhere before the one repetition.
const PROPAGATION: Duration = Duration::from_secs(15);

impl Work<'_> {
    /// Deploys a stack, or the phase of one.
    ///
    /// # Errors
    /// When something is refused before CloudFormation begins, or nobody can watch. What CloudFormation itself fails at
    /// is an ending.
    pub(super) async fn deploy(&self, step: Step) -> Result<Ending, EngineError> {
        let stack = self.stack(step);
        let session = self.session(stack).await?;
        if stack.operation == Operation::Nothing {
            return self.unchanged(step, &session).await;
        }
        if self.done_before(step) {
            return self.deployed_before(step, &session).await;
        }
        let mut attempt = self.attempt_reached(step);
        loop {
            let mut ending = self.attempt(step, attempt, &session).await?;
            if attempt > 0 || !self.worth_repeating(&ending) {
                return Ok(ending);
            }
            // A creation is repeated by deleting the stack: what it kept would stay behind, and be in the way.
            if let Some(set) = self.last_execution(&self.target(step, attempt)).filter(|_| self.creates(step))
            {
                let kept = self.still_holds(&session, &set.stack_id).await.unwrap_or_default();
                if !kept.is_empty() {
                    ending.warnings.push(format!(
                        "the stack still holds {}: its creation was not repeated",
                        kept.join(", ")
                    ));
                    return Ok(ending);
                }
            }
            attempt += 1;
            let message = "a just-created role is not known everywhere yet: the operation is repeated once";
            self.runtime.tell_of(stack, What::Note { message: message.to_owned() });
            self.note(step, attempt, State::ChangeSet, names([]));
            self.runtime.clock.sleep(PROPAGATION).await;
        }
    }

    /// One attempt: the change set, its execution, and the end of that.
    async fn attempt(&self, step: Step, attempt: u32, session: &Session) -> Result<Ending, EngineError> {
        let target = self.target(step, attempt);
        let started = match self.executed_before(&target) {
            Some((Fate::Done, _, started)) => started,
            Some((Fate::Open, set, _)) => self.execute(step, &target, session, &set).await?,
            Some((Fate::Refused(_), ..)) | None => {
                self.go_on()?;
                let Some(set) = self.change_set(step, attempt, session).await? else {
                    return self.empty(step, session).await;
                };
                let known = [("changeSet", &*set.arn), ("name", &*set.name), ("stackId", &*set.stack_id)];
                self.note(step, attempt, State::Ready, names(known));
                self.execute(step, &target, session, &set).await?
            }
        };
        self.watch(step, attempt, session, started).await
    }

    async fn watch(
        &self,
        step: Step,
        attempt: u32,
        session: &Session,
        started: Started,
    ) -> Result<Ending, EngineError> {
        let stack = self.stack(step);
        let (kind, word) = match stack.operation {
            Operation::Create | Operation::Recreate if step.phase == Phase::First => {
                (OperationKind::Create, "create")
            }
            Operation::Import => (OperationKind::Import, "import"),
            _ => (OperationKind::Update, "update"),
        };
        self.note(step, attempt, State::Executing, names([("stackId", &started.stack_id)]));
        let told = What::StackStarted {
            operation: word.to_owned(),
            resources: (!stack.changes.is_empty()).then_some(stack.changes.len()),
            typical_seconds: Some(self.estimate(step.stack)),
        };
        self.runtime.tell_of(stack, told);
        let wait = |limit| Wait {
            session,
            stack_id: &started.stack_id,
            kind,
            token: started.token.clone(),
            started: started.time,
            limit,
        };
        let mut finished = self.wait(step, wait(self.options.limit)).await;
        let mut late = None;
        if finished.expired {
            let seconds = self.options.limit.unwrap_or_default().as_secs();
            let reason = format!("it was not done after {seconds} seconds");
            if kind != OperationKind::Update {
                return Ok(Ending {
                    status: Some(finished.status),
                    hint: Some(format!(
                        "look on with `formwork follow {0}`, or give it up with `formwork destroy {0}`",
                        stack.name
                    )),
                    ..Ending::detached(format!(
                        "{reason}; CloudFormation goes on, for only updates can be cancelled"
                    ))
                });
            }
            self.cancel_update(
                &stack.name,
                &target_of_cancel(&self.target(step, attempt)),
                session,
                &started.stack_id,
            )
            .await?;
            finished = self.wait(step, wait(None)).await;
            late = Some(format!("{reason} and was cancelled"));
        }
        let deployed = finished.stack.clone();
        let mut ending = ending_of(&stack.name, kind, finished);
        ending.message = ending.message.or(late);
        if ending.outcome == StackOutcome::Deployed {
            self.after(step, session, deployed, &started.stack_id, &mut ending).await;
        }
        if ending.outcome == StackOutcome::RolledBack && kind == OperationKind::Create {
            self.failed_create(step, session, &started.stack_id, &mut ending).await;
        }
        Ok(ending)
    }

    /// The change set to execute: the planned one, one that this run made before, or a new one. Nothing when it would
    /// change nothing.
    async fn change_set(
        &self,
        step: Step,
        attempt: u32,
        session: &Session,
    ) -> Result<Option<PlannedChangeSet>, EngineError> {
        let stack = self.stack(step);
        if attempt > 0 && self.creates(step) {
            if let Some(set) = self.last_execution(&self.target(step, attempt - 1)) {
                self.remove_failed(step, session, &set.stack_id).await?;
            }
        } else if stack.operation == Operation::Recreate
            && let Some(base) = &stack.base
        {
            self.remove_failed(step, session, &base.stack_id).await?;
        }
        if let Some(set) = self.made_before(step, attempt) {
            return Ok(Some(set));
        }
        let planned = attempt == 0 && step.phase == Phase::First && stack.operation != Operation::Recreate;
        if planned && let Some(set) = &stack.change_set {
            return Ok(Some(set.clone()));
        }
        if planned && stack.provisional.is_none() {
            if stack.first_phase.is_some() {
                return Ok(None);
            }
            let message =
                format!("stack {}: the plan has no change set, so that it cannot be applied", stack.name);
            return Err(
                EngineError::new(Class::Input, message).with_hint("make the plan with `formwork plan --out`")
            );
        }
        if step.phase == Phase::Second
            && let Some(base) = &stack.base
        {
            self.until_quiet(step, session, &base.stack_id).await?;
        }
        self.note(step, attempt, State::ChangeSet, names([]));
        self.late_change_set(step, attempt).await
    }

    /// The change set that this run made for an attempt, as the journal tells.
    fn made_before(&self, step: Step, attempt: u32) -> Option<PlannedChangeSet> {
        let ready = State::Ready.to_string();
        let phase = (step.phase == Phase::Second).then_some("2");
        let attempt = (attempt > 0).then(|| attempt.to_string());
        self.history.lines.iter().rev().find_map(|line| match &line.record {
            Record::Stack { stack, state, names }
                if *stack == self.stack(step).id
                    && *state == ready
                    && names.get("phase").map(String::as_str) == phase
                    && names.get("attempt") == attempt.as_ref() =>
            {
                let name = |key: &str| names.get(key).cloned();
                Some(PlannedChangeSet {
                    arn: name("changeSet")?,
                    name: name("name")?,
                    stack_id: name("stackId")?,
                })
            }
            _ => None,
        })
    }

    /// The attempt at which the journal left off.
    fn attempt_reached(&self, step: Step) -> u32 {
        let phase = (step.phase == Phase::Second).then_some("2");
        let attempts = self.history.lines.iter().filter_map(|line| match &line.record {
            Record::Stack { stack, names, .. }
                if *stack == self.stack(step).id && names.get("phase").map(String::as_str) == phase =>
            {
                names.get("attempt")?.parse().ok()
            }
            _ => None,
        });
        attempts.max().unwrap_or(0)
    }

    /// Whether a step makes its stack.
    fn creates(&self, step: Step) -> bool {
        step.phase == Phase::First
            && matches!(self.stack(step).operation, Operation::Create | Operation::Recreate)
    }

    /// Whether a failure may be gone when the same is tried again.
    pub(super) fn worth_repeating(&self, ending: &Ending) -> bool {
        ending.outcome == StackOutcome::RolledBack
            && ending.failure.as_ref().is_some_and(|failure| failure.class == FailureClass::Propagation)
            && self.go_on().is_ok()
    }

    /// A stack that is as the plan wants it.
    async fn unchanged(&self, step: Step, session: &Session) -> Result<Ending, EngineError> {
        let stack = self.stack(step);
        let mut ending = Ending::new(StackOutcome::Unchanged);
        let Some(base) = &stack.base else { return Ok(ending) };
        // What it says is wanted for the outputs only: that it cannot be read is no failure.
        let now = session.cloudformation().stack(&base.stack_id).await.ok().flatten();
        if let Some(now) = &now {
            ending.outputs.clone_from(&now.outputs);
            ending.status = Some(now.status.clone());
        }
        self.after(step, session, now, &base.stack_id, &mut ending).await;
        Ok(ending)
    }

    /// A stack that this run has deployed before it was cut off.
    async fn deployed_before(&self, step: Step, session: &Session) -> Result<Ending, EngineError> {
        let mut ending = Ending::new(StackOutcome::Deployed);
        let executed = self.executed_before(&self.target(step, self.attempt_reached(step)));
        let stack_id = match (executed, &self.stack(step).base) {
            (Some((_, set, _)), _) => set.stack_id,
            (None, Some(base)) => {
                ending = Ending::new(StackOutcome::Unchanged);
                base.stack_id.clone()
            }
            (None, None) => return Ok(Ending::new(StackOutcome::Unchanged)),
        };
        let now = session.cloudformation().stack(&stack_id).await.ok().flatten();
        if let Some(now) = &now {
            ending.outputs.clone_from(&now.outputs);
            ending.status = Some(now.status.clone());
        }
        self.after(step, session, now, &stack_id, &mut ending).await;
        Ok(ending)
    }

    /// A stack whose change set turned out to be empty.
    async fn empty(&self, step: Step, session: &Session) -> Result<Ending, EngineError> {
        self.unchanged(step, session).await
    }

    /// What is set besides the template, and what is to be said about kept exports.
    async fn after(
        &self,
        step: Step,
        session: &Session,
        now: Option<Stack>,
        stack_id: &str,
        ending: &mut Ending,
    ) {
        let stack = self.stack(step);
        if let Some(phases) = stack.first_phase.as_ref().filter(|phases| !phases.held_by.is_empty()) {
            let exports: Vec<&str> = phases.kept_exports.keys().map(String::as_str).collect();
            ending.warnings.push(format!(
                "exports {} are kept, because {} imports them; deploy again once it does not",
                exports.join(", "),
                phases.held_by.join(", ")
            ));
        } else if stack.first_phase.is_some() && step.phase == Phase::First {
            return;
        }
        let Some(wanted) = stack.termination_protection else { return };
        if now.is_some_and(|now| now.termination_protection == wanted) {
            return;
        }
        let protected = async {
            let intent =
                Intent::new("UpdateTerminationProtection", stack_id).with_name("enable", wanted.to_string());
            let ticket = self.journal.intent(intent)?;
            let answer = session.cloudformation().protect(stack_id, wanted, &ticket).await;
            self.journal.outcome(&ticket, answer.as_ref().map(|()| names([])));
            answer.map_err(|error| super::calls::failed(&stack.name, &error))
        };
        if let Err(error) = protected.await {
            let word = if wanted { "set" } else { "removed" };
            ending
                .warnings
                .push(format!("the termination protection could not be {word}: {}", error.message));
            ending.class = Some(Class::NeedsAction);
        }
    }
}

fn target_of_cancel(target: &str) -> String {
    format!("{target} cancelled")
}
