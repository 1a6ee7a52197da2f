//! The network of a stack: its VPC and the ways out of it.

use super::super::services::network;
use super::super::survey::Found;
use super::super::{Component, ComponentKind, Health, words};
use super::{blank, gone, unread};
use crate::aws::Session;
use crate::aws::cloudformation::StackResource;

pub(super) async fn vpc(session: &Session, resource: &StackResource, id: &str) -> Component {
    let blank = blank(ComponentKind::Network, resource, id);
    match network::vpcs(session, &[id]).await {
        Err(error) => unread(blank, &error),
        Ok(found) => match found.into_iter().next() {
            None => gone(blank),
            Some(found) => Component {
                health: words::network(&found.state),
                state: Some(found.state),
                detail: Some(found.of),
                ..blank
            },
        },
    }
}

/// The NAT gateways or endpoints of a stack together: there are too many of them for a line each.
pub(super) async fn several(
    session: &Session,
    found: &Found,
    kind: ComponentKind,
    resource_type: &str,
) -> Option<Component> {
    let all: Vec<(&StackResource, &str)> = found.of_type(resource_type).collect();
    let (first, id) = *all.first()?;
    let ids: Vec<&str> = all.iter().map(|(_, id)| *id).collect();
    let blank = Component { name: String::new(), ..blank(kind, first, id) };
    let asked = if kind == ComponentKind::NatGateways {
        network::nat_gateways(session, &ids).await
    } else {
        let endpoints = network::endpoints(session, "vpc-endpoint-id", &ids).await;
        endpoints.map(|all| all.into_iter().map(|endpoint| endpoint.stated).collect())
    };
    let stated = match asked {
        Err(error) => return Some(unread(blank, &error)),
        Ok(stated) => stated,
    };
    let healths: Vec<Health> = ids
        .iter()
        .map(|id| {
            let one = stated.iter().find(|one| one.id == *id);
            one.map_or(Health::Unhealthy, |one| words::network(&one.state))
        })
        .collect();
    let good = healths.iter().filter(|health| **health == Health::Healthy).count();
    let others: Vec<String> = stated
        .iter()
        .filter(|one| words::network(&one.state) != Health::Healthy)
        .map(|one| format!("{} is {}", if one.of.contains('.') { &one.of } else { &one.id }, one.state))
        .collect();
    Some(Component {
        state: Some(format!("{good} of {} available", ids.len())),
        health: healths.into_iter().max().unwrap_or(Health::Unknown),
        detail: (!others.is_empty()).then(|| others.join(", ")),
        ..blank
    })
}
