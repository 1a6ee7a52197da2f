//! Nested stacks: a resource that is a stack itself, and is done when that stack's operation is.

use std::sync::Arc;

use super::super::state::{Revision, StackKey, StackResource};
use super::super::status::StackStatus;
use super::super::template::parameters::plain;
use super::phases::USER;
use super::work::word;
use super::{Engine, Job, Phase, Settings, TaskState};

impl Engine<'_> {
    /// The revision that the properties of a nested stack ask for.
    pub(crate) fn nested_revision(
        &self,
        key: StackKey,
        child: StackKey,
        resource: &StackResource,
    ) -> Result<Revision, String> {
        let stack = &self.world.stacks[key];
        let url = resource.properties.get("TemplateURL").map(plain).unwrap_or_default();
        let text = self
            .around
            .template(&stack.account, &stack.region, &url)
            .map_err(|error| format!("S3 error: {error}"))?;
        let mut given = std::collections::BTreeMap::new();
        for (name, value) in
            resource.properties.get("Parameters").and_then(|it| it.as_object()).into_iter().flatten()
        {
            let text = match value {
                serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
                scalar => plain(scalar),
            };
            given.insert(name.clone(), super::super::template::parameters::Given::Text(text));
        }
        let parent = stack.revision.as_ref();
        let mut request = super::super::revision::Request {
            template: text,
            given,
            tags: parent.map(|it| it.tags.clone()).unwrap_or_default(),
            capabilities: parent.map(|it| it.capabilities.clone()).unwrap_or_default(),
            role_arn: parent.and_then(|it| it.role_arn.clone()),
            ..Default::default()
        };
        for tag in resource.properties.get("Tags").and_then(|it| it.as_array()).into_iter().flatten() {
            let part = |name: &str| tag.get(name).map(plain).unwrap_or_default();
            request.tags.insert(part("Key"), part("Value"));
        }
        super::super::revision::make(self.world, &*self.around, child, &request)
            .map_err(|error| error.message)
    }

    pub(super) fn start_nested(&mut self, key: StackKey, index: usize, mut new: StackResource) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        self.mark(key, &id, &new, None, "CREATE_IN_PROGRESS", None);
        self.event(
            key,
            &id,
            "",
            &new.resource_type,
            "CREATE_IN_PROGRESS",
            None,
            Some(Arc::clone(&new.shown)),
        );
        let parent = &self.world.stacks[key];
        let (account, region, partition) =
            (parent.account.clone(), parent.region.clone(), parent.partition.clone());
        let name = format!("{}-{id}-{}", parent.name, self.world.ids.suffix(12));
        let child = self.world.add_stack(&account, &region, &partition, &name, self.now);
        self.world.stacks[child].parent = Some((key, id.clone()));
        new.nested = Some(child);
        new.physical_id = Some(self.world.stacks[child].id.clone());
        let note = "Resource creation Initiated";
        self.mark(key, &id, &new, new.physical_id.clone(), "CREATE_IN_PROGRESS", Some(note));
        if let Some(resource) = self.stack(key).resources.get_mut(&id) {
            resource.nested = Some(child);
        }
        let revision = self.nested_revision(key, child, &new);
        let task = &mut self.operation(key).tasks[index];
        task.verb = "CREATE";
        task.outcome = Some(new.clone());
        let told = new.physical_id.clone().unwrap_or_default();
        match revision {
            Ok(revision) => {
                self.event(
                    key,
                    &id,
                    &told,
                    &new.resource_type,
                    "CREATE_IN_PROGRESS",
                    Some(note),
                    Some(new.shown),
                );
                self.adopt_revision(child, Arc::new(revision), false);
                let settings = self.child_settings(key);
                self.begin(child, "CREATE_STACK", Phase::Apply, StackStatus::CreateInProgress, "", settings);
            }
            Err(reason) => {
                self.world.forget(child);
                if let Some(resource) = self.stack(key).resources.get_mut(&id) {
                    (resource.nested, resource.physical_id) = (None, None);
                }
                let task = &mut self.operation(key).tasks[index];
                task.outcome =
                    task.outcome.take().map(|it| StackResource { physical_id: None, nested: None, ..it });
                self.fail_task(key, index, &reason);
            }
        }
        false
    }

    fn child_settings(&mut self, key: StackKey) -> Settings {
        let settings = &self.operation(key).settings;
        Settings {
            token: settings.token.clone(),
            disable_rollback: settings.disable_rollback,
            retain_except_on_create: settings.retain_except_on_create,
            ..Settings::default()
        }
    }

    pub(super) fn update_nested(
        &mut self,
        key: StackKey,
        index: usize,
        old: &StackResource,
        new: StackResource,
    ) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        let Some(child) = old.nested else { return true };
        let told = old.physical_id.clone().unwrap_or_default();
        let status = self.world.stacks[child].status;
        let revision = self.nested_revision(key, child, &new);
        if let Ok(revision) = &revision
            && self.world.stacks[child].revision.as_ref().is_some_and(|it| same(it, revision))
        {
            return true;
        }
        self.mark(key, &id, old, old.physical_id.clone(), "UPDATE_IN_PROGRESS", None);
        self.event(
            key,
            &id,
            &told,
            &new.resource_type,
            "UPDATE_IN_PROGRESS",
            None,
            Some(Arc::clone(&new.shown)),
        );
        let task = &mut self.operation(key).tasks[index];
        task.verb = "UPDATE";
        task.outcome = Some(new);
        match revision {
            Ok(revision) if status.takes_updates() => {
                self.adopt_revision(child, Arc::new(revision), true);
                let settings = self.child_settings(key);
                self.begin(child, "UPDATE_STACK", Phase::Apply, StackStatus::UpdateInProgress, "", settings);
            }
            Ok(_) => {
                let reason = format!("Stack:{told} is in {status} state and can not be updated.");
                self.fail_task(key, index, &reason);
            }
            Err(reason) => self.fail_task(key, index, &reason),
        }
        false
    }

    pub(super) fn child_changed(&self, child: StackKey) -> bool {
        self.world.stacks[child].stable.is_some() || self.world.stacks[child].operation.is_some()
    }

    /// Brings a nested stack back to what it was before its parent's update.
    pub(super) fn revert_nested(&mut self, key: StackKey, index: usize, old: StackResource) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        let Some(child) = old.nested else { return true };
        let revision = self.nested_revision(key, child, &old);
        let told = old.physical_id.clone().unwrap_or_default();
        let status = self.world.stacks[child].status;
        let differs = match (&revision, &self.world.stacks[child].revision) {
            (Ok(wanted), Some(current)) => !same(current, wanted),
            _ => false,
        };
        if !differs || !status.takes_updates() {
            let failed = status == StackStatus::UpdateRollbackFailed;
            self.operation(key).tasks[index].outcome = Some(old.clone());
            if failed {
                let reason =
                    format!("Embedded stack {told} was not successfully updated. Currently in {status}");
                self.fail_task(key, index, &reason);
                return false;
            }
            self.mark(key, &id, &old, old.physical_id.clone(), "UPDATE_COMPLETE", None);
            let kind = old.resource_type.clone();
            self.stack(key)
                .resources
                .insert(id.clone(), StackResource { status: "UPDATE_COMPLETE", ..old.clone() });
            self.event(key, &id, &told, &kind, "UPDATE_COMPLETE", None, Some(old.shown));
            return true;
        }
        self.event(
            key,
            &id,
            &told,
            &old.resource_type,
            "UPDATE_IN_PROGRESS",
            None,
            Some(Arc::clone(&old.shown)),
        );
        let task = &mut self.operation(key).tasks[index];
        task.verb = "UPDATE";
        task.outcome = Some(old);
        if let Ok(revision) = revision {
            self.adopt_revision(child, Arc::new(revision), true);
            let settings = self.child_settings(key);
            self.begin(child, "UPDATE_STACK", Phase::Apply, StackStatus::UpdateInProgress, "", settings);
        }
        false
    }

    pub(super) fn delete_nested(&mut self, key: StackKey, index: usize, old: &StackResource) -> bool {
        let Some(child) = old.nested else { return true };
        self.operation(key).tasks[index].verb = "DELETE";
        if self.world.stacks[child].status == StackStatus::DeleteComplete {
            let id = self.operation(key).tasks[index].logical_id.clone();
            let told = old.physical_id.clone().unwrap_or_default();
            self.event(
                key,
                &id,
                &told,
                &old.resource_type,
                "DELETE_COMPLETE",
                None,
                Some(Arc::clone(&old.shown)),
            );
            self.gone(key, &id, old, "DELETE_COMPLETE");
            return true;
        }
        if self.world.stacks[child].status == StackStatus::DeleteInProgress {
            // It is being deleted already; that it ends is told here as well.
            return false;
        }
        let settings = Settings { force: self.operation(key).settings.force, ..self.child_settings(key) };
        self.begin(child, "DELETE_STACK", Phase::Delete, StackStatus::DeleteInProgress, "", settings);
        false
    }

    /// A stack's operation has ended: the resource of the stack above that it is ends as well.
    pub(super) fn child_ended(&mut self, child: StackKey) {
        let Some((parent, id)) = self.world.stacks[child].parent.clone() else { return };
        let Some(operation) = self.world.stacks[parent].operation.as_ref() else { return };
        let running = |task: &super::Task| task.state == TaskState::Running && task.logical_id == id;
        let Some(index) = operation.tasks.iter().position(running) else { return };
        let (status, reason) = (self.world.stacks[child].status, self.world.stacks[child].reason.clone());
        let job = self.operation(parent).tasks[index].job.clone();
        let arn = self.world.stacks[child].id.clone();
        let good = match job {
            Job::Delete(_) | Job::Keep(_) => status == StackStatus::DeleteComplete,
            _ => matches!(status, StackStatus::CreateComplete | StackStatus::UpdateComplete),
        };
        if good {
            if let Job::Delete(old) = &job {
                self.event(
                    parent,
                    &id,
                    &arn,
                    &old.resource_type,
                    "DELETE_COMPLETE",
                    None,
                    Some(Arc::clone(&old.shown)),
                );
                self.gone(parent, &id, old, "DELETE_COMPLETE");
                return self.succeed(parent, index);
            }
            let task = &self.operation(parent).tasks[index];
            let verb = task.verb;
            let Some(mut new) = task.outcome.clone() else { return };
            new.status = word(verb, "COMPLETE");
            new.at = self.now;
            let (kind, shown, end) = (new.resource_type.clone(), Arc::clone(&new.shown), new.status);
            self.stack(parent).resources.insert(id.clone(), new);
            self.event(parent, &id, &arn, &kind, end, None, Some(shown));
            return self.succeed(parent, index);
        }
        let done = match self.operation(parent).tasks[index].verb {
            "CREATE" => "created",
            "UPDATE" => "updated",
            _ => "deleted",
        };
        let why = self.root_reason(child).or(reason).unwrap_or_default();
        let reason = if done == "updated" {
            format!(
                "Embedded stack {arn} was not successfully updated. Currently in {status} with reason: {why}"
            )
        } else {
            format!("Embedded stack {arn} was not successfully {done}: {why}")
        };
        self.fail_task(parent, index, &reason);
    }

    /// What the stack said when its operation began to go wrong.
    fn root_reason(&self, child: StackKey) -> Option<String> {
        let stack = &self.world.stacks[child];
        let told = stack.events.iter().rev().find(|event| {
            event.physical_id == stack.id
                && matches!(
                    event.status,
                    "ROLLBACK_IN_PROGRESS"
                        | "UPDATE_ROLLBACK_IN_PROGRESS"
                        | "DELETE_FAILED"
                        | "CREATE_FAILED"
                )
        });
        told.and_then(|event| event.reason.clone())
            .map(|reason| reason.replace("Rollback requested by user.", "").trim_end().to_owned() + " ")
    }

    /// Has the nested stack of a cancelled task stop as well.
    pub(super) fn cancel_child(&mut self, key: StackKey, id: &str) {
        let Some(child) = self.world.stacks[key].resources.get(id).and_then(|it| it.nested) else { return };
        let running = self.world.stacks[child].operation.as_ref().is_some_and(|it| it.phase == Phase::Apply);
        if running {
            self.fail_operation(child, USER);
        }
    }
}

/// Whether two revisions ask for the same stack.
pub(crate) fn same(left: &Revision, right: &Revision) -> bool {
    left.template.value == right.template.value && left.values == right.values && left.tags == right.tags
}
