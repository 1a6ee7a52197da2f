//! An operation on a stack: its phases, and in each phase tasks that wait for each other.
//!
//! Making, changing, rolling back and deleting are all the same thing: a set of tasks with an order, each of which takes its
//! time and ends well or badly. What differs is which tasks there are and what follows when all have ended; [`phases`]
//! says that, [`tasks`] runs them, [`resources`] knows what one task does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::state::{Event, Revision, Stack, StackKey, StackResource};
use super::status::StackStatus;
use super::{Surroundings, World};

mod deletion;
mod hooks;
pub(crate) mod lookup;
mod nested;
mod outputs;
mod phases;
pub(crate) mod resources;
mod rollback;
mod tasks;
mod work;

/// What CloudFormation's machinery needs at hand: the world, what is around it and the time.
pub(crate) struct Engine<'e> {
    pub(crate) world: &'e mut World,
    pub(crate) around: &'e mut dyn Surroundings,
    pub(crate) now: Timestamp,
}

/// What an operation is told besides what it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) token: Option<String>,
    pub(crate) disable_rollback: bool,
    pub(crate) delete_on_failure: bool,
    pub(crate) retain_except_on_create: bool,
    /// Resources that a deletion leaves behind, or that a rollback leaves out.
    pub(crate) skip: BTreeSet<String>,
    /// Whether what cannot be deleted or rolled back is left behind.
    pub(crate) force: bool,
    /// Physical ids of resources that are taken in, by logical id.
    pub(crate) imports: BTreeMap<String, String>,
    pub(crate) change_set: Option<String>,
    /// Whether resources get their drift taken back.
    pub(crate) revert_drift: bool,
    /// Whether a resource counts as done when it is configured, before it is stable.
    pub(crate) express: bool,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Resources are made and changed.
    Apply,
    /// What was replaced or removed is deleted.
    Cleanup,
    /// After a failed creation, what was made is deleted.
    Undo,
    /// After a failed update, what was changed is changed back.
    Revert,
    /// After that, what was made is deleted.
    RevertCleanup,
    /// The stack is deleted.
    Delete,
}

/// What a task does.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    /// Makes the resource or changes it, whatever is needed.
    Apply,
    /// Deletes this.
    Delete(Box<StackResource>),
    /// Makes the resource what it was.
    Revert(Box<StackResource>),
    /// Leaves this where it is, without a stack.
    Keep(Box<StackResource>),
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    Waiting,
    Running,
    Done,
    Failed,
    Blocked,
}

/// Something that an update leaves behind.
#[derive(Clone, Debug)]
pub(crate) struct Leftover {
    pub(crate) logical_id: String,
    pub(crate) resource: StackResource,
    /// Whether it is kept, by its policy.
    pub(crate) retain: bool,
}

/// A task.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) logical_id: String,
    pub(crate) job: Job,
    pub(crate) state: TaskState,
    pub(crate) waits: usize,
    pub(crate) needed_by: Vec<usize>,
    /// What the resource will be when the task ends well.
    pub(crate) outcome: Option<StackResource>,
    /// `CREATE`, `UPDATE`, `IMPORT` or `DELETE`, as the events begin.
    pub(crate) verb: &'static str,
    /// Why it fails when its time is over.
    pub(crate) failure: Option<String>,
}

/// A running operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) settings: Settings,
    pub(crate) phase: Phase,
    /// Changes with every phase, so that steps of an earlier one do nothing.
    pub(crate) serial: u64,
    pub(crate) tasks: Vec<Task>,
    /// Tasks that wait or run.
    pub(crate) open: usize,
    /// What failed in this phase: verb and logical id.
    pub(crate) failed: Vec<(&'static str, String)>,
    /// What is deleted in the clean-up.
    pub(crate) leftovers: Vec<Leftover>,
    /// The status that the stack had before.
    pub(crate) before: StackStatus,
    /// Whether it is an import.
    pub(crate) is_import: bool,
    /// A reason that the whole operation fails for, not a resource.
    pub(crate) reason: Option<String>,
}

/// What is to happen at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The tasks of the phase begin.
    Begin { stack: StackKey, serial: u64 },
    /// A resource has its physical id.
    Initiated { stack: StackKey, serial: u64, task: usize },
    /// A task's time is over.
    Finished { stack: StackKey, serial: u64, task: usize },
    /// All tasks of the phase have ended.
    End { stack: StackKey, serial: u64 },
    /// A change set is made.
    ChangeSet { stack: StackKey, id: String },
    /// A stack's own time is over.
    Timeout { stack: StackKey, operation: String },
}

