//! Change sets as the API tells them.

use jiff::Timestamp;

use super::{optional, parameters, rollback, tags, texts, time};
use crate::api::{Content, Element};
use crate::cloudformation::state::{Change, ChangeSet, Detail, Stack};

/// How a change set stands; one that is in the making says so only after a moment.
fn status(change_set: &ChangeSet, now: Timestamp) -> &'static str {
    let begun = now.duration_since(change_set.created).as_millis() >= 500;
    if change_set.status == "CREATE_PENDING" && begun { "CREATE_IN_PROGRESS" } else { change_set.status }
}

/// A change set as `DescribeChangeSet` tells it, without its changes.
pub(in crate::cloudformation::actions) fn change_set(
    stack: &Stack,
    change_set: &ChangeSet,
    now: Timestamp,
) -> Vec<Element> {
    let revision = Some(&*change_set.revision);
    let mut parts = vec![
        Element::text("ChangeSetName", &change_set.name),
        Element::text("ChangeSetId", &change_set.id),
        Element::text("StackId", &stack.id),
        Element::text("StackName", &stack.name),
    ];
    parts.extend(optional("Description", change_set.description.as_deref()));
    parts.push(parameters(revision));
    parts.push(Element::text("CreationTime", time(change_set.created)));
    parts.push(Element::text("ExecutionStatus", change_set.execution_status));
    parts.push(Element::text("Status", status(change_set, now)));
    parts.extend(optional("StatusReason", change_set.reason.as_deref()));
    parts.push(texts("NotificationARNs", &change_set.revision.notification_arns));
    parts.push(rollback(revision));
    parts.push(texts("Capabilities", &change_set.revision.capabilities));
    parts.push(tags(revision));
    parts.push(Element::text("IncludeNestedStacks", change_set.include_nested.to_string()));
    parts.extend(optional("ParentChangeSetId", change_set.parent.as_deref()));
    parts.extend(optional("RootChangeSetId", change_set.root.as_deref()));
    parts.extend(optional("OnStackFailure", change_set.on_stack_failure.as_deref()));
    if change_set.import_existing {
        parts.push(Element::text("ImportExistingResources", "true"));
    }
    if change_set.revert_drift {
        parts.push(Element::text("DeploymentMode", "REVERT_DRIFT"));
    }
    parts
}

/// A change set as `ListChangeSets` tells it.
pub(in crate::cloudformation::actions) fn change_set_summary(
    stack: &Stack,
    change_set: &ChangeSet,
) -> Vec<Element> {
    let mut parts = vec![
        Element::text("StackId", &stack.id),
        Element::text("StackName", &stack.name),
        Element::text("ChangeSetId", &change_set.id),
        Element::text("ChangeSetName", &change_set.name),
        Element::text("ExecutionStatus", change_set.execution_status),
        Element::text("Status", change_set.status),
    ];
    parts.extend(optional("StatusReason", change_set.reason.as_deref()));
    parts.push(Element::text("CreationTime", time(change_set.created)));
    parts.extend(optional("Description", change_set.description.as_deref()));
    parts.push(Element::text("IncludeNestedStacks", change_set.include_nested.to_string()));
    parts.extend(optional("ParentChangeSetId", change_set.parent.as_deref()));
    parts.extend(optional("RootChangeSetId", change_set.root.as_deref()));
    parts
}

/// A change of a resource, with the values of its properties on request.
pub(in crate::cloudformation::actions) fn change(change: &Change, values: bool) -> Element {
    let mut parts = Vec::new();
    parts.extend(optional("PolicyAction", change.policy_action));
    parts.push(Element::text("Action", change.action));
    parts.push(Element::text("LogicalResourceId", &change.logical_id));
    parts.extend(optional("PhysicalResourceId", change.physical_id.as_deref()));
    parts.push(Element::text("ResourceType", &change.resource_type));
    parts.extend(optional("Replacement", change.replacement));
    parts.push(Element::list("Scope", change.scope.iter().map(|it| Content::Text((*it).to_owned()))));
    parts.extend(optional("ResourceDriftStatus", change.drift));
    let mut details: Vec<Content> = Vec::new();
    for one in &change.details {
        let content = detail(one, values);
        // Without values, the API tells of a property once.
        if values || !details.contains(&content) {
            details.push(content);
        }
    }
    parts.push(Element::list("Details", details));
    parts.extend(optional("ChangeSetId", change.change_set_id.as_deref()));
    if values {
        parts.extend(optional("BeforeContext", change.before.as_deref()));
        parts.extend(optional("AfterContext", change.after.as_deref()));
    }
    Element::of("ResourceChange", parts)
}

fn detail(detail: &Detail, values: bool) -> Content {
    let mut target = vec![Element::text("Attribute", detail.attribute)];
    target.extend(optional("Name", detail.name.as_deref()));
    if !detail.recreation.is_empty() {
        target.push(Element::text("RequiresRecreation", detail.recreation));
    }
    if values && !detail.path.is_empty() {
        target.push(Element::text("Path", &detail.path));
        target.extend(optional("BeforeValue", detail.before.as_deref()));
        target.extend(optional("AfterValue", detail.after.as_deref()));
        target.push(Element::text(
            "AttributeChangeType",
            match (&detail.before, &detail.after) {
                (before, after) if detail.actual.is_some() && before == after => "SyncWithActual",
                (None, _) => "Add",
                (_, None) => "Remove",
                _ => "Modify",
            },
        ));
    }
    if let Some(actual) = &detail.actual {
        target.push(Element::text("BeforeValueFrom", "ACTUAL_STATE"));
        target.push(Element::text("AfterValueFrom", "TEMPLATE"));
        target.push(Element::of("Drift", [Element::text("ActualValue", actual)]));
    }
    let mut parts = vec![
        Element::of("Target", target),
        Element::text("Evaluation", detail.evaluation),
        Element::text("ChangeSource", detail.source),
    ];
    parts.extend(optional("CausingEntity", detail.cause.as_deref()));
    Content::Elements(parts)
}
