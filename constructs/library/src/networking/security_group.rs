//! Security groups that let nothing in and nothing out until a rule of its own says so.

use formwork::{Scope, SecurityGroupId, Value, VpcId};
use formwork_resources::ec2::{CfnSecurityGroup, Egress};

/// A group without rules.
///
/// A group that is defined without rules out of it gets one that allows everything. Only a rule in the definition keeps
/// that one away, so there is one to the instance's own loopback, where it opens nothing (CloudFormation Template
/// Reference, `AWS::EC2::SecurityGroup`, "Remove default rule").
#[track_caller]
pub fn security_group(
    scope: Scope<'_>,
    id: &str,
    vpc_id: &Value<VpcId>,
    description: &str,
) -> Value<SecurityGroupId> {
    let nowhere =
        Egress::new("-1").cidr_ip("127.0.0.1/32").description("Nothing: keeps the default rule away");
    CfnSecurityGroup::new(description)
        .vpc_id(vpc_id)
        .security_group_egress([nowhere])
        .define(scope, id)
        .group_id()
}
