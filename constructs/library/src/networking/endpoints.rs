//! The VPC endpoints: how AWS is called without leaving the network.

use std::collections::BTreeSet;

use formwork::{Diagnostic, Scope, SecurityGroupId, Severity, SubnetId, Value, VpcId};
use formwork_resources::ec2::{CfnSecurityGroupIngress, CfnVpcEndpoint, VpcEndpointType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AwsService::{self, *};
use super::regions::{RECORD_DATE, not_in_all_zones};
use super::security_group::security_group;
use super::services::{EndpointKind, in_words};

/// Which interface endpoints a VPC gets. Each costs by the hour in each zone; the gateway endpoints of S3 and DynamoDB
/// cost nothing and are always there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointPreset {
    /// No interface endpoints: every call to AWS but those to S3 and DynamoDB leaves through NAT.
    None,
    /// What a proxy in front of a tracking server calls: it then works without NAT.
    #[default]
    Minimal,
    /// What is minimal, and what SageMaker Studio calls.
    Studio,
}

impl EndpointPreset {
    /// The name in a context.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Studio => "studio",
        }
    }

    /// The services that the preset has interface endpoints for.
    pub fn services(self) -> BTreeSet<AwsService> {
        const MINIMAL: [AwsService; 8] = [
            CloudFormation,
            CloudWatchLogs,
            MlflowTrackingServer,
            SageMakerApi,
            SecretsManager,
            SecurityTokens,
            SystemsManager,
            SystemsManagerMessages,
        ];
        const STUDIO: [AwsService; 7] = [
            CloudWatch,
            EcrApi,
            EcrRegistry,
            KeyManagement,
            SageMakerNotebook,
            SageMakerRuntime,
            SageMakerStudio,
        ];
        match self {
            Self::None => BTreeSet::new(),
            Self::Minimal => BTreeSet::from(MINIMAL),
            Self::Studio => MINIMAL.into_iter().chain(STUDIO).collect(),
        }
    }

    /// The smallest preset that has all of some services.
    pub(super) fn with(services: &[AwsService]) -> Option<Self> {
        [Self::Minimal, Self::Studio].into_iter().find(|preset| {
            let has = preset.services();
            services.iter().all(|service| has.contains(service))
        })
    }
}

/// The endpoints of a VPC.
pub(super) struct Endpoints {
    /// The services that have one, by gateway or by interface.
    pub(super) services: BTreeSet<AwsService>,
    /// The group of the interface endpoints, when there are any.
    pub(super) security_group: Option<Value<SecurityGroupId>>,
}

/// Where endpoints are put.
pub(super) struct Place<'a> {
    pub(super) vpc_id: &'a Value<VpcId>,
    pub(super) vpc_cidr: &'a Value<String>,
    pub(super) subnets: &'a [Value<SubnetId>],
    pub(super) route_tables: &'a [Value<String>],
}

impl Endpoints {
    /// Adds the endpoints of some services: those by gateway on the route tables, those by interface in the subnets.
    /// Services that the stack's region is known to have no endpoint of are left out with a warning.
    #[track_caller]
    pub(super) fn define(scope: Scope<'_>, place: &Place<'_>, wanted: &BTreeSet<AwsService>) -> Self {
        let region = scope.environment().region;
        let services = present_in(scope, region.as_deref(), wanted);
        note_zones(scope, region.as_deref(), &services, place.subnets.len());
        let by_interface = services.iter().any(|service| service.endpoint_kind() == EndpointKind::Interface);
        let security_group = by_interface.then(|| {
            let group = security_group(
                scope,
                "SecurityGroup",
                place.vpc_id,
                "HTTPS from the VPC to the interface endpoints",
            );
            CfnSecurityGroupIngress::new("tcp")
                .group_id(&group)
                .cidr_ip(place.vpc_cidr)
                .from_port(443)
                .to_port(443)
                .description("HTTPS from inside the VPC")
                .define(scope, "HttpsFromVpc");
            group
        });
        for service in &services {
            let endpoint =
                CfnVpcEndpoint::new(place.vpc_id).service_name(service.endpoint_service(region.as_deref()));
            let endpoint = match service.endpoint_kind() {
                EndpointKind::Gateway => {
                    endpoint.vpc_endpoint_type(VpcEndpointType::GATEWAY).route_table_ids(place.route_tables)
                }
                EndpointKind::Interface => endpoint
                    .vpc_endpoint_type(VpcEndpointType::INTERFACE)
                    .private_dns_enabled(true)
                    .subnet_ids(place.subnets)
                    .security_group_ids(security_group.iter().collect::<Vec<_>>()),
            };
            endpoint.define(scope, service.id());
        }
        Self { services, security_group }
    }
}

/// The wanted services without those that a region is known to have no endpoint of.
fn present_in(scope: Scope<'_>, region: Option<&str>, wanted: &BTreeSet<AwsService>) -> BTreeSet<AwsService> {
    let Some(region) = region else { return wanted.clone() };
    let (absent, present): (Vec<_>, Vec<_>) =
        wanted.iter().copied().partition(|service| service.has_endpoint_in(region) == Some(false));
    if !absent.is_empty() {
        let message = format!("{region} has no VPC endpoint of {}, which is left out", in_words(&absent));
        let hint = "name it in withoutEndpoints; calls to it need NAT, and another region when this one lacks the service itself";
        scope.report(Diagnostic::new(Severity::Warning, "endpoint-region", message).with_hint(hint));
    }
    present.into_iter().collect()
}

/// Notes the endpoints that some zones of a region are known to lack. Which zones those are depends on the account.
fn note_zones(scope: Scope<'_>, region: Option<&str>, services: &BTreeSet<AwsService>, zones: usize) {
    let Some(region) = region else { return };
    let partly: Vec<AwsService> =
        not_in_all_zones(region).iter().copied().filter(|service| services.contains(service)).collect();
    if zones > 1 && !partly.is_empty() {
        let message = format!(
            "on {RECORD_DATE} some zones of {region} lacked the VPC endpoint of {}",
            in_words(&partly)
        );
        let hint =
            "if AWS says that an endpoint does not support the zone of a subnet, set other endpointZones";
        scope.report(Diagnostic::new(Severity::Note, "endpoint-zones", message).with_hint(hint));
    }
}
