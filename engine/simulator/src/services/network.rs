//! EC2's answers on networks and instances, made from what stacks made.
//!
//! Routes, associations and rules that are resources of their own are told with the table or group that they belong to,
//! as EC2 does.

use serde_json::Value;

use super::Services;
use crate::api::{ApiError, Element, Parameters};
use crate::cloudformation::Context;
use crate::protocol::ec2::list;

/// Where EC2 is asked for something by id: the parameter, the filter, the type and the code when it is missing.
struct Lookup {
    parameter: &'static str,
    filter: &'static str,
    resource_type: &'static str,
    missing: &'static str,
}

const VPCS: Lookup = Lookup {
    parameter: "VpcId",
    filter: "vpc-id",
    resource_type: "AWS::EC2::VPC",
    missing: "InvalidVpcID.NotFound",
};
const GATEWAYS: Lookup = Lookup {
    parameter: "NatGatewayId",
    filter: "nat-gateway-id",
    resource_type: "AWS::EC2::NatGateway",
    missing: "NatGatewayNotFound",
};
const ENDPOINTS: Lookup = Lookup {
    parameter: "VpcEndpointId",
    filter: "vpc-endpoint-id",
    resource_type: "AWS::EC2::VPCEndpoint",
    missing: "InvalidVpcEndpointId.NotFound",
};
const TABLES: Lookup = Lookup {
    parameter: "RouteTableId",
    filter: "route-table-id",
    resource_type: "AWS::EC2::RouteTable",
    missing: "InvalidRouteTableID.NotFound",
};
const GROUPS: Lookup = Lookup {
    parameter: "GroupId",
    filter: "group-id",
    resource_type: "AWS::EC2::SecurityGroup",
    missing: "InvalidGroup.NotFound",
};

impl Services {
    /// EC2's operations.
    pub(super) fn network(
        &mut self,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        if let Some(answer) = self.regions(context, action, parameters) {
            return answer;
        }
        let all = |lookup: &'static Lookup| self.asked(context, lookup, parameters);
        Ok(vec![match action {
            "DescribeVpcs" => list(
                "vpcSet",
                all(&VPCS)?.map(|(id, found)| {
                    let state = self.word(&VPCS, id, "available");
                    vec![
                        text("vpcId", id),
                        text("state", state),
                        text("cidrBlock", plain(found, "CidrBlock")),
                    ]
                }),
            ),
            "DescribeNatGateways" => list(
                "natGatewaySet",
                all(&GATEWAYS)?.map(|(id, found)| {
                    let state = self.state(GATEWAYS.resource_type, id);
                    let mut told = vec![
                        text("natGatewayId", id),
                        text("subnetId", plain(found, "SubnetId")),
                        text("state", state.map_or("available", |(word, _)| word)),
                    ];
                    told.extend(state.and_then(|(_, reason)| reason).map(|why| text("failureMessage", why)));
                    told
                }),
            ),
            "DescribeVpcEndpoints" => {
                list("vpcEndpointSet", all(&ENDPOINTS)?.map(|(id, found)| self.endpoint(id, found)))
            }
            "DescribeRouteTables" => {
                list("routeTableSet", all(&TABLES)?.map(|(id, found)| self.table(context, id, found)))
            }
            "DescribeSecurityGroups" => {
                list("securityGroupInfo", all(&GROUPS)?.map(|(id, found)| self.group(context, id, found)))
            }
            "DescribeInstances" => {
                let instances = self.instances(context, parameters)?;
                let reservation =
                    |instance| vec![text("reservationId", "r-1"), list("instancesSet", [instance])];
                list("reservationSet", instances.into_iter().map(reservation))
            }
            _ => {
                let message = format!("The action {action} is not valid for this web service.");
                return Err(ApiError::new("InvalidAction", message));
            }
        }])
    }

