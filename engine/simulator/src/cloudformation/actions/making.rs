//! Makes change sets: what `CreateChangeSet` promised, once its time has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cloudformation::diff::Comparison;
use crate::cloudformation::operation::Engine;
use crate::cloudformation::operation::lookup::with_scope;
use crate::cloudformation::operation::resources::evaluate_properties;
use crate::cloudformation::state::{Change, ChangeSet, Finding, Output, Revision, StackKey};
use crate::cloudformation::template::parameters::plain;

/// What CloudFormation says of a change set that changes nothing.
pub(super) const NO_CHANGES: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";
/// What it says when the template has a transform, and of `UpdateStack`.
pub(super) const NO_UPDATES: &str = "No updates are to be performed.";

impl Engine<'_> {
    /// A change set is made: its changes are known, or the reason why there are none.
    pub(crate) fn finish_change_set(&mut self, key: StackKey, id: &str) {
        let Some(index) = self.world.stacks[key].change_sets.iter().position(|it| it.id == id) else {
            return;
        };
        let change_set = self.world.stacks[key].change_sets[index].clone();
        if change_set.status != "CREATE_PENDING" {
            return;
        }
        let findings = self.findings(key, &change_set);
        let outcome = self.compare(key, &change_set, &findings);
        let change_set = &mut self.stack(key).change_sets[index];
        change_set.findings = findings;
        match outcome {
            Ok(changes) => {
                change_set.changes = changes;
                (change_set.status, change_set.execution_status) = ("CREATE_COMPLETE", "AVAILABLE");
            }
            Err(reason) => {
                (change_set.status, change_set.execution_status) = ("FAILED", "UNAVAILABLE");
                change_set.reason = Some(reason);
            }
        }
    }

    fn compare(
        &mut self,
        key: StackKey,
        change_set: &ChangeSet,
        findings: &[Finding],
    ) -> Result<Vec<Change>, String> {
        let revision = &change_set.revision;
        if self.world.options.imports_checked_early {
            self.check_imports(key, revision)?;
        }
        let failed: BTreeSet<&str> =
            findings.iter().filter(|it| it.fails).map(|it| it.name.as_str()).collect();
        if !failed.is_empty() {
            let names: Vec<&str> = failed.into_iter().collect();
            return Err(format!(
                "The following hook(s)/validation failed: [{}]. To troubleshoot Early Validation errors, use the \
                 DescribeEvents API for detailed failure information.",
                names.join(", ")
            ));
        }
        let comparison = Comparison {
            world: self.world,
            around: &*self.around,
            key,
            revision,
            imports: &change_set.imports,
            nested: change_set.include_nested,
        };
        let mut changes = comparison.changes()?;
        if change_set.kind == "IMPORT" {
            self.check_import(key, revision, &changes)?;
        }
        if change_set.import_existing {
            self.take_existing(key, revision, &mut changes)?;
        }
        if change_set.revert_drift {
            self.drift_changes(key, &mut changes);
        }
        let same_outputs = self.preview(key, revision) == self.current_outputs(key);
        let stack = &self.world.stacks[key];
        let same_rest = stack.revision.as_ref().is_some_and(|old| {
            old.tags == revision.tags
                && old.notification_arns == revision.notification_arns
                && old.rollback == revision.rollback
        });
        if change_set.kind == "UPDATE" && changes.is_empty() && same_outputs && same_rest {
            let transformed = !revision.template.transforms().is_empty();
            return Err(if transformed { NO_UPDATES } else { NO_CHANGES }.to_owned());
        }
        if change_set.include_nested {
            self.nested_change_sets(key, change_set, &mut changes)?;
        }
        Ok(changes)
    }

    /// An import changes nothing but what it takes in, and takes in only what says what becomes of it on deletion.
    fn check_import(&self, key: StackKey, revision: &Revision, changes: &[Change]) -> Result<(), String> {
        let mut other: Vec<&str> =
            changes.iter().filter(|it| it.action != "Import").map(|it| it.logical_id.as_str()).collect();
        let outputs = |template: &Value| template.get("Outputs").cloned().filter(|it| *it != json!({}));
        let old = self.world.stacks[key].revision.as_ref();
        if outputs(&revision.template.value) != old.and_then(|old| outputs(&old.template.value)) {
            other.push("Outputs");
        }
        if !other.is_empty() {
            let other = other.join(", ");
            return Err(format!("As part of the import operation, you cannot modify or add [{other}]"));
        }
        let kept =
            |id: &str| revision.template.resource(id).is_some_and(|it| it.get("DeletionPolicy").is_some());
        let unkept: Vec<&str> =
            changes.iter().map(|it| it.logical_id.as_str()).filter(|id| !kept(id)).collect();
        match unkept[..] {
            [] => Ok(()),
            _ => Err(format!(
                "The following resources to import [{}] must have DeletionPolicy attribute specified in the template.",
                unkept.join(", ")
            )),
        }
    }

    /// Fails when an export that is imported is not there.
    fn check_imports(&self, key: StackKey, revision: &Revision) -> Result<(), String> {
        let stack = &self.world.stacks[key];
        for (section, name, argument) in revision.template.imports() {
            let entry = revision.template.value.get(section).and_then(|entries| entries.get(name));
            if !entry.is_some_and(|entry| revision.holds(entry)) {
                continue;
            }
            let export = self.preview_text(key, revision, argument)?;
            if self.world.export(&stack.account, &stack.region, &export).is_none() {
                return Err(format!("No export named {export} found"));
            }
        }
        Ok(())
    }

    fn preview_text(&self, key: StackKey, revision: &Revision, value: &Value) -> Result<String, String> {
        with_scope(self.world, &*self.around, key, revision, Some(&BTreeSet::new()), |scope| {
            scope.text(value)
        })
    }

    /// The outputs as far as they are known before anything is done.
    fn preview(&self, key: StackKey, revision: &Revision) -> Vec<Output> {
        let text = |value: &Value| self.preview_text(key, revision, value).unwrap_or_default();
        let wanted = revision.template.outputs().filter(|(_, output)| revision.holds(output));
        wanted
            .map(|(name, output)| Output {
                key: name.to_owned(),
                value: output.get("Value").map(text).unwrap_or_default(),
                description: output.get("Description").map(plain),
                export: output.get("Export").and_then(|export| export.get("Name")).map(text),
            })
            .collect()
    }

    fn current_outputs(&self, key: StackKey) -> Vec<Output> {
        self.world.stacks[key].outputs.clone()
    }

    /// Whether an update would change nothing.
    pub(super) fn changes_nothing(&self, key: StackKey, revision: &Revision) -> bool {
        let imports = BTreeMap::new();
        let comparison = Comparison {
            world: self.world,
            around: &*self.around,
            key,
            revision,
            imports: &imports,
            nested: false,
        };
        let stack = &self.world.stacks[key];
        let same_rest = stack.revision.as_ref().is_some_and(|old| {
            old.tags == revision.tags
                && old.notification_arns == revision.notification_arns
                && old.rollback == revision.rollback
        });
        same_rest
            && comparison.changes().is_ok_and(|changes| changes.is_empty())
            && self.preview(key, revision) == self.current_outputs(key)
    }

    /// Turns additions of named resources that exist already into imports.
    fn take_existing(
        &mut self,
        key: StackKey,
        revision: &Revision,
        changes: &mut [Change],
    ) -> Result<(), String> {
        let mut without_policy = Vec::new();
        for change in changes.iter_mut().filter(|change| change.action == "Add") {
            let properties =
                change.after.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let properties = properties.and_then(|it| it.get("Properties").cloned()).unwrap_or_default();
            let Some(name) =
                crate::cloudformation::attributes::given_name(&change.resource_type, &properties)
            else {
                continue;
            };
            if !self.exists_outside(key, &change.resource_type, &name) {
                continue;
            }
            let declaration = revision.template.resource(&change.logical_id);
            let policy = declaration.and_then(|it| it.get("DeletionPolicy")).and_then(Value::as_str);
            if !matches!(policy, Some("Retain" | "RetainExceptOnCreate")) {
                without_policy.push(change.logical_id.clone());
            }
            (change.action, change.physical_id) = ("Import", Some(name));
        }
        if without_policy.is_empty() {
            return Ok(());
        }
        Err(format!(
            "CloudFormation is attempting to import some resources because they already exist in your account. The \
             resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template \
             for successful import. The affected resources are {}",
            without_policy
                .iter()
                .map(|id| format!("{id} ({{{}}})", revision.template.resource_type(id)))
                .collect::<Vec<_>>()
                .join(", ")
        ))
    }

    /// Whether something of this name is there that no stack owns.
    fn exists_outside(&self, key: StackKey, kind: &str, name: &str) -> bool {
        let stack = &self.world.stacks[key];
        self.world.existing.contains(&(stack.account.clone(), kind.to_owned(), name.to_owned()))
    }

    /// A name that a new resource asks for and that somebody else has.
    fn name_conflict(&self, key: StackKey, revision: &Revision, id: &str) -> Option<Found> {
        if self.world.stacks[key].resources.get(id).is_some_and(|it| it.exists()) {
            return None;
        }
        let declaration = revision.template.resource(id)?;
        let none = BTreeSet::new();
        let properties = with_scope(self.world, &*self.around, key, revision, Some(&none), |scope| {
            evaluate_properties(scope, declaration)
        });
        let kind = revision.template.resource_type(id);
        let name = crate::cloudformation::attributes::given_name(kind, &properties.ok()?)?;
        let taken = self.world.taken_by(key, kind, &name).is_some() || self.exists_outside(key, kind, &name);
        taken.then(|| Found {
            logical_id: id.to_owned(),
            name: "AWS::EarlyValidation::ResourceExistenceCheck".to_owned(),
            reason: format!("Resource of type '{kind}' with identifier '{name}' already exists"),
            path: format!("/Resources/{id}/Properties"),
            fails: true,
        })
    }

    /// What the checks before a deployment find.
    fn findings(&mut self, key: StackKey, change_set: &ChangeSet) -> Vec<Finding> {
        let name = self.world.stacks[key].name.clone();
        let revision = Arc::clone(&change_set.revision);
        let mut found: Vec<Found> = Vec::new();
        for fault in self.world.faults.validations.iter().filter(|it| it.stack == name) {
            found.push(Found {
                logical_id: fault.logical_id.clone(),
                name: format!(
                    "AWS::EarlyValidation::{}",
                    fault.name.trim_start_matches("AWS::EarlyValidation::")
                ),
                reason: fault.reason.clone(),
                path: fault.path.clone(),
                fails: fault.fails,
            });
        }
        if self.world.options.early_validation {
            for (id, resource) in revision.resources() {
                found.extend(property_findings(id, resource));
                if change_set.kind != "IMPORT" && !change_set.import_existing {
                    found.extend(self.name_conflict(key, &revision, id));
                }
            }
        }
        let now = self.now;
        found
            .into_iter()
            .map(|it| Finding {
                id: self.world.ids.uuid(),
                at: now,
                resource_type: revision.template.resource_type(&it.logical_id).to_owned(),
                logical_id: it.logical_id,
                name: it.name,
                reason: it.reason,
                path: it.path,
                fails: it.fails,
            })
            .collect()
    }
}

