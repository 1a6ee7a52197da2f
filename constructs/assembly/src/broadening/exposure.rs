//! Properties that make a resource public or let it reach the internet, as a table.

use serde_json::Value;

use super::reading::{Found, Guards, Reader, Resource, shown};
use super::{BroadeningKind, Grant, What};

/// When a property exposes.
enum When {
    /// It has one of the values.
    Is(&'static [&'static str]),
    /// It has none of the values, or is not given.
    Unless(&'static [&'static str]),
    /// It is given; with an empty path, the resource is there.
    Given,
}

use BroadeningKind::{Network, Rights};
use When::{Given, Is, Unless};

type Row = (&'static str, &'static [&'static str], When, BroadeningKind, &'static str);

const PUBLIC_ADDRESS: &str = "gets a public address";
const PUBLIC: &str = "can be reached from the internet";
const TRUE: When = Is(&["true"]);

const EXPOSURES: [Row; 33] = [
    ("AWS::EC2::Subnet", &["MapPublicIpOnLaunch"], TRUE, Network, "gives instances public addresses"),
    (
        "AWS::EC2::Instance",
        &["NetworkInterfaces", "*", "AssociatePublicIpAddress"],
        TRUE,
        Network,
        PUBLIC_ADDRESS,
    ),
    (
        "AWS::EC2::LaunchTemplate",
        &["LaunchTemplateData", "NetworkInterfaces", "*", "AssociatePublicIpAddress"],
        TRUE,
        Network,
        "gives instances public addresses",
    ),
    (
        "AWS::AutoScaling::LaunchConfiguration",
        &["AssociatePublicIpAddress"],
        TRUE,
        Network,
        "gives instances public addresses",
    ),
    (
        "AWS::ECS::Service",
        &["NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp"],
        Is(&["enabled"]),
        Network,
        "gives tasks public addresses",
    ),
    ("AWS::EC2::EIP", &[], Given, Network, "holds a public address"),
    (
        "AWS::EC2::VPCGatewayAttachment",
        &["InternetGatewayId"],
        Given,
        Network,
        "connects the VPC with the internet",
    ),
    ("AWS::EC2::VPCPeeringConnection", &[], Given, Network, "connects the VPC with another one"),
    ("AWS::EC2::TransitGatewayAttachment", &[], Given, Network, "connects the VPC with a transit gateway"),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        &["Scheme"],
        Unless(&["internal"]),
        Network,
        "faces the internet",
    ),
    (
        "AWS::ElasticLoadBalancing::LoadBalancer",
        &["Scheme"],
        Unless(&["internal"]),
        Network,
        "faces the internet",
    ),
    ("AWS::RDS::DBInstance", &["PubliclyAccessible"], TRUE, Network, PUBLIC),
    ("AWS::RDS::DBCluster", &["PubliclyAccessible"], TRUE, Network, PUBLIC),
    ("AWS::Redshift::Cluster", &["PubliclyAccessible"], TRUE, Network, PUBLIC),
    ("AWS::RedshiftServerless::Workgroup", &["PubliclyAccessible"], TRUE, Network, PUBLIC),
    ("AWS::AmazonMQ::Broker", &["PubliclyAccessible"], TRUE, Network, PUBLIC),
    ("AWS::DMS::ReplicationInstance", &["PubliclyAccessible"], Unless(&["false"]), Network, PUBLIC),
    (
        "AWS::MSK::Cluster",
        &["BrokerNodeGroupInfo", "ConnectivityInfo", "PublicAccess", "Type"],
        Is(&["service_provided_eips"]),
        Network,
        PUBLIC,
    ),
    (
        "AWS::EKS::Cluster",
        &["ResourcesVpcConfig", "EndpointPublicAccess"],
        Unless(&["false"]),
        Network,
        PUBLIC,
    ),
    (
        "AWS::ApiGateway::RestApi",
        &["EndpointConfiguration", "Types", "*"],
        Unless(&["private"]),
        Network,
        PUBLIC,
    ),
    ("AWS::ApiGatewayV2::Api", &[], Given, Network, PUBLIC),
    ("AWS::CloudFront::Distribution", &[], Given, Network, PUBLIC),
    (
        "AWS::SageMaker::Domain",
        &["AppNetworkAccessType"],
        Unless(&["vpconly"]),
        Network,
        "reaches the internet past the VPC",
    ),
    (
        "AWS::SageMaker::NotebookInstance",
        &["DirectInternetAccess"],
        Unless(&["disabled"]),
        Network,
        "reaches the internet past the VPC",
    ),
    ("AWS::Lambda::Url", &["AuthType"], Is(&["none"]), Rights, "lets anyone call it without a signature"),
    (
        "AWS::S3::Bucket",
        &["AccessControl"],
        Is(&["publicread", "publicreadwrite"]),
        Rights,
        "lets anyone read its objects",
    ),
    ("AWS::S3::Bucket", &["AccessControl"], Is(&["publicreadwrite"]), Rights, "lets anyone write objects"),
    (
        "AWS::S3::Bucket",
        &["AccessControl"],
        Is(&["authenticatedread"]),
        Rights,
        "lets anyone with an AWS account read its objects",
    ),
    ("AWS::ECR::PublicRepository", &[], Given, Rights, "lets anyone read its images"),
    ("AWS::IAM::AccessKey", &[], Given, Rights, "gives a user keys that do not expire"),
    ("AWS::IAM::OIDCProvider", &[], Given, Rights, "trusts an identity provider"),
    ("AWS::IAM::SAMLProvider", &[], Given, Rights, "trusts an identity provider"),
    ("AWS::IAM::User", &["LoginProfile"], Given, Rights, "lets a user sign in with a password"),
];

