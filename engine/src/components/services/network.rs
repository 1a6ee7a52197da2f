//! EC2 on networks: VPCs, ways out of them, and the rules of security groups.

use super::{ec2, given, text, texts};
use crate::aws::xml::Element;
use crate::aws::{Error, Session};

/// A resource and the state that EC2 says it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    /// Its id.
    pub(crate) id: String,
    /// EC2's word.
    pub(crate) state: String,
    /// Why, if EC2 says so.
    pub(crate) reason: Option<String>,
    /// What it is of: a CIDR block, a service's name.
    pub(crate) of: String,
}

/// A VPC endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Its id, its state and, as `of`, its service.
    pub(crate) stated: Stated,
    /// The route tables of a gateway endpoint.
    pub(crate) tables: Vec<String>,
    /// Whether an interface endpoint answers to the service's own name.
    pub(crate) has_private_name: bool,
    /// Whether it is a gateway endpoint.
    pub(crate) is_gateway: bool,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its id.
    pub(crate) id: String,
    /// Whether it serves the subnets that name no other.
    pub(crate) is_main: bool,
    /// The subnets that name it.
    pub(crate) subnets: Vec<String>,
    /// The routes to everywhere: the target and whether the route works.
    pub(crate) to_everywhere: Vec<(String, bool)>,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its id.
    pub(crate) id: String,
    /// Whether its rules let connections to port 443 out, to anywhere at all.
    pub(crate) lets_https_out: bool,
}

/// VPCs by their ids; those that are gone are left out.
pub(crate) async fn vpcs(session: &Session, ids: &[&str]) -> Result<Vec<Stated>, Error> {
    let items = ec2(session, "DescribeVpcs", "vpcSet", "vpc-id", ids).await?;
    Ok(items.iter().map(|item| stated(item, "vpcId", "cidrBlock")).collect())
}

/// NAT gateways by their ids; those that are gone are left out.
pub(crate) async fn nat_gateways(session: &Session, ids: &[&str]) -> Result<Vec<Stated>, Error> {
    let items = ec2(session, "DescribeNatGateways", "natGatewaySet", "nat-gateway-id", ids).await?;
    let one = |item: &Element| Stated {
        reason: given(item, "failureMessage"),
        ..stated(item, "natGatewayId", "subnetId")
    };
    Ok(items.iter().map(one).collect())
}

/// VPC endpoints by a filter, such as `vpc-endpoint-id` or `vpc-id`.
pub(crate) async fn endpoints(
    session: &Session,
    filter: &str,
    values: &[&str],
) -> Result<Vec<Endpoint>, Error> {
    let items = ec2(session, "DescribeVpcEndpoints", "vpcEndpointSet", filter, values).await?;
    let one = |item: &Element| Endpoint {
        stated: Stated {
            reason: item.child("lastError").and_then(|error| given(error, "message")),
            ..stated(item, "vpcEndpointId", "serviceName")
        },
        tables: texts(item, "routeTableIdSet"),
        has_private_name: item.text_of("privateDnsEnabled") == Some("true"),
        is_gateway: item.text_of("vpcEndpointType") == Some("Gateway"),
    };
    Ok(items.iter().map(one).collect())
}

/// The route tables of a VPC.
pub(crate) async fn tables(session: &Session, vpc: &str) -> Result<Vec<Table>, Error> {
    let items = ec2(session, "DescribeRouteTables", "routeTableSet", "vpc-id", &[vpc]).await?;
    Ok(items.iter().map(table).collect())
}

fn table(item: &Element) -> Table {
    const TARGETS: [&str; 8] = [
        "natGatewayId",
        "transitGatewayId",
        "gatewayId",
        "instanceId",
        "networkInterfaceId",
        "vpcPeeringConnectionId",
        "localGatewayId",
        "coreNetworkArn",
    ];
    let everywhere = |route: &&Element| route.text_of("destinationCidrBlock") == Some("0.0.0.0/0");
    let to_everywhere = item.members("routeSet").filter(everywhere).filter_map(|route| {
        let target = TARGETS.iter().find_map(|name| given(route, name))?;
        Some((target, route.text_of("state") != Some("blackhole")))
    });
    Table {
        id: text(item, "routeTableId"),
        is_main: item.members("associationSet").any(|it| it.text_of("main") == Some("true")),
        subnets: item.members("associationSet").filter_map(|it| given(it, "subnetId")).collect(),
        to_everywhere: to_everywhere.collect(),
    }
}

/// Security groups by their ids; those that are gone are left out.
pub(crate) async fn groups(session: &Session, ids: &[&str]) -> Result<Vec<Group>, Error> {
    let items = ec2(session, "DescribeSecurityGroups", "securityGroupInfo", "group-id", ids).await?;
    let one = |item: &Element| Group {
        id: text(item, "groupId"),
        lets_https_out: item.members("ipPermissionsEgress").any(lets_https),
    };
    Ok(items.iter().map(one).collect())
}

fn lets_https(rule: &Element) -> bool {
    let port = |name: &str| rule.text_of(name).and_then(|text| text.parse::<i64>().ok());
    match rule.text_of("ipProtocol") {
        // Every protocol and port.
        Some("-1") => true,
        Some("tcp" | "6") => {
            port("fromPort").is_some_and(|from| from <= 443) && port("toPort").is_some_and(|to| to >= 443)
        }
        _ => false,
    }
}

fn stated(item: &Element, id: &str, of: &str) -> Stated {
    Stated { id: text(item, id), state: text(item, "state"), reason: None, of: text(item, of) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::xml;

    fn read(text: &str) -> Element {
        xml::read(text).unwrap()
    }

    #[test]
    fn a_route_whose_target_is_gone_is_no_way_out() {
        let found = table(&read(
            "<item><routeTableId>rtb-1</routeTableId><routeSet>\
             <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId></item>\
             <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId>\
             <state>blackhole</state></item></routeSet><associationSet><item><main>true</main></item>\
             <item><subnetId>subnet-1</subnetId><main>false</main></item></associationSet></item>",
        ));
        assert_eq!(found.to_everywhere, [("nat-1".to_owned(), false)]);
        assert_eq!((found.is_main, found.subnets), (true, vec!["subnet-1".to_owned()]));
    }

    #[test]
    fn rules_let_https_out_by_protocol_and_range() {
        let rule = |protocol: &str, from: &str, to: &str| {
            lets_https(&read(&format!(
                "<item><ipProtocol>{protocol}</ipProtocol><fromPort>{from}</fromPort><toPort>{to}</toPort></item>"
            )))
        };
        assert!(rule("-1", "", "") && rule("tcp", "443", "443") && rule("6", "0", "65535"));
        assert!(!rule("tcp", "2049", "2049") && !rule("udp", "443", "443") && !rule("tcp", "444", "65535"));
    }
}
