//! Openings between security groups, as resources of their own in the scope that wants them.
//!
//! Two groups that name each other inside their own definitions are a circle that CloudFormation refuses; a rule beside
//! them is not, and it makes the arrow between two stacks the one that the code shows.

use formwork::{IntoValue, Scope, SecurityGroupId, Value};
use formwork_resources::ec2::{CfnSecurityGroupEgress, CfnSecurityGroupIngress};

/// A range of TCP ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpPorts {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl TcpPorts {
    /// A single port.
    pub const fn one(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// A range of ports, both ends included.
    pub const fn range(first: u16, last: u16) -> Self {
        Self { first, last }
    }
}

/// HTTPS.
pub const HTTPS: TcpPorts = TcpPorts::one(443);

/// Lets `from` open connections to `to`: a rule out of the one group and a rule into the other.
#[track_caller]
pub fn allow_between(
    scope: Scope<'_>,
    id: &str,
    from: &Value<SecurityGroupId>,
    to: &Value<SecurityGroupId>,
    ports: TcpPorts,
    description: &str,
) {
    let scope = scope.child(id);
    CfnSecurityGroupEgress::new("tcp", from)
        .destination_security_group_id(to)
        .from_port(i64::from(ports.first))
        .to_port(i64::from(ports.last))
        .description(description)
        .define(scope, "Out");
    CfnSecurityGroupIngress::new("tcp")
        .group_id(to)
        .source_security_group_id(from)
        .from_port(i64::from(ports.first))
        .to_port(i64::from(ports.last))
        .description(description)
        .define(scope, "In");
}

/// Lets a block of addresses open connections to the members of a group.
#[track_caller]
pub fn allow_from_block(
    scope: Scope<'_>,
    id: &str,
    block: impl IntoValue<String>,
    to: &Value<SecurityGroupId>,
    ports: TcpPorts,
    description: &str,
) {
    CfnSecurityGroupIngress::new("tcp")
        .group_id(to)
        .cidr_ip(block)
        .from_port(i64::from(ports.first))
        .to_port(i64::from(ports.last))
        .description(description)
        .define(scope, id);
}

/// Lets the members of a group open HTTPS connections to any address.
///
/// The API endpoints of AWS have changing addresses, those behind the gateway endpoints of S3 and DynamoDB too, and a
/// group's rule cannot name them. Where packets can go is up to the subnet's routes: without NAT, only to endpoints.
#[track_caller]
pub fn allow_https_out(scope: Scope<'_>, id: &str, from: &Value<SecurityGroupId>, description: &str) {
    CfnSecurityGroupEgress::new("tcp", from)
        .cidr_ip("0.0.0.0/0")
        .from_port(i64::from(HTTPS.first))
        .to_port(i64::from(HTTPS.last))
        .description(description)
        .define(scope, id);
}
