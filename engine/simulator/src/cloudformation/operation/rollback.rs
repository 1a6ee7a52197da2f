//! Takes back what a failed operation did.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::durations::{Work, typical};
use super::super::faults::{Moment, Outcome};
use super::super::state::{StackKey, StackResource};
use super::super::status::StackStatus;
use super::resources::NESTED;
use super::work::silence;
use super::{Engine, Job, Leftover, Phase, Step, Task};

impl Engine<'_> {
    /// After a failed creation: everything that was made is deleted.
    pub(super) fn begin_undo(&mut self, key: StackKey) {
        let retain_except = self.operation(key).settings.retain_except_on_create;
        let leftovers = std::mem::take(&mut self.operation(key).leftovers);
        let mut tasks: Vec<Task> = self.world.stacks[key]
            .resources
            .iter()
            .filter(|(_, resource)| !matches!(resource.status, "DELETE_COMPLETE" | "DELETE_SKIPPED"))
            .map(|(id, resource)| {
                let keeps = resource.policy("DeletionPolicy") == Some("Retain") && !retain_except;
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

    /// After a failed update: everything that was changed is changed back.
    pub(super) fn begin_revert(&mut self, key: StackKey) {
        let stack = &self.world.stacks[key];
        let Some(stable) = stack.stable.clone() else {
            return self.close_phase(key);
        };
        let skip = self.operation(key).settings.skip.clone();
        let stack = &self.world.stacks[key];
        let mut tasks = Vec::new();
        for (id, old) in &stable.resources {
            let current = stack.resources.get(id);
            let touched = current.is_none_or(|it| {
                it.physical_id != old.physical_id
                    || *it.properties != *old.properties
                    || it.declaration != old.declaration
                    || matches!(it.status, "UPDATE_FAILED" | "UPDATE_IN_PROGRESS")
                    || it.nested.is_some_and(|child| self.child_changed(child))
            });
            let silent = current.is_some_and(|it| {
                it.physical_id == old.physical_id
                    && *it.properties == *old.properties
                    && it.status == old.status
            });
            if touched && !(silent && old.resource_type != NESTED) {
                tasks.push(Task::new(id, Job::Revert(Box::new(old.clone()))));
            }
        }
        let kept: BTreeSet<&Option<String>> = stable.resources.values().map(|it| &it.physical_id).collect();
        let mut leftovers: Vec<Leftover> = self.world.stacks[key]
            .operation
            .as_ref()
            .map(|operation| operation.leftovers.clone())
            .unwrap_or_default();
        leftovers.extend(stack.resources.iter().map(|(id, resource)| Leftover {
            logical_id: id.clone(),
            resource: resource.clone(),
            retain: false,
        }));
        leftovers.retain(|left| {
            left.resource.physical_id.is_some()
                && !kept.contains(&left.resource.physical_id)
                && !matches!(left.resource.status, "DELETE_COMPLETE" | "DELETE_SKIPPED")
        });
        let mut seen = BTreeSet::new();
        leftovers.retain(|left| seen.insert(left.resource.physical_id.clone()));
        let operation = self.operation(key);
        operation.leftovers = leftovers;
        for task in &mut tasks {
            task.verb = "UPDATE";
        }
        let edges = Self::edges(
            &tasks,
            |task| match &task.job {
                Job::Revert(old) => old.needs.iter().map(String::as_str).collect(),
                _ => Vec::new(),
            },
            false,
        );
        for task in tasks.iter().filter(|task| skip.contains(&task.logical_id)) {
            let Job::Revert(old) = &task.job else { continue };
            self.stack(key).resources.insert(task.logical_id.clone(), (**old).clone());
        }
        self.run(key, tasks, &edges);
    }

    pub(super) fn start_revert(&mut self, key: StackKey, index: usize, old: StackResource) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        let physical = old.physical_id.clone();
        if self.operation(key).settings.skip.contains(&id) {
            let reason = "Resource skipped during rollback";
            self.mark(key, &id, &old, physical.clone(), "UPDATE_COMPLETE", Some(reason));
            let told = physical.unwrap_or_default();
            self.event(key, &id, &told, &old.resource_type, "UPDATE_COMPLETE", Some(reason), Some(old.shown));
            return true;
        }
        if old.resource_type == NESTED {
            return self.revert_nested(key, index, old);
        }
        let current = self.world.stacks[key].resources.get(&id).cloned();
        let replaced =
            current.is_some_and(|it| it.physical_id.is_some() && it.physical_id != old.physical_id);
        let kind = old.resource_type.clone();
        self.event(
            key,
            &id,
            physical.as_deref().unwrap_or_default(),
            &kind,
            "UPDATE_IN_PROGRESS",
            None,
            Some(Arc::clone(&old.shown)),
        );
        // Going back to the resource that is still there takes no time worth speaking of.
        let mut time = if replaced { self.brief(1) } else { self.scaled(typical(&kind, Work::Update)) };
        let mut failure = None;
        match self.fault(key, &id, Moment::Rollback) {
            Some(Outcome::Fail { reason, after }) => {
                time = after.unwrap_or(time);
                failure = Some(reason);
            }
            Some(Outcome::Takes(taken)) => time = taken,
            Some(Outcome::Never) => (time, failure) = silence(&kind, &old.properties),
            None => {}
        }
        let mut outcome = old;
        outcome.drift = None;
        let serial = self.operation(key).serial;
        let task = &mut self.operation(key).tasks[index];
        task.verb = "UPDATE";
        task.failure = failure;
        task.outcome = Some(outcome);
        if time < std::time::Duration::MAX {
            self.after(time, Step::Finished { stack: key, serial, task: index });
        }
        false
    }

    /// Everything is what it was: the stack is again what its last good revision says.
    pub(super) fn reverted(&mut self, key: StackKey) {
        let stack = self.stack(key);
        if let Some(stable) = stack.stable.take() {
            stack.revision = stable.revision;
            let made: Vec<String> =
                stack.resources.keys().filter(|id| !stable.resources.contains_key(*id)).cloned().collect();
            for id in made {
                // Those with something behind them are deleted, and told, in the clean-up.
                if stack.resources.get(&id).is_some_and(|resource| !resource.exists()) {
                    stack.resources.remove(&id);
                }
            }
            for (id, old) in stable.resources {
                if let Some(current) = stack.resources.get_mut(&id) {
                    current.declaration = old.declaration;
                    current.needs = old.needs;
                }
            }
        }
        self.restore_imports(key);
        self.enter(key, Phase::RevertCleanup, None, StackStatus::UpdateRollbackCompleteCleanupInProgress, "");
    }

    /// After a failed import the stack is what it was; the resources stay where they are.
    pub(super) fn roll_import_back(&mut self, key: StackKey, reason: &str) {
        self.set_status(key, StackStatus::ImportRollbackInProgress, Some(reason));
        let stack = self.stack(key);
        if let Some(stable) = stack.stable.take() {
            stack.revision = stable.revision;
            stack.resources = stable.resources;
        }
        self.restore_imports(key);
        self.finish(key, StackStatus::ImportRollbackComplete, "");
    }
}
