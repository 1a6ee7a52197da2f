//! The domain of SageMaker Studio: whether it is in service, and whether its apps reach what they need.
//!
//! The creation of a domain, or the start of its apps, ends in a time limit when the subnets have no way to SageMaker or
//! the security groups let nothing out, and no event says so.

use std::collections::BTreeSet;

use super::super::{Check, Outcome};
use super::unread;
use crate::aws::Session;
use crate::components::services::network::{self, Endpoint, Table};
use crate::components::services::sagemaker::{self, Domain};
use crate::components::{Found, Health, words};

/// What apps need when their subnets have no way to the internet, by the last part of a service's name.
///
/// Source: Amazon SageMaker AI Developer Guide, "Connect Amazon SageMaker Studio in a VPC to External Resources".
const NEEDED: [&str; 6] = [".logs", ".s3", ".sagemaker.api", ".sagemaker.runtime", ".studio", ".sts"];

/// The checks of a stack's domains.
pub(super) async fn checks(found: &Found) -> Vec<Check> {
    let session = &found.located.session;
    let mut checks = Vec::new();
    for (_, id) in found.of_type("AWS::SageMaker::Domain") {
        match sagemaker::domain(session, id).await {
            Err(error) => checks.push(unread("domain-status", id, found, &error)),
            Ok(domain) => {
                checks.push(status(id, &domain, &found.located.name));
                checks.push(route(session, id, &domain).await);
                checks.extend(groups(session, id, &domain).await);
            }
        }
    }
    checks
}

fn status(id: &str, domain: &Domain, stack: &str) -> Check {
    const NAME: &str = "domain-status";
    let reason = domain.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let detail = format!("{}{reason}", domain.status);
    let look = format!("`aws sagemaker describe-domain --domain-id {id}` tells more");
    match words::domain(&domain.status) {
        Health::Healthy => Check::ok(NAME, id, detail),
        Health::Changing => Check::warning(NAME, id, detail).with_hint(look),
        Health::Unhealthy => Check::failed(NAME, id, detail)
            .with_hint(format!("{look}; mend what it names, then `formwork deploy {stack}`")),
        _ => Check::new(NAME, id, Outcome::Unknown, detail).with_hint(look),
    }
}

/// Whether each subnet has a way to SageMaker: a NAT gateway or the like, or the endpoints.
async fn route(session: &Session, id: &str, domain: &Domain) -> Check {
    const NAME: &str = "domain-route";
    if !domain.is_in_vpc_only {
        return Check::ok(NAME, id, "its apps reach the internet through SageMaker's own network");
    }
    let tables = match network::tables(session, &domain.vpc).await {
        Ok(tables) => tables,
        Err(error) => return Check::unknown(NAME, id, &error),
    };
    let without: Vec<(&str, String)> = domain
        .subnets
        .iter()
        .filter_map(|subnet| Some((subnet.as_str(), no_way_out(&tables, subnet)?)))
        .collect();
    if without.is_empty() {
        let detail = format!("{} subnets have a route out through NAT", domain.subnets.len());
        return Check::ok(NAME, id, detail);
    }
    let endpoints = match network::endpoints(session, "vpc-id", &[&domain.vpc]).await {
        Ok(endpoints) => endpoints,
        Err(error) => return Check::unknown(NAME, id, &error),
    };
    let missing: BTreeSet<&str> =
        without.iter().flat_map(|(subnet, _)| lacking(&tables, &endpoints, subnet)).collect();
    if missing.is_empty() {
        return Check::ok(
            NAME,
            id,
            "without a route to the internet, by VPC endpoints of all services that it needs",
        );
    }
    let why: Vec<String> = without.iter().map(|(subnet, why)| format!("{subnet} {why}")).collect();
    let missing: Vec<&str> = missing.iter().map(|name| name.trim_start_matches('.')).collect();
    let detail = format!("{}; and there is no endpoint of {}", why.join(", "), missing.join(", "));
    Check::failed(NAME, id, detail).with_hint(
        "give the network a way out with `formwork deploy -c natGateways=1`, or -c endpoints=studio",
    )
}

/// The table that serves a subnet: the one that it names, else the main one.
fn table_of<'t>(tables: &'t [Table], subnet: &str) -> Option<&'t Table> {
    let own = tables.iter().find(|table| table.subnets.iter().any(|it| it == subnet));
    own.or_else(|| tables.iter().find(|table| table.is_main))
}

