//! What CloudFormation remembers: stacks, their resources, events, change sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::operation::Operation;
use super::status::StackStatus;
use super::template::Template;
use super::template::evaluate::Pseudo;
use super::template::parameters::Values;

/// The place of a stack in the world's list.
pub(crate) type StackKey = usize;

/// What a stack is or shall be: a template with everything that goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Revision {
    pub(crate) template: Arc<Template>,
    pub(crate) values: Values,
    pub(crate) conditions: BTreeMap<String, bool>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) rollback: RollbackConfiguration,
}

impl Revision {
    /// Whether a resource of the template is wanted, by its condition.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.template.resource(id).is_some_and(|resource| self.holds(resource))
    }

    /// Whether the `Condition` of an entry holds.
    pub(crate) fn holds(&self, entry: &Value) -> bool {
        let condition = entry.get("Condition").and_then(Value::as_str);
        condition.is_none_or(|name| self.conditions.get(name).copied().unwrap_or_default())
    }

    /// The wanted resources by logical id.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.template.resources().filter(|(_, resource)| self.holds(resource))
    }
}

/// Alarms and how long they are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RollbackConfiguration {
    pub(crate) triggers: Vec<(String, String)>,
    pub(crate) minutes: Option<u32>,
}

/// A stack.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) partition: String,
    pub(crate) status: StackStatus,
    pub(crate) reason: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) deleted: Option<Timestamp>,
    pub(crate) revision: Option<Arc<Revision>>,
    /// What the stack was before an update that failed and was left so.
    pub(crate) stable: Option<Stable>,
    pub(crate) resources: BTreeMap<String, StackResource>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) imports: BTreeSet<String>,
    pub(crate) events: Vec<Event>,
    pub(crate) change_sets: Vec<ChangeSet>,
    pub(crate) change_set_id: Option<String>,
    pub(crate) operation: Option<Operation>,
    pub(crate) last_operations: Vec<(&'static str, String)>,
    pub(crate) disable_rollback: bool,
    /// Whether its last operation was in `EXPRESS` mode.
    pub(crate) express: bool,
    pub(crate) retain_except_on_create: bool,
    pub(crate) termination_protection: bool,
    pub(crate) policy: Option<String>,
    pub(crate) timeout_minutes: Option<u32>,
    pub(crate) parent: Option<(StackKey, String)>,
    pub(crate) deletion_mode: Option<String>,
    pub(crate) drift: Option<(String, Timestamp)>,
    /// How often a resource was made, changed or deleted, for faults that count.
    pub(crate) serial: u64,
}

/// What a rollback goes back to.
#[derive(Clone, Debug)]
pub(crate) struct Stable {
    pub(crate) revision: Option<Arc<Revision>>,
    pub(crate) resources: BTreeMap<String, StackResource>,
}

impl Stack {
    /// CloudFormation's own names for this stack.
    pub(crate) fn pseudo(&self, notification_arns: &[String]) -> Pseudo {
        Pseudo {
            account: self.account.clone(),
            region: self.region.clone(),
            partition: self.partition.clone(),
            stack_id: self.id.clone(),
            stack_name: self.name.clone(),
            notification_arns: notification_arns.to_vec(),
        }
    }

    /// The newest change set of a name.
    pub(crate) fn change_set(&self, name: &str) -> Option<usize> {
        self.change_sets.iter().rposition(|it| (it.name == name || it.id == name) && !it.is_deleted())
    }
}

/// A resource of a stack.
#[derive(Clone, Debug)]
pub(crate) struct StackResource {
    pub(crate) physical_id: Option<String>,
    pub(crate) resource_type: String,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) at: Timestamp,
    /// The properties, evaluated.
    pub(crate) properties: Arc<Value>,
    /// The properties with values of `NoEcho` parameters masked, as they are told.
    pub(crate) shown: Arc<Value>,
    /// The resource as the template has it.
    pub(crate) declaration: Arc<Value>,
    /// The resources that it needs.
    pub(crate) needs: BTreeSet<String>,
    /// The stack that it is, for nested stacks.
    pub(crate) nested: Option<StackKey>,
    pub(crate) drift: Option<(&'static str, Timestamp)>,
}

impl StackResource {
    /// Whether there is something behind it.
    pub(crate) fn exists(&self) -> bool {
        self.physical_id.is_some() && !matches!(self.status, "DELETE_COMPLETE" | "DELETE_SKIPPED")
    }

    /// An attribute of the resource itself, such as `DeletionPolicy`.
    pub(crate) fn policy(&self, name: &str) -> Option<&str> {
        self.declaration.get(name).and_then(Value::as_str)
    }
}

/// An output of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) export: Option<String>,
}

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) logical_id: String,
    pub(crate) physical_id: String,
    pub(crate) resource_type: String,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) properties: Option<Arc<Value>>,
    pub(crate) token: Option<String>,
    pub(crate) operation: String,
    pub(crate) hook: Option<HookEvent>,
    pub(crate) detailed_status: Option<&'static str>,
}

/// What an event tells of a hook.
#[derive(Clone, Debug)]
pub(crate) struct HookEvent {
    pub(crate) hook: String,
    pub(crate) status: &'static str,
    pub(crate) reason: String,
    pub(crate) failure_mode: &'static str,
}

/// A change set.
#[derive(Clone, Debug)]
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) execution_status: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) revision: Arc<Revision>,
    pub(crate) changes: Vec<Change>,
    pub(crate) imports: BTreeMap<String, String>,
    pub(crate) import_existing: bool,
    pub(crate) include_nested: bool,
    pub(crate) revert_drift: bool,
    /// `EXPRESS` mode, with whether rollback is disabled, as it is unless the call says otherwise.
    pub(crate) express: Option<bool>,
    pub(crate) on_stack_failure: Option<String>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) operation: String,
    pub(crate) token: Option<String>,
    /// The change set that this one belongs to, for nested stacks.
    pub(crate) parent: Option<String>,
    pub(crate) root: Option<String>,
    /// The change sets of nested stacks, by logical id.
    pub(crate) nested: BTreeMap<String, (StackKey, String)>,
}

impl ChangeSet {
    pub(crate) fn is_deleted(&self) -> bool {
        self.status == "DELETE_COMPLETE"
    }
}

/// A finding of the early validation.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    pub(crate) name: String,
    pub(crate) reason: String,
    pub(crate) path: String,
    pub(crate) fails: bool,
}

/// What a change set does with a resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) action: &'static str,
    pub(crate) logical_id: String,
    pub(crate) physical_id: Option<String>,
    pub(crate) resource_type: String,
    pub(crate) replacement: Option<&'static str>,
    pub(crate) policy_action: Option<&'static str>,
    pub(crate) scope: Vec<&'static str>,
    pub(crate) details: Vec<Detail>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) change_set_id: Option<String>,
    pub(crate) drift: Option<&'static str>,
}

/// One changed attribute of a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Detail {
    pub(crate) attribute: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) path: String,
    pub(crate) recreation: &'static str,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) evaluation: &'static str,
    pub(crate) source: &'static str,
    pub(crate) cause: Option<String>,
    /// The value that the resource really has, for changes that take drift back.
    pub(crate) actual: Option<String>,
}
