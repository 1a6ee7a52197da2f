//! What follows when all tasks of a phase have ended.

use super::super::state::{Stable, StackKey};
use super::super::status::StackStatus;
use super::{Engine, Job, Leftover, Phase, Step, Task};

impl Engine<'_> {
    /// Gives the phase its tasks.
    pub(super) fn begin_phase(&mut self, key: StackKey) {
        match self.operation(key).phase {
            Phase::Apply => self.begin_apply(key),
            Phase::Cleanup | Phase::RevertCleanup => self.begin_cleanup(key),
            Phase::Undo => self.begin_undo(key),
            Phase::Revert => self.begin_revert(key),
            Phase::Delete => self.begin_delete(key),
        }
    }

    /// Goes on to another phase of the same operation; with a kind, to a new operation that shares its token.
    pub(super) fn enter(
        &mut self,
        key: StackKey,
        phase: Phase,
        kind: Option<&'static str>,
        status: StackStatus,
        reason: &str,
    ) {
        let id = kind.map(|_| self.world.ids.uuid());
        let stack = self.stack(key);
        stack.serial += 1;
        let serial = stack.serial;
        if let (Some(kind), Some(id)) = (kind, id.clone()) {
            stack.last_operations.insert(0, (kind, id));
        }
        let operation = self.operation(key);
        operation.serial = serial;
        operation.phase = phase;
        operation.tasks.clear();
        operation.open = 0;
        operation.reason = None;
        if let (Some(kind), Some(id)) = (kind, id) {
            operation.kind = kind;
            operation.id = id;
        }
        self.set_status(key, status, Some(reason));
        let wait = self.brief(1);
        self.after(wait, Step::Begin { stack: key, serial });
    }

    /// Ends the operation.
    pub(super) fn finish(&mut self, key: StackKey, status: StackStatus, reason: &str) {
        self.set_status(key, status, Some(reason));
        let now = self.now;
        let stack = self.stack(key);
        let Some(operation) = stack.operation.take() else { return };
        let executed = operation.settings.change_set;
        let succeeded = matches!(
            status,
            StackStatus::CreateComplete | StackStatus::UpdateComplete | StackStatus::ImportComplete
        );
        if let Some(change_set) = executed.and_then(|id| stack.change_sets.iter_mut().find(|it| it.id == id))
        {
            change_set.execution_status = if succeeded { "EXECUTE_COMPLETE" } else { "EXECUTE_FAILED" };
        }
        match status {
            StackStatus::DeleteComplete => {
                stack.deleted = Some(now);
                for change_set in &mut stack.change_sets {
                    change_set.status = "DELETE_COMPLETE";
                }
                self.world.forget(key);
            }
            StackStatus::CreateFailed | StackStatus::UpdateFailed | StackStatus::UpdateRollbackFailed => {}
            _ if operation.phase != Phase::Delete => self.stack(key).stable = None,
            _ => {}
        }
        self.child_ended(key);
    }

    /// Remembers what a rollback goes back to, and makes the new revision the stack's.
    pub(crate) fn adopt_revision(
        &mut self,
        key: StackKey,
        revision: std::sync::Arc<super::super::state::Revision>,
        updating: bool,
    ) {
        let now = self.now;
        let stack = self.stack(key);
        if stack.stable.is_none() || stack.status != StackStatus::UpdateFailed {
            stack.stable =
                Some(Stable { revision: stack.revision.clone(), resources: stack.resources.clone() });
        }
        stack.revision = Some(revision);
        if updating {
            stack.updated = Some(now);
        }
    }

    fn begin_apply(&mut self, key: StackKey) {
        if let Err(reason) = self.register_imports(key) {
            return self.fail_operation(key, &reason);
        }
        let target = self.target(key);
        let tasks: Vec<Task> = target.resources().map(|(id, _)| Task::new(id, Job::Apply)).collect();
        let edges = Self::edges(
            &tasks,
            |task| target.template.needs[&task.logical_id].iter().map(String::as_str).collect(),
            false,
        );
        self.run(key, tasks, &edges);
    }

    /// Fails the whole operation for a reason that is no resource's.
    pub(crate) fn fail_operation(&mut self, key: StackKey, reason: &str) {
        self.operation(key).reason = Some(reason.to_owned());
        self.cancel_rest(key);
        let serial = self.operation(key).serial;
        self.after(std::time::Duration::ZERO, Step::End { stack: key, serial });
    }

    /// Goes on with whatever follows the phase.
    pub(super) fn end_phase(&mut self, key: StackKey) {
        let operation = self.operation(key);
        let failures = std::mem::take(&mut operation.failed);
        match operation.phase {
            Phase::Apply if operation.reason.is_some() || !failures.is_empty() => {
                self.apply_failed(key, &failures);
            }
            Phase::Apply => self.applied(key),
            Phase::Cleanup => {
                self.orphan(key, &failures);
                let reason = if failures.is_empty() {
                    ""
                } else {
                    "Update successful. One or more resources could not be deleted."
                };
                self.finish(key, StackStatus::UpdateComplete, reason);
            }
            Phase::Undo if !failures.is_empty() => {
                self.finish(key, StackStatus::RollbackFailed, &told(&failures));
            }
            Phase::Undo => {
                self.stack(key).imports.clear();
                self.world.update_importers(key);
                self.finish(key, StackStatus::RollbackComplete, "");
            }
            Phase::Revert if !failures.is_empty() => {
                self.finish(key, StackStatus::UpdateRollbackFailed, &told(&failures));
            }
            Phase::Revert => self.reverted(key),
            Phase::RevertCleanup => {
                self.orphan(key, &failures);
                let reason = if failures.is_empty() {
                    ""
                } else {
                    "Rollback successful. One or more resources could not be deleted."
                };
                self.finish(key, StackStatus::UpdateRollbackComplete, reason);
            }
            Phase::Delete if !failures.is_empty() => {
                self.finish(key, StackStatus::DeleteFailed, &told(&failures));
            }
            Phase::Delete => {
                self.release_all(key);
                self.finish(key, StackStatus::DeleteComplete, "");
            }
        }
    }

    fn applied(&mut self, key: StackKey) {
        if let Some(alarm) = self.alarm(key) {
            self.operation(key).reason = Some(format!("Rollback trigger {alarm} went to ALARM"));
            return self.apply_failed(key, &[]);
        }
        if let Err(reason) = self.publish_outputs(key) {
            self.operation(key).reason = Some(reason);
            return self.apply_failed(key, &[]);
        }
        let target = self.target(key);
        let operation = self.operation(key);
        if operation.is_import {
            return self.finish(key, StackStatus::ImportComplete, "");
        }
        if self.stack(key).status == StackStatus::CreateInProgress {
            return self.finish(key, StackStatus::CreateComplete, "");
        }
        let removed: Vec<Leftover> = self.world.stacks[key]
            .resources
            .iter()
            .filter(|(id, _)| !target.wants(id))
            .map(|(id, resource)| Leftover {
                logical_id: id.clone(),
                resource: resource.clone(),
                retain: matches!(resource.policy("DeletionPolicy"), Some("Retain" | "RetainExceptOnCreate")),
            })
            .collect();
        self.operation(key).leftovers.extend(removed);
        self.enter(key, Phase::Cleanup, None, StackStatus::UpdateCompleteCleanupInProgress, "");
    }

    /// An alarm of the operation that has gone off.
    fn alarm(&self, key: StackKey) -> Option<String> {
        let target = self.target(key);
        let watched = target.rollback.triggers.iter().map(|(arn, _)| arn);
        watched.into_iter().find(|arn| self.world.faults.alarms.contains(arn)).cloned()
    }

    fn apply_failed(&mut self, key: StackKey, failures: &[(&'static str, String)]) {
        let operation = self.operation(key);
        let reason = match operation.reason.take() {
            Some(reason) if reason == USER => reason,
            Some(reason) => format!("{}. ", reason.trim_end_matches('.')),
            None => told(failures),
        };
        let (disable, delete) = (operation.settings.disable_rollback, operation.settings.delete_on_failure);
        let creating = self.stack(key).status == StackStatus::CreateInProgress;
        if self.operation(key).is_import {
            return self.roll_import_back(key, &reason);
        }
        match (creating, disable) {
            (true, true) => self.finish(key, StackStatus::CreateFailed, &reason),
            (false, true) if reason != USER => self.finish(key, StackStatus::UpdateFailed, &reason),
            (true, false) if delete => {
                let reason = format!("{reason}Delete requested by user.");
                self.enter(key, Phase::Delete, Some("DELETE_STACK"), StackStatus::DeleteInProgress, &reason);
            }
            (true, false) => {
                let reason = format!("{reason}Rollback requested by user.");
                self.enter(key, Phase::Undo, Some("ROLLBACK"), StackStatus::RollbackInProgress, &reason);
            }
            (false, _) => {
                self.enter(
                    key,
                    Phase::Revert,
                    Some("ROLLBACK"),
                    StackStatus::UpdateRollbackInProgress,
                    &reason,
                );
            }
        }
    }
}

/// What the events say when somebody asked for it.
pub(crate) const USER: &str = "User Initiated";

/// `The following resource(s) failed to create: [A, B]. `, for each verb.
fn told(failures: &[(&'static str, String)]) -> String {
    let mut told = String::new();
    for (verb, word) in
        [("CREATE", "create"), ("IMPORT", "import"), ("UPDATE", "update"), ("DELETE", "delete")]
    {
        let names: Vec<&str> =
            failures.iter().filter(|(it, _)| *it == verb).map(|(_, name)| name.as_str()).collect();
        if !names.is_empty() {
            told.push_str(&format!("The following resource(s) failed to {word}: [{}]. ", names.join(", ")));
        }
    }
    told
}
