//! Answers: what the world knows as the elements of the API. A member that has no value is left out.

use jiff::Timestamp;

use crate::api::{Content, Element};
use crate::cloudformation::World;
use crate::cloudformation::state::{ChangeSet, Event, HookEvent, Revision, Stack, StackKey};
use crate::cloudformation::status::StackStatus;

mod change_sets;
mod resources;

pub(super) use change_sets::{change, change_set, change_set_summary};
pub(super) use resources::{resource, resource_detail, resource_summary};

/// A time with milliseconds, as the API writes it.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn optional(name: &str, value: Option<&str>) -> Option<Element> {
    value.map(|text| Element::text(name, text))
}

fn texts(name: &str, items: &[String]) -> Element {
    Element::list(name, items.iter().map(|it| Content::Text(it.clone())))
}

fn tags(revision: Option<&Revision>) -> Element {
    let tags = revision.map(|it| &it.tags).into_iter().flatten();
    Element::list(
        "Tags",
        tags.map(|(key, value)| {
            Content::Elements(vec![Element::text("Key", key), Element::text("Value", value)])
        }),
    )
}

fn parameters(revision: Option<&Revision>) -> Element {
    let values = revision.map(|it| &it.values).into_iter().flatten();
    Element::list(
        "Parameters",
        values.map(|(name, value)| {
            let mut parts =
                vec![Element::text("ParameterKey", name), Element::text("ParameterValue", value.shown())];
            parts.extend(optional("ResolvedValue", value.resolved.as_deref().filter(|_| !value.no_echo)));
            Content::Elements(parts)
        }),
    )
}

fn rollback(revision: Option<&Revision>) -> Element {
    let Some(configuration) = revision.map(|it| &it.rollback) else {
        return Element::of("RollbackConfiguration", []);
    };
    let triggers = configuration
        .triggers
        .iter()
        .map(|(arn, kind)| Content::Elements(vec![Element::text("Arn", arn), Element::text("Type", kind)]));
    let mut parts = vec![Element::list("RollbackTriggers", triggers)];
    parts.extend(configuration.minutes.map(|it| Element::text("MonitoringTimeInMinutes", it.to_string())));
    Element::of("RollbackConfiguration", parts)
}

fn drift_information(stack: &Stack) -> Element {
    let (status, at) = match &stack.drift {
        Some((status, at)) => (status.as_str(), Some(*at)),
        None => ("NOT_CHECKED", None),
    };
    let mut parts = vec![Element::text("StackDriftStatus", status)];
    parts.extend(at.map(|at| Element::text("LastCheckTimestamp", time(at))));
    Element::of("DriftInformation", parts)
}

fn last_operations(stack: &Stack) -> Option<Element> {
    let operations = stack.last_operations.iter().map(|(kind, id)| {
        Content::Elements(vec![Element::text("OperationType", *kind), Element::text("OperationId", id)])
    });
    (!stack.last_operations.is_empty()).then(|| Element::list("LastOperations", operations))
}

fn family(world: &World, stack: &Stack) -> Vec<Element> {
    let Some((parent, _)) = &stack.parent else { return Vec::new() };
    let mut root = *parent;
    while let Some((above, _)) = &world.stacks[root].parent {
        root = *above;
    }
    vec![
        Element::text("ParentId", &world.stacks[*parent].id),
        Element::text("RootId", &world.stacks[root].id),
    ]
}

