//! Stacks and change sets for tests.

use std::collections::BTreeMap;

use crate::aws::cloudformation::{ChangeSet, ChangeSetStatus, ExecutionStatus, Stack, StackStatus};

/// A stack with nothing in it.
pub(crate) fn stack(name: &str, status: StackStatus) -> Stack {
    Stack {
        id: format!("arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/1"),
        name: name.to_owned(),
        status,
        status_reason: None,
        created: None,
        updated: None,
        outputs: BTreeMap::new(),
        parameters: BTreeMap::new(),
        resolved_parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        notification_arns: Vec::new(),
        role_arn: None,
        termination_protection: false,
        parent_id: None,
        change_set_id: None,
    }
}

/// A change set that is ready and changes nothing.
pub(crate) fn change_set(name: &str) -> ChangeSet {
    ChangeSet {
        arn: format!("arn:aws:cloudformation:eu-west-1:111122223333:changeSet/{name}/1"),
        name: name.to_owned(),
        stack_id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1".to_owned(),
        stack_name: "shop".to_owned(),
        status: ChangeSetStatus::CreateComplete,
        execution_status: ExecutionStatus::Available,
        status_reason: None,
        changes: Vec::new(),
        parameters: BTreeMap::new(),
        resolved_parameters: BTreeMap::new(),
        created: None,
    }
}
