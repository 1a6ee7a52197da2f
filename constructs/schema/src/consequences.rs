//! What a difference of templates does to resources: which are replaced, what causes it, and which data is lost.
//!
//! Replacement stands in the facts of a type (create-only properties). It spreads: the id of a replaced resource changes,
//! and where that feeds a create-only property of another resource, the other one is replaced as well.

mod indirect;
mod loss;
mod replacement;

use std::collections::BTreeMap;

use formwork_assembly::diff::{ChangeKind, ResourceDiff, TemplateDiff};
use formwork_assembly::references;
use serde_json::Value;

pub use loss::loss_words;

use crate::Replacement;

/// What becomes of a resource; of the changes to one that stays in the template, the weightier comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is made.
    Created,
    /// It is changed in place.
    Updated,
    /// Whether it is replaced depends on values that only AWS knows, or on how a condition turns out.
    PerhapsReplaced,
    /// A condition decides whether it goes.
    PerhapsDeleted,
    /// A new one takes its place.
    Replaced,
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
///
/// ```
/// use formwork_assembly::diff::diff;
/// use formwork_schema::consequences::{Outcome, consequences};
/// use serde_json::json;
///
/// let template = |name: &str| json!({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name}}}});
/// let (before, after) = (template("old"), template("new"));
/// let found = consequences(&diff(&before, &after), &before, &after);
/// assert_eq!(found[0].outcome, Outcome::Replaced);
/// assert_eq!(found[0].loss.as_ref().unwrap().words, "all items of the table are lost");
/// ```
pub fn consequences(diff: &TemplateDiff, before: &Value, after: &Value) -> Vec<Consequence> {
    let mut effects: BTreeMap<String, Effect> = BTreeMap::new();
    for resource in &diff.resources {
        if let Some(effect) = direct(resource, before) {
            effects.insert(resource.logical_id.clone(), effect);
        }
    }
    let references = references(after);
    indirect::spread(diff, before, after, &references, &mut effects);
    effects
        .into_iter()
        .map(|(logical_id, effect)| {
            let (old, new) = (resource(before, &logical_id), resource(after, &logical_id));
            let resource_type = type_of(new.or(old));
            let Effect { outcome, mut causes, refusal } = effect;
            causes.sort_by_key(|cause| std::cmp::Reverse(replacement::rank(cause.replacement)));
            Consequence {
                loss: loss::loss(resource_type, outcome, old, new),
                resource_type: resource_type.to_owned(),
                logical_id,
                outcome,
                causes,
                refusal,
            }
        })
        .collect()
}

/// What is known so far of a resource.
struct Effect {
    outcome: Outcome,
    causes: Vec<Cause>,
    refusal: Option<String>,
}

impl Effect {
    /// Adds a cause; tells whether the outcome grew by it.
    fn add(&mut self, cause: Cause) -> bool {
        let outcome = match cause.replacement {
            Replacement::Never => Outcome::Updated,
            Replacement::Conditional => Outcome::PerhapsReplaced,
            Replacement::Always => Outcome::Replaced,
        };
        self.causes.push(cause);
        let grows = outcome > self.outcome;
        self.outcome = self.outcome.max(outcome);
        grows
    }
}

fn resource<'t>(template: &'t Value, logical_id: &str) -> Option<&'t Value> {
    template.get("Resources")?.get(logical_id)
}

fn type_of(resource: Option<&Value>) -> &str {
    resource.and_then(|resource| resource.get("Type")).and_then(Value::as_str).unwrap_or_default()
}

/// What a resource's own change does to it; nothing when CloudFormation sees none.
fn direct(diff: &ResourceDiff, before: &Value) -> Option<Effect> {
    let effect = |outcome| Some(Effect { outcome, causes: Vec::new(), refusal: None });
    match diff.kind {
        ChangeKind::Added => return effect(Outcome::Created),
        ChangeKind::Removed => {
            let kept = resource(before, &diff.logical_id)
                .is_some_and(|old| loss::keeping(old, "DeletionPolicy") == loss::Keeping::Itself);
            return effect(if kept { Outcome::Released } else { Outcome::Deleted });
        }
        ChangeKind::Changed if diff.is_alike() => return None,
        ChangeKind::Changed => {}
    }
    let mut found = Effect { outcome: Outcome::Updated, causes: Vec::new(), refusal: None };
    let resource_type = diff.resource_type();
    for (path, change) in diff.properties().filter(|(_, change)| !change.alike) {
        let (old, new) = (change.before.as_ref(), change.after.as_ref());
        found.add(Cause {
            pointer: change.pointer.clone(),
            name: replacement::property(path),
            replacement: replacement::of_change(resource_type, path, old, new),
            through: None,
        });
    }
    for (attribute, change) in diff.attributes().filter(|(_, change)| !change.alike) {
        found.add(Cause {
            pointer: change.pointer.clone(),
            name: attribute.to_owned(),
            replacement: Replacement::Never,
            through: None,
        });
        match attribute {
            "Type" => found.refusal = Some(refused_type(diff)),
            "Properties" => found.outcome = found.outcome.max(Outcome::PerhapsReplaced),
            // Without the condition it is there for sure; with another one it may go.
            "Condition" if change.after.is_some() => {
                found.outcome = found.outcome.max(Outcome::PerhapsDeleted);
            }
            _ => {}
        }
    }
    Some(found)
}

fn refused_type(diff: &ResourceDiff) -> String {
    let text = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
    format!(
        "CloudFormation does not change the type of a resource ({} to {}): give the new one another logical id",
        text(&diff.type_before),
        text(&diff.type_after)
    )
}

#[cfg(test)]
mod tests;
