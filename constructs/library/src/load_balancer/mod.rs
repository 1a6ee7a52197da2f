//! The front door: a load balancer with its group, certificate, name, sign-in and firewall.
//!
//! It is internal unless said otherwise. A public one needs a certificate and address blocks that may connect; anything
//! less is refused at synth unless `allow_insecure` names the risk. Whether clients are authenticated behind it is the
//! service's to say and to check.

mod alarms;
mod checks;
mod firewall;
mod sign_in;
mod targets;

use formwork::{
    CertificateArn, HostedZoneId, IntoValue, LoadBalancerArn, RemovalPolicy, Resource, Scope,
    SecurityGroupId, Value, VpcId, text,
};
use formwork_resources::certificatemanager::{CfnCertificate, DomainValidationOption};
use formwork_resources::elasticloadbalancingv2::{
    CfnLoadBalancer, LoadBalancerAttribute, LoadBalancerScheme, LoadBalancerType,
};
use formwork_resources::route53::{AliasTarget, CfnRecordSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::networking::{Networking, TcpPorts, allow_from_block, allow_https_out, security_group};

pub use alarms::METRICS;
pub use sign_in::{BearerTokens, CognitoSignIn, OidcSignIn, SignIn};
pub use targets::{Forwarding, SignInOn, TargetKind, Targets};

/// Who can reach a load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// Those inside the VPC, or connected to it.
    #[default]
    Internal,
    /// The internet, as far as the allowed address blocks go.
    Public,
}

/// What can be said about a load balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancerProps<'a> {
    /// Where it stands.
    pub networking: &'a Networking,
    /// What it stands in front of, as descriptions and errors name it: `the MLflow proxy`.
    pub name: &'static str,
    /// Who connects to it, as descriptions of rules name them: `MLflow clients`.
    pub clients: &'static str,
    /// Who can reach it.
    pub exposure: Exposure,
    /// A certificate that exists.
    pub certificate: Option<Value<CertificateArn>>,
    /// The name that clients use; with a hosted zone its certificate and record are made.
    pub domain_name: Option<String>,
    /// The hosted zone that the name lies in.
    pub hosted_zone: Option<Value<HostedZoneId>>,
    /// The address blocks that may connect; without any, the VPC's.
    pub allow_cidrs: Vec<String>,
    /// Takes a public one without TLS, for the named address blocks.
    pub allow_insecure: bool,
    /// Puts a web application firewall in front.
    pub firewall: bool,
    /// Whether it refuses to be deleted.
    pub deletion_protection: bool,
    /// How long a connection may be quiet, in seconds.
    pub idle_timeout_seconds: u32,
    /// Where people with browsers sign in; needs HTTPS.
    pub sign_in: Option<SignIn>,
}

impl<'a> LoadBalancerProps<'a> {
    /// An internal one that closes connections which are quiet for a minute.
    pub fn new(networking: &'a Networking, name: &'static str, clients: &'static str) -> Self {
        Self {
            networking,
            name,
            clients,
            exposure: Exposure::default(),
            certificate: None,
            domain_name: None,
            hosted_zone: None,
            allow_cidrs: Vec::new(),
            allow_insecure: false,
            firewall: false,
            deletion_protection: false,
            idle_timeout_seconds: 60,
            sign_in: None,
        }
    }
}

/// An application load balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// The group that its targets let in.
    pub security_group: Value<SecurityGroupId>,
    /// The name that AWS gives it.
    pub dns_name: Value<String>,
    /// The host name that clients use: the domain name, or else the one that AWS gives.
    pub host: Value<String>,
    /// The URL that clients use.
    pub url: Value<String>,
    /// The name in the form of CloudWatch's metrics.
    pub full_name: Value<String>,
    /// The hosted zone of the name that AWS gives, for alias records.
    pub hosted_zone_id: Value<String>,
    /// The ARN, which the tokens that it signs name as their signer.
    pub arn: Value<LoadBalancerArn>,
    vpc_id: Value<VpcId>,
    certificate: Option<Value<CertificateArn>>,
    sign_in: Option<SignIn>,
}

