//! A network that exists already.

use std::collections::BTreeSet;

use formwork::{Diagnostic, IntoValue, Scope, SubnetId, VpcId};

use super::addressing::AddressBlock;
use super::{Egress, Networking};

/// A VPC that this app does not make, by its ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExistingNetwork {
    /// The id of the VPC, `vpc-…`.
    pub vpc_id: String,
    /// The ids of subnets in which things run, in two zones at least.
    pub subnet_ids: Vec<String>,
    /// The ids of subnets with a route to the internet, for load balancers that are reached from there.
    pub public_subnet_ids: Vec<String>,
    /// The address block of the VPC, such as `10.0.0.0/16`; without it, rules cannot say "from inside the VPC".
    pub vpc_cidr: Option<String>,
}

impl Networking {
    /// A network that exists already. Which endpoints and ways out it has is not known.
    #[track_caller]
    pub fn existing(scope: Scope<'_>, id: &str, network: ExistingNetwork) -> Self {
        let scope = scope.child(id);
        network.check(scope);
        let subnets = SubnetId::literals(&network.subnet_ids);
        Self {
            vpc_id: VpcId::literal(network.vpc_id),
            vpc_cidr: network.vpc_cidr.map(IntoValue::into_value),
            public_subnets: SubnetId::literals(&network.public_subnet_ids),
            private_subnets: subnets.clone(),
            isolated_subnets: subnets,
            endpoint_security_group: None,
            egress: Egress::Unknown,
            endpoints: BTreeSet::new(),
        }
    }
}

impl ExistingNetwork {
    fn check(&self, scope: Scope<'_>) {
        let report = |message: String, hint: &str| {
            scope.report(Diagnostic::error("existing-network", message).with_hint(hint));
        };
        if !is_id(&self.vpc_id, "vpc-") {
            report(
                format!("`{}` is not the id of a VPC", self.vpc_id),
                "the id of a VPC is vpc- and 8 or 17 hexadecimal digits, such as vpc-0a1b2c3d4e5f67890",
            );
        }
        for subnet in self.subnet_ids.iter().chain(&self.public_subnet_ids) {
            if !is_id(subnet, "subnet-") {
                report(
                    format!("`{subnet}` is not the id of a subnet"),
                    "the id of a subnet is subnet- and 8 or 17 hexadecimal digits, such as subnet-0a1b2c3d4e5f67890",
                );
            }
        }
        for (name, subnets) in
            [("subnet ids", &self.subnet_ids), ("public subnet ids", &self.public_subnet_ids)]
        {
            let distinct: BTreeSet<&String> = subnets.iter().collect();
            if distinct.len() < subnets.len() {
                report(
                    format!("the {name} of `{}` name a subnet twice", self.vpc_id),
                    "name each subnet once",
                );
            }
            let needed = if subnets.is_empty() && name == "public subnet ids" { 0 } else { 2 };
            if distinct.len() < needed {
                report(
                    format!(
                        "the {name} of `{}` name {} of the 2 subnets that are needed",
                        self.vpc_id,
                        distinct.len()
                    ),
                    "name subnets in two availability zones or more: a load balancer does not start with fewer",
                );
            }
        }
        if let Some(block) = &self.vpc_cidr
            && let Err(error) = AddressBlock::of_vpc(block)
        {
            scope.report(error.diagnostic("the address block of the existing VPC"));
        }
    }
}

/// `PREFIX` and 8 or 17 hexadecimal digits (Amazon EC2 user guide, "Resource IDs").
fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}
