//! Makes a change set and waits for it; what CloudFormation refuses is told in words that lead somewhere.
//!
//! A change set of type CREATE makes a shell of a stack. When the change set comes to nothing, shell and change set are
//! deleted again, so that a failed plan leaves nothing behind.

use std::sync::Mutex;
use std::time::Duration;

use formwork_assembly::limits::INLINE_TEMPLATE_BYTES;

use super::failure::failed;
use super::limits;
use super::reasons::{self, Refusal};
use super::shell;
use crate::aws::cloudformation::{
    ChangeSet, ChangeSetStatus, ChangeSetType, Experience, NewChangeSet, TemplateSource,
};
use crate::aws::{Error, ErrorKind, Session};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::follow::Places;
use crate::journal::history::{Call, Fate};
use crate::journal::{History, Intent, Journal};
use crate::runtime::Runtime;

/// How many names are tried when one is taken.
const NAMES: usize = 5;
/// How long a change set that was just made may be unknown: reads lag behind writes.
const UNKNOWN: Duration = Duration::from_secs(30);

/// A change set that this run made.
#[derive(Clone)]
pub(crate) struct Made {
    /// Where.
    pub(crate) session: Session,
    /// Its ARN.
    pub(crate) arn: String,
    /// The stack's ARN.
    pub(crate) stack_id: String,
    /// The stack's name.
    pub(crate) stack_name: String,
    /// Whether the stack is a shell that only this change set needs.
    pub(crate) shell: bool,
}

/// What became of a change set.
pub(crate) enum Outcome {
    /// It can be executed.
    Ready(Box<ChangeSet>),
    /// It would change nothing; it is deleted again.
    Empty,
}

/// Makes change sets, and remembers them so that they can be deleted when the plan fails.
pub(crate) struct Maker<'r> {
    pub(crate) runtime: &'r Runtime,
    pub(crate) journal: &'r Journal,
    pub(crate) deadline: Duration,
    /// Whether the plan was made before, maybe by another process: its calls and these must not share tokens.
    pub(crate) late: bool,
    pub(crate) made: Mutex<Vec<Made>>,
}

/// The name of a change set: `fw-<run>-<first 8 of the template's SHA-256>`.
pub(crate) fn name(run: &str, template_sha256: &str) -> String {
    let short = template_sha256.get(..8).unwrap_or(template_sha256);
    let run: String = run.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(100).collect();
    format!("{}{run}-{short}", super::owner::CHANGE_SET_PREFIX)
}

impl<'r> Maker<'r> {
    pub(crate) fn new(runtime: &'r Runtime, journal: &'r Journal, deadline: Duration) -> Self {
        Self { runtime, journal, deadline, late: false, made: Mutex::new(Vec::new()) }
    }

    /// Makes a change set and waits until it can be executed. `places` is asked only when something has to be explained.
    ///
    /// # Errors
    /// When CloudFormation refuses it; what was made for it is deleted then.
    pub(crate) async fn make(
        &self,
        session: &Session,
        mut new: NewChangeSet,
        places: impl FnOnce() -> Places,
    ) -> Result<Outcome, EngineError> {
        let stack = new.stack.clone();
        let (arn, stack_id) = match self.create(session, &mut new).await {
            Ok(names) => names,
            Err(error) => {
                self.sweep_shell(session, &new).await;
                return Err(error);
            }
        };
        let made = Made {
            session: session.clone(),
            arn: arn.clone(),
            stack_id,
            stack_name: stack.clone(),
            shell: makes_shell(&new),
        };
        self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(made.clone());
        let set = self.wait(session, &arn, &stack).await?;
        if set.status == ChangeSetStatus::CreateComplete {
            return Ok(Outcome::Ready(Box::new(set)));
        }
        let refusal = reasons::refusal(session, &set).await;
        self.forget(&made).await;
        match refusal {
            Refusal::Empty => Ok(Outcome::Empty),
            other => Err(reasons::error(&stack, &other, &places())),
        }
    }

