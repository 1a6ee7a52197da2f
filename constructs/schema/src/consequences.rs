//! What a difference of templates does to resources: which are replaced, what causes it, and which data is lost.
//!
//! Replacement stands in the facts of a type (create-only properties). It spreads: the id of a replaced resource changes,
//! and where that feeds a create-only property of another resource, the other one is replaced as well.

use formwork_assembly::diff::TemplateDiff;
use serde_json::Value;

use crate::Replacement;

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is made.
    Created,
    /// It is changed in place.
    Updated,
    /// Whether it is replaced depends on values that only AWS knows, or on how a condition turns out.
    PerhapsReplaced,
    /// A new one takes its place.
    Replaced,
    /// A condition decides whether it goes.
    PerhapsDeleted,
    /// It is deleted.
    Deleted,
    /// It stays where it is but no longer belongs to the stack.
    Released,
}

/// Why a resource changes or is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The place of the property or attribute as a JSON pointer, in the new template where the value is there.
    pub pointer: String,
    /// The property's path below `Properties`, separated by `/`, or the attribute, such as `DeletionPolicy`.
    pub name: String,
    /// What the change of this place alone means for the resource.
    pub replacement: Replacement,
    /// The resource, parameter, condition or mapping whose change comes through here; nothing for a direct change.
    pub through: Option<String>,
}

/// How data is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossKind {
    /// The resource is replaced by an empty one.
    Replace,
    /// The resource is deleted.
    Delete,
}

/// Data that is lost, or left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// How.
    pub kind: LossKind,
    /// Whether it is sure; otherwise it depends on values that only AWS knows.
    pub is_certain: bool,
    /// Whether a policy of the resource keeps the old one or a snapshot of it, so that nothing is lost for good.
    pub is_kept: bool,
    /// What is lost, in plain words: "all runs are lost".
    pub words: String,
}

/// What becomes of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// The logical id.
    pub logical_id: String,
    /// The type, that of the new template first.
    pub resource_type: String,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why, the strongest reasons first; nothing for resources that are made or deleted.
    pub causes: Vec<Cause>,
    /// The data that is lost.
    pub loss: Option<Loss>,
    /// What CloudFormation will refuse about it.
    pub refusal: Option<String>,
}

/// What a difference does to the resources of both templates, by logical id.
pub fn consequences(diff: &TemplateDiff, before: &Value, after: &Value) -> Vec<Consequence> {
    let _ = (diff, before, after);
    Vec::new()
}

/// What is lost with a resource of a type that holds data, in plain words; nothing for a type that holds none.
pub fn loss_words(resource_type: &str) -> Option<String> {
    crate::resource_type(resource_type)?.stateful_reason().map(|reason| format!("all data is lost: {reason}"))
}
