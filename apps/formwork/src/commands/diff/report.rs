//! What `formwork diff` tells, as data: the text and the JSON report are both made of it, so both hide the same.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// What `formwork diff --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "formwork diff --json")]
pub(crate) struct DiffReport {
    /// What the stacks were compared with.
    pub(crate) against: String,
    /// The compared stacks, each after those that it needs; stacks that the app no longer has come last.
    pub(crate) stacks: Vec<StackDiffReport>,
}

/// The difference of a stack.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StackDiffReport {
    /// The id of its artifact in the assembly.
    pub(crate) id: String,
    /// The name in CloudFormation.
    pub(crate) name: String,
    /// What became of it.
    pub(crate) state: StackState,
    /// Where rights or reachability grow.
    pub(crate) broadenings: Vec<BroadeningReport>,
    /// The changed entries of all sections but `Resources`.
    pub(crate) entries: Vec<EntryReport>,
    /// The resources that change, or that a change reaches.
    pub(crate) resources: Vec<ResourceReport>,
}

/// What became of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StackState {
    /// It was not there before.
    Added,
    /// The app no longer has it.
    Removed,
    /// It differs.
    Changed,
    /// It differs only in ways that CloudFormation does not see.
    Alike,
    /// It is the same.
    Unchanged,
}

/// Something that grants more than before.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BroadeningReport {
    /// `rights` or `network`.
    pub(crate) kind: BroadeningKindReport,
    /// The logical id.
    pub(crate) logical_id: String,
    /// The type.
    pub(crate) resource_type: String,
    /// The place as a JSON pointer: in the new template, or in the old one when something was removed.
    pub(crate) pointer: String,
    /// What grows, in plain words.
    pub(crate) words: String,
}

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BroadeningKindReport {
    /// Who may do what.
    Rights,
    /// Who can reach what.
    Network,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeKindReport {
    /// Only the new template has it.
    Added,
    /// Only the old template has it.
    Removed,
    /// Both have it, with differences.
    Changed,
    /// It is the same in both, and a change elsewhere reaches it.
    Reached,
}

/// A changed entry of a section.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryReport {
    /// The section, such as `Parameters`.
    pub(crate) section: String,
    /// The entry's name; nothing for sections of one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// What became of it.
    pub(crate) change: ChangeKindReport,
    /// The differences.
    pub(crate) changes: Vec<ValueReport>,
}

/// A value that differs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValueReport {
    /// The place as a JSON pointer: in the new template, or in the old one when the value was removed.
    pub(crate) pointer: String,
    /// The place in the old template, where it is another one because list items moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer_before: Option<String>,
    /// The value in the old template; what looks like a secret is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Json>,
    /// The value in the new template; what looks like a secret is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Json>,
    /// Whether CloudFormation takes both for the same, such as `80` and `"80"`.
    pub(crate) alike: bool,
}

/// What happens to a resource.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceReport {
    /// The logical id.
    pub(crate) logical_id: String,
    /// The type.
    pub(crate) resource_type: String,
    /// What became of it in the template.
    pub(crate) change: ChangeKindReport,
    /// What becomes of it in the account; nothing when CloudFormation sees no difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<OutcomeReport>,
    /// The logical id that it probably had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved_from: Option<String>,
    /// The logical id that it probably has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved_to: Option<String>,
    /// The data that is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) loss: Option<LossReport>,
    /// What CloudFormation will refuse about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<String>,
    /// Why it changes or is replaced, the strongest reasons first.
    pub(crate) causes: Vec<CauseReport>,
    /// The differences; none for resources that were added or removed as a whole.
    pub(crate) changes: Vec<ValueReport>,
}

/// What becomes of a resource in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OutcomeReport {
    /// It is made.
    Created,
    /// It is changed in place.
    Updated,
    /// It may be replaced; only AWS knows.
    PerhapsReplaced,
    /// It may be deleted; a condition decides.
    PerhapsDeleted,
    /// A new one takes its place.
    Replaced,
    /// It is deleted.
    Deleted,
    /// It stays but no longer belongs to the stack.
    Released,
}

/// Why a resource changes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CauseReport {
    /// The property's path below `Properties`, or the attribute.
    pub(crate) name: String,
    /// The place as a JSON pointer.
    pub(crate) pointer: String,
    /// Whether this change alone replaces the resource: `never`, `perhaps` or `always`.
    pub(crate) replaces: ReplacesReport,
    /// The resource, parameter, condition or mapping whose change comes through here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) through: Option<String>,
}

/// Whether a change replaces a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReplacesReport {
    /// It is made in place.
    Never,
    /// It depends on values that only AWS knows.
    Perhaps,
    /// A new resource takes the place of the old one.
    Always,
}

/// Data that is lost, or left behind.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LossReport {
    /// Whether it is sure; otherwise it depends on values that only AWS knows.
    pub(crate) certain: bool,
    /// Whether a policy of the resource keeps the old one or a snapshot of it.
    pub(crate) kept: bool,
    /// What is lost, in plain words.
    pub(crate) words: String,
}
