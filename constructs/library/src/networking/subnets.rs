//! The subnets of a network, their route tables and their ways out.

use formwork::{Dependency, Resource, Scope, SubnetId, Value, VpcId, availability_zones, select};
use formwork_resources::ec2::{
    CfnEip, CfnInternetGateway, CfnNatGateway, CfnRoute, CfnRouteTable, CfnSubnet,
    CfnSubnetRouteTableAssociation, CfnVpcGatewayAttachment, EipDomain,
};

use super::addressing::{AddressBlock, AddressPlan};

/// All addresses.
const ANYWHERE: &str = "0.0.0.0/0";

/// The subnets of a network by tier, in the order of the zones.
pub(super) struct Subnets {
    pub(super) public: Vec<Value<SubnetId>>,
    pub(super) private: Vec<Value<SubnetId>>,
    pub(super) isolated: Vec<Value<SubnetId>>,
    /// The route tables of the private and the isolated subnets.
    pub(super) inner_route_tables: Vec<Value<String>>,
    /// The public addresses of the NAT gateways.
    pub(super) nat_addresses: Vec<Value<String>>,
}

/// Names what is at a place, for the lists of the console.
pub(super) fn name(scope: Scope<'_>, label: &str) {
    scope.tag("Name", &format!("{}-{label}", scope.stack_name()));
}

impl Subnets {
    #[track_caller]
    pub(super) fn define(
        scope: Scope<'_>,
        vpc_id: &Value<VpcId>,
        plan: &AddressPlan,
        nat_gateways: u8,
    ) -> Self {
        let public_tier = Tier { scope: scope.child("Public"), label: "public", vpc_id };
        let public_routes = public_tier.route_table("RouteTable", "public");
        let public = public_tier.subnets(&plan.public, |_| public_routes.clone());
        let to_internet = internet_gateway(scope, vpc_id, &public_routes);

        let mut nat_addresses = Vec::new();
        let mut nats = Vec::new();
        for (index, subnet) in public.iter().take(usize::from(nat_gateways)).enumerate() {
            let nat = NatGateway::define(scope, index + 1, subnet, to_internet);
            nat_addresses.push(nat.address);
            nats.push(nat.id);
        }

        // A table for each zone even with one NAT gateway: adding gateways later then changes routes only.
        let private_tier = Tier { scope: scope.child("Private"), label: "private", vpc_id };
        let private_routes: Vec<Value<String>> = (1..=plan.private.len())
            .map(|zone| private_tier.route_table(&format!("RouteTable{zone}"), &format!("private-{zone}")))
            .collect();
        let private = private_tier.subnets(&plan.private, |index| private_routes[index].clone());
        if !nats.is_empty() {
            for (index, table) in private_routes.iter().enumerate() {
                CfnRoute::new(table)
                    .destination_cidr_block(ANYWHERE)
                    .nat_gateway_id(&nats[index % nats.len()])
                    .define(private_tier.scope, &format!("ToInternet{}", index + 1));
            }
        }

        let isolated_tier = Tier { scope: scope.child("Isolated"), label: "isolated", vpc_id };
        let isolated_routes = isolated_tier.route_table("RouteTable", "isolated");
        let isolated = isolated_tier.subnets(&plan.isolated, |_| isolated_routes.clone());

        let mut inner_route_tables = private_routes;
        inner_route_tables.push(isolated_routes);
        Self { public, private, isolated, inner_route_tables, nat_addresses }
    }
}

/// A tier of subnets.
struct Tier<'app, 'a> {
    scope: Scope<'app>,
    label: &'static str,
    vpc_id: &'a Value<VpcId>,
}

impl Tier<'_, '_> {
    #[track_caller]
    fn route_table(&self, id: &str, label: &str) -> Value<String> {
        let table = CfnRouteTable::new(self.vpc_id).define(self.scope, id);
        name(self.scope.at(table.resource()), label);
        table.route_table_id()
    }

    /// The subnets of the tier, each with its route table.
    #[track_caller]
    fn subnets(
        &self,
        blocks: &[AddressBlock],
        routes: impl Fn(usize) -> Value<String>,
    ) -> Vec<Value<SubnetId>> {
        let mut subnets = Vec::new();
        for (index, block) in blocks.iter().enumerate() {
            let zone = index + 1;
            let zone_name = u32::try_from(index).expect("a few zones");
            let subnet = CfnSubnet::new(self.vpc_id)
                .availability_zone(select(zone_name, availability_zones()))
                .cidr_block(block.to_string())
                // Also in public subnets an address is asked for by what needs one, such as a load balancer.
                .map_public_ip_on_launch(false)
                .define(self.scope, &format!("Subnet{zone}"));
            name(self.scope.at(subnet.resource()), &format!("{}-{zone}", self.label));
            CfnSubnetRouteTableAssociation::new(routes(index), subnet.subnet_id())
                .define(self.scope, &format!("Routes{zone}"));
            subnets.push(subnet.subnet_id());
        }
        subnets
    }
}

/// The gateway to the internet, and the route to it, for which NAT has to wait.
#[track_caller]
fn internet_gateway(scope: Scope<'_>, vpc_id: &Value<VpcId>, routes: &Value<String>) -> Dependency {
    let gateway = CfnInternetGateway::new().define(scope, "InternetGateway");
    name(scope.at(gateway.resource()), "internet");
    let attachment = CfnVpcGatewayAttachment::new(vpc_id)
        .internet_gateway_id(gateway.internet_gateway_id())
        .define(scope, "InternetGatewayAttachment");
    CfnRoute::new(routes)
        .destination_cidr_block(ANYWHERE)
        .gateway_id(gateway.internet_gateway_id())
        .depends_on(attachment)
        .define(scope, "InternetRoute")
        .into()
}

/// A NAT gateway with its public address.
struct NatGateway {
    id: Value<String>,
    address: Value<String>,
}

impl NatGateway {
    #[track_caller]
    fn define(scope: Scope<'_>, number: usize, subnet: &Value<SubnetId>, to_internet: Dependency) -> Self {
        let scope = scope.child(&format!("Nat{number}"));
        name(scope, &format!("nat-{number}"));
        // It does not work before the VPC has its way to the internet, which no reference says.
        let address = CfnEip::new().domain(EipDomain::VPC).depends_on(to_internet).define(scope, "Address");
        let gateway = CfnNatGateway::new()
            .allocation_id(address.allocation_id())
            .subnet_id(subnet)
            .define(scope, "Gateway");
        Self { id: gateway.nat_gateway_id(), address: address.public_ip() }
    }
}