/// A finding before it has a place among the events.
struct Found {
    logical_id: String,
    name: String,
    reason: String,
    path: String,
    fails: bool,
}

/// What the schema of a resource's type does not take: properties that it does not know or that are missing.
fn property_findings(id: &str, resource: &Value) -> Vec<Found> {
    let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
    let Ok(facts) = formwork_schema::type_for(kind) else { return Vec::new() };
    if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" {
        return Vec::new();
    }
    let none = Value::Object(serde_json::Map::new());
    let properties = resource.get("Properties").unwrap_or(&none);
    formwork_schema::check_resource(facts, properties, &formwork_schema::Context::default())
        .into_iter()
        .filter(|finding| {
            finding.severity == formwork_assembly::Severity::Error
                && matches!(finding.rule, "unknown-property" | "missing-required")
                && !is_free(facts, &finding.pointer)
        })
        .map(|finding| Found {
            logical_id: id.to_owned(),
            name: "AWS::EarlyValidation::PropertyValidation".to_owned(),
            reason: finding.message,
            path: format!("/Resources/{id}/Properties{}", finding.pointer),
            fails: true,
        })
        .collect()
}

/// Whether a place is in a property that takes any JSON, such as a policy document: CloudFormation does not look into it.
fn is_free(facts: &formwork_schema::ResourceType, pointer: &str) -> bool {
    let property = pointer.split('/').nth(1).and_then(|name| facts.property(name));
    property.is_some_and(|it| matches!(it.shape(), formwork_schema::Shape::Json))
        || pointer.contains("PolicyDocument")
}