    async fn create(
        &self,
        session: &Session,
        new: &mut NewChangeSet,
    ) -> Result<(String, String), EngineError> {
        if let TemplateSource::Body(text) = &new.template
            && !limits::fits_inline(text)
        {
            let message = format!(
                "stack {}: the template has {} bytes, more than the {INLINE_TEMPLATE_BYTES} that go without a bucket",
                new.stack,
                text.len()
            );
            return Err(EngineError::new(Class::Input, message)
                .with_hint("run `formwork bootstrap`, or name a bucket with -c assets=BUCKET"));
        }
        let first = new.name.clone();
        for attempt in 1..=NAMES {
            if attempt > 1 {
                new.name = format!("{first}-{attempt}");
            }
            // The token follows from the target: each phase and each run of the program has its own.
            let late = if self.late { " late" } else { "" };
            let target = format!("{} {}{late}", new.stack, new.name);
            if let Some(names) = self.journal.look(|history| made_before(history, &target, session)) {
                return Ok(names);
            }
            let intent = Intent::new("CreateChangeSet", target).with_name("changeSet", &new.name);
            let ticket = self.journal.intent(intent)?;
            let answer = session.cloudformation().create_change_set(new, &ticket).await;
            let names = answer.as_ref().map(|(arn, stack_id)| {
                [("changeSet".to_owned(), arn.clone()), ("stackId".to_owned(), stack_id.clone())].into()
            });
            self.journal.outcome(&ticket, names);
            match answer {
                Ok(names) => return Ok(names),
                Err(error) if error.kind == ErrorKind::AlreadyExists && attempt < NAMES => {}
                Err(error) => return Err(refused(new, &error)),
            }
        }
        Err(EngineError::new(
            Class::NeedsAction,
            format!("stack {}: change sets {first} to {first}-{NAMES} exist already", new.stack),
        )
        .with_hint("delete change sets that nobody needs with `formwork gc`"))
    }

    /// Looks at a change set until CloudFormation is done with it.
    async fn wait(&self, session: &Session, arn: &str, stack: &str) -> Result<ChangeSet, EngineError> {
        let clock = self.runtime.clock;
        let started = clock.elapsed();
        let mut last = None;
        let experience = session.cloudformation().experience();
        let scout = experience.scout();
        tokio::select! {
            () = experience.worth_a_look(scout.as_ref(), clock, started) => {}
            () = self.runtime.control.reached(Wish::Detach) => return Err(self.interrupted(stack)),
        }
        loop {
            let waited = clock.elapsed().saturating_sub(started);
            match session.cloudformation().change_set(arn, Some(stack)).await {
                Ok(Some(set)) => match set.status {
                    ChangeSetStatus::CreateComplete | ChangeSetStatus::Failed => {
                        experience.change_set_took(waited, set.status == ChangeSetStatus::CreateComplete);
                        return Ok(set);
                    }
                    ChangeSetStatus::DeletePending
                    | ChangeSetStatus::DeleteInProgress
                    | ChangeSetStatus::DeleteComplete
                    | ChangeSetStatus::DeleteFailed => return Err(gone(stack, &set.name)),
                    _ => last = Some(set.status),
                },
                Ok(None) if waited > UNKNOWN => return Err(gone(stack, arn)),
                Ok(None) => {}
                // A read that fails says nothing about the change set.
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(failed(&format!("stack {stack}"), &error)),
            }
            if waited >= self.deadline {
                let state = last.as_ref().map_or("unknown", ChangeSetStatus::as_str);
                let message =
                    format!("stack {stack}: the change set is {state} after {} seconds", waited.as_secs());
                return Err(EngineError::new(Class::NeedsAction, message)
                    .with_hint("try again; CloudFormation is slow or a hook hangs"));
            }
            tokio::select! {
                () = clock.sleep(Experience::step(waited)) => {}
                () = self.runtime.control.reached(Wish::Detach) => return Err(self.interrupted(stack)),
            }
        }
    }

    fn interrupted(&self, stack: &str) -> EngineError {
        if self.late { interrupted_late(stack) } else { interrupted() }
    }

    /// Deletes a change set of this run, and the shell that was made for it.
    pub(crate) async fn forget(&self, made: &Made) {
        self.made
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .retain(|other| other.arn != made.arn);
        if let Err(error) = delete(made, self.journal).await {
            self.runtime.tell_of(
                (made.stack_name.as_str(), &made.session),
                What::Warning {
                    message: format!("change set {} could not be deleted: {}", made.arn, error.message),
                    hint: Some("`formwork gc` deletes it once it is old enough".to_owned()),
                },
            );
        }
    }

    /// Deletes all change sets of this run.
    pub(crate) async fn forget_all(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        futures_util::future::join_all(made.iter().map(|made| self.forget(made))).await;
    }

