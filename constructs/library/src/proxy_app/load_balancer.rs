//! The load balancer in front of the proxy: its group, its listeners, its certificate and its name.

use formwork::{
    CertificateArn, IntoValue, LoadBalancerArn, RemovalPolicy, Resource, ResourceId, Scope, SecurityGroupId,
    TargetGroupArn, Value, text,
};
use formwork_resources::certificatemanager::{CfnCertificate, DomainValidationOption};
use formwork_resources::elasticloadbalancingv2::{
    ActionType, Certificate, CfnListener, CfnLoadBalancer, CfnTargetGroup, ListenerAction, ListenerProtocol,
    LoadBalancerAttribute, LoadBalancerScheme, LoadBalancerType, Matcher, RedirectConfig,
    RedirectConfigStatusCode, TargetDescription, TargetGroupAttribute, TargetGroupHealthCheckProtocol,
    TargetGroupProtocol, TargetGroupTargetType,
};
use formwork_resources::route53::{AliasTarget, CfnRecordSet};

use super::{PROXY_PORT, ProxyAppProps, ProxyExposure, exposure, firewall};
use crate::networking::{TcpPorts, allow_from_block, security_group};

/// TLS 1.2 and 1.3 with forward secrecy. Source: "Security policies for your Application Load Balancer".
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06";
/// A single request may move a large artifact, and a quiet second inside it must not cut it off.
pub(super) const IDLE_TIMEOUT_SECONDS: u32 = 300;
/// How long an instance that leaves may finish its requests.
const DRAIN_SECONDS: u32 = 120;

pub(crate) struct LoadBalancer {
    pub(crate) security_group: Value<SecurityGroupId>,
    pub(crate) dns_name: Value<String>,
    pub(crate) url: Value<String>,
    /// The host names that the proxy answers to.
    pub(crate) allowed_hosts: Value<String>,
    /// The name in the form of CloudWatch's metrics.
    pub(crate) full_name: Value<String>,
    arn: Value<LoadBalancerArn>,
    certificate: Option<Value<CertificateArn>>,
}

/// The way from the load balancer to the instances.
pub(crate) struct Forwarding {
    pub(crate) target_group: Value<TargetGroupArn>,
    /// The target group in the form of CloudWatch's metrics.
    pub(crate) full_name: Value<String>,
    /// Targets count as healthy only once a listener forwards to them.
    pub(crate) listener: ResourceId,
}

impl LoadBalancer {
    pub(crate) fn new(scope: Scope<'_>, props: &ProxyAppProps<'_>) -> Self {
        let certificate = certificate(scope, props);
        let vpc_id = &props.networking.vpc_id;
        let group = security_group(scope, "BalancerGroup", vpc_id, "The load balancer of the MLflow proxy");
        open_ports(scope, props, &group, certificate.is_some());
        let (scheme, subnets) = match props.exposure {
            ProxyExposure::Internal => (LoadBalancerScheme::INTERNAL, &props.networking.private_subnets),
            ProxyExposure::Public => (LoadBalancerScheme::INTERNET_FACING, &props.networking.public_subnets),
        };
        let attributes = [
            ("deletion_protection.enabled", props.deletion_protection.to_string()),
            ("idle_timeout.timeout_seconds", IDLE_TIMEOUT_SECONDS.to_string()),
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
            firewall::define(scope, &balancer.load_balancer_arn());
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
            allowed_hosts: match props.exposure {
                // Through a forwarded port the proxy is called by the name of the machine that the port was brought to.
                ProxyExposure::Internal => text!("{},localhost,127.0.0.1", &host),
                ProxyExposure::Public => host,
            },
            full_name: balancer.load_balancer_full_name(),
            arn: balancer.load_balancer_arn(),
            certificate,
        }
    }

    /// Opens the way to the instances: `targets` that are known now, or those that a group adds by itself.
    pub(crate) fn forward(
        &self,
        scope: Scope<'_>,
        props: &ProxyAppProps<'_>,
        targets: Vec<TargetDescription>,
    ) -> Forwarding {
        let (target_group, full_name) = target_group(scope, props, targets);
        let forward = ListenerAction::new(ActionType::FORWARD).target_group_arn(&target_group);
        let listener = match &self.certificate {
            Some(certificate) => {
                let to_https =
                    RedirectConfig::new(RedirectConfigStatusCode::HTTP_301).protocol("HTTPS").port("443");
                let redirect = ListenerAction::new(ActionType::REDIRECT).redirect_config(to_https);
                CfnListener::new(&self.arn, [redirect])
                    .port(80)
                    .protocol(ListenerProtocol::HTTP)
                    .define(scope, "RedirectToHttps");
                CfnListener::new(&self.arn, [forward])
                    .port(443)
                    .protocol(ListenerProtocol::HTTPS)
                    .ssl_policy(TLS_POLICY)
                    .certificates([Certificate::new().certificate_arn(certificate)])
                    .define(scope, "Https")
            }
            None => CfnListener::new(&self.arn, [forward])
                .port(80)
                .protocol(ListenerProtocol::HTTP)
                .define(scope, "Http"),
        };
        Forwarding { target_group, full_name, listener: listener.resource() }
    }
}

fn certificate(scope: Scope<'_>, props: &ProxyAppProps<'_>) -> Option<Value<CertificateArn>> {
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
fn open_ports(scope: Scope<'_>, props: &ProxyAppProps<'_>, group: &Value<SecurityGroupId>, has_tls: bool) {
    let ports: &[u16] = if has_tls { &[80, 443] } else { &[80] };
    for (position, source) in exposure::sources(props).into_iter().enumerate() {
        for port in ports {
            let id = format!("Clients{}Port{port}", position + 1);
            allow_from_block(scope, &id, &source, group, TcpPorts::one(*port), "MLflow clients");
        }
    }
}

fn target_group(
    scope: Scope<'_>,
    props: &ProxyAppProps<'_>,
    targets: Vec<TargetDescription>,
) -> (Value<TargetGroupArn>, Value<String>) {
    let drain = TargetGroupAttribute::new()
        .key("deregistration_delay.timeout_seconds")
        .value(DRAIN_SECONDS.to_string());
    let mut group = CfnTargetGroup::new();
    if !targets.is_empty() {
        group = group.targets(targets);
    }
    let group = group
        .vpc_id(&props.networking.vpc_id)
        .target_type(TargetGroupTargetType::INSTANCE)
        .protocol(TargetGroupProtocol::HTTP)
        .port(i64::from(PROXY_PORT))
        .health_check_protocol(TargetGroupHealthCheckProtocol::HTTP)
        .health_check_path("/healthz")
        .health_check_interval_seconds(10)
        .health_check_timeout_seconds(5)
        .healthy_threshold_count(2)
        .unhealthy_threshold_count(3)
        .matcher(Matcher::new().http_code("200"))
        .target_group_attributes([drain])
        .define(scope, "Targets");
    (group.target_group_arn(), group.target_group_full_name())
}
