//! The SDK's answers as the engine's own types.
//!
//! What lacks its name or id is left out: every field of the SDK is optional, and nothing can be done with a thing that
//! cannot be named. Words that the SDK does not know yet come through as they are.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::Value;

use super::model::*;
use super::status::ExecutionStatus;

fn time(time: Option<DateTime>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

pub(super) fn stack(from: types::Stack) -> Option<Stack> {
    let name = from.stack_name?;
    let mut stack = Stack {
        // Emulators leave the id out; the name is as good while the stack is there.
        id: from.stack_id.unwrap_or_else(|| name.clone()),
        name,
        status: from.stack_status?.as_str().into(),
        status_reason: from.stack_status_reason,
        created: time(from.creation_time),
        updated: time(from.last_updated_time),
        outputs: from.outputs.unwrap_or_default().into_iter().filter_map(output).collect(),
        parameters: BTreeMap::new(),
        resolved_parameters: BTreeMap::new(),
        tags: from
            .tags
            .unwrap_or_default()
            .into_iter()
            .filter_map(|tag| Some((tag.key?, tag.value?)))
            .collect(),
        notification_arns: from.notification_arns.unwrap_or_default(),
        role_arn: from.role_arn,
        termination_protection: from.enable_termination_protection.unwrap_or(false),
        parent_id: from.parent_id,
        change_set_id: from.change_set_id,
        rollback: from.rollback_configuration.map(|from| RollbackConfiguration {
            alarm_arns: from
                .rollback_triggers
                .unwrap_or_default()
                .into_iter()
                .filter_map(|trigger| trigger.arn)
                .collect(),
            monitoring_minutes: from
                .monitoring_time_in_minutes
                .and_then(|minutes| u32::try_from(minutes).ok())
                .unwrap_or_default(),
        }),
    };
    parameters(from.parameters, &mut stack.parameters, &mut stack.resolved_parameters);
    Some(stack)
}

fn output(from: types::Output) -> Option<(String, Output)> {
    let value = from.output_value.unwrap_or_default();
    Some((from.output_key?, Output { value, description: from.description, export_name: from.export_name }))
}

fn parameters(
    from: Option<Vec<types::Parameter>>,
    values: &mut BTreeMap<String, String>,
    resolved: &mut BTreeMap<String, String>,
) {
    for parameter in from.unwrap_or_default() {
        let Some(name) = parameter.parameter_key else { continue };
        if let Some(value) = parameter.resolved_value {
            resolved.insert(name.clone(), value);
        }
        if let Some(value) = parameter.parameter_value {
            values.insert(name, value);
        }
    }
}

pub(super) fn stack_summary(from: types::StackSummary) -> Option<StackSummary> {
    let name = from.stack_name?;
    Some(StackSummary {
        id: from.stack_id.unwrap_or_else(|| name.clone()),
        name,
        status: from.stack_status?.as_str().into(),
        status_reason: from.stack_status_reason,
        parent_id: from.parent_id,
    })
}

pub(super) fn event(from: types::StackEvent) -> Option<StackEvent> {
    Some(StackEvent {
        id: from.event_id?,
        stack_id: from.stack_id?,
        timestamp: time(from.timestamp)?,
        logical_id: from.logical_resource_id?,
        physical_id: from.physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: from.resource_type.unwrap_or_default(),
        status: from.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        // A hook that stops a resource says why in a field of its own.
        reason: from.resource_status_reason.or(from.hook_status_reason),
        token: from.client_request_token,
        detailed_status: from.detailed_status.map(|status| status.as_str().to_owned()),
    })
}

pub(super) fn finding(from: types::OperationEvent) -> Option<OperationFinding> {
    let reason = from.validation_status_reason.or(from.hook_status_reason).or(from.resource_status_reason);
    let mode = from.validation_failure_mode.or(from.hook_failure_mode);
    Some(OperationFinding {
        kind: from.event_type?.as_str().to_owned(),
        logical_id: from.logical_resource_id,
        resource_type: from.resource_type,
        validation: from.validation_name.or(from.hook_type),
        failure_mode: mode.map(|mode| mode.as_str().to_owned()),
        path: from.validation_path,
        reason: reason.unwrap_or_default(),
    })
}

pub(super) fn resource(from: types::StackResourceSummary) -> Option<StackResource> {
    Some(StackResource {
        logical_id: from.logical_resource_id?,
        physical_id: from.physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: from.resource_type.unwrap_or_default(),
        status: from.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: from.resource_status_reason,
        drift: from
            .drift_information
            .and_then(|drift| drift.stack_resource_drift_status)
            .map(|word| word.as_str().to_owned()),
    })
}

pub(super) fn export(from: types::Export) -> Option<Export> {
    let stack_id = from.exporting_stack_id.unwrap_or_default();
    Some(Export { name: from.name?, value: from.value.unwrap_or_default(), stack_id })
}

pub(super) fn change_set(from: DescribeChangeSetOutput) -> Option<ChangeSet> {
    let name = from.change_set_name.unwrap_or_default();
    let stack_name = from.stack_name.unwrap_or_default();
    let mut change_set = ChangeSet {
        arn: from.change_set_id?,
        name,
        stack_id: from.stack_id.unwrap_or_else(|| stack_name.clone()),
        stack_name,
        status: from.status?.as_str().into(),
        // Some emulators leave it out.
        execution_status: from
            .execution_status
            .map_or(ExecutionStatus::Unavailable, |status| status.as_str().into()),
        status_reason: from.status_reason,
        changes: from.changes.unwrap_or_default().into_iter().filter_map(change).collect(),
        parameters: BTreeMap::new(),
        resolved_parameters: BTreeMap::new(),
        created: time(from.creation_time),
    };
    parameters(from.parameters, &mut change_set.parameters, &mut change_set.resolved_parameters);
    Some(change_set)
}

pub(super) fn change_set_summary(from: types::ChangeSetSummary) -> Option<ChangeSet> {
    let stack_name = from.stack_name.unwrap_or_default();
    Some(ChangeSet {
        arn: from.change_set_id?,
        name: from.change_set_name.unwrap_or_default(),
        stack_id: from.stack_id.unwrap_or_else(|| stack_name.clone()),
        stack_name,
        status: from.status?.as_str().into(),
        execution_status: from
            .execution_status
            .map_or(ExecutionStatus::Unavailable, |status| status.as_str().into()),
        status_reason: from.status_reason,
        changes: Vec::new(),
        parameters: BTreeMap::new(),
        resolved_parameters: BTreeMap::new(),
        created: time(from.creation_time),
    })
}

fn change(from: types::Change) -> Option<ResourceChange> {
    let from = from.resource_change?;
    Some(ResourceChange {
        action: from.action?.as_str().into(),
        logical_id: from.logical_resource_id?,
        physical_id: from.physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: from.resource_type.unwrap_or_default(),
        replacement: from.replacement.map(|word| word.as_str().into()),
        policy_action: from.policy_action.map(|word| word.as_str().to_owned()),
        scope: from.scope.unwrap_or_default().iter().map(|word| word.as_str().to_owned()).collect(),
        details: from.details.unwrap_or_default().into_iter().filter_map(detail).collect(),
        nested_change_set: from.change_set_id,
        drift: from.resource_drift_status.map(|word| word.as_str().to_owned()),
    })
}

fn detail(from: types::ResourceChangeDetail) -> Option<ChangeDetail> {
    let target = from.target?;
    let source = from.change_source.map(|word| word.as_str().to_owned());
    Some(ChangeDetail {
        attribute: target.attribute.map(|word| word.as_str().to_owned()).unwrap_or_default(),
        name: target.name,
        path: target.path,
        recreation: target.requires_recreation.map(|word| word.as_str().to_owned()),
        before: target.before_value,
        after: target.after_value,
        // Without an entity the kind of source is all that there is: `DirectModification`, `Automatic`.
        cause: from.causing_entity.or(source),
    })
}

pub(super) fn drift(from: types::StackResourceDrift) -> Option<ResourceDrift> {
    let differences = from.property_differences.unwrap_or_default();
    Some(ResourceDrift {
        logical_id: from.logical_resource_id?,
        physical_id: from.physical_resource_id,
        resource_type: from.resource_type.unwrap_or_default(),
        status: from.stack_resource_drift_status.map(|word| word.as_str().to_owned()).unwrap_or_default(),
        reason: from.drift_status_reason,
        expected: value(from.expected_properties),
        actual: value(from.actual_properties),
        differences: differences.into_iter().filter_map(difference).collect(),
    })
}

fn difference(from: types::PropertyDifference) -> Option<PropertyDifference> {
    Some(PropertyDifference {
        path: from.property_path?,
        expected: value(from.expected_value),
        actual: value(from.actual_value),
        kind: from.difference_type.map(|word| word.as_str().to_owned()).unwrap_or_default(),
    })
}

/// Values come as JSON texts, and plain strings without quotes.
fn value(text: Option<String>) -> Value {
    match text {
        None => Value::Null,
        Some(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

/// Puts a description without values, which has every change, together with one with values, which may lack some. A
/// change that both have keeps its values.
pub(super) fn complete(described: &mut ChangeSet, whole: ChangeSet) {
    let mut with_values = std::mem::take(&mut described.changes);
    for change in whole.changes {
        let at = with_values
            .iter()
            .position(|known| known.logical_id == change.logical_id && known.action == change.action);
        let mut merged = match at {
            Some(at) => with_values.remove(at),
            None => {
                described.changes.push(change);
                continue;
            }
        };
        for detail in change.details {
            let known = merged.details.iter().any(|known| {
                (&known.attribute, &known.name, &known.path)
                    == (&detail.attribute, &detail.name, &detail.path)
                    || (known.attribute == detail.attribute
                        && known.name == detail.name
                        && detail.path.is_none())
            });
            if !known {
                merged.details.push(detail);
            }
        }
        merged.replacement = merged.replacement.or(change.replacement);
        merged.policy_action = merged.policy_action.or(change.policy_action);
        described.changes.push(merged);
    }
    // What only the description with values has is no less true.
    described.changes.extend(with_values);
}
