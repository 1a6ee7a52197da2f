//! Deletes resources: of a whole stack, of a failed creation, or what an update leaves behind.

use std::sync::Arc;

use super::super::Resource;
use super::super::attributes;
use super::super::durations::{Work, typical};
use super::super::faults::{Moment, Outcome};
use super::super::state::{StackKey, StackResource};
use super::resources::NESTED;
use super::work::silence;
use super::{Engine, Job, Phase, Step, Task, TaskState};

impl Engine<'_> {
    /// Deletes the stack's resources.
    pub(super) fn begin_delete(&mut self, key: StackKey) {
        if let Some(reason) = self.exports_in_use(key) {
            // The deletion is called off: the stack is what it was.
            let before = self.operation(key).before;
            return self.finish(key, before, &reason);
        }
        let skip = self.operation(key).settings.skip.clone();
        let leftovers = std::mem::take(&mut self.operation(key).leftovers);
        let mut tasks: Vec<Task> = self.world.stacks[key]
            .resources
            .iter()
            .filter(|(_, resource)| !matches!(resource.status, "DELETE_COMPLETE" | "DELETE_SKIPPED"))
            .map(|(id, resource)| {
                let policy = resource.policy("DeletionPolicy");
                let keeps = skip.contains(id) || matches!(policy, Some("Retain" | "RetainExceptOnCreate"));
                let boxed = Box::new(resource.clone());
                Task::new(id, if keeps && resource.exists() { Job::Keep(boxed) } else { Job::Delete(boxed) })
            })
            .collect();
        tasks.extend(
            leftovers
                .into_iter()
                .map(|left| Task::new(&left.logical_id, Job::Delete(Box::new(left.resource)))),
        );
        self.run_deletions(key, tasks);
    }

    /// Deletes what an update or its rollback leaves behind.
    pub(super) fn begin_cleanup(&mut self, key: StackKey) {
        let leftovers = std::mem::take(&mut self.operation(key).leftovers);
        let tasks = leftovers
            .into_iter()
            .map(|left| {
                let boxed = Box::new(left.resource);
                Task::new(&left.logical_id, if left.retain { Job::Keep(boxed) } else { Job::Delete(boxed) })
            })
            .collect();
        self.run_deletions(key, tasks);
    }

    /// Deletes in the order in which nothing is needed any more.
    pub(super) fn run_deletions(&mut self, key: StackKey, mut tasks: Vec<Task>) {
        for task in &mut tasks {
            task.verb = "DELETE";
        }
        let edges = Self::edges(
            &tasks,
            |task| match &task.job {
                Job::Delete(old) | Job::Keep(old) => old.needs.iter().map(String::as_str).collect(),
                _ => Vec::new(),
            },
            true,
        );
        self.run(key, tasks, &edges);
    }

    /// Leaves a resource where it is.
    pub(super) fn keep(&mut self, key: StackKey, index: usize, old: &StackResource) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        let physical = old.physical_id.clone().unwrap_or_default();
        self.event(
            key,
            &id,
            &physical,
            &old.resource_type,
            "DELETE_SKIPPED",
            None,
            Some(Arc::clone(&old.shown)),
        );
        if attributes::given_name(&old.resource_type, &old.properties).is_some() {
            let account = self.world.stacks[key].account.clone();
            self.world.put_existing(&account, &old.resource_type, &physical);
        }
        self.gone(key, &id, old, "DELETE_SKIPPED");
        true
    }

    pub(super) fn start_delete(&mut self, key: StackKey, index: usize, old: StackResource) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        let kind = old.resource_type.clone();
        let Some(physical) = old.physical_id.clone() else {
            self.event(key, &id, "", &kind, "DELETE_COMPLETE", None, Some(Arc::clone(&old.shown)));
            self.gone(key, &id, &old, "DELETE_COMPLETE");
            return true;
        };
        self.event(key, &id, &physical, &kind, "DELETE_IN_PROGRESS", None, Some(Arc::clone(&old.shown)));
        let own =
            self.world.stacks[key].resources.get(&id).is_some_and(|it| it.physical_id == old.physical_id);
        if own {
            self.mark(key, &id, &old, Some(physical), "DELETE_IN_PROGRESS", None);
        }
        if kind == NESTED && old.nested.is_some() {
            return self.delete_nested(key, index, &old);
        }
        let mut time = self.scaled(typical(&kind, Work::Delete));
        let mut failure = None;
        match self.fault(key, &id, Moment::Delete) {
            Some(Outcome::Fail { reason, after }) => {
                time = after.unwrap_or(time);
                failure = Some(reason);
            }
            Some(Outcome::Takes(taken)) => time = taken,
            Some(Outcome::Never) => (time, failure) = silence(&kind, &old.properties),
            None => {}
        }
        let serial = self.operation(key).serial;
        self.operation(key).tasks[index].failure = failure;
        if time < std::time::Duration::MAX {
            self.after(time, Step::Finished { stack: key, serial, task: index });
        }
        false
    }

    /// The time of a deletion is over.
    pub(super) fn deleted(&mut self, key: StackKey, index: usize) {
        let task = &self.operation(key).tasks[index];
        let id = task.logical_id.clone();
        let Job::Delete(old) = task.job.clone() else { return };
        let stack = &self.world.stacks[key];
        let resource = Resource {
            account: &stack.account,
            region: &stack.region,
            resource_type: &old.resource_type,
            physical_id: old.physical_id.as_deref().unwrap_or_default(),
            properties: &old.properties,
        };
        if let Err(reason) = self.around.delete(&resource) {
            return self.fail_task(key, index, &reason);
        }
        let physical = old.physical_id.clone().unwrap_or_default();
        self.event(
            key,
            &id,
            &physical,
            &old.resource_type,
            "DELETE_COMPLETE",
            None,
            Some(Arc::clone(&old.shown)),
        );
        self.gone(key, &id, &old, "DELETE_COMPLETE");
        self.succeed(key, index);
    }

    /// A resource is no longer the stack's.
    pub(super) fn gone(&mut self, key: StackKey, id: &str, old: &StackResource, status: &'static str) {
        if attributes::given_name(&old.resource_type, &old.properties).is_some()
            && let Some(name) = &old.physical_id
        {
            self.world.free_name(key, &old.resource_type, name);
        }
        let whole = matches!(self.operation(key).phase, Phase::Delete | Phase::Undo);
        let stack = self.stack(key);
        let own = stack.resources.get(id).is_some_and(|it| it.physical_id == old.physical_id);
        if own && whole {
            self.mark(key, id, old, old.physical_id.clone(), status, None);
        } else if own {
            stack.resources.remove(id);
        }
    }

    /// What a clean-up could not delete, and what that needs, is there still but the stack's no longer.
    pub(super) fn orphan(&mut self, key: StackKey, failures: &[(&'static str, String)]) {
        if failures.is_empty() {
            return;
        }
        let tasks = std::mem::take(&mut self.operation(key).tasks);
        for task in tasks.into_iter().filter(|task| task.state != TaskState::Done) {
            let (Job::Delete(old) | Job::Keep(old)) = task.job else { continue };
            if attributes::given_name(&old.resource_type, &old.properties).is_some()
                && let Some(name) = &old.physical_id
            {
                let account = self.world.stacks[key].account.clone();
                self.world.put_existing(&account, &old.resource_type, name);
            }
            self.gone(key, &task.logical_id, &old, "DELETE_FAILED");
        }
    }

    /// What cannot be deleted, or not be rolled back, is left behind because the caller said so.
    pub(super) fn skip_failed(&mut self, key: StackKey, index: usize) {
        let task = &self.operation(key).tasks[index];
        let id = task.logical_id.clone();
        match task.job.clone() {
            Job::Delete(old) => {
                self.keep(key, index, &old);
            }
            Job::Revert(old) => {
                let reason = "Resource skipped during rollback";
                let physical = old.physical_id.clone();
                let told = physical.clone().unwrap_or_default();
                self.mark(key, &id, &old, physical, "UPDATE_COMPLETE", Some(reason));
                let shown = Some(Arc::clone(&old.shown));
                self.event(key, &id, &told, &old.resource_type, "UPDATE_COMPLETE", Some(reason), shown);
            }
            Job::Apply | Job::Keep(_) => {}
        }
    }
}
