//! What is known about a failure: data for the journal, the report and the screen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why an operation failed: the first real failure, classified, with what to do next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The stack's name.
    pub stack: String,
    /// The logical ids of nested stacks down to the resource, and its own; empty when the stack itself failed.
    pub path: Vec<String>,
    /// The resource's type.
    pub resource_type: String,
    /// What CloudFormation says.
    pub reason: String,
    /// What kind of failure it is.
    pub class: FailureClass,
    /// The path of the construct that made the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub construct_path: Option<String>,
    /// The source place of that construct, `file:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What to do, and the next command to run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// Other failures of the same operation that are not merely cancellations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// IAM denies the action.
    Permission,
    /// A service control policy denies the action: no permission of the account helps.
    ServiceControlPolicy,
    /// A quota is used up.
    Quota,
    /// The name is taken.
    NameConflict,
    /// AWS has no capacity.
    Capacity,
    /// A custom resource reported a failure.
    CustomResource,
    /// A just-created role is not known everywhere yet.
    Propagation,
    /// A stack policy denies the update.
    StackPolicy,
    /// An export is in use by another stack.
    ExportInUse,
    /// A value is wrong.
    Validation,
    /// It took too long.
    Timeout,
    /// None of these.
    #[default]
    Other,
}