    /// Deletes a shell that a refused `CreateChangeSet` may have left.
    async fn sweep_shell(&self, session: &Session, new: &NewChangeSet) {
        if !makes_shell(new) {
            return;
        }
        if let Ok(Some(stack)) = session.cloudformation().stack(&new.stack).await {
            let made = Made {
                session: session.clone(),
                arn: String::new(),
                stack_id: stack.id,
                stack_name: stack.name,
                shell: true,
            };
            let _ = delete_shell(&made, self.journal).await;
        }
    }
}

/// Whether an ARN is of a region and an account.
pub(crate) fn is_in(arn: &str, region: &str, account: &str) -> bool {
    arn.contains(&format!(":{region}:{account}:"))
}

/// The change set, and its stack, that a process before this one made by the same call, and that nobody has used yet. The
/// same run may make a change set of that name for a stack of that name in another region.
fn made_before(history: &History, target: &str, session: &Session) -> Option<(String, String)> {
    let made = |call: &Call<'_>| {
        let is_here =
            call.names.get("changeSet").is_some_and(|arn| is_in(arn, session.region(), session.account()));
        call.operation == "CreateChangeSet" && call.target == target && call.fate == Fate::Done && is_here
    };
    let call = history.calls().filter(made).last()?;
    let (arn, stack_id) = (*call.names.get("changeSet")?, *call.names.get("stackId")?);
    let is_used = history.calls().any(|later| match later.operation {
        "DeleteChangeSet" => later.target == arn,
        "DeleteStack" => {
            let is_its = later.names.get("stackId").is_some_and(|id| *id == stack_id);
            later.call > call.call && (is_its || later.target == stack_id)
        }
        "ExecuteChangeSet" => later.names.get("changeSet").is_some_and(|used| *used == arn),
        _ => false,
    });
    (!is_used).then(|| (arn.to_owned(), stack_id.to_owned()))
}

/// Deletes a change set, and its stack when that is an empty shell.
pub(crate) async fn delete(made: &Made, journal: &Journal) -> Result<(), EngineError> {
    let ticket = journal.intent(Intent::new("DeleteChangeSet", &made.arn))?;
    let answer = made.session.cloudformation().delete_change_set(&made.arn, &ticket).await;
    journal.outcome(&ticket, answer.as_ref().map(|()| Default::default()));
    answer.map_err(|error| failed(&format!("stack {}", made.stack_name), &error))?;
    if made.shell { delete_shell(made, journal).await } else { Ok(()) }
}

/// Deletes the shell that a change set has left.
async fn delete_shell(made: &Made, journal: &Journal) -> Result<(), EngineError> {
    let told = |error: &Error| failed(&format!("stack {}", made.stack_name), error);
    shell::delete(&made.stack_id, &made.arn, &made.session, journal, told).await
}

/// Whether a change set may make a shell of a stack. An import into a stack that is there does not, which its status
/// tells whoever deletes shells.
fn makes_shell(new: &NewChangeSet) -> bool {
    matches!(new.kind, ChangeSetType::Create | ChangeSetType::Import)
}

/// A signal came while a plan was made, which changes no stack.
pub(crate) fn interrupted() -> EngineError {
    EngineError::new(Class::Detached, "interrupted while planning; no stack was changed")
}

/// A signal came while a run was making a change set: other stacks of the run may have been changed by then.
fn interrupted_late(stack: &str) -> EngineError {
    let message = format!("stack {stack}: interrupted while its change set was made; the stack is as it was");
    EngineError::new(Class::Detached, message)
}

fn gone(stack: &str, change_set: &str) -> EngineError {
    EngineError::new(
        Class::NeedsAction,
        format!("stack {stack}: change set {change_set} was deleted by somebody else"),
    )
}

fn refused(new: &NewChangeSet, error: &Error) -> EngineError {
    let stack = format!("stack {}", new.stack);
    let mut told = failed(&stack, error);
    if error.kind == ErrorKind::InsufficientCapabilities {
        let granted =
            if new.capabilities.is_empty() { "none".to_owned() } else { new.capabilities.join(", ") };
        told.message = format!("{stack}: {} (granted: {granted})", error.message);
        told.hint =
            Some("grant the capability that is named, or grant all by leaving --capabilities out".to_owned());
    }
    if error.message.contains("S3 error: Access Denied") {
        told.hint =
            Some("CloudFormation could not read the template: check the bucket's policy and key".to_owned());
    }
    told
}
