//! The internal load balancer of the metadata service: the one place that an API and a function can lead to.
//!
//! It passes on TCP, since that is what a VPC link wants. It asks the service whether it and its database are well, which
//! a mere connection would not tell.

use formwork::{Diagnostic, LoadBalancerArn, ResourceId, Scope, SecurityGroupId, TargetGroupArn, Value};
use formwork_resources::elasticloadbalancingv2::{
    ActionType, CfnListener, CfnLoadBalancer, CfnTargetGroup, ListenerAction, ListenerProtocol,
    LoadBalancerAttribute, LoadBalancerScheme, LoadBalancerType, Matcher, TargetGroupAttribute,
    TargetGroupHealthCheckProtocol, TargetGroupProtocol, TargetGroupTargetType,
};

use super::{AddressBlock, CLIENT_PORT, MIGRATION_PORT, MetadataProps, SERVICE_PORT};
use crate::alarms::{self, Metric, Rule, Statistic};
use crate::metaflow::{Api, MetaflowProps};
use crate::networking::{TcpPorts, allow_from_block, security_group};

/// The load balancer.
#[derive(Clone, Debug)]
pub(in crate::metaflow) struct Balancer {
    pub(in crate::metaflow) arn: Value<LoadBalancerArn>,
    pub(in crate::metaflow) dns_name: Value<String>,
    pub(in crate::metaflow) security_group: Value<SecurityGroupId>,
    pub(super) service: Way,
    pub(super) migration: Way,
}

/// A way to a port of the tasks.
#[derive(Clone, Debug)]
pub(in crate::metaflow) struct Way {
    pub(super) target_group: Value<TargetGroupArn>,
    pub(super) listener: ResourceId,
}

impl Balancer {
    #[track_caller]
    pub(super) fn new(scope: Scope<'_>, props: &MetaflowProps<'_>, own: &MetadataProps) -> Self {
        let scope = scope.child("Balancer");
        let vpc_id = &props.networking.vpc_id;
        let group =
            security_group(scope, "Group", vpc_id, "The load balancer of the metadata service of Metaflow");
        open(scope, props, own, &group);
        // What comes over a VPC link comes from AWS's side of it, which no rule can name.
        let rules_for_links = if props.api == Api::None { "on" } else { "off" };
        let attributes = [
            ("deletion_protection.enabled", own.deletion_protection.to_string()),
            ("load_balancing.cross_zone.enabled", "true".to_owned()),
        ];
        let attributes = attributes.map(|(key, value)| LoadBalancerAttribute::new().key(key).value(value));
        let balancer = CfnLoadBalancer::new()
            .type_(LoadBalancerType::NETWORK)
            .scheme(LoadBalancerScheme::INTERNAL)
            .subnets(&props.networking.private_subnets)
            .security_groups([&group])
            .enforce_security_group_inbound_rules_on_private_link_traffic(rules_for_links)
            .load_balancer_attributes(attributes)
            .define(scope, "Balancer");
        let arn = balancer.load_balancer_arn();
        let way = |id: &str, port, targets_port, health_path| {
            let scope = scope.child(id);
            let drain = TargetGroupAttribute::new().key("deregistration_delay.timeout_seconds").value("30");
            let targets = CfnTargetGroup::new()
                .vpc_id(vpc_id)
                .target_type(TargetGroupTargetType::IP)
                .protocol(TargetGroupProtocol::TCP)
                .port(i64::from(targets_port))
                .health_check_protocol(TargetGroupHealthCheckProtocol::HTTP)
                .health_check_path(health_path)
                .health_check_interval_seconds(10)
                .health_check_timeout_seconds(6)
                .healthy_threshold_count(2)
                .unhealthy_threshold_count(3)
                .matcher(Matcher::new().http_code("200"))
                .target_group_attributes([drain])
                .define(scope, "Targets");
            let forward =
                ListenerAction::new(ActionType::FORWARD).target_group_arn(targets.target_group_arn());
            let listener = CfnListener::new(&arn, [forward])
                .port(i64::from(port))
                .protocol(ListenerProtocol::TCP)
                .define(scope, "Listener");
            let way = Way { target_group: targets.target_group_arn(), listener: listener.resource() };
            (way, targets.target_group_full_name())
        };
        let (service, service_name) = way("Service", CLIENT_PORT, SERVICE_PORT, "/healthcheck");
        let (migration, _) = way("Migration", MIGRATION_PORT, MIGRATION_PORT, "/ping");
        let unwell = Rule {
            statistic: Statistic::Is(formwork_resources::cloudwatch::AlarmStatistic::MAXIMUM),
            ..Rule::above(
                "UnhealthyHostsAlarm",
                "A task of Metaflow's metadata service does not answer, or cannot reach its database. Its log tells why; see docs/operations.md#services-of-containers.",
                Metric {
                    namespace: "AWS/NetworkELB",
                    name: "UnHealthyHostCount",
                    dimensions: vec![
                        ("LoadBalancer", balancer.load_balancer_full_name()),
                        ("TargetGroup", service_name),
                    ],
                },
                0.0,
                5,
            )
        };
        alarms::define(scope, props.alarm_topic.as_ref(), [unwell]);
        Self { arn, dns_name: balancer.dns_name(), security_group: group, service, migration }
    }
}

/// Lets the named address blocks in, or the VPC's.
#[track_caller]
fn open(scope: Scope<'_>, props: &MetaflowProps<'_>, own: &MetadataProps, group: &Value<SecurityGroupId>) {
    let refuse = |rule: &str, message: String, hint: &str| {
        scope.report(Diagnostic::error(rule, message).with_hint(hint));
    };
    let mut sources: Vec<Value<String>> = Vec::new();
    for block in &own.allow_cidrs {
        match block.parse::<AddressBlock>() {
            Err(_) => refuse(
                "address-block",
                format!("`{block}` is not an IPv4 address block that may reach the metadata service"),
                "write blocks as in 10.0.0.0/16, with no bits set behind the prefix",
            ),
            Ok(parsed) if parsed.prefix() == 0 => refuse(
                "address-block",
                "the metadata service asks nobody who they are, and cannot be open to every address"
                    .to_owned(),
                "name the blocks of your own networks; the API is the way from the internet",
            ),
            Ok(_) => sources.push(formwork::IntoValue::into_value(block.as_str())),
        }
    }
    if own.allow_cidrs.is_empty() {
        sources.extend(props.networking.vpc_cidr.clone());
    }
    for (position, source) in sources.iter().enumerate() {
        let id = format!("Clients{}", position + 1);
        let port = TcpPorts::one(CLIENT_PORT);
        allow_from_block(scope, &id, source, group, port, "Clients of Metaflow inside of the network");
    }
}
