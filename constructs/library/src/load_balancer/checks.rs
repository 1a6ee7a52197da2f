//! What may be open to whom: the checks that keep a service from being put on the internet by accident.

use formwork::{Diagnostic, IntoValue, Scope, Value};

use crate::networking::AddressBlock;

use super::{Exposure, LoadBalancerProps};

/// Without TLS or authentication, larger blocks than this are as good as the whole internet.
const SMALLEST_INSECURE_PREFIX: u8 = 8;

/// Whether clients reach the load balancer over TLS.
fn has_tls(props: &LoadBalancerProps<'_>) -> bool {
    props.certificate.is_some() || (props.domain_name.is_some() && props.hosted_zone.is_some())
}

/// The address blocks that may connect. There is always at least one, or an error has been reported.
pub(super) fn sources(props: &LoadBalancerProps<'_>) -> Vec<Value<String>> {
    if props.allow_cidrs.is_empty() && props.exposure == Exposure::Internal {
        return props.networking.vpc_cidr.iter().cloned().collect();
    }
    props.allow_cidrs.iter().map(|cidr| cidr.as_str().into_value()).collect()
}

/// Reports everything about the exposure that must not be.
pub(super) fn check(scope: Scope<'_>, props: &LoadBalancerProps<'_>) {
    let name = props.name;
    let refuse = |rule: &str, message: String, hint: &str| {
        scope.report(Diagnostic::error(rule, message).with_hint(hint));
    };
    for cidr in &props.allow_cidrs {
        if prefix(cidr).is_none() {
            refuse(
                "address-block",
                format!("allowCidrs has `{cidr}`, which is not an IPv4 address block"),
                "write blocks as in 203.0.113.0/24, with no bits set behind the prefix",
            );
        }
    }
    if props.exposure == Exposure::Public {
        check_public(props, &refuse);
    } else if props.allow_cidrs.is_empty() && props.networking.vpc_cidr.is_none() {
        refuse(
            "unknown-clients",
            format!("the address block of the existing VPC is not known, so nobody could reach {name}"),
            "set vpcCidr to the block of the VPC, or allowCidrs to the blocks of the clients",
        );
    }
    if props.hosted_zone.is_some() && props.domain_name.is_none() {
        refuse(
            "hosted-zone",
            "hostedZoneId is set, but there is no domainName to put into the zone".to_owned(),
            "set domainName to the name that clients use, or leave hostedZoneId out",
        );
    }
    if props.domain_name.is_some() && !has_tls(props) {
        refuse(
            "certificate",
            "domainName is set, but nothing proves the name".to_owned(),
            "set hostedZoneId to have a certificate made, or certificateArn to one that exists",
        );
    }
    if props.sign_in.is_some() && !has_tls(props) {
        refuse(
            "sign-in",
            format!(
                "people are to sign in to {name}, but its load balancer has no HTTPS, without which it lets nobody sign in"
            ),
            "set certificateArn, or domainName and hostedZoneId",
        );
    }
}

fn check_public(props: &LoadBalancerProps<'_>, refuse: &impl Fn(&str, String, &str)) {
    let name = props.name;
    if props.networking.public_subnets.is_empty() {
        refuse(
            "public-subnets",
            format!("{name} is public and needs public subnets, and none is known"),
            "set publicSubnetIds to two public subnets of the VPC, or keep it internal",
        );
    }
    if props.allow_insecure {
        let is_wide = |cidr: &String| prefix(cidr).is_some_and(|prefix| prefix < SMALLEST_INSECURE_PREFIX);
        if props.allow_cidrs.is_empty() || props.allow_cidrs.iter().any(is_wide) {
            refuse(
                "insecure-exposure",
                "allowInsecure is set, but not for whom".to_owned(),
                "set allowCidrs to the address blocks of the clients; blocks larger than a /8 are not taken",
            );
        }
        return;
    }
    if !has_tls(props) {
        refuse(
            "insecure-exposure",
            format!(
                "{name} is public without TLS, which would send what clients prove themselves with in the clear"
            ),
            "set certificateArn, or domainName and hostedZoneId; allowInsecure=true with allowCidrs takes the risk",
        );
    }
    if props.allow_cidrs.is_empty() {
        refuse(
            "unknown-clients",
            format!("{name} is public, and there are no address blocks that may connect"),
            "set allowCidrs to the blocks of the clients, or to 0.0.0.0/0 for the whole internet",
        );
    }
}

fn prefix(block: &str) -> Option<u8> {
    block.parse::<AddressBlock>().ok().map(AddressBlock::prefix)
}
