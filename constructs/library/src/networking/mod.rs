//! The network: a VPC in three tiers, what leaves it, and who may reach whom inside.
//!
//! Public subnets have a route to the internet, private ones a route out through NAT, isolated ones none. Nothing in
//! the network is open at first: security groups start without rules, and each rule is a resource of its own in the
//! scope that wants it.

mod addressing;
mod endpoints;
mod existing;
mod flow_logs;
mod ports;
mod reach;
mod regions;
mod security_group;
mod services;
mod subnets;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use formwork::{Diagnostic, KeyArn, Output, Scope, SecurityGroupId, Severity, SubnetId, Value, VpcId, join};
use formwork_resources::ec2::CfnVpc;

pub use addressing::{AddressBlock, AddressError, AddressPlan, MAX_ZONES};
pub use endpoints::EndpointPreset;
pub use existing::ExistingNetwork;
pub use flow_logs::FlowLogs;
pub use ports::{HTTPS, TcpPorts, allow_between, allow_from_block, allow_https_out};
pub use regions::RECORD_DATE;
pub use security_group::security_group;
pub use services::{AwsService, EndpointKind};

use endpoints::{Endpoints, Place};
use subnets::Subnets;

/// What can be said about a network.
#[derive(Clone, Debug)]
pub struct NetworkingProps {
    /// The VPC's block of IPv4 addresses, from /16 to /28.
    pub cidr: String,
    /// The availability zones that have subnets, 1 to 4. Load balancers and databases want 2 at least.
    pub zones: u8,
    /// The NAT gateways, at most one for each zone; with 0 nothing leaves the private subnets but through endpoints.
    pub nat_gateways: u8,
    /// The interface endpoints.
    pub endpoints: EndpointPreset,
    /// Endpoints beyond the preset.
    pub more_endpoints: Vec<AwsService>,
    /// Endpoints of the preset that are left out.
    pub without_endpoints: Vec<AwsService>,
    /// The zones, by number from 1, in which interface endpoints have a network interface; without any, all. Fewer
    /// cost less, and are the way out where a zone lacks an endpoint; calls from other zones reach them all the same.
    pub endpoint_zones: Vec<u8>,
    /// Which traffic is logged.
    pub flow_logs: FlowLogs,
    /// The days for which logged traffic is kept: a number that CloudWatch Logs takes, such as 1, 7, 30, 90 or 365.
    pub flow_logs_kept_for_days: i64,
    /// The key that encrypts the logs; its policy has to let CloudWatch Logs use it. Without one, AWS's own.
    pub log_key: Option<Value<KeyArn>>,
}

impl Default for NetworkingProps {
    fn default() -> Self {
        Self {
            cidr: DEFAULT_CIDR.to_owned(),
            zones: 2,
            nat_gateways: 1,
            endpoints: EndpointPreset::default(),
            more_endpoints: Vec::new(),
            without_endpoints: Vec::new(),
            endpoint_zones: Vec::new(),
            flow_logs: FlowLogs::default(),
            flow_logs_kept_for_days: 30,
            log_key: None,
        }
    }
}

const DEFAULT_CIDR: &str = "10.20.0.0/16";

/// How the private subnets reach the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Egress {
    /// Through NAT gateways.
    Nat,
    /// Not at all.
    None,
    /// In a way that is not known, because the network exists already.
    Unknown,
}

/// A network.
///
/// The VPC's default security group stays as AWS makes it: it lets its members talk to each other, and CloudFormation
/// cannot take its rules away. Nothing of this library is put into it.
#[derive(Clone, Debug)]
pub struct Networking {
    /// The VPC.
    pub vpc_id: Value<VpcId>,
    /// The VPC's address block; nothing for an existing VPC of which it was not given.
    pub vpc_cidr: Option<Value<String>>,
    /// Subnets with a route to the internet, one for each zone. Of an existing network those that were given.
    pub public_subnets: Vec<Value<SubnetId>>,
    /// Subnets in which things run, one for each zone.
    pub private_subnets: Vec<Value<SubnetId>>,
    /// Subnets without a route out, for data, one for each zone. Of an existing network those in which things run.
    pub isolated_subnets: Vec<Value<SubnetId>>,
    /// The security group of the interface endpoints, when the network has some of its own.
    pub endpoint_security_group: Option<Value<SecurityGroupId>>,
    /// How the private subnets reach the internet.
    pub egress: Egress,
    /// The services that have an endpoint in the VPC, as far as it is known.
    pub endpoints: BTreeSet<AwsService>,
}

