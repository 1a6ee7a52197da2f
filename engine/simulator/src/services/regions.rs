//! EC2's answers on what a region has: whether the account has it, its zones and endpoint services, and how many addresses
//! and subnets there are.

use super::Services;
use super::network::{plain, text};
use crate::api::{ApiError, Content, Element, Parameters};
use crate::cloudformation::Context;
use crate::protocol::ec2::list;

/// The zones of every region, by the letter at the end of the name.
const ZONES: [&str; 3] = ["a", "b", "c"];

/// The services with endpoints of their own by the last part of the name, which is `com.amazonaws.REGION.NAME`; those
/// with `true` are called `cn.com.amazonaws` in China.
const ENDPOINTS: &[(&str, bool)] = &[
    ("autoscaling", false),
    ("cloudformation", true),
    ("dynamodb", false),
    ("ec2", true),
    ("ec2messages", false),
    ("ecr.api", true),
    ("ecr.dkr", true),
    ("ecs", true),
    ("elasticfilesystem", true),
    ("elasticloadbalancing", true),
    ("events", false),
    ("execute-api", false),
    ("kms", false),
    ("lambda", true),
    ("logs", false),
    ("monitoring", true),
    ("s3", false),
    ("sagemaker.api", true),
    ("sagemaker.runtime", true),
    ("secretsmanager", false),
    ("servicecatalog", true),
    ("ssm", false),
    ("ssmmessages", false),
    ("states", false),
    ("sts", true),
];

/// The services of SageMaker, which are called `aws.sagemaker.REGION.NAME`.
const SAGEMAKER: [&str; 4] = ["experiments", "mlflow", "notebook", "studio"];

/// The most items of a page of endpoint services.
const PAGE: usize = 1_000;

impl Services {
    /// The operations on regions; nothing for those that it does not know.
    pub(super) fn regions(
        &self,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Option<Result<Vec<Element>, ApiError>> {
        Some(match action {
            "DescribeRegions" => regions(context, parameters),
            "DescribeAvailabilityZones" => Ok(vec![list("availabilityZoneInfo", zones(context))]),
            "DescribeVpcEndpointServices" => endpoint_services(context, parameters),
            "DescribeAddresses" => {
                let made = self.made(context, "AWS::EC2::EIP");
                let told = made.map(|(id, _)| vec![text("publicIp", id), text("domain", "vpc")]);
                Ok(vec![list("addressesSet", told)])
            }
            "DescribeSubnets" => {
                let made = self.made(context, "AWS::EC2::Subnet");
                let told = made.map(|(id, found)| {
                    vec![
                        text("subnetId", id),
                        text("vpcId", plain(found, "VpcId")),
                        text("availabilityZone", plain(found, "AvailabilityZone")),
                    ]
                });
                Ok(vec![list("subnetSet", told)])
            }
            _ => return None,
        })
    }
}

fn zones(context: &Context) -> Vec<Vec<Element>> {
    let region = context.region.as_str();
    let zone = |letter: &str| {
        vec![
            text("zoneName", format!("{region}{letter}")),
            text("zoneState", "available"),
            text("zoneType", "availability-zone"),
            text("regionName", region),
            text("optInStatus", "opt-in-not-required"),
        ]
    };
    ZONES.map(zone).to_vec()
}

fn regions(context: &Context, parameters: &Parameters) -> Result<Vec<Element>, ApiError> {
    let mut asked: Vec<&str> = parameters.numbered("RegionName");
    let known = || formwork_schema::regions().iter().map(String::as_str);
    if asked.is_empty() {
        asked.extend(known());
    }
    if let Some(wrong) =
        asked.iter().find(|region| !known().any(|it| it == **region) && **region != context.region)
    {
        let message = format!("Invalid region: {wrong}");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let item = |region: &str| {
        vec![
            text("regionName", region),
            text("regionEndpoint", format!("ec2.{region}.amazonaws.com")),
            text("optInStatus", "opt-in-not-required"),
        ]
    };
    Ok(vec![list("regionInfo", asked.into_iter().map(item))])
}

/// The names and, beside them, the kinds and zones of endpoint services, a page at a time.
fn endpoint_services(context: &Context, parameters: &Parameters) -> Result<Vec<Element>, ApiError> {
    let region = &context.region;
    let in_china = region.starts_with("cn-");
    let named = |(name, moves): &(&str, bool)| {
        let begin = if in_china && *moves { "cn.com.amazonaws" } else { "com.amazonaws" };
        format!("{begin}.{region}.{name}")
    };
    let mut names: Vec<String> = ENDPOINTS.iter().map(named).collect();
    names.extend(SAGEMAKER.map(|name| format!("aws.sagemaker.{region}.{name}")));
    names.sort();
    for (filter, values) in parameters.filters() {
        names.retain(|name| filter != "service-name" || values.contains(&name.as_str()));
    }
    let size = parameters.get("MaxResults").and_then(|text| text.parse().ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let start = match parameters.get("NextToken") {
        None => 0,
        Some(token) => token
            .strip_prefix("services-")
            .and_then(|digits| digits.parse().ok())
            .filter(|start| *start <= names.len())
            .ok_or_else(|| ApiError::new("InvalidNextToken", "The token is not valid"))?,
    };
    let end = (start + size).min(names.len());
    let page = &names[start..end];
    let item = |name: &str| Element { name: "item".to_owned(), content: Content::Text(name.to_owned()) };
    let zones = || ZONES.map(|letter| item(&format!("{region}{letter}")));
    let details = page.iter().map(|name| {
        let is_gateway = name.ends_with(".s3") || name.ends_with(".dynamodb");
        let kind = if is_gateway { "Gateway" } else { "Interface" };
        vec![
            text("serviceName", name.as_str()),
            list("serviceType", [vec![text("serviceType", kind)]]),
            Element::of("availabilityZoneSet", zones()),
            text("owner", "amazon"),
        ]
    });
    let details = list("serviceDetailSet", details);
    let mut elements = vec![Element::of("serviceNameSet", page.iter().map(|name| item(name))), details];
    if end < names.len() {
        elements.push(text("nextToken", format!("services-{end}")));
    }
    Ok(elements)
}
