//! Keeps the change sets of a stack: adds them, makes them obsolete, deletes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cloudformation::operation::Engine;
use crate::cloudformation::state::{ChangeSet, Revision, StackKey};

impl Engine<'_> {
    /// Tells of a stack that is nothing yet but a place for change sets.
    pub(super) fn review(&mut self, key: StackKey) {
        let stack = &self.world.stacks[key];
        let (name, id) = (stack.name.clone(), stack.id.clone());
        self.stack(key).reason = Some("User Initiated".to_owned());
        self.event(
            key,
            &name,
            &id,
            "AWS::CloudFormation::Stack",
            "REVIEW_IN_PROGRESS",
            Some("User Initiated"),
            None,
        );
    }

    /// Adds a change set whose changes are not known yet.
    pub(super) fn new_change_set(
        &mut self,
        key: StackKey,
        name: &str,
        kind: &'static str,
        revision: Arc<Revision>,
    ) -> String {
        let (unique, operation) = (self.world.ids.uuid(), self.world.ids.uuid());
        let now = self.now;
        let stack = self.stack(key);
        let id = format!(
            "arn:{}:cloudformation:{}:{}:changeSet/{name}/{unique}",
            stack.partition, stack.region, stack.account
        );
        stack.change_sets.push(ChangeSet {
            id: id.clone(),
            name: name.to_owned(),
            kind,
            status: "CREATE_PENDING",
            execution_status: "UNAVAILABLE",
            reason: None,
            created: now,
            description: None,
            revision,
            changes: Vec::new(),
            imports: BTreeMap::new(),
            import_existing: false,
            include_nested: false,
            revert_drift: false,
            express: None,
            on_stack_failure: None,
            findings: Vec::new(),
            operation,
            token: None,
            parent: None,
            root: None,
            nested: BTreeMap::new(),
        });
        self.world.index_change_set(&id, key);
        id
    }

    /// Another change set of the stack is executed: the others are not valid any more.
    pub(super) fn obsolete(&mut self, key: StackKey, executed: &str) {
        for change_set in &mut self.stack(key).change_sets {
            if change_set.id == executed {
                change_set.execution_status = "EXECUTE_IN_PROGRESS";
            } else if change_set.execution_status == "AVAILABLE" {
                change_set.execution_status = "OBSOLETE";
            }
        }
    }

    /// Deletes a change set and those of nested stacks that belong to it.
    pub(super) fn delete_change_sets(&mut self, key: StackKey, index: usize) {
        let change_set = &mut self.stack(key).change_sets[index];
        change_set.status = "DELETE_COMPLETE";
        change_set.execution_status = "UNAVAILABLE";
        let nested = std::mem::take(&mut change_set.nested);
        for (child, id) in nested.into_values() {
            if let Some(index) = self.world.stacks[child].change_sets.iter().position(|it| it.id == id) {
                self.delete_change_sets(child, index);
            }
        }
    }
}