impl Networking {
    /// Adds a network, and shows its ids as outputs beside it. What other stacks may want of it is exported whether or
    /// not one of them does, so that a shared network has the same template for all.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: NetworkingProps) -> Self {
        let outside = scope;
        let scope = scope.child(id);
        let props = props.checked(scope);
        let (block, plan) = props.plan(scope);
        let vpc = CfnVpc::new()
            .cidr_block(block.to_string())
            .enable_dns_hostnames(true)
            .enable_dns_support(true)
            .define(scope, "Vpc");
        subnets::name(scope.at(vpc.resource()), "vpc");
        let (vpc_id, vpc_cidr) = (vpc.vpc_id(), vpc.cidr_block());
        let subnets = Subnets::define(scope, &vpc_id, &plan, props.nat_gateways);
        let place = Place {
            vpc_id: &vpc_id,
            vpc_cidr: &vpc_cidr,
            subnets: &props.endpoint_subnets(&subnets.private),
            route_tables: &subnets.inner_route_tables,
        };
        let endpoints = Endpoints::define(scope.child("Endpoints"), &place, &props.endpoint_services());
        flow_logs::define(scope, &vpc_id, &props);
        let network = Self {
            vpc_id,
            vpc_cidr: Some(vpc_cidr),
            public_subnets: subnets.public,
            private_subnets: subnets.private,
            isolated_subnets: subnets.isolated,
            endpoint_security_group: endpoints.security_group,
            egress: if props.nat_gateways > 0 { Egress::Nat } else { Egress::None },
            endpoints: endpoints.services,
        };
        network.export(scope);
        network.show(outside, &subnets.nat_addresses);
        network
    }

    fn export(&self, scope: Scope<'_>) {
        scope.export(&self.vpc_id);
        if let Some(block) = &self.vpc_cidr {
            scope.export(block);
        }
        for subnet in self.public_subnets.iter().chain(&self.private_subnets).chain(&self.isolated_subnets) {
            scope.export(subnet);
        }
        if let Some(group) = &self.endpoint_security_group {
            scope.export(group);
        }
    }

    #[track_caller]
    fn show(&self, scope: Scope<'_>, nat_addresses: &[Value<String>]) {
        Output::new(&self.vpc_id).description("The VPC").define(scope, "VpcId");
        if let Some(block) = &self.vpc_cidr {
            Output::new(block).description("The VPC's address block").define(scope, "VpcCidr");
        }
        for (id, subnets, description) in [
            ("PublicSubnetIds", &self.public_subnets, "The subnets with a route to the internet"),
            ("PrivateSubnetIds", &self.private_subnets, "The subnets in which things run"),
            ("IsolatedSubnetIds", &self.isolated_subnets, "The subnets without a route out"),
        ] {
            Output::new(join(",", subnets)).description(description).define(scope, id);
        }
        if !nat_addresses.is_empty() {
            Output::new(join(",", nat_addresses))
                .description("The addresses that calls from the private subnets come from")
                .define(scope, "NatAddresses");
        }
    }
}

impl NetworkingProps {
    /// The props with what cannot be taken back, which is reported.
    fn checked(mut self, scope: Scope<'_>) -> Self {
        if !(1..=MAX_ZONES).contains(&self.zones) {
            let message = format!("a network in {} zones is not possible", self.zones);
            let hint =
                format!("set zones from 1 to {MAX_ZONES}; load balancers and databases want 2 at least");
            scope.report(Diagnostic::error("zones", message).with_hint(hint));
            self.zones = self.zones.clamp(1, MAX_ZONES);
        }
        if self.nat_gateways > self.zones {
            let message = format!("{} NAT gateways are too many for {} zones", self.nat_gateways, self.zones);
            let hint = format!("set natGateways to {} or less: one for each zone is the most", self.zones);
            scope.report(Diagnostic::error("nat-gateways", message).with_hint(hint));
            self.nat_gateways = self.zones;
        }
        if let Some(zone) = self.endpoint_zones.iter().find(|zone| !(1..=self.zones).contains(zone)) {
            let message = format!("endpointZones names zone {zone}, but the zones are 1 to {}", self.zones);
            let hint = "name zones of the network by their number, or none for all of them";
            scope.report(Diagnostic::error("endpoint-zones", message).with_hint(hint));
            self.endpoint_zones.clear();
        }
        self.compare_with_region(scope);
        self
    }

    /// Warns of zones that an account is not likely to have: `Fn::Select` would fail in the deployment.
    fn compare_with_region(&self, scope: Scope<'_>) {
        let Some(region) = scope.environment().region else { return };
        if let Some(known) = regions::zones_of(&region)
            && known < self.zones
        {
            let message =
                format!("{region} had {known} zones for an account on {RECORD_DATE}, not {}", self.zones);
            let hint = format!("set zones to {known}, unless the account has more by now");
            scope.report(Diagnostic::new(Severity::Warning, "zones", message).with_hint(hint));
        }
    }

    /// The private subnets in which interface endpoints have a network interface.
    fn endpoint_subnets(&self, private: &[Value<SubnetId>]) -> Vec<Value<SubnetId>> {
        let chosen = |index: usize| {
            self.endpoint_zones.is_empty()
                || self.endpoint_zones.iter().any(|zone| usize::from(*zone) == index + 1)
        };
        private
            .iter()
            .enumerate()
            .filter(|(index, _)| chosen(*index))
            .map(|(_, subnet)| subnet.clone())
            .collect()
    }

    /// The block and its address plan; for a block that cannot be taken those of the default, so that other mistakes are
    /// found too and this one is told once.
    fn plan(&self, scope: Scope<'_>) -> (AddressBlock, AddressPlan) {
        let planned = AddressBlock::of_vpc(&self.cidr).and_then(|block| {
            if block.overlaps(addressing::DOCKER_BRIDGE) {
                let message =
                    format!("`{block}` overlaps 172.17.0.0/16, which SageMaker's hosts use themselves");
                let hint = "choose another block, such as 10.20.0.0/16";
                scope.report(Diagnostic::new(Severity::Warning, "address-block", message).with_hint(hint));
            }
            Ok((block, AddressPlan::new(block, self.zones)?))
        });
        planned.unwrap_or_else(|error| {
            scope.report(error.diagnostic("cidr"));
            let block = DEFAULT_CIDR.parse().expect("the default is a block");
            let plan = AddressPlan::new(block, self.zones);
            (block, plan.expect("the default has room for every number of zones"))
        })
    }

    /// The services that get an endpoint: by gateway always, by interface as the props say.
    fn endpoint_services(&self) -> BTreeSet<AwsService> {
        let mut services = self.endpoints.services();
        services.extend(&self.more_endpoints);
        services.retain(|service| !self.without_endpoints.contains(service));
        services.extend([AwsService::S3, AwsService::DynamoDb]);
        services
    }
}
