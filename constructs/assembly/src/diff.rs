//! The difference of two templates: every changed leaf by name, and nothing when there is none.
//!
//! Both templates are in long form (see [`crate::template_file`]). The comparison follows what CloudFormation does with a
//! template and not its text: `DependsOn` is a set, policy statements and tags are matched by content, a number and its
//! text are alike. What differs only in such a way is still named, and marked [`Change::alike`].

mod lists;
mod moves;
pub mod secrecy;
mod values;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::references::push_pointer;
pub use moves::Move;

/// What became of an entry of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// Only the new template has it.
    Added,
    /// Only the old template has it.
    Removed,
    /// Both have it, with differences.
    Changed,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The place as a JSON pointer from the root: in the new template, or in the old one when the value was removed.
    pub pointer: String,
    /// The place in the old template, where it is another one because list items moved.
    pub pointer_before: Option<String>,
    /// The value in the old template.
    pub before: Option<Value>,
    /// The value in the new template.
    pub after: Option<Value>,
    /// Whether CloudFormation takes both for the same, such as `80` and `"80"`, or a policy's statements in another order.
    pub alike: bool,
}

impl Change {
    /// The place in the old template; nothing when the value was added.
    pub fn place_before(&self) -> Option<&str> {
        self.before.as_ref()?;
        Some(self.pointer_before.as_deref().unwrap_or(&self.pointer))
    }

    /// The place in the new template; nothing when the value was removed.
    pub fn place_after(&self) -> Option<&str> {
        self.after.as_ref().map(|_| self.pointer.as_str())
    }
}

/// A changed entry of a section other than `Resources`.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryDiff {
    /// The section, such as `Parameters`.
    pub section: String,
    /// The entry's name; nothing for sections of one value, such as `Description` and `Transform`.
    pub name: Option<String>,
    /// What became of it.
    pub kind: ChangeKind,
    /// The differences; one with the whole value for an entry that was added or removed.
    pub changes: Vec<Change>,
}

/// A changed resource.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceDiff {
    /// The logical id.
    pub logical_id: String,
    /// What became of it.
    pub kind: ChangeKind,
    /// The type in the old template.
    pub type_before: Option<String>,
    /// The type in the new template.
    pub type_after: Option<String>,
    /// The differences; one with the whole value for a resource that was added or removed.
    pub changes: Vec<Change>,
}

impl ResourceDiff {
    /// The type, that of the new template first.
    pub fn resource_type(&self) -> &str {
        self.type_after.as_deref().or(self.type_before.as_deref()).unwrap_or_default()
    }

    /// The differences of a changed resource below `Properties`, each with its path there: property first, parts
    /// separated by `/`, item positions as they stand in [`Change::pointer`]. Nothing for added and removed resources.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.below_resource().filter_map(|(path, change)| Some((path.strip_prefix("Properties/")?, change)))
    }

    /// The differences of a changed resource beside `Properties`, each with its attribute, such as `DependsOn`,
    /// `DeletionPolicy` or `Metadata`. Nothing for added and removed resources.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.below_resource()
            .filter(|(path, _)| !path.starts_with("Properties/"))
            .map(|(path, change)| (path.split('/').next().unwrap_or(path), change))
    }

    /// Whether CloudFormation sees no difference.
    pub fn is_alike(&self) -> bool {
        self.kind == ChangeKind::Changed && self.changes.iter().all(|change| change.alike)
    }

    fn below_resource(&self) -> impl Iterator<Item = (&str, &Change)> {
        // `/Resources/<id>/`; logical ids have no character that a pointer escapes, and if one has, it has no `/`.
        self.changes.iter().filter_map(|change| Some((change.pointer.splitn(4, '/').nth(3)?, change)))
    }
}

/// The difference of two templates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateDiff {
    /// The changed entries of the sections other than `Resources`, by section in the usual order and by name.
    pub entries: Vec<EntryDiff>,
    /// The changed resources, by logical id.
    pub resources: Vec<ResourceDiff>,
    /// Resources that were removed under one logical id and added, hardly changed, under another.
    pub moves: Vec<Move>,
}

impl TemplateDiff {
    /// Whether the templates are the same.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.resources.is_empty()
    }

    /// Whether CloudFormation sees no difference.
    pub fn is_alike(&self) -> bool {
        self.resources.iter().all(ResourceDiff::is_alike)
            && self.entries.iter().all(|entry| entry.changes.iter().all(|change| change.alike))
    }

    /// The change of a resource.
    pub fn resource(&self, logical_id: &str) -> Option<&ResourceDiff> {
        self.resources
            .binary_search_by(|resource| resource.logical_id.as_str().cmp(logical_id))
            .ok()
            .map(|index| &self.resources[index])
    }

    /// The changed entries of a section.
    pub fn section<'d>(&'d self, section: &'d str) -> impl Iterator<Item = &'d EntryDiff> {
        self.entries.iter().filter(move |entry| entry.section == section)
    }

    /// All differences, resources last.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        let entries = self.entries.iter().flat_map(|entry| &entry.changes);
        entries.chain(self.resources.iter().flat_map(|resource| &resource.changes))
    }
}

