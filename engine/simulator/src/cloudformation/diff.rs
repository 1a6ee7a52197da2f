//! What a new revision changes, resource by resource, as a change set tells it.

use std::collections::BTreeSet;

use formwork_schema::Replacement;
use serde_json::{Value, json};

use super::operation::lookup::with_scope;
use super::operation::resources::{NESTED, evaluate_properties, masked};
use super::state::{Change, Detail, Revision, StackKey, StackResource};
use super::template::evaluate::UNKNOWN;
use super::template::{mentioned, parameters};
use super::{Surroundings, World};

mod details;

use details::{attribute_details, context, removal, replacement, told};

/// Whether the change of properties makes a new resource necessary.
pub(crate) fn replaces(resource_type: &str, old: &Value, new: &Value) -> bool {
    let custom =
        resource_type.starts_with("Custom::") || resource_type == "AWS::CloudFormation::CustomResource";
    let mut paths = Vec::new();
    changed(old, new, String::new(), &mut paths);
    if custom {
        return paths.iter().any(|path| path == "ServiceToken");
    }
    let Some(facts) = formwork_schema::resource_type(resource_type) else { return false };
    paths.iter().any(|path| facts.replacement(path) == Replacement::Always)
}

/// The paths at which two values differ, as deep as both have something there.
pub(crate) fn changed(old: &Value, new: &Value, path: String, found: &mut Vec<String>) {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match (old, new) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                let (before, after) =
                    (left.get(name).unwrap_or(&Value::Null), right.get(name).unwrap_or(&Value::Null));
                changed(before, after, join(name), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() && !left.is_empty() => {
            for (index, (before, after)) in left.iter().zip(right).enumerate() {
                changed(before, after, join(&index.to_string()), found);
            }
        }
        _ if old == new || loosely(old) == loosely(new) && !old.is_null() && !new.is_null() => {}
        _ => found.push(path),
    }
}

/// Scalars are compared as the text that they stand for: `80` and `"80"` are the same to CloudFormation.
fn loosely(value: &Value) -> String {
    parameters::plain(value)
}

/// A comparison of a stack with a revision.
pub(crate) struct Comparison<'c> {
    pub(crate) world: &'c World,
    pub(crate) around: &'c dyn Surroundings,
    pub(crate) key: StackKey,
    pub(crate) revision: &'c Revision,
    /// Physical ids of resources to take in, by logical id.
    pub(crate) imports: &'c std::collections::BTreeMap<String, String>,
    pub(crate) nested: bool,
}

