//! Resources as the API tells them.

use super::{optional, time};
use crate::api::Element;
use crate::cloudformation::state::{Stack, StackResource};

fn resource_drift(resource: &StackResource) -> Element {
    let (status, at) = match resource.drift {
        Some((status, at)) => (status, Some(at)),
        None => ("NOT_CHECKED", None),
    };
    let mut parts = vec![Element::text("StackResourceDriftStatus", status)];
    parts.extend(at.map(|at| Element::text("LastCheckTimestamp", time(at))));
    Element::of("DriftInformation", parts)
}

fn resource_body(id: &str, resource: &StackResource, time_name: &str) -> Vec<Element> {
    let mut parts = vec![Element::text("LogicalResourceId", id)];
    parts.extend(optional("PhysicalResourceId", resource.physical_id.as_deref()));
    parts.push(Element::text("ResourceType", &resource.resource_type));
    parts.push(Element::text(time_name, time(resource.at)));
    parts.push(Element::text("ResourceStatus", resource.status));
    parts.extend(optional("ResourceStatusReason", resource.reason.as_deref()));
    parts.push(resource_drift(resource));
    parts
}

/// A resource as `ListStackResources` tells it.
pub(in crate::cloudformation::actions) fn resource_summary(
    id: &str,
    resource: &StackResource,
) -> Vec<Element> {
    resource_body(id, resource, "LastUpdatedTimestamp")
}

/// A resource as `DescribeStackResources` tells it.
pub(in crate::cloudformation::actions) fn resource(
    stack: &Stack,
    id: &str,
    resource: &StackResource,
) -> Vec<Element> {
    let mut parts = vec![Element::text("StackName", &stack.name), Element::text("StackId", &stack.id)];
    parts.extend(resource_body(id, resource, "Timestamp"));
    parts
}

/// A resource as `DescribeStackResource` tells it.
pub(in crate::cloudformation::actions) fn resource_detail(
    stack: &Stack,
    id: &str,
    resource: &StackResource,
) -> Vec<Element> {
    let mut parts = vec![Element::text("StackName", &stack.name), Element::text("StackId", &stack.id)];
    parts.extend(resource_body(id, resource, "LastUpdatedTimestamp"));
    let metadata = resource.declaration.get("Metadata").map_or_else(|| "{}".to_owned(), ToString::to_string);
    parts.push(Element::text("Metadata", metadata));
    parts
}
