//! What serves the proxy: the load balancer, what stands behind it, and the instances.

use super::super::services::{balancing, compute};
use super::super::{Component, ComponentKind, Health, addresses, words};
use super::{blank, gone, unread};
use crate::aws::Session;
use crate::aws::cloudformation::{Stack, StackResource};

/// The parameter in which the stack of the proxy has the SHA-256 of its binary.
const BINARY: &str = "ProxyBinarySha256";

pub(super) async fn balancer(
    session: &Session,
    stack: &Stack,
    resource: &StackResource,
    arn: &str,
) -> Component {
    let mut blank = blank(ComponentKind::LoadBalancer, resource, arn);
    blank.name = arn.rsplit('/').nth(1).unwrap_or(arn).to_owned();
    let found = match balancing::balancer(session, arn).await {
        Err(error) => return unread(blank, &error),
        Ok(found) => found,
    };
    let url = match addresses::proxy(stack, &found.dns_name) {
        Some(url) => Some(url),
        // Without an output the listeners tell the protocol; without them it is not known.
        None => balancing::listeners(session, arn).await.ok().and_then(|listeners| {
            let (protocol, port) = listeners.iter().max_by_key(|(protocol, _)| protocol == "HTTPS")?;
            let scheme = protocol.to_ascii_lowercase();
            let usual = matches!((scheme.as_str(), port.as_str()), ("http", "80") | ("https", "443"));
            let port = if usual { String::new() } else { format!(":{port}") };
            Some(format!("{scheme}://{}{port}", found.dns_name))
        }),
    };
    Component {
        health: words::balancer(&found.state),
        state: Some(found.state),
        url,
        detail: found.reason.or(Some(found.scheme)),
        ..blank
    }
}

pub(super) async fn targets(session: &Session, resource: &StackResource, arn: &str) -> Component {
    let mut blank = blank(ComponentKind::Targets, resource, arn);
    blank.name = arn.rsplit('/').nth(1).unwrap_or(arn).to_owned();
    let found = match balancing::targets(session, arn).await {
        Err(error) => return unread(blank, &error),
        Ok(found) => found,
    };
    let healths = || found.iter().map(|target| words::target(&target.state));
    let good = healths().filter(|health| *health == Health::Healthy).count();
    let others: Vec<String> = found
        .iter()
        .filter(|target| words::target(&target.state) != Health::Healthy)
        .map(|target| {
            let reason = target.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{} is {}{reason}", target.id, target.state)
        })
        .collect();
    Component {
        state: Some(format!("{good} of {} healthy", found.len())),
        // Behind an empty group nobody answers.
        health: healths().max().unwrap_or(Health::Unhealthy),
        detail: (!others.is_empty()).then(|| others.join(", ")),
        ..blank
    }
}

fn binary_version(stack: &Stack) -> Option<String> {
    let digest = stack.parameters.get(BINARY)?;
    Some(format!("binary {}", digest.get(..12)?))
}

pub(super) async fn group(
    session: &Session,
    stack: &Stack,
    resource: &StackResource,
    name: &str,
) -> Component {
    let blank = blank(ComponentKind::Instances, resource, name);
    let found = match compute::group(session, name).await {
        Err(error) => return unread(blank, &error),
        Ok(None) => return gone(blank),
        Ok(Some(found)) => found,
    };
    let serves = |member: &&compute::Member| member.life == "InService" && member.health == "Healthy";
    let good = found.members.iter().filter(serves).count();
    let ids: Vec<&str> = found.members.iter().map(|member| member.id.as_str()).collect();
    let health = match good {
        0 if found.desired > 0 => Health::Unhealthy,
        _ if good < found.desired => Health::Changing,
        _ => Health::Healthy,
    };
    Component {
        state: Some(format!("{good} of {} in service", found.desired)),
        health,
        version: binary_version(stack),
        detail: (!ids.is_empty()).then(|| ids.join(", ")),
        ..blank
    }
}

pub(super) async fn instance(
    session: &Session,
    stack: &Stack,
    resource: &StackResource,
    id: &str,
) -> Component {
    let blank = blank(ComponentKind::Instance, resource, id);
    match compute::instances(session, &[id]).await {
        Err(error) => unread(blank, &error),
        Ok(found) => match found.into_iter().next() {
            None => gone(blank),
            Some(found) => Component {
                health: words::instance(&found.state),
                state: Some(found.state),
                version: binary_version(stack),
                detail: found.reason,
                ..blank
            },
        },
    }
}