/// A stack as `DescribeStacks` tells it.
pub(super) fn stack(world: &World, key: StackKey) -> Vec<Element> {
    let stack = &world.stacks[key];
    let revision = stack.revision.as_deref();
    let review = stack.status == StackStatus::ReviewInProgress;
    let mut parts = vec![Element::text("StackId", &stack.id), Element::text("StackName", &stack.name)];
    parts.extend(optional("ChangeSetId", stack.change_set_id.as_deref()));
    parts.extend(optional("Description", revision.and_then(|it| it.template.description())));
    parts.push(parameters(revision));
    parts.push(Element::text("CreationTime", time(stack.created)));
    parts.extend(stack.updated.map(|at| Element::text("LastUpdatedTime", time(at))));
    parts.extend(stack.deleted.map(|at| Element::text("DeletionTime", time(at))));
    parts.push(rollback(revision));
    parts.push(Element::text("StackStatus", stack.status.as_str()));
    parts.extend(optional("StackStatusReason", stack.reason.as_deref()));
    parts.push(Element::text("DisableRollback", stack.disable_rollback.to_string()));
    parts.push(texts("NotificationARNs", revision.map_or(&[], |it| &it.notification_arns)));
    parts.extend(stack.timeout_minutes.map(|it| Element::text("TimeoutInMinutes", it.to_string())));
    parts.push(texts("Capabilities", revision.map_or(&[], |it| &it.capabilities)));
    if !review {
        let outputs = stack.outputs.iter().map(|output| {
            let mut parts =
                vec![Element::text("OutputKey", &output.key), Element::text("OutputValue", &output.value)];
            parts.extend(optional("Description", output.description.as_deref()));
            parts.extend(optional("ExportName", output.export.as_deref()));
            Content::Elements(parts)
        });
        parts.push(Element::list("Outputs", outputs));
    }
    parts.extend(optional("RoleARN", revision.and_then(|it| it.role_arn.as_deref())));
    parts.push(tags(revision));
    parts.push(Element::text("EnableTerminationProtection", stack.termination_protection.to_string()));
    parts.extend(family(world, stack));
    parts.push(drift_information(stack));
    if stack.retain_except_on_create {
        parts.push(Element::text("RetainExceptOnCreate", "true"));
    }
    parts.extend(optional("DeletionMode", stack.deletion_mode.as_deref()));
    parts.extend(last_operations(stack));
    parts
}

/// A stack as `ListStacks` tells it.
pub(super) fn stack_summary(world: &World, key: StackKey) -> Vec<Element> {
    let stack = &world.stacks[key];
    let mut parts = vec![Element::text("StackId", &stack.id), Element::text("StackName", &stack.name)];
    let description = stack.revision.as_ref().and_then(|it| it.template.description());
    parts.extend(optional("TemplateDescription", description));
    parts.push(Element::text("CreationTime", time(stack.created)));
    parts.extend(stack.updated.map(|at| Element::text("LastUpdatedTime", time(at))));
    parts.extend(stack.deleted.map(|at| Element::text("DeletionTime", time(at))));
    parts.push(Element::text("StackStatus", stack.status.as_str()));
    parts.extend(optional("StackStatusReason", stack.reason.as_deref()));
    parts.extend(family(world, stack));
    parts.push(drift_information(stack));
    parts.extend(last_operations(stack));
    parts
}

/// An event as `DescribeStackEvents` tells it.
pub(super) fn event(stack: &Stack, event: &Event) -> Vec<Element> {
    let mut parts = vec![
        Element::text("StackId", &stack.id),
        Element::text("EventId", &event.id),
        Element::text("StackName", &stack.name),
    ];
    if !event.operation.is_empty() {
        parts.push(Element::text("OperationId", &event.operation));
    }
    parts.extend(event_body(event));
    parts
}

fn event_body(event: &Event) -> Vec<Element> {
    let mut parts = vec![
        Element::text("LogicalResourceId", &event.logical_id),
        Element::text("PhysicalResourceId", &event.physical_id),
        Element::text("ResourceType", &event.resource_type),
        Element::text("Timestamp", time(event.at)),
        Element::text("ResourceStatus", event.status),
    ];
    parts.extend(optional("ResourceStatusReason", event.reason.as_deref()));
    parts.extend(event.properties.as_ref().map(|it| Element::text("ResourceProperties", it.to_string())));
    parts.extend(optional("ClientRequestToken", event.token.as_deref()));
    parts.extend(optional("DetailedStatus", event.detailed_status));
    if let Some(hook) = &event.hook {
        parts.push(Element::text("HookType", &hook.hook));
        parts.push(Element::text("HookStatus", hook.status));
        parts.push(Element::text("HookStatusReason", &hook.reason));
        parts.push(Element::text("HookInvocationPoint", "PRE_PROVISION"));
        parts.push(Element::text("HookInvocationId", &event.id));
        parts.push(Element::text("HookFailureMode", hook.failure_mode));
    }
    parts
}

