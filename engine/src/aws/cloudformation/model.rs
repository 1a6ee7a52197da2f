//! What CloudFormation answers, without the SDK's types: what the rest of the engine works with.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::status::{
    ChangeAction, ChangeSetStatus, ChangeSetType, ExecutionStatus, Replacement, StackStatus,
};

/// A stack as `DescribeStacks` tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The stack's ARN, which names this stack for good; a name can be used again after a deletion.
    pub id: String,
    /// The name.
    pub name: String,
    /// The status.
    pub status: StackStatus,
    /// Why the status is what it is.
    pub status_reason: Option<String>,
    /// When the stack was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// The outputs by name.
    pub outputs: BTreeMap<String, Output>,
    /// The parameters' values; those with `NoEcho` come as `****`.
    pub parameters: BTreeMap<String, String>,
    /// The values that SSM-typed parameters had at the last operation.
    pub resolved_parameters: BTreeMap<String, String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The topics that are told of the stack's events.
    pub notification_arns: Vec<String>,
    /// The role that CloudFormation acts with.
    pub role_arn: Option<String>,
    /// Whether deletion is refused.
    pub termination_protection: bool,
    /// The stack that this one is nested in.
    pub parent_id: Option<String>,
    /// The change set that made or last changed the stack.
    pub change_set_id: Option<String>,
    /// The alarms that roll its operations back.
    pub rollback: Option<RollbackConfiguration>,
}

/// The stacks of an account and region, as far as their pages were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct StackPages {
    /// The stacks.
    pub(crate) stacks: Vec<Stack>,
    /// How many pages were read.
    pub(crate) pages: usize,
    /// Whether those are all.
    pub(crate) whole: bool,
}

/// An output of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The value.
    pub value: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name under which other stacks import it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_name: Option<String>,
}

/// One line of `ListStacks`.
#[derive(Clone, Debug, PartialEq)]
pub struct StackSummary {
    /// The stack's ARN.
    pub id: String,
    /// The name.
    pub name: String,
    /// The status.
    pub status: StackStatus,
    /// Why the status is what it is.
    pub status_reason: Option<String>,
    /// The stack that this one is nested in.
    pub parent_id: Option<String>,
}

/// A value for a parameter of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// This value.
    Value(String),
    /// The value that the stack has now.
    Previous,
}

/// Where CloudFormation reads the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// The text itself, 51,200 bytes at most.
    Body(String),
    /// An object in S3, by its REST URL.
    Url(String),
    /// The template that the stack has.
    Previous,
}

/// What `CreateChangeSet` is asked for.
#[derive(Clone, Debug)]
pub struct NewChangeSet {
    /// The stack's name or ARN.
    pub stack: String,
    /// The name of the change set: a letter, then letters, digits and hyphens, 128 at most.
    pub name: String,
    /// What it is for.
    pub kind: ChangeSetType,
    /// The template.
    pub template: TemplateSource,
    /// The parameters by name.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// The stack's tags.
    pub tags: BTreeMap<String, String>,
    /// The capabilities that the user grants.
    pub capabilities: Vec<String>,
    /// The topics to tell of events.
    pub notification_arns: Vec<String>,
    /// The role that CloudFormation acts with.
    pub role_arn: Option<String>,
    /// A text for people.
    pub description: Option<String>,
    /// The existing resources to take in, for an import.
    pub resources_to_import: Vec<ResourceToImport>,
    /// Whether named resources that exist already are taken in.
    pub import_existing: bool,
    /// Whether nested stacks get change sets too.
    pub include_nested: bool,
    /// Whether drift is taken back.
    pub revert_drift: bool,
    /// Alarms that stop the update, and for how many minutes they are watched after it.
    pub rollback: Option<RollbackConfiguration>,
}

impl NewChangeSet {
    /// A change set with nothing but what it has to have.
    pub fn new(
        stack: impl Into<String>,
        name: impl Into<String>,
        kind: ChangeSetType,
        template: TemplateSource,
    ) -> Self {
        Self {
            stack: stack.into(),
            name: name.into(),
            kind,
            template,
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
            notification_arns: Vec::new(),
            role_arn: None,
            description: None,
            resources_to_import: Vec::new(),
            import_existing: false,
            include_nested: false,
            revert_drift: false,
            rollback: None,
        }
    }
}