impl Engine<'_> {
    pub(crate) fn stack(&mut self, key: StackKey) -> &mut Stack {
        &mut self.world.stacks[key]
    }

    /// The running operation. Callers have checked that there is one.
    pub(crate) fn operation(&mut self, key: StackKey) -> &mut Operation {
        self.world.stacks[key].operation.as_mut().expect("only stacks with an operation get here")
    }

    /// Puts a step into the queue.
    pub(crate) fn after(&mut self, wait: Duration, step: Step) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let at = self.now.checked_add(wait).unwrap_or(Timestamp::MAX);
        self.world.push(at, step);
    }

    /// A time as the scale of this world has it.
    pub(crate) fn scaled(&self, time: Duration) -> Duration {
        time.mul_f64(self.world.options.scale)
    }

    pub(crate) fn brief(&self, seconds: u64) -> Duration {
        self.scaled(Duration::from_secs(seconds))
    }

    /// Begins an operation: sets the status, tells it, and has the first phase begin a moment later.
    pub(crate) fn begin(
        &mut self,
        key: StackKey,
        kind: &'static str,
        phase: Phase,
        status: StackStatus,
        reason: &str,
        settings: Settings,
    ) -> String {
        let id = self.world.ids.uuid();
        let stack = &mut self.world.stacks[key];
        let before = stack.status;
        stack.serial += 1;
        let serial = stack.serial;
        let is_import = status == StackStatus::ImportInProgress;
        stack.last_operations = vec![(kind, id.clone())];
        stack.operation = Some(Operation {
            id: id.clone(),
            kind,
            settings,
            phase,
            serial,
            tasks: Vec::new(),
            open: 0,
            failed: Vec::new(),
            leftovers: Vec::new(),
            before,
            is_import,
            reason: None,
        });
        self.set_status(key, status, Some(reason));
        let lead = self.scaled(self.world.options.lead);
        self.after(lead, Step::Begin { stack: key, serial });
        id
    }

    /// Sets the status of a stack and tells it as an event.
    pub(crate) fn set_status(&mut self, key: StackKey, status: StackStatus, reason: Option<&str>) {
        let stack = &mut self.world.stacks[key];
        debug_assert!(
            stack.status.successors().contains(&status),
            "{} does not follow {} in {}",
            status,
            stack.status,
            stack.name
        );
        stack.status = status;
        stack.reason = reason.filter(|reason| !reason.is_empty()).map(str::to_owned);
        let (name, id) = (stack.name.clone(), stack.id.clone());
        self.event(key, &name, &id, "AWS::CloudFormation::Stack", status.as_str(), reason, None);
    }

    /// Adds an event.
    #[allow(clippy::too_many_arguments, reason = "an event has these parts")]
    pub(crate) fn event(
        &mut self,
        key: StackKey,
        logical_id: &str,
        physical_id: &str,
        resource_type: &str,
        status: &'static str,
        reason: Option<&str>,
        properties: Option<Arc<Value>>,
    ) {
        let unique = self.world.ids.uuid();
        let stack = &mut self.world.stacks[key];
        let own = resource_type == "AWS::CloudFormation::Stack" && physical_id == stack.id;
        let id = if own { unique } else { format!("{logical_id}-{unique}") };
        let (token, operation) = match &stack.operation {
            Some(operation) => (operation.settings.token.clone(), operation.id.clone()),
            None => (None, String::new()),
        };
        stack.events.push(Event {
            id,
            at: self.now,
            logical_id: logical_id.to_owned(),
            physical_id: physical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            status,
            reason: reason.filter(|reason| !reason.is_empty()).map(str::to_owned),
            properties,
            token,
            operation,
            hook: None,
            detailed_status: None,
        });
    }

    /// Brings one step about.
    pub(crate) fn step(&mut self, step: Step) {
        let current = |engine: &Self, key: StackKey, serial: u64| {
            engine.world.stacks[key].operation.as_ref().is_some_and(|operation| operation.serial == serial)
        };
        match step {
            Step::Begin { stack, serial } if current(self, stack, serial) => self.begin_phase(stack),
            Step::Initiated { stack, serial, task } if current(self, stack, serial) => {
                self.initiated(stack, task);
            }
            Step::Finished { stack, serial, task } if current(self, stack, serial) => {
                self.finished(stack, task);
            }
            Step::End { stack, serial } if current(self, stack, serial) => self.end_phase(stack),
            Step::ChangeSet { stack, id } => self.finish_change_set(stack, &id),
            Step::Timeout { stack, operation } => {
                let running = self.world.stacks[stack].operation.as_ref();
                if running.is_some_and(|it| it.id == operation && it.phase == Phase::Apply) {
                    self.fail_operation(stack, "Stack creation time exceeded the specified timeout");
                }
            }
            _ => {}
        }
    }

    /// The revision that a stack is brought to.
    pub(crate) fn target(&self, key: StackKey) -> Arc<Revision> {
        Arc::clone(self.world.stacks[key].revision.as_ref().expect("an operation sets the revision first"))
    }
}
