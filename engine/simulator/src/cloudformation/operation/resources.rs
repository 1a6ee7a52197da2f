//! What one task does with its resource: makes it, changes it, replaces it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::faults::Moment;
use super::super::state::{StackKey, StackResource};
use super::super::template::evaluate::Scope;
use super::super::{Resource, attributes, diff, policy};
use super::lookup::with_scope;
use super::work::word;
use super::{Engine, Job, Leftover, Phase};

/// The type of a nested stack.
pub(crate) const NESTED: &str = "AWS::CloudFormation::Stack";

impl Engine<'_> {
    /// Begins a task; whether it was done at once.
    pub(super) fn start_task(&mut self, key: StackKey, index: usize) -> bool {
        match self.operation(key).tasks[index].job.clone() {
            Job::Apply => self.start_apply(key, index),
            Job::Revert(old) => self.start_revert(key, index, *old),
            Job::Delete(old) => self.start_delete(key, index, *old),
            Job::Keep(old) => self.keep(key, index, &old),
        }
    }

    fn start_apply(&mut self, key: StackKey, index: usize) -> bool {
        let target = self.target(key);
        let id = self.operation(key).tasks[index].logical_id.clone();
        let declaration = target.template.resource(&id).cloned().unwrap_or(Value::Null);
        let evaluated = with_scope(self.world, &*self.around, key, &target, None, |scope| {
            let properties = evaluate_properties(scope, &declaration)?;
            Ok::<_, String>(properties)
        });
        let shown = self.shown(key, &declaration, evaluated.as_ref().ok());
        let kind = target.template.resource_type(&id).to_owned();
        let existing = self.world.stacks[key].resources.get(&id).filter(|it| it.exists()).cloned();
        let failed_before = existing.as_ref().is_some_and(|it| it.status == "CREATE_FAILED");
        let mut new = StackResource {
            physical_id: None,
            resource_type: kind,
            status: "CREATE_IN_PROGRESS",
            reason: None,
            at: self.now,
            properties: Arc::new(evaluated.as_ref().cloned().unwrap_or(Value::Null)),
            shown,
            declaration: Arc::new(declaration),
            needs: target.template.needs[&id].clone(),
            nested: None,
            drift: None,
        };
        let failure = evaluated.err();
        match existing {
            Some(old) if !failed_before => self.start_update(key, index, old, new, failure),
            old => {
                // What a failed creation left is deleted when the new resource is there.
                if let Some(old) = old {
                    self.leave(key, &id, old, false);
                }
                if let Some(identifier) = self.operation(key).settings.imports.get(&id).cloned() {
                    new.physical_id = Some(identifier);
                    return self.start_work(key, index, new, "IMPORT", Moment::Create, None, failure);
                }
                if new.resource_type == NESTED && failure.is_none() {
                    return self.start_nested(key, index, new);
                }
                self.start_work(key, index, new, "CREATE", Moment::Create, None, failure)
            }
        }
    }

    /// The properties as events and change sets tell them: the values of `NoEcho` parameters masked.
    pub(crate) fn shown(&self, key: StackKey, declaration: &Value, properties: Option<&Value>) -> Arc<Value> {
        let target = self.target(key);
        let properties = properties.cloned().unwrap_or_else(|| json!({}));
        if !target.values.values().any(|value| value.no_echo) {
            return Arc::new(properties);
        }
        let masked = masked(&target);
        let shown = with_scope(self.world, &*self.around, key, &masked, None, |scope| {
            evaluate_properties(scope, declaration)
        });
        Arc::new(shown.unwrap_or_else(|_| json!({})))
    }

    pub(super) fn leave(&mut self, key: StackKey, id: &str, resource: StackResource, retain: bool) {
        self.operation(key).leftovers.push(Leftover { logical_id: id.to_owned(), resource, retain });
    }

    fn start_update(
        &mut self,
        key: StackKey,
        index: usize,
        old: StackResource,
        mut new: StackResource,
        failure: Option<String>,
    ) -> bool {
        let id = self.operation(key).tasks[index].logical_id.clone();
        let drifted = self.operation(key).settings.revert_drift && self.has_drift(key, &id);
        let retagged = self.is_retagged(key, &new.resource_type);
        let same = *old.properties == *new.properties
            && !retagged
            && old.declaration.get("Metadata") == new.declaration.get("Metadata")
            && old.status != "UPDATE_FAILED"
            && !drifted;
        new.physical_id.clone_from(&old.physical_id);
        new.nested = old.nested;
        if failure.is_none() && new.resource_type == NESTED {
            return self.update_nested(key, index, &old, new);
        }
        if same && failure.is_none() {
            let stack = self.stack(key);
            if let Some(resource) = stack.resources.get_mut(&id) {
                resource.declaration = new.declaration;
                resource.needs = new.needs;
                resource.shown = new.shown;
            }
            return true;
        }
        let disabled = self.operation(key).settings.disable_rollback;
        let replaces =
            failure.is_none() && diff::replaces(&new.resource_type, &old.properties, &new.properties);
        let action = if replaces { "Update:Replace" } else { "Update:Modify" };
        let denied =
            policy::denies(self.world.stacks[key].policy.as_deref(), &id, &new.resource_type, action);
        let failure = failure.or(denied);
        if !replaces {
            return self.start_work(key, index, new, "UPDATE", Moment::Update, None, failure);
        }
        let named = attributes::given_name(&new.resource_type, &new.properties);
        let failure = failure.or_else(|| {
            let kept = named.as_ref().filter(|name| old.physical_id.as_ref() == Some(*name))?;
            Some(format!(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {kept} \
                 and update the stack again."
            ))
        });
        new.physical_id = None;
        let failure = failure.or_else(|| {
            disabled
                .then(|| "Replacement type updates not supported on stack with disable-rollback.".to_owned())
        });
        let note = "Requested update requires the creation of a new physical resource; hence creating one.";
        if failure.is_none() {
            let retain = new.policy("UpdateReplacePolicy") == Some("Retain");
            self.leave(key, &id, old, retain);
        }
        self.start_work(key, index, new, "UPDATE", Moment::Create, Some(note), failure)
    }

    /// Whether the tags of the stack change, which go to every resource that takes tags.
    fn is_retagged(&self, key: StackKey, kind: &str) -> bool {
        let stack = &self.world.stacks[key];
        let before = stack.stable.as_ref().and_then(|stable| stable.revision.as_ref()).map(|it| &it.tags);
        let after = stack.revision.as_ref().map(|it| &it.tags);
        before.is_some()
            && before != after
            && formwork_schema::resource_type(kind).is_some_and(|facts| facts.tagging().is_some())
    }

    /// Writes down how a resource stands.
    pub(super) fn mark(
        &mut self,
        key: StackKey,
        id: &str,
        like: &StackResource,
        physical_id: Option<String>,
        status: &'static str,
        reason: Option<&str>,
    ) {
        let now = self.now;
        let resource = self.stack(key).resources.entry(id.to_owned()).or_insert_with(|| like.clone());
        resource.physical_id = physical_id;
        resource.status = status;
        resource.reason = reason.filter(|reason| !reason.is_empty()).map(str::to_owned);
        resource.at = now;
    }

    /// A resource has got its physical id.
    pub(super) fn initiated(&mut self, key: StackKey, index: usize) {
        let task = &self.operation(key).tasks[index];
        if task.state != super::TaskState::Running {
            return;
        }
        let (id, verb) = (task.logical_id.clone(), task.verb);
        let Some(new) = task.outcome.clone() else { return };
        let status = word(verb, "IN_PROGRESS");
        let note = "Resource creation Initiated";
        // The old one is still the stack's until the new one is complete.
        let physical = new.physical_id.clone();
        if verb == "CREATE" {
            self.mark(key, &id, &new, physical.clone(), status, Some(note));
        }
        let told = physical.unwrap_or_default();
        self.event(key, &id, &told, &new.resource_type, status, Some(note), Some(new.shown));
    }

    /// The time of a task is over.
    pub(super) fn finished(&mut self, key: StackKey, index: usize) {
        let task = &mut self.operation(key).tasks[index];
        if task.state != super::TaskState::Running {
            return;
        }
        if let Some(reason) = task.failure.take() {
            return self.fail_task(key, index, &reason);
        }
        match task.job {
            Job::Delete(_) | Job::Keep(_) => self.deleted(key, index),
            Job::Apply | Job::Revert(_) => {
                let (id, verb, outcome) = (task.logical_id.clone(), task.verb, task.outcome.clone());
                let Some(mut new) = outcome else { return };
                if let Err(reason) = self.tell_surroundings(key, verb, &new) {
                    return self.fail_task(key, index, &reason);
                }
                let status = word(verb, "COMPLETE");
                new.status = status;
                new.reason = None;
                new.at = self.now;
                if verb == "IMPORT" {
                    let account = self.world.stacks[key].account.clone();
                    let name = new.physical_id.clone().unwrap_or_default();
                    self.world.existing.remove(&(account, new.resource_type.clone(), name));
                }
                let note = (verb == "IMPORT").then_some("Resource import completed.");
                let (physical, kind, shown) = (
                    new.physical_id.clone().unwrap_or_default(),
                    new.resource_type.clone(),
                    Arc::clone(&new.shown),
                );
                if attributes::given_name(&kind, &new.properties).is_some() {
                    self.world.take_name(key, &kind, &physical);
                }
                self.stack(key).resources.insert(id.clone(), new);
                self.undrift(key, &id);
                self.event(key, &id, &physical, &kind, status, note, Some(shown));
                if self.operation(key).settings.express
                    && let Some(event) = self.stack(key).events.last_mut()
                {
                    event.detailed_status = Some("CONFIGURATION_COMPLETE");
                }
                self.succeed(key, index);
            }
        }
    }

    fn tell_surroundings(&mut self, key: StackKey, verb: &str, new: &StackResource) -> Result<(), String> {
        let stack = &self.world.stacks[key];
        let resource = Resource {
            account: &stack.account,
            region: &stack.region,
            resource_type: &new.resource_type,
            physical_id: new.physical_id.as_deref().unwrap_or_default(),
            properties: &new.properties,
        };
        let known = stack
            .resources
            .values()
            .any(|it| it.physical_id == new.physical_id && it.status != "CREATE_IN_PROGRESS");
        match verb {
            "IMPORT" => Ok(()),
            "UPDATE" if known => self.around.update(&resource),
            _ => self.around.create(&resource),
        }
    }

    /// A task fails with a reason.
    pub(super) fn fail_task(&mut self, key: StackKey, index: usize, reason: &str) {
        let operation = self.operation(key);
        let task = &operation.tasks[index];
        let (id, verb, phase) = (task.logical_id.clone(), task.verb, operation.phase);
        self.tell_failure(key, index, &id, verb, reason);
        let forced = verb == "DELETE" && self.operation(key).settings.force;
        if forced || (phase == Phase::Revert && self.operation(key).settings.force) {
            self.skip_failed(key, index);
            return self.succeed(key, index);
        }
        self.mark_failed(key, index);
        if phase == Phase::Apply && !self.operation(key).settings.disable_rollback {
            self.cancel_rest(key);
        }
        self.close_if_over(key);
    }

    fn tell_failure(&mut self, key: StackKey, index: usize, id: &str, verb: &'static str, reason: &str) {
        let task = &self.operation(key).tasks[index];
        let like = match (&task.outcome, &task.job) {
            (Some(new), _) => Some(new.clone()),
            (None, Job::Delete(old) | Job::Revert(old) | Job::Keep(old)) => Some((**old).clone()),
            (None, Job::Apply) => None,
        };
        let Some(like) = like else { return };
        let status = word(verb, "FAILED");
        let physical = match verb {
            "DELETE" => like.physical_id.clone(),
            _ => self.world.stacks[key].resources.get(id).and_then(|it| it.physical_id.clone()),
        };
        let current = self.world.stacks[key].resources.get(id).and_then(|it| it.physical_id.clone());
        if verb != "DELETE" || current == physical {
            self.mark(key, id, &like, physical.clone(), status, Some(reason));
        }
        let told = physical.unwrap_or_default();
        self.event(key, id, &told, &like.resource_type, status, Some(reason), Some(like.shown));
    }

    /// Stops a running task because another one failed.
    pub(super) fn cancel_task(&mut self, key: StackKey, index: usize) {
        let task = &self.operation(key).tasks[index];
        let (id, verb) = (task.logical_id.clone(), task.verb);
        let reason = match verb {
            "UPDATE" => "Resource update cancelled",
            "DELETE" => "Resource deletion cancelled",
            _ => "Resource creation cancelled",
        };
        self.cancel_child(key, &id);
        // A replacement that has begun is left over, whatever it has come to.
        if let Some(new) = task_replacement(self, key, index) {
            self.leave(key, &id, new, false);
        }
        self.tell_failure(key, index, &id, verb, reason);
        self.mark_failed(key, index);
    }
}

/// The new resource of a task that replaces one.
fn task_replacement(engine: &mut Engine<'_>, key: StackKey, index: usize) -> Option<StackResource> {
    let task = &engine.operation(key).tasks[index];
    let new = task.outcome.clone().filter(|_| task.verb == "UPDATE")?;
    let id = task.logical_id.clone();
    let current = engine.world.stacks[key].resources.get(&id)?.physical_id.clone();
    (new.physical_id.is_some() && new.physical_id != current).then_some(new)
}

/// The properties of a resource, evaluated.
pub(crate) fn evaluate_properties(scope: &Scope<'_>, declaration: &Value) -> Result<Value, String> {
    match declaration.get("Properties") {
        Some(properties) => Ok(scope.evaluate(properties)?.unwrap_or_else(|| json!({}))),
        None => Ok(json!({})),
    }
}

/// The revision with the values of its `NoEcho` parameters masked.
pub(crate) fn masked(revision: &super::super::state::Revision) -> super::super::state::Revision {
    let mut masked = revision.clone();
    for value in masked.values.values_mut().filter(|value| value.no_echo) {
        value.text = "****".to_owned();
        value.resolved = None;
    }
    masked
}
