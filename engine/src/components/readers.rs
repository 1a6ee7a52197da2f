//! Reads the components of one stack, each from the service that has it.

mod network;
mod platform;
mod serving;

use futures_util::future::{BoxFuture, join_all};

use super::survey::Found;
use super::{Component, ComponentKind, Health, Ownership, StackHealth, addresses, words};
use crate::aws::cloudformation::{Stack, StackResource};
use crate::aws::{Error, ErrorKind, Session};
use crate::plan::owner::{Owner, owner};

/// How a stack and its components are.
pub(super) async fn stack(found: &Found) -> StackHealth {
    let located = &found.located;
    let mut told = StackHealth {
        id: located.id.clone(),
        name: located.name.clone(),
        account: located.environment.account.clone(),
        region: located.environment.region.clone(),
        status: None,
        reason: None,
        health: Health::Absent,
        owner: None,
        changed: None,
        unknown: None,
        components: Vec::new(),
    };
    let stack = match &found.stack {
        Ok(Some(stack)) => stack,
        Ok(None) => return told,
        Err(error) => {
            told.health = Health::Unknown;
            told.unknown = Some(why(error));
            return told;
        }
    };
    told.health = words::stack(&stack.status);
    told.status = Some(stack.status.clone());
    told.reason.clone_from(&stack.status_reason);
    told.changed = stack.updated.or(stack.created);
    told.owner = Some(match owner(stack, &located.id, &[]) {
        Owner::Us => Ownership::Ours,
        Owner::Another(_) => Ownership::Another,
        Owner::Nobody => Ownership::Nobody,
    });
    told.unknown = found.resources.as_ref().err().map(why);
    told.components = components(found, stack).await;
    told
}

/// Why something is not known, in words.
fn why(error: &Error) -> String {
    match error.kind {
        ErrorKind::Denied => format!("cannot tell: {} is denied", error.operation),
        _ => format!("cannot tell: {}: {}", error.operation, error.message),
    }
}

async fn components(found: &Found, stack: &Stack) -> Vec<Component> {
    let session = &found.located.session;
    let mut asked: Vec<BoxFuture<'_, Option<Component>>> = vec![
        Box::pin(network::several(session, found, ComponentKind::NatGateways, "AWS::EC2::NatGateway")),
        Box::pin(network::several(session, found, ComponentKind::Endpoints, "AWS::EC2::VPCEndpoint")),
    ];
    for resource in found.resources.as_deref().unwrap_or_default() {
        let Some(id) = resource.physical_id.as_deref() else { continue };
        let one: BoxFuture<'_, Component> = match resource.resource_type.as_str() {
            "AWS::EC2::VPC" => Box::pin(network::vpc(session, resource, id)),
            "AWS::SageMaker::Domain" => Box::pin(platform::domain(session, resource, id)),
            "AWS::SageMaker::MlflowTrackingServer" => {
                Box::pin(platform::server(session, stack, resource, id))
            }
            "AWS::SageMaker::MlflowApp" => Box::pin(platform::app(session, stack, resource, id)),
            kind if is_custom_app(kind) => {
                Box::pin(platform::app(session, stack, resource, custom_arn(stack, id)))
            }
            "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
                Box::pin(serving::balancer(session, stack, resource, id))
            }
            "AWS::ElasticLoadBalancingV2::TargetGroup" => Box::pin(serving::targets(session, resource, id)),
            "AWS::AutoScaling::AutoScalingGroup" => Box::pin(serving::group(session, stack, resource, id)),
            "AWS::EC2::Instance" => Box::pin(serving::instance(session, stack, resource, id)),
            "AWS::S3::Bucket" => Box::pin(bucket(session, resource, id)),
            _ => continue,
        };
        asked.push(Box::pin(async { Some(one.await) }));
    }
    let mut components: Vec<Component> = join_all(asked).await.into_iter().flatten().collect();
    components.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    components
}

/// Whether a custom resource makes an app of MLflow, by the name that its author gave to its type.
pub(crate) fn is_custom_app(resource_type: &str) -> bool {
    resource_type.strip_prefix("Custom::").is_some_and(|name| name.to_ascii_lowercase().contains("mlflowapp"))
}

/// The ARN of an app that a custom resource made: the handler gives it as the physical id; others leave it to an output.
pub(crate) fn custom_arn<'s>(stack: &'s Stack, id: &'s str) -> &'s str {
    if id.contains(":mlflow-app/") { id } else { addresses::app_arn(stack).unwrap_or(id) }
}

/// A component of which nothing but its id is known.
fn blank(kind: ComponentKind, resource: &StackResource, id: &str) -> Component {
    Component {
        kind,
        name: id.rsplit(['/', ':']).next().unwrap_or(id).to_owned(),
        logical_id: resource.logical_id.clone(),
        physical_id: id.to_owned(),
        state: None,
        health: Health::Unknown,
        url: None,
        version: None,
        detail: None,
    }
}

/// A component that could not be read: one that is gone is not healthy, of another nothing is known.
fn unread(blank: Component, error: &Error) -> Component {
    match error.kind {
        ErrorKind::NotFound => gone(blank),
        _ => Component { detail: Some(why(error)), ..blank },
    }
}

fn gone(blank: Component) -> Component {
    let detail = Some("the stack made it, and it is gone".to_owned());
    Component { state: Some("missing".to_owned()), health: Health::Unhealthy, detail, ..blank }
}

async fn bucket(session: &Session, resource: &StackResource, name: &str) -> Component {
    let blank = blank(ComponentKind::Bucket, resource, name);
    match session.storage().bucket(name).await {
        Err(error) => unread(blank, &error),
        Ok(facts) => Component {
            state: Some("exists".to_owned()),
            health: Health::Healthy,
            detail: facts.versioned.then(|| "versioned".to_owned()),
            ..blank
        },
    }
}