    /// The resources that a call asks for, by ids and by filters.
    fn asked<'s>(
        &'s self,
        context: &'s Context,
        lookup: &'s Lookup,
        parameters: &Parameters,
    ) -> Result<impl Iterator<Item = (&'s str, &'s Value)>, ApiError> {
        let ids: Vec<String> = parameters.numbered(lookup.parameter).into_iter().map(str::to_owned).collect();
        if let Some(missing) =
            ids.iter().find(|id| !self.made(context, lookup.resource_type).any(|(it, _)| it == **id))
        {
            let message = format!("The id '{missing}' does not exist");
            return Err(ApiError::new(lookup.missing, message));
        }
        let filters: Vec<(String, Vec<String>)> = parameters
            .filters()
            .into_iter()
            .map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()))
            .collect();
        Ok(self.made(context, lookup.resource_type).filter(move |(id, found)| {
            let named = ids.is_empty() || ids.iter().any(|it| it == id);
            named
                && filters.iter().all(|(name, values)| match name.as_str() {
                    name if name == lookup.filter => values.iter().any(|value| value == id),
                    "vpc-id" => values.iter().any(|value| value == plain(found, "VpcId")),
                    _ => true,
                })
        }))
    }

    fn word<'s>(&'s self, lookup: &Lookup, id: &str, usual: &'s str) -> &'s str {
        self.state(lookup.resource_type, id).map_or(usual, |(word, _)| word)
    }

    fn endpoint(&self, id: &str, found: &Value) -> Vec<Element> {
        let kind = found.get("VpcEndpointType").and_then(Value::as_str).unwrap_or("Gateway");
        let state = self.state(ENDPOINTS.resource_type, id);
        let mut told = vec![
            text("vpcEndpointId", id),
            text("vpcEndpointType", kind),
            text("vpcId", plain(found, "VpcId")),
            text("serviceName", plain(found, "ServiceName")),
            text("state", state.map_or("available", |(word, _)| word)),
            text("privateDnsEnabled", is_true(&found["PrivateDnsEnabled"]).to_string()),
            texts("routeTableIdSet", strings(found, "RouteTableIds")),
            texts("subnetIdSet", strings(found, "SubnetIds")),
        ];
        if let Some((_, Some(why))) = state {
            told.push(Element::of("lastError", [text("code", "Failed"), text("message", why)]));
        }
        told
    }

    fn table(&self, context: &Context, id: &str, found: &Value) -> Vec<Element> {
        let routes = self.made(context, "AWS::EC2::Route").filter(|(_, it)| plain(it, "RouteTableId") == id);
        let routes = routes.map(|(route, found)| {
            let mut told = vec![text("destinationCidrBlock", plain(found, "DestinationCidrBlock"))];
            for (property, name) in [("NatGatewayId", "natGatewayId"), ("GatewayId", "gatewayId")] {
                let target = plain(found, property);
                if !target.is_empty() {
                    told.push(text(name, target));
                }
            }
            let state = self.state("AWS::EC2::Route", route).map_or("active", |(word, _)| word);
            told.push(text("state", state));
            told
        });
        let associations = self
            .made(context, "AWS::EC2::SubnetRouteTableAssociation")
            .filter(|(_, it)| plain(it, "RouteTableId") == id)
            .map(|(association, it)| {
                vec![
                    text("routeTableAssociationId", association),
                    text("routeTableId", id),
                    text("subnetId", plain(it, "SubnetId")),
                    text("main", "false"),
                ]
            });
        vec![
            text("routeTableId", id),
            text("vpcId", plain(found, "VpcId")),
            list("routeSet", routes),
            list("associationSet", associations),
        ]
    }

    fn group(&self, context: &Context, id: &str, found: &Value) -> Vec<Element> {
        let own = found.get("SecurityGroupEgress").and_then(Value::as_array).into_iter().flatten();
        let apart =
            self.made(context, "AWS::EC2::SecurityGroupEgress").filter(|(_, it)| plain(it, "GroupId") == id);
        let rules: Vec<Vec<Element>> = own.chain(apart.map(|(_, rule)| rule)).map(rule).collect();
        vec![text("groupId", id), text("vpcId", plain(found, "VpcId")), list("ipPermissionsEgress", rules)]
    }
}

fn rule(rule: &Value) -> Vec<Element> {
    let port = |name: &str| match &rule[name] {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    let mut told = vec![text("ipProtocol", port("IpProtocol"))];
    for (property, name) in [("FromPort", "fromPort"), ("ToPort", "toPort")] {
        let port = port(property);
        if !port.is_empty() {
            told.push(text(name, port));
        }
    }
    let block = plain(rule, "CidrIp");
    let blocks = (!block.is_empty()).then(|| vec![text("cidrIp", block)]);
    told.push(list("ipRanges", blocks));
    told
}

pub(super) fn text(name: &str, text: impl Into<String>) -> Element {
    Element::text(name, text)
}

fn texts<'t>(name: &str, texts: impl IntoIterator<Item = &'t str>) -> Element {
    Element::of(name, texts.into_iter().map(|it| Element::text("item", it)))
}

pub(super) fn plain<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn strings<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v str> {
    value.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str() == Some("true")
}
