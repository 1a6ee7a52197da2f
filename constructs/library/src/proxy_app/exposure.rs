//! What may be open to whom: the checks that keep a proxy from being put on the internet by accident.

use formwork::{Diagnostic, Scope};

use crate::networking::AddressBlock;

use super::{ProxyAppProps, ProxyAuthentication, ProxyExposure};

/// The name of a way to authenticate in the proxy's settings.
pub(crate) fn authentication_name(authentication: ProxyAuthentication) -> &'static str {
    match authentication {
        ProxyAuthentication::Token => "token",
        ProxyAuthentication::Basic => "basic",
        ProxyAuthentication::Jwt => "jwt",
        ProxyAuthentication::None => "none",
    }
}

/// Whether clients reach the load balancer over TLS.
pub(crate) fn has_tls(props: &ProxyAppProps<'_>) -> bool {
    props.certificate.is_some() || (props.domain_name.is_some() && props.hosted_zone.is_some())
}

/// The address blocks that may connect. There is always at least one, or an error has been reported.
pub(crate) fn sources(props: &ProxyAppProps<'_>) -> Vec<formwork::Value<String>> {
    if props.allow_cidrs.is_empty() && props.exposure == ProxyExposure::Internal {
        return props.networking.vpc_cidr.iter().cloned().collect();
    }
    props.allow_cidrs.iter().map(|cidr| formwork::IntoValue::into_value(cidr.as_str())).collect()
}

/// Reports everything about a proxy's exposure that must not be.
pub(crate) fn check(scope: Scope<'_>, props: &ProxyAppProps<'_>) {
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
    if props.authentication == ProxyAuthentication::None && !props.allow_insecure {
        refuse(
            "insecure-proxy",
            "a proxy without authentication lets everybody who reaches it act with its role".to_owned(),
            "set proxyAuth to token, basic or jwt; allowInsecure=true takes the risk",
        );
    }
    if props.exposure == ProxyExposure::Public {
        check_public(props, &refuse);
    } else if props.allow_cidrs.is_empty() && props.networking.vpc_cidr.is_none() {
        refuse(
            "unknown-clients",
            "the address block of the existing VPC is not known, so nobody could reach the proxy".to_owned(),
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
    if props.authentication == ProxyAuthentication::Jwt && props.jwt.is_none() {
        refuse(
            "jwt-issuer",
            "proxyAuth is jwt, but no issuer is named".to_owned(),
            "set jwtIssuer and jwtAudience",
        );
    }
    if props.min_instances == 0 || props.min_instances > props.max_instances {
        refuse(
            "instances",
            format!("the proxy has {} to {} instances", props.min_instances, props.max_instances),
            "set minInstances to at least 1 and maxInstances to at least minInstances",
        );
    }
}

fn check_public(props: &ProxyAppProps<'_>, refuse: &impl Fn(&str, String, &str)) {
    if props.networking.public_subnets.is_empty() {
        refuse(
            "public-subnets",
            "a public proxy needs public subnets, and none is known".to_owned(),
            "set publicSubnetIds to two public subnets of the VPC, or keep proxyExposure=internal",
        );
    }
    if props.allow_insecure {
        let is_wide = |cidr: &String| prefix(cidr).is_some_and(|prefix| prefix < SMALLEST_INSECURE_PREFIX);
        if props.allow_cidrs.is_empty() || props.allow_cidrs.iter().any(is_wide) {
            refuse(
                "insecure-proxy",
                "allowInsecure is set, but not for whom".to_owned(),
                "set allowCidrs to the address blocks of the clients; blocks larger than a /8 are not taken",
            );
        }
        return;
    }
    if !has_tls(props) {
        refuse(
            "insecure-proxy",
            "a public proxy without TLS would send what clients prove themselves with in the clear"
                .to_owned(),
            "set certificateArn, or domainName and hostedZoneId; allowInsecure=true with allowCidrs takes the risk",
        );
    }
    if props.allow_cidrs.is_empty() {
        refuse(
            "unknown-clients",
            "a public proxy has no address blocks that may connect".to_owned(),
            "set allowCidrs to the blocks of the clients, or to 0.0.0.0/0 for the whole internet",
        );
    }
}

/// Without TLS or authentication, larger blocks than this are as good as the whole internet.
const SMALLEST_INSECURE_PREFIX: u8 = 8;

fn prefix(block: &str) -> Option<u8> {
    block.parse::<AddressBlock>().ok().map(AddressBlock::prefix)
}