/// Sections in the order in which people look at them; others follow by name.
const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Transform",
    "Parameters",
    "Mappings",
    "Conditions",
    "Rules",
    "Outputs",
];

/// Compares two templates. `null` stands for no template, so that everything is added or removed.
///
/// ```
/// let before = serde_json::json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}});
/// let mut after = before.clone();
/// after["Resources"]["Topic"]["Properties"]["DisplayName"] = "news".into();
/// let diff = formwork_assembly::diff::diff(&before, &after);
/// assert_eq!(diff.resources[0].changes[0].pointer, "/Resources/Topic/Properties/DisplayName");
/// assert!(formwork_assembly::diff::diff(&after, &after).is_empty());
/// ```
pub fn diff(before: &Value, after: &Value) -> TemplateDiff {
    let empty = Map::new();
    let old = before.as_object().unwrap_or(&empty);
    let new = after.as_object().unwrap_or(&empty);
    let mut found = TemplateDiff::default();
    let names: BTreeSet<(usize, &str)> = old.keys().chain(new.keys()).map(|name| ranked(name)).collect();
    for (_, section) in names {
        if section == "Resources" {
            found.resources = resources(old.get(section), new.get(section));
        } else {
            entries(section, old.get(section), new.get(section), &mut found.entries);
        }
    }
    found.moves = moves::find(&found.resources);
    found
}

fn ranked(section: &str) -> (usize, &str) {
    (SECTIONS.iter().position(|known| *known == section).unwrap_or(SECTIONS.len()), section)
}

/// The names of both sides, sorted.
fn names<'v>(before: &'v Map<String, Value>, after: &'v Map<String, Value>) -> BTreeSet<&'v String> {
    before.keys().chain(after.keys()).collect()
}

fn entries(section: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<EntryDiff>) {
    let mut root = String::new();
    push_pointer(&mut root, section);
    let empty = Map::new();
    let by_name = match (before, after) {
        // A transform may be a list or an object with a name; it is one value in each case.
        _ if section == "Transform" => None,
        (Some(Value::Object(old)), Some(Value::Object(new))) => Some((old, new)),
        (Some(Value::Object(old)), None) => Some((old, &empty)),
        (None, Some(Value::Object(new))) => Some((&empty, new)),
        _ => None,
    };
    match by_name {
        Some((old, new)) => {
            for name in names(old, new) {
                let mut pointer = root.clone();
                push_pointer(&mut pointer, name);
                entry(section, Some(name), pointer, old.get(name), new.get(name), found);
            }
            // An empty section that came or went is a difference as well.
            if old.is_empty() && new.is_empty() && before.is_some() != after.is_some() {
                entry(section, None, root, before, after, found);
            }
        }
        None => entry(section, None, root, before, after, found),
    }
}

fn entry(
    section: &str,
    name: Option<&str>,
    pointer: String,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<EntryDiff>,
) {
    let changes = values::compare(&pointer, before, after, section == "Metadata");
    if !changes.is_empty() {
        found.push(EntryDiff {
            section: section.to_owned(),
            name: name.map(str::to_owned),
            kind: kind(before, after),
            changes,
        });
    }
}

fn kind(before: Option<&Value>, after: Option<&Value>) -> ChangeKind {
    match (before, after) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    }
}

fn resources(before: Option<&Value>, after: Option<&Value>) -> Vec<ResourceDiff> {
    let empty = Map::new();
    let old = before.and_then(Value::as_object).unwrap_or(&empty);
    let new = after.and_then(Value::as_object).unwrap_or(&empty);
    let type_of = |resource: Option<&Value>| Some(resource?.get("Type")?.as_str()?.to_owned());
    names(old, new)
        .into_iter()
        .filter_map(|logical_id| {
            let (before, after) = (old.get(logical_id), new.get(logical_id));
            let mut pointer = "/Resources".to_owned();
            push_pointer(&mut pointer, logical_id);
            let changes = values::resource(&pointer, before, after);
            (!changes.is_empty()).then(|| ResourceDiff {
                logical_id: logical_id.clone(),
                kind: kind(before, after),
                type_before: type_of(before),
                type_after: type_of(after),
                changes,
            })
        })
        .collect()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