/// Why there is no way out of a subnet; nothing when there is one. An app has no public address, so that a route to an
/// internet gateway is none for it.
fn no_way_out(tables: &[Table], subnet: &str) -> Option<String> {
    let routes = table_of(tables, subnet).map(|table| table.to_everywhere.as_slice()).unwrap_or_default();
    if routes.iter().any(|(target, works)| *works && !target.starts_with("igw-")) {
        return None;
    }
    Some(match routes.first() {
        None => "has no route to the internet".to_owned(),
        Some((target, false)) => format!("has a route to {target}, which is gone"),
        Some((target, true)) => format!("has a route to {target} only, which serves no private addresses"),
    })
}

/// The services that a subnet without a way out does not reach by an endpoint either.
fn lacking(tables: &[Table], endpoints: &[Endpoint], subnet: &str) -> Vec<&'static str> {
    let table = table_of(tables, subnet).map(|table| table.id.as_str());
    let serves = |endpoint: &Endpoint| {
        let is_available = words::network(&endpoint.stated.state) == Health::Healthy;
        let reaches = if endpoint.is_gateway {
            table.is_some_and(|table| endpoint.tables.iter().any(|it| it == table))
        } else {
            endpoint.has_private_name
        };
        is_available && reaches
    };
    let has = |service: &str| endpoints.iter().any(|it| it.stated.of.ends_with(service) && serves(it));
    NEEDED.into_iter().filter(|service| !has(service)).collect()
}

/// Whether the security groups are there and let HTTPS out. Rules of several groups add up.
async fn groups(session: &Session, id: &str, domain: &Domain) -> Option<Check> {
    const NAME: &str = "domain-security-groups";
    if domain.groups.is_empty() {
        return None;
    }
    let ids: Vec<&str> = domain.groups.iter().map(String::as_str).collect();
    let found = match network::groups(session, &ids).await {
        Ok(found) => found,
        Err(error) => return Some(Check::unknown(NAME, id, &error)),
    };
    let gone: Vec<&str> =
        ids.iter().filter(|id| !found.iter().any(|group| group.id == **id)).copied().collect();
    let names = ids.join(", ");
    Some(if !gone.is_empty() {
        Check::failed(NAME, id, format!("{} is gone", gone.join(", ")))
            .with_hint("`formwork drift --revert` makes it again")
    } else if found.iter().any(|group| group.lets_https_out) {
        Check::ok(NAME, id, format!("{names} let HTTPS out"))
    } else {
        Check::failed(
            NAME,
            id,
            format!("{names} let no connection to port 443 out, so that apps do not start"),
        )
        .with_hint("`formwork drift` shows rules that were removed; --revert brings them back")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(id: &str, subnets: &[&str], routes: &[(&str, bool)]) -> Table {
        Table {
            id: id.to_owned(),
            is_main: subnets.is_empty(),
            subnets: subnets.iter().map(|it| (*it).to_owned()).collect(),
            to_everywhere: routes.iter().map(|(target, works)| ((*target).to_owned(), *works)).collect(),
        }
    }

    #[test]
    fn an_internet_gateway_is_no_way_out_for_private_addresses() {
        let tables =
            [table("rtb-1", &["public"], &[("igw-1", true)]), table("rtb-main", &[], &[("nat-1", true)])];
        assert!(no_way_out(&tables, "public").is_some_and(|why| why.contains("igw-1")));
        assert_eq!(no_way_out(&tables, "other"), None, "the main table serves it");
        let gone = [table("rtb-1", &["private"], &[("nat-1", false)])];
        assert!(no_way_out(&gone, "private").is_some_and(|why| why.contains("gone")));
        assert!(no_way_out(&[], "private").is_some_and(|why| why.contains("no route")));
    }

    #[test]
    fn a_gateway_endpoint_serves_the_tables_that_it_names() {
        let endpoint = |service: &str, tables: &[&str]| Endpoint {
            stated: network::Stated {
                id: "vpce-1".to_owned(),
                state: "available".to_owned(),
                reason: None,
                of: service.to_owned(),
            },
            tables: tables.iter().map(|it| (*it).to_owned()).collect(),
            has_private_name: tables.is_empty(),
            is_gateway: !tables.is_empty(),
        };
        let tables = [table("rtb-1", &["private"], &[])];
        let services = NEEDED.iter().filter(|it| **it != ".s3");
        let mut endpoints: Vec<Endpoint> =
            services.map(|service| endpoint(&format!("com.amazonaws.eu-west-1{service}"), &[])).collect();
        endpoints.push(endpoint("com.amazonaws.eu-west-1.s3", &["rtb-2"]));
        assert_eq!(lacking(&tables, &endpoints, "private"), [".s3"]);
        endpoints.push(endpoint("com.amazonaws.eu-west-1.s3", &["rtb-1"]));
        assert!(lacking(&tables, &endpoints, "private").is_empty());
    }
}
