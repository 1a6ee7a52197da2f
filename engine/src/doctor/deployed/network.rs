//! The ways out of a network: NAT gateways and VPC endpoints.

use super::super::{Check, Outcome};
use super::unread;
use crate::components::services::network::{self, Stated};
use crate::components::{Found, Health, words};

/// The checks of a stack's NAT gateways and endpoints. Those that are right are one line together.
pub(super) async fn checks(found: &Found) -> Vec<Check> {
    let session = &found.located.session;
    let ids = |kind| -> Vec<&str> { found.of_type(kind).map(|(_, id)| id).collect() };
    let (gateways, endpoints) = (ids("AWS::EC2::NatGateway"), ids("AWS::EC2::VPCEndpoint"));
    let mut checks = Vec::new();
    if !gateways.is_empty() {
        match network::nat_gateways(session, &gateways).await {
            Err(error) => checks.push(unread("nat-gateway", &found.located.name, found, &error)),
            Ok(stated) => checks.extend(states("nat-gateway", found, &gateways, &stated, |one| {
                format!("`aws ec2 describe-nat-gateways --nat-gateway-ids {}` shows more; deleted ones come back by `formwork drift {} --revert`", one.id, found.located.name)
            })),
        }
    }
    if !endpoints.is_empty() {
        match network::endpoints(session, "vpc-endpoint-id", &endpoints).await {
            Err(error) => checks.push(unread("vpc-endpoint", &found.located.name, found, &error)),
            Ok(all) => {
                let stated: Vec<Stated> = all.into_iter().map(|endpoint| endpoint.stated).collect();
                checks.extend(states("vpc-endpoint", found, &endpoints, &stated, |one| {
                    let service = &one.of;
                    match one.state.to_ascii_lowercase().as_str() {
                        "pendingacceptance" => {
                            format!("the owner of {service} has to accept it, or leave it out with -c withoutEndpoints")
                        }
                        _ => format!(
                            "the region or a zone may lack the service: `aws ec2 describe-vpc-endpoint-services \
                             --service-names {service}` tells, -c endpointZones and -c withoutEndpoints go round it"
                        ),
                    }
                }));
            }
        }
    }
    checks
}

fn states(
    name: &str,
    found: &Found,
    wanted: &[&str],
    stated: &[Stated],
    hint: impl Fn(&Stated) -> String,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut good = 0_usize;
    for id in wanted {
        let Some(one) = stated.iter().find(|one| one.id == *id) else {
            let stack = &found.located.name;
            let detail = format!("stack {stack} made it, and it is gone");
            checks.push(
                Check::failed(name, *id, detail)
                    .with_hint(format!("`formwork drift {stack} --revert` makes it again")),
            );
            continue;
        };
        let outcome = match words::network(&one.state) {
            Health::Healthy => {
                good += 1;
                continue;
            }
            Health::Changing => Outcome::Warning,
            Health::Unhealthy => Outcome::Failed,
            _ => Outcome::Unknown,
        };
        let of = if one.of.contains('.') { format!(" of {}", one.of) } else { String::new() };
        let reason = one.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let check = Check::new(name, format!("{id}{of}"), outcome, format!("it is {}{reason}", one.state));
        checks.push(check.with_hint(hint(one)));
    }
    if good > 0 {
        let detail = format!("{good} of {} are available", wanted.len());
        checks.insert(0, Check::ok(name, &found.located.name, detail));
    }
    checks
}