impl Comparison<'_> {
    /// The changes in the order of the logical ids.
    pub(crate) fn changes(&self) -> Result<Vec<Change>, String> {
        let stack = &self.world.stacks[self.key];
        let old = stack.revision.as_ref();
        let mut uncertain = BTreeSet::new();
        let mut changes = Vec::new();
        // Those that are needed come first, so that it is known which values are not.
        for id in self.order() {
            let existing = stack
                .resources
                .get(&id)
                .filter(|it| it.exists() && it.status != "CREATE_FAILED" && stack.deleted.is_none());
            let change = match existing {
                None => Some(self.addition(&id, &mut uncertain)?),
                Some(resource) => self.modification(&id, resource, old.map(|it| &**it), &mut uncertain)?,
            };
            changes.extend(change);
        }
        for (id, resource) in &stack.resources {
            if resource.exists() && !self.revision.wants(id) {
                changes.push(removal(id, resource));
            }
        }
        changes.sort_by(|left, right| left.logical_id.cmp(&right.logical_id));
        Ok(changes)
    }

    fn order(&self) -> Vec<String> {
        let mut graph: formwork_assembly::Graph<&str, ()> = formwork_assembly::Graph::new();
        for (id, _) in self.revision.resources() {
            graph.add_node(id);
            for needed in self.revision.template.needs[id].iter().filter(|it| self.revision.wants(it)) {
                graph.add_edge(id, needed, ());
            }
        }
        graph.order().map(|order| order.into_iter().map(|id| (*id).to_owned()).collect()).unwrap_or_default()
    }

    fn properties(
        &self,
        revision: &Revision,
        id: &str,
        uncertain: &BTreeSet<String>,
    ) -> Result<Value, String> {
        let declaration = revision.template.resource(id).cloned().unwrap_or_default();
        with_scope(self.world, self.around, self.key, revision, Some(uncertain), |scope| {
            evaluate_properties(scope, &declaration)
        })
    }

    fn addition(&self, id: &str, uncertain: &mut BTreeSet<String>) -> Result<Change, String> {
        uncertain.insert(id.to_owned());
        let shown = self.properties(&masked(self.revision), id, uncertain)?;
        let import = self.imports.get(id);
        Ok(Change {
            action: if import.is_some() { "Import" } else { "Add" },
            logical_id: id.to_owned(),
            physical_id: import.cloned(),
            resource_type: self.revision.template.resource_type(id).to_owned(),
            replacement: None,
            policy_action: None,
            scope: Vec::new(),
            details: Vec::new(),
            before: None,
            after: Some(json!({"Properties": shown}).to_string()),
            change_set_id: None,
            drift: None,
        })
    }

    fn modification(
        &self,
        id: &str,
        resource: &StackResource,
        old: Option<&Revision>,
        uncertain: &mut BTreeSet<String>,
    ) -> Result<Option<Change>, String> {
        let new = self.properties(self.revision, id, uncertain)?;
        let shown = self.properties(&masked(self.revision), id, uncertain)?;
        let declaration = self.revision.template.resource(id).cloned().unwrap_or_default();
        let mut details = self.property_details(id, resource, &declaration, &new, &shown, old);
        details.extend(attribute_details(&resource.declaration, &declaration));
        if let Some(old) = old.filter(|old| old.tags != self.revision.tags) {
            details.extend(self.tag_details(&resource.resource_type, old));
        }
        if resource.resource_type == NESTED && details.is_empty() && !self.nested {
            // Whether a nested stack changes is known only when it is looked at.
            details.push(Detail {
                attribute: "Properties",
                recreation: "",
                evaluation: "Dynamic",
                source: "Automatic",
                ..Detail::default()
            });
        }
        if details.is_empty() {
            return Ok(None);
        }
        let replacement = replacement(&details);
        // The outputs of a nested stack that changes are not known either.
        let nested = resource.resource_type == NESTED && details.iter().any(|it| it.source != "Automatic");
        if replacement != "False" || nested {
            uncertain.insert(id.to_owned());
        }
        let mut scope: Vec<&'static str> = details.iter().map(|detail| detail.attribute).collect();
        scope.sort_unstable();
        scope.dedup();
        let policy = declaration.get("UpdateReplacePolicy").and_then(Value::as_str);
        Ok(Some(Change {
            action: "Modify",
            logical_id: id.to_owned(),
            physical_id: resource.physical_id.clone(),
            resource_type: resource.resource_type.clone(),
            replacement: Some(replacement),
            policy_action: (replacement != "False").then_some(match policy {
                Some("Retain") => "ReplaceAndRetain",
                Some("Snapshot") => "ReplaceAndSnapshot",
                _ => "ReplaceAndDelete",
            }),
            scope,
            details,
            before: Some(context(&resource.shown, &resource.declaration)),
            after: Some(context(&shown, &declaration)),
            change_set_id: None,
            drift: None,
        }))
    }

    fn property_details(
        &self,
        id: &str,
        resource: &StackResource,
        declaration: &Value,
        new: &Value,
        shown: &Value,
        old: Option<&Revision>,
    ) -> Vec<Detail> {
        let mut paths = Vec::new();
        changed(&resource.properties, new, String::new(), &mut paths);
        let facts = formwork_schema::resource_type(&resource.resource_type);
        let tags = facts.and_then(|facts| facts.tagging()).map(|tagging| tagging.property.as_str());
        let mut details = Vec::new();
        for path in paths {
            let name = path.split('/').next().unwrap_or_default().to_owned();
            let pointer = format!("/{path}");
            let (before, after) = (told(&resource.shown, &pointer), told(shown, &pointer));
            let raw = declaration.pointer(&format!("/Properties/{name}"));
            let raw_before = resource.declaration.pointer(&format!("/Properties/{name}"));
            let recreation = match facts.map(|facts| facts.replacement(&path)) {
                Some(Replacement::Always) => "Always",
                Some(Replacement::Conditional) => "Conditionally",
                _ => "Never",
            };
            let detail = Detail {
                attribute: if tags == Some(name.as_str()) { "Tags" } else { "Properties" },
                name: Some(name),
                path: format!("/Properties/{path}"),
                recreation,
                before,
                after: after.clone(),
                evaluation: "Static",
                source: "DirectModification",
                ..Detail::default()
            };
            let unknown = after.is_some_and(|text| text.contains(UNKNOWN));
            let causes = self.causes(raw, old);
            if raw != raw_before {
                let evaluation = if unknown { "Dynamic" } else { "Static" };
                details.push(Detail { evaluation, ..detail.clone() });
                if !unknown {
                    continue;
                }
            }
            for (source, cause) in causes {
                let evaluation =
                    if source == "ParameterReference" && !unknown { "Static" } else { "Dynamic" };
                details.push(Detail { evaluation, source, cause: Some(cause), ..detail.clone() });
            }
            if !details.iter().any(|it: &Detail| it.path == detail.path) {
                details.push(detail);
            }
        }
        let _ = id;
        details
    }

    /// The parameters and resources by which the value of a property changed.
    fn causes(&self, raw: Option<&Value>, old: Option<&Revision>) -> Vec<(&'static str, String)> {
        let Some(raw) = raw else { return Vec::new() };
        let mut causes = Vec::new();
        for (name, attribute) in mentioned(raw) {
            if let Some(value) = self.revision.values.get(&name) {
                if old.and_then(|old| old.values.get(&name)) != Some(value) {
                    causes.push(("ParameterReference", name));
                }
            } else if let Some(attribute) = attribute {
                causes.push(("ResourceAttribute", format!("{name}.{attribute}")));
            } else {
                causes.push(("ResourceReference", name));
            }
        }
        causes.dedup();
        causes
    }

    fn tag_details(&self, resource_type: &str, old: &Revision) -> Option<Detail> {
        // The tags of a stack go to every resource that takes tags.
        let tagging = formwork_schema::resource_type(resource_type)?.tagging()?;
        let text = |tags: &std::collections::BTreeMap<String, String>| {
            let list: Vec<Value> =
                tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            Some(Value::Array(list).to_string())
        };
        Some(Detail {
            attribute: "Tags",
            name: Some(tagging.property.clone()),
            path: format!("/Properties/{}", tagging.property),
            recreation: "Never",
            before: text(&old.tags),
            after: text(&self.revision.tags),
            evaluation: "Static",
            source: "DirectModification",
            ..Detail::default()
        })
    }
}
