//! Physical ids and attributes that look like those of AWS, made from the facts of the types.
//!
//! Real ones come from the services. These have the right form (a VPC's id begins with `vpc-`, an ARN has its account and
//! region), so that a template that takes them apart works, and they follow from the resource alone.

use formwork_schema::{JsonType, ResourceType};
use serde_json::{Map, Value, json};

use super::ids::Ids;
use super::template::evaluate::Pseudo;
use super::template::parameters::plain;

/// What services put before the random part of an id.
const PREFIXES: &[(&str, &str)] = &[
    ("AWS::EC2::EIP", "eipalloc"),
    ("AWS::EC2::FlowLog", "fl"),
    ("AWS::EC2::Instance", "i"),
    ("AWS::EC2::InternetGateway", "igw"),
    ("AWS::EC2::LaunchTemplate", "lt"),
    ("AWS::EC2::NatGateway", "nat"),
    ("AWS::EC2::NetworkAcl", "acl"),
    ("AWS::EC2::NetworkInterface", "eni"),
    ("AWS::EC2::RouteTable", "rtb"),
    ("AWS::EC2::SecurityGroup", "sg"),
    ("AWS::EC2::SecurityGroupEgress", "sgr"),
    ("AWS::EC2::SecurityGroupIngress", "sgr"),
    ("AWS::EC2::Subnet", "subnet"),
    ("AWS::EC2::SubnetRouteTableAssociation", "rtbassoc"),
    ("AWS::EC2::VPC", "vpc"),
    ("AWS::EC2::VPCEndpoint", "vpce"),
    ("AWS::EC2::Volume", "vol"),
    ("AWS::EFS::AccessPoint", "fsap"),
    ("AWS::EFS::FileSystem", "fs"),
    ("AWS::SageMaker::Domain", "d"),
];

fn facts(resource_type: &str) -> Option<&'static ResourceType> {
    formwork_schema::resource_type(resource_type)
}

fn is_custom(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || resource_type == "AWS::CloudFormation::CustomResource"
}

/// The property by which an author names a resource, if the type has one and it is given.
pub(crate) fn given_name(resource_type: &str, properties: &Value) -> Option<String> {
    let facts = facts(resource_type)?;
    let [property] = facts.ref_value().properties.as_slice() else { return None };
    let named = property.ends_with("Name") || property == "Name";
    properties.get(property).filter(|value| named && value.is_string()).map(plain)
}

/// A physical id for a new resource.
pub(crate) fn physical_id(
    resource_type: &str,
    logical_id: &str,
    pseudo: &Pseudo,
    properties: &Value,
    ids: &mut Ids,
) -> String {
    if is_custom(resource_type) {
        return format!("{}-{logical_id}-{}", pseudo.stack_name, ids.suffix(12));
    }
    if resource_type == "AWS::CloudFormation::WaitConditionHandle" {
        return format!(
            "https://cloudformation-waitcondition-{}.s3.amazonaws.com/{}",
            pseudo.region,
            ids.digits(32)
        );
    }
    let Some(facts) = facts(resource_type) else {
        return format!("{}-{logical_id}-{}", pseudo.stack_name, ids.suffix(12));
    };
    let parts: Vec<String> = facts
        .ref_value()
        .properties
        .iter()
        .map(|property| match properties.get(property) {
            Some(value) if value.is_string() || value.is_number() => plain(value),
            _ => generated(facts, property, logical_id, pseudo, properties, ids),
        })
        .collect();
    if parts.is_empty() {
        generated(facts, "Name", logical_id, pseudo, properties, ids)
    } else {
        parts.join("|")
    }
}

fn generated(
    facts: &ResourceType,
    property: &str,
    logical_id: &str,
    pseudo: &Pseudo,
    properties: &Value,
    ids: &mut Ids,
) -> String {
    if let Some((_, prefix)) = PREFIXES.iter().find(|(name, _)| *name == facts.name())
        && !property.ends_with("Arn")
        && !property.ends_with("Name")
        && property != "PublicIp"
    {
        return if *prefix == "d" {
            format!("d-{}", ids.digits(12))
        } else {
            format!("{prefix}-0{}", ids.digits(16))
        };
    }
    if property.ends_with("Arn") {
        let name = own_name(facts, properties).unwrap_or_else(|| name(logical_id, pseudo, ids));
        return arn(facts, pseudo, properties, &name);
    }
    if property == "PublicIp" {
        return "203.0.113.10".to_owned();
    }
    if property.ends_with("Id") && facts.service() == "KMS" {
        return ids.uuid();
    }
    if facts.name() == "AWS::S3::Bucket" {
        return cut(&name(logical_id, pseudo, ids).to_lowercase(), 63);
    }
    name(logical_id, pseudo, ids)
}