impl LoadBalancer {
    /// Adds a load balancer. [`LoadBalancer::forward`] gives it listeners and something to send requests to.
    #[track_caller]
    pub fn new(scope: Scope<'_>, props: &LoadBalancerProps<'_>) -> Self {
        checks::check(scope, props);
        let certificate = certificate(scope, props);
        let vpc_id = &props.networking.vpc_id;
        let description = format!("The load balancer of {}", props.name);
        let group = security_group(scope, "BalancerGroup", vpc_id, &description);
        open_ports(scope, props, &group, certificate.is_some());
        if props.sign_in.is_some() {
            props.networking.require_internet(
                scope,
                &format!("the load balancer of {}", props.name),
                "the identity provider",
            );
            allow_https_out(
                scope.child("BalancerToProvider"),
                "Https",
                &group,
                "HTTPS to the identity provider",
            );
        }
        let (scheme, subnets) = match props.exposure {
            Exposure::Internal => (LoadBalancerScheme::INTERNAL, &props.networking.private_subnets),
            Exposure::Public => (LoadBalancerScheme::INTERNET_FACING, &props.networking.public_subnets),
        };
        let attributes = [
            ("deletion_protection.enabled", props.deletion_protection.to_string()),
            ("idle_timeout.timeout_seconds", props.idle_timeout_seconds.to_string()),
            ("routing.http.drop_invalid_header_fields.enabled", "true".to_owned()),
            ("routing.http.desync_mitigation_mode", "defensive".to_owned()),
        ];
        let attributes = attributes.map(|(key, value)| LoadBalancerAttribute::new().key(key).value(value));
        let balancer = CfnLoadBalancer::new()
            .type_(LoadBalancerType::APPLICATION)
            .scheme(scheme)
            .subnets(subnets)
            .security_groups([&group])
            .load_balancer_attributes(attributes)
            .define(scope, "LoadBalancer");
        if props.firewall {
            firewall::define(scope, props.name, &balancer.load_balancer_arn());
        }
        if let (Some(name), Some(zone)) = (&props.domain_name, &props.hosted_zone) {
            let alias = AliasTarget::new(balancer.canonical_hosted_zone_id(), balancer.dns_name());
            CfnRecordSet::new("A", format!("{name}."))
                .hosted_zone_id(zone)
                .alias_target(alias.evaluate_target_health(true))
                .define(scope, "Record");
        }
        let host = match &props.domain_name {
            Some(name) => name.into_value(),
            None => balancer.dns_name(),
        };
        let protocol = if certificate.is_some() { "https" } else { "http" };
        Self {
            security_group: group,
            dns_name: balancer.dns_name(),
            url: text!("{}://{}", protocol, &host),
            host,
            full_name: balancer.load_balancer_full_name(),
            hosted_zone_id: balancer.canonical_hosted_zone_id().into_value(),
            arn: balancer.load_balancer_arn(),
            vpc_id: vpc_id.clone(),
            certificate,
            sign_in: props.sign_in.clone(),
        }
    }
}

fn certificate(scope: Scope<'_>, props: &LoadBalancerProps<'_>) -> Option<Value<CertificateArn>> {
    if let Some(existing) = &props.certificate {
        return Some(existing.clone());
    }
    let (Some(name), Some(zone)) = (&props.domain_name, &props.hosted_zone) else { return None };
    let proof = DomainValidationOption::new().domain_name(name).hosted_zone_id(zone);
    let certificate = CfnCertificate::new(name)
        .validation_method("DNS")
        .domain_validation_options([proof])
        .removal_policy(RemovalPolicy::Delete)
        .define(scope, "Certificate");
    Some(certificate.certificate_arn())
}

/// Lets the allowed address blocks in. Plain HTTP is open beside HTTPS only to be sent there.
fn open_ports(
    scope: Scope<'_>,
    props: &LoadBalancerProps<'_>,
    group: &Value<SecurityGroupId>,
    has_tls: bool,
) {
    let ports: &[u16] = if has_tls { &[80, 443] } else { &[80] };
    for (position, source) in checks::sources(props).into_iter().enumerate() {
        for port in ports {
            let id = format!("Clients{}Port{port}", position + 1);
            allow_from_block(scope, &id, &source, group, TcpPorts::one(*port), props.clients);
        }
    }
}

#[cfg(test)]
mod tests;
