//! Change sets of nested stacks, which belong to the change set of the stack above them.

use std::sync::Arc;

use serde_json::Value;

use crate::cloudformation::operation::Engine;
use crate::cloudformation::operation::lookup::with_scope;
use crate::cloudformation::operation::resources::{NESTED, evaluate_properties};
use crate::cloudformation::state::{Change, ChangeSet, StackKey, StackResource};

impl Engine<'_> {
    /// Makes the change sets of the nested stacks that the change set touches.
    pub(super) fn nested_change_sets(
        &mut self,
        key: StackKey,
        change_set: &ChangeSet,
        changes: &mut Vec<Change>,
    ) -> Result<(), String> {
        let root = change_set.root.clone().unwrap_or_else(|| change_set.id.clone());
        let existing: Vec<(String, StackResource)> = self.world.stacks[key]
            .resources
            .iter()
            .filter(|(id, it)| it.resource_type == NESTED && it.exists() && change_set.revision.wants(id))
            .map(|(id, it)| (id.clone(), it.clone()))
            .collect();
        for (id, resource) in existing {
            let Some(child) = resource.nested else { continue };
            let declaration = change_set.revision.template.resource(&id).cloned().unwrap_or(Value::Null);
            let none = std::collections::BTreeSet::new();
            let properties =
                with_scope(self.world, &*self.around, key, &change_set.revision, Some(&none), |scope| {
                    evaluate_properties(scope, &declaration)
                })?;
            let wanted = StackResource { properties: Arc::new(properties), ..resource.clone() };
            let nested_id = {
                let revision = self.nested_revision(key, child, &wanted).map_err(|reason| {
                    format!("Nested change set for {id} was not successfully created: {reason}")
                })?;
                let name = format!("{}-{id}", change_set.name);
                let nested_id = self.new_change_set(child, &name, "UPDATE", Arc::new(revision));
                if let Some(nested) = self.stack(child).change_sets.last_mut() {
                    nested.parent = Some(change_set.id.clone());
                    nested.root = Some(root.clone());
                    nested.include_nested = true;
                }
                self.finish_change_set(child, &nested_id);
                nested_id
            };
            let made = self.world.stacks[child].change_sets.last().cloned();
            let Some(made) = made else { continue };
            if made.status == "FAILED" && made.reason.as_deref() != Some(super::making::NO_CHANGES) {
                let reason = made.reason.unwrap_or_default();
                return Err(format!(
                    "Nested change set {nested_id} was not successfully created: Currently in FAILED. {reason}"
                ));
            }
            if let Some(own) = self.stack(key).change_sets.iter_mut().find(|it| it.id == change_set.id) {
                own.nested.insert(id.clone(), (child, nested_id.clone()));
            }
            let changed = made.status != "FAILED";
            match changes.iter_mut().find(|it| it.logical_id == id) {
                Some(change) => change.change_set_id = Some(nested_id),
                None if changed => changes.push(Change {
                    action: "Modify",
                    logical_id: id,
                    physical_id: resource.physical_id.clone(),
                    resource_type: NESTED.to_owned(),
                    replacement: Some("False"),
                    policy_action: None,
                    scope: vec!["Properties"],
                    details: Vec::new(),
                    before: None,
                    after: None,
                    change_set_id: Some(nested_id),
                    drift: None,
                }),
                None => {}
            }
        }
        changes.sort_by(|left, right| left.logical_id.cmp(&right.logical_id));
        Ok(())
    }
}