/// The name that the author gave, as `Name` or as `TopicName` of a topic.
fn own_name(facts: &ResourceType, properties: &Value) -> Option<String> {
    let kind = facts.name().rsplit("::").next().unwrap_or_default();
    let given = properties.get("Name").or_else(|| properties.get(format!("{kind}Name")));
    given.filter(|value| value.is_string()).map(plain)
}

fn name(logical_id: &str, pseudo: &Pseudo, ids: &mut Ids) -> String {
    let stem = cut(&format!("{}-{logical_id}", pseudo.stack_name), 50);
    format!("{stem}-{}", ids.suffix(12))
}

fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// The ARN of a resource, by the template that the facts have for its type.
fn arn(facts: &ResourceType, pseudo: &Pseudo, properties: &Value, id: &str) -> String {
    let last = id.rsplit('|').next().unwrap_or(id);
    let balancing = match facts.name() {
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => Some("loadbalancer/app"),
        "AWS::ElasticLoadBalancingV2::TargetGroup" => Some("targetgroup"),
        "AWS::ElasticLoadBalancingV2::Listener" => Some("listener/app"),
        "AWS::ElasticLoadBalancingV2::ListenerRule" => Some("listener-rule/app"),
        _ => None,
    };
    if let Some(kind) = balancing {
        return format!(
            "arn:{}:elasticloadbalancing:{}:{}:{kind}/{}/{}",
            pseudo.partition,
            pseudo.region,
            pseudo.account,
            cut(last, 32),
            hash(id)
        );
    }
    let Some(template) = facts.arn_template() else {
        let service = facts.service().to_lowercase();
        let kind = facts.name().rsplit("::").next().unwrap_or_default().to_lowercase();
        return format!(
            "arn:{}:{service}:{}:{}:{kind}/{last}",
            pseudo.partition, pseudo.region, pseudo.account
        );
    };
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        let name = &rest[start + 2..start + length];
        match name {
            "Partition" => out.push_str(&pseudo.partition),
            "Region" => out.push_str(&pseudo.region),
            "Account" | "AccountId" => out.push_str(&pseudo.account),
            _ => match properties.get(name).filter(|value| value.is_string()) {
                Some(value) => out.push_str(&plain(value)),
                None => out.push_str(last),
            },
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    // A role's template ends in `RoleNameWithPath`, and other names begin with a slash themselves.
    out.replace("//", "/")
}

/// An attribute of a resource; `None` when the type has none of that name.
pub(crate) fn attribute(
    resource_type: &str,
    logical_id: &str,
    name: &str,
    physical_id: &str,
    properties: &Value,
    pseudo: &Pseudo,
) -> Option<Value> {
    if is_custom(resource_type) {
        let arn = format!(
            "arn:{}:sagemaker:{}:{}:mlflow-app/app-{}",
            pseudo.partition,
            pseudo.region,
            pseudo.account,
            physical_id.rsplit('-').next().unwrap_or_default()
        );
        return Some(Value::from(if name.ends_with("Arn") { arn } else { format!("{logical_id}-{name}") }));
    }
    let facts = facts(resource_type)?;
    let known = facts.attribute(name)?;
    let given = name.split('.').try_fold(properties, |value, part| value.get(part));
    if let Some(value) = given.filter(|value| value.as_str() != Some("")) {
        return Some(value.clone());
    }
    if facts.ref_value().properties.iter().any(|property| property == name) {
        let index = facts.ref_value().properties.iter().position(|property| property == name)?;
        let parts: Vec<&str> = physical_id.split('|').collect();
        return Some(Value::from(*parts.get(index).unwrap_or(&physical_id)));
    }
    Some(match known.kind {
        JsonType::Integer | JsonType::Number if name.ends_with("Port") => json!(5432),
        JsonType::Integer | JsonType::Number => json!(1),
        JsonType::Boolean => json!(false),
        JsonType::Array => list(resource_type, name, physical_id),
        JsonType::Object => Value::Object(Map::new()),
        JsonType::Null => Value::Null,
        JsonType::String => Value::from(text(facts, name, physical_id, properties, pseudo)),
    })
}

fn list(resource_type: &str, name: &str, physical_id: &str) -> Value {
    match (resource_type, name) {
        ("AWS::EC2::VPC", "Ipv6CidrBlocks") => json!(["2001:db8:1234::/56"]),
        ("AWS::EC2::VPCEndpoint", "DnsEntries") => {
            json!([format!("Z7HUB22UULQXV:{physical_id}-0a.vpce.amazonaws.com")])
        }
        _ => json!([format!("{}-{physical_id}", name.to_lowercase())]),
    }
}

fn text(facts: &ResourceType, name: &str, physical_id: &str, properties: &Value, pseudo: &Pseudo) -> String {
    let id = physical_id.rsplit('/').next().unwrap_or(physical_id);
    let tail: String = id.chars().rev().take(8).collect::<String>().chars().rev().collect();
    let last = name.rsplit('.').next().unwrap_or(name);
    let service = facts.service().to_lowercase();
    let (region, host) = (&pseudo.region, id.to_lowercase());
    match last {
        _ if physical_id.starts_with("arn:") && last.ends_with("Arn") => physical_id.to_owned(),
        _ if last.ends_with("Arn") => arn(facts, pseudo, properties, physical_id),
        "DNSName" if service == "elasticloadbalancingv2" => {
            format!("{host}-1234567890.{region}.elb.amazonaws.com")
        }
        "LoadBalancerFullName" => format!("app/{id}/{tail}"),
        "TargetGroupFullName" => format!("targetgroup/{id}/{tail}"),
        "CanonicalHostedZoneID" | "CanonicalHostedZoneId" => "Z35SXDOTRQ7X7K".to_owned(),
        "DomainName" if service == "s3" => format!("{host}.s3.amazonaws.com"),
        "RegionalDomainName" => format!("{host}.s3.{region}.amazonaws.com"),
        "DualStackDomainName" => format!("{host}.s3.dualstack.{region}.amazonaws.com"),
        "WebsiteURL" => format!("http://{host}.s3-website.{region}.amazonaws.com"),
        "PrivateIp" | "PrivateIpAddress" => "10.0.0.10".to_owned(),
        "PublicIp" | "PublicIpAddress" => "203.0.113.10".to_owned(),
        "AvailabilityZone" => format!("{region}a"),
        "Version" | "LatestVersionNumber" | "DefaultVersionNumber" | "VersionNumber" => "1".to_owned(),
        "Port" => "5432".to_owned(),
        "Address" => format!("{host}.{tail}.{region}.{service}.amazonaws.com"),
        "AllocationId" => format!("eipalloc-0{}", hash(physical_id)),
        _ if last.ends_with("Url")
            || last.ends_with("URL")
            || last == "Endpoint"
            || last.ends_with("Uri") =>
        {
            format!("https://{host}.{region}.{service}.amazonaws.com")
        }
        "CidrBlock" => "10.0.0.0/16".to_owned(),
        "GroupId" if physical_id.starts_with("sg-") => physical_id.to_owned(),
        "DefaultSecurityGroup" | "GroupId" => format!("sg-0{}", hash(physical_id)),
        "DefaultNetworkAcl" => format!("acl-0{}", hash(physical_id)),
        "VpcId" => format!("vpc-0{}", hash(physical_id)),
        _ if last.ends_with("SecurityGroupId") || last.starts_with("SecurityGroupId") => {
            format!("sg-0{}", hash(physical_id))
        }
        "RoleId" | "UserId" => format!("AROA{}", hash(physical_id).to_uppercase()),
        _ if last.ends_with("Id") => id.to_owned(),
        _ => format!("{}-{tail}", last.to_lowercase()),
    }
}

/// Sixteen hexadecimal digits that follow from a text.
pub(crate) fn hash(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