/// Alarms that roll an operation back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RollbackConfiguration {
    /// The alarms' ARNs, five at most.
    pub alarm_arns: Vec<String>,
    /// How long they are watched after the operation, in minutes, 0 to 180.
    pub monitoring_minutes: u32,
}

/// A resource that exists and is to become part of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceToImport {
    /// Its logical id in the template.
    pub logical_id: String,
    /// Its type.
    pub resource_type: String,
    /// What identifies it, such as `BucketName` and its value.
    pub identifier: BTreeMap<String, String>,
}

/// A change set.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeSet {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The stack's name.
    pub stack_name: String,
    /// The status.
    pub status: ChangeSetStatus,
    /// Whether it can be executed.
    pub execution_status: ExecutionStatus,
    /// Why it failed.
    pub status_reason: Option<String>,
    /// What it would change, of all pages.
    pub changes: Vec<ResourceChange>,
    /// The parameters with the values that it would use.
    pub parameters: BTreeMap<String, String>,
    /// The values that SSM-typed parameters had when the change set was made.
    pub resolved_parameters: BTreeMap<String, String>,
    /// When it was made, by the server's clock.
    pub created: Option<Timestamp>,
}

/// What a change set does with one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceChange {
    /// What is done.
    pub action: ChangeAction,
    /// The logical id.
    pub logical_id: String,
    /// The physical id, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// The type.
    pub resource_type: String,
    /// Whether a modified resource is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// What becomes of the old resource, such as `ReplaceAndRetain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_action: Option<String>,
    /// The parts that change: `Properties`, `Tags`, `Metadata` and so on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// The single changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<ChangeDetail>,
    /// The change set of a nested stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nested_change_set: Option<String>,
    /// Whether the resource differs from what the stack says, when that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
}

/// One change of one attribute of a resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeDetail {
    /// What is changed: `Properties`, `Metadata`, `Tags`, `DeletionPolicy` ...
    pub attribute: String,
    /// The property's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The property's path as a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `Never`, `Conditionally` or `Always`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recreation: Option<String>,
    /// The value before, as the API tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value after, as the API tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What caused the change: a parameter, another resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// An event of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackEvent {
    /// What tells two events apart.
    pub id: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// When, by the server's clock.
    pub timestamp: Timestamp,
    /// The logical id; the stack's own name for events of the stack.
    pub logical_id: String,
    /// The physical id.
    pub physical_id: Option<String>,
    /// The type; `AWS::CloudFormation::Stack` for the stack itself and for nested ones.
    pub resource_type: String,
    /// The status.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// The token of the call that started the operation.
    pub token: Option<String>,
    /// `CONFIGURATION_COMPLETE` and such.
    pub detailed_status: Option<String>,
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackResource {
    /// The logical id.
    pub logical_id: String,
    /// The physical id.
    pub physical_id: Option<String>,
    /// The type.
    pub resource_type: String,
    /// The status.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// What the latest drift detection found: `IN_SYNC`, `MODIFIED`, `DELETED`, `NOT_CHECKED`, `UNKNOWN`.
    pub drift: Option<String>,
}

/// An export of an account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The ARN of the stack that exports it.
    pub stack_id: String,
}

/// A finding of CloudFormation's validation before a deployment, or a failure of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperationFinding {
    /// The kind, such as `VALIDATION_ERROR`.
    pub kind: String,
    /// The logical id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_id: Option<String>,
    /// The type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The name of the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
    /// `FAIL` or `WARN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<String>,
    /// The path in the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// The difference of one resource from what its stack says.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceDrift {
    /// The logical id.
    pub logical_id: String,
    /// The physical id.
    pub physical_id: Option<String>,
    /// The type.
    pub resource_type: String,
    /// `IN_SYNC`, `MODIFIED`, `DELETED`, `NOT_CHECKED`, `UNKNOWN` or `UNSUPPORTED`.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// The properties that the stack says, null when they are not told. They may hold secrets.
    pub expected: Value,
    /// The properties that there are, null when they are not told. They may hold secrets.
    pub actual: Value,
    /// The properties that differ: path, expected and actual value, `ADD`, `REMOVE` or `NOT_EQUAL`.
    pub differences: Vec<PropertyDifference>,
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyDifference {
    /// The path as a JSON pointer.
    pub path: String,
    /// What the stack says.
    pub expected: Value,
    /// What there is.
    pub actual: Value,
    /// How it differs.
    pub kind: String,
}