/// An event as `DescribeEvents` tells it.
pub(super) fn operation_event(stack: &Stack, event: &Event) -> Vec<Element> {
    let kind = match (&event.hook, event.physical_id == stack.id) {
        (Some(_), _) => "HOOK_INVOCATION_ERROR",
        (None, true) => "STACK_EVENT",
        (None, false) if event.status.ends_with("_FAILED") => "PROVISIONING_ERROR",
        (None, false) => "PROGRESS_EVENT",
    };
    let operation = stack.last_operations.iter().find(|(_, id)| *id == event.operation);
    let mut parts = vec![
        Element::text("EventId", &event.id),
        Element::text("StackId", &stack.id),
        Element::text("OperationId", &event.operation),
    ];
    parts.extend(operation.map(|(kind, _)| Element::text("OperationType", *kind)));
    parts.push(Element::text("EventType", kind));
    parts.extend(event_body(event));
    parts
}

/// What `DescribeEvents` tells of a change set.
pub(super) fn change_set_events(
    stack: &Stack,
    change_set: &ChangeSet,
    failed_only: bool,
) -> Vec<Vec<Element>> {
    let findings = change_set.findings.iter().filter(|it| it.fails || !failed_only);
    let mut events: Vec<Vec<Element>> = findings
        .map(|finding| {
            let mut parts = vec![
                Element::text("EventId", &finding.id),
                Element::text("StackId", &stack.id),
                Element::text("OperationId", &change_set.operation),
                Element::text("OperationType", "CREATE_CHANGESET"),
                Element::text("EventType", "VALIDATION_ERROR"),
                Element::text("LogicalResourceId", &finding.logical_id),
                Element::text("PhysicalResourceId", ""),
                Element::text("ResourceType", &finding.resource_type),
                Element::text("Timestamp", time(finding.at)),
                Element::text("ValidationFailureMode", if finding.fails { "FAIL" } else { "WARN" }),
                Element::text("ValidationName", finding.name.trim_start_matches("AWS::EarlyValidation::")),
                Element::text("ValidationStatus", "FAILED"),
                Element::text("ValidationStatusReason", &finding.reason),
                Element::text("ValidationPath", &finding.path),
            ];
            parts.extend(optional("ClientRequestToken", change_set.token.as_deref()));
            parts
        })
        .collect();
    if !failed_only || change_set.status == "FAILED" {
        let status = match change_set.status {
            "FAILED" => "FAILED",
            "CREATE_COMPLETE" => "SUCCEEDED",
            _ => "IN_PROGRESS",
        };
        events.push(vec![
            Element::text("EventId", format!("{}-status", change_set.operation)),
            Element::text("StackId", &stack.id),
            Element::text("OperationId", &change_set.operation),
            Element::text("OperationType", "CREATE_CHANGESET"),
            Element::text("OperationStatus", status),
            Element::text("EventType", "STACK_EVENT"),
            Element::text("Timestamp", time(change_set.created)),
            Element::text("StartTime", time(change_set.created)),
        ]);
    }
    events
}

/// The result of a hook.
pub(super) fn hook_result(event: &Event, hook: &HookEvent) -> Vec<Element> {
    vec![
        Element::text("HookResultId", &event.id),
        Element::text("InvocationPoint", "PRE_PROVISION"),
        Element::text("FailureMode", hook.failure_mode),
        Element::text("TypeName", &hook.hook),
        Element::text("Status", hook.status),
        Element::text("HookStatusReason", &hook.reason),
        Element::of(
            "Target",
            [
                Element::text("TargetType", "RESOURCE"),
                Element::text("TargetTypeName", &event.resource_type),
                Element::text("TargetId", &event.logical_id),
                Element::text("Action", "CREATE"),
            ],
        ),
    ]
}