/// Settings that limit; without them more is open.
const LIMITS: [(&str, &[&str], &str); 4] = [
    (
        "AWS::S3::Bucket",
        &["PublicAccessBlockConfiguration", "BlockPublicAcls"],
        "no longer refuses public access lists",
    ),
    (
        "AWS::S3::Bucket",
        &["PublicAccessBlockConfiguration", "BlockPublicPolicy"],
        "no longer refuses public bucket policies",
    ),
    (
        "AWS::S3::Bucket",
        &["PublicAccessBlockConfiguration", "IgnorePublicAcls"],
        "no longer ignores public access lists",
    ),
    (
        "AWS::S3::Bucket",
        &["PublicAccessBlockConfiguration", "RestrictPublicBuckets"],
        "no longer restricts public bucket policies",
    ),
];

pub(super) fn grants(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    let mut add = |what: What, kind: BroadeningKind, guards: Guards, pointer: String, words: String| {
        found.push(Grant {
            subject: resource.id.clone(),
            what,
            guards,
            kind,
            logical_id: resource.logical_id.to_owned(),
            resource_type: resource.kind.to_owned(),
            pointer,
            words,
        });
    };
    for (_, path, when, kind, words) in EXPOSURES.iter().filter(|row| row.0 == resource.kind) {
        let places = places(reader, resource, path);
        if let (Unless(_), true) = (when, places.is_empty()) {
            add(
                What::Item((*words).to_owned()),
                *kind,
                resource.guards.clone(),
                resource.pointer(&[]),
                format!("{words} (the default)"),
            );
        }
        for place in places {
            let text = reader.text(place.value);
            let is_among = |values: &[&str]| values.contains(&text.to_lowercase().as_str());
            let is_exposed = match when {
                Given => true,
                Is(values) => is_among(values),
                Unless(values) => !is_among(values) && !text.contains("${"),
            };
            if is_exposed {
                add(What::Item((*words).to_owned()), *kind, place.guards, place.pointer, (*words).to_owned());
            } else if text.contains("${") {
                let told = format!("may come to this: {words} (it depends on {})", shown(&text));
                add(What::Item(format!("{words}?{text}")), *kind, place.guards, place.pointer, told);
            }
        }
    }
    for (_, path, words) in LIMITS.iter().filter(|row| row.0 == resource.kind) {
        for place in places(reader, resource, path) {
            let text = reader.text(place.value);
            if text != "false" {
                add(
                    What::Limit(format!("{words} {text}")),
                    Rights,
                    Guards::new(),
                    place.pointer,
                    (*words).to_owned(),
                );
            }
        }
    }
}

/// The values at a path of properties, `*` for each item of a list.
fn places<'v>(reader: &Reader<'_>, resource: &'v Resource<'_>, path: &[&str]) -> Vec<Found<'v>> {
    static THERE: Value = Value::Bool(true);
    let Some((first, rest)) = path.split_first() else {
        let pointer = resource.pointer(&[]);
        return vec![Found { value: &THERE, guards: resource.guards.clone(), pointer }];
    };
    let Some(value) = resource.properties.get(*first) else { return Vec::new() };
    let mut found = reader.choices(value, &resource.guards, &resource.pointer(&[first]));
    for part in rest {
        found = found
            .into_iter()
            .flat_map(|place| match *part {
                "*" => reader.items(place.value, &place.guards, &place.pointer),
                name => match place.value.get(name) {
                    Some(value) => reader.choices(value, &place.guards, &format!("{}/{name}", place.pointer)),
                    None => Vec::new(),
                },
            })
            .collect();
    }
    found
}

/// The texts at a path whose end is a list or a single value.
pub(super) fn texts_at(
    reader: &Reader<'_>,
    resource: &Resource<'_>,
    path: &[&str],
) -> Vec<(String, Guards, String)> {
    places(reader, resource, path)
        .into_iter()
        .flat_map(|place| reader.texts(place.value, &place.guards, &place.pointer))
        .collect()
}
