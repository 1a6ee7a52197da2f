//! Which kind of value a property takes and an attribute gives.
//!
//! Schemas name the kind of some texts (`AWS::EC2::VPC.Id`). They are silent about many, so two small tables add what the
//! name of a property says wherever it stands, and what well-known attributes hold.

use formwork_schema::keyword::JsonType;
use formwork_schema::{Attribute, ResourceType};

/// The kind of a format of the schemas.
fn by_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "AWS::ACM::Certificate.Arn" => "CertificateArn",
        "AWS::EC2::Image.Id" => "ImageId",
        "AWS::EC2::SecurityGroup.Id" | "AWS::EC2::SecurityGroup.Ids" => "SecurityGroupId",
        "AWS::EC2::SecurityGroup.Name" | "AWS::EC2::SecurityGroup.Names" => "SecurityGroupName",
        "AWS::EC2::Subnet.Id" | "AWS::EC2::Subnet.Ids" => "SubnetId",
        "AWS::EC2::VPC.Id" => "VpcId",
        "AWS::IAM::Role.Arn" => "RoleArn",
        "AWS::KMS::Alias.AliasName" => "KeyAlias",
        "AWS::KMS::Key.Arn" => "KeyArn",
        "AWS::KMS::Key.Id" => "KeyId",
        "AWS::Lambda::Function.Arn" => "FunctionArn",
        "AWS::Logs::LogGroup.Name" => "LogGroupName",
        "AWS::Route53::HostedZone.Id" => "HostedZoneId",
        "AWS::S3::Bucket.Name" => "BucketName",
        "AWS::SNS::Topic.Arn" => "TopicArn",
        "AWS::SQS::Queue.Arn" => "QueueArn",
        _ => return None,
    })
}

/// The kind that the end of a name means in every service.
const NAMES_THAT_END: [(&str, &str); 23] = [
    ("CertificateArn", "CertificateArn"),
    ("KMSKeyARN", "KeyArn"),
    ("KMSKeyArn", "KeyArn"),
    ("KMSKeyID", "KeyId"),
    ("KMSKeyId", "KeyId"),
    ("KMSMasterKeyID", "KeyId"),
    ("KMSMasterKeyId", "KeyId"),
    ("KmsKeyArn", "KeyArn"),
    ("KmsKeyID", "KeyId"),
    ("KmsKeyId", "KeyId"),
    ("KmsMasterKeyId", "KeyId"),
    ("LoadBalancerArn", "LoadBalancerArn"),
    ("RoleARN", "RoleArn"),
    ("RoleArn", "RoleArn"),
    ("SecretArn", "SecretArn"),
    ("SecurityGroupId", "SecurityGroupId"),
    ("SecurityGroupIds", "SecurityGroupId"),
    ("SubnetId", "SubnetId"),
    ("SubnetIds", "SubnetId"),
    ("TargetGroupARNs", "TargetGroupArn"),
    ("TargetGroupArn", "TargetGroupArn"),
    ("VPCId", "VpcId"),
    ("VpcId", "VpcId"),
];

/// The kind that a name means in every service.
fn by_name(name: &str) -> Option<&'static str> {
    NAMES_THAT_END.iter().find(|(end, _)| name.ends_with(end)).map(|(_, kind)| *kind)
}

/// What single properties take that neither a format nor their name tells: the type that they are in, at whatever depth,
/// and their name.
const PROPERTIES: [(&str, &str, &str); 10] = [
    ("AWS::AutoScaling::AutoScalingGroup", "VPCZoneIdentifier", "SubnetId"),
    ("AWS::EC2::FlowLog", "DeliverLogsPermissionArn", "RoleArn"),
    ("AWS::Lambda::Function", "Role", "RoleArn"),
    ("AWS::S3::Bucket", "Role", "RoleArn"),
    ("AWS::S3::BucketPolicy", "Bucket", "BucketName"),
    ("AWS::SageMaker::App", "DomainId", "DomainId"),
    ("AWS::SageMaker::Domain", "ExecutionRole", "RoleArn"),
    ("AWS::SageMaker::Space", "DomainId", "DomainId"),
    ("AWS::SageMaker::UserProfile", "DomainId", "DomainId"),
    ("AWS::SageMaker::UserProfile", "ExecutionRole", "RoleArn"),
];

/// What well-known attributes hold. `Ref` of a type holds what the attribute of its identifier holds.
const ATTRIBUTES: [(&str, &str, &str); 13] = [
    ("AWS::EC2::SecurityGroup", "GroupId", "SecurityGroupId"),
    ("AWS::EC2::SecurityGroup", "Id", "SecurityGroupId"),
    ("AWS::IAM::Role", "Arn", "RoleArn"),
    ("AWS::KMS::Key", "Arn", "KeyArn"),
    ("AWS::Lambda::Function", "Arn", "FunctionArn"),
    ("AWS::Logs::LogGroup", "LogGroupName", "LogGroupName"),
    ("AWS::S3::Bucket", "Arn", "BucketArn"),
    ("AWS::SNS::Topic", "TopicArn", "TopicArn"),
    ("AWS::SQS::Queue", "Arn", "QueueArn"),
    ("AWS::SageMaker::Domain", "DomainId", "DomainId"),
    ("AWS::SageMaker::MlflowApp", "Arn", "MlflowArn"),
    ("AWS::SageMaker::MlflowTrackingServer", "TrackingServerArn", "MlflowArn"),
    ("AWS::SecretsManager::Secret", "Id", "SecretArn"),
];

/// The kind of a text property, `None` for plain text.
pub(crate) fn of_property(owner: &ResourceType, name: &str, format: Option<&str>) -> Option<&'static str> {
    // What names the resource itself is chosen freely and refers to nothing.
    let own = |format: &str| format.rsplit_once('.').is_some_and(|(type_name, _)| type_name == owner.name());
    if format.is_some_and(own) {
        return None;
    }
    if let Some((_, _, kind)) = PROPERTIES.iter().find(|row| (row.0, row.1) == (owner.name(), name)) {
        return Some(kind);
    }
    match format {
        Some(format) => by_format(format),
        None => by_name(name),
    }
}

/// The Rust type of an attribute, `None` where its value cannot be used in a template.
pub(crate) fn of_attribute(owner: &ResourceType, name: &str, attribute: &Attribute) -> Option<String> {
    let text = || text_kind(owner, name, attribute.format.as_deref()).unwrap_or("String").to_owned();
    Some(match attribute.kind {
        JsonType::String => text(),
        JsonType::Integer => "i64".to_owned(),
        JsonType::Number => "f64".to_owned(),
        JsonType::Boolean => "bool".to_owned(),
        JsonType::Array => format!("Vec<{}>", text()),
        JsonType::Object | JsonType::Null => return None,
    })
}

/// The Rust type of what `Ref` returns.
pub(crate) fn of_reference(owner: &ResourceType) -> &'static str {
    let reference = owner.ref_value();
    let identifier = match reference.properties.as_slice() {
        [one] => one.as_str(),
        _ => "",
    };
    text_kind(owner, identifier, reference.format.as_deref()).unwrap_or("String")
}

fn text_kind(owner: &ResourceType, name: &str, format: Option<&str>) -> Option<&'static str> {
    let known = ATTRIBUTES.iter().find(|row| (row.0, row.1) == (owner.name(), name)).map(|row| row.2);
    let last = name.rsplit('.').next().unwrap_or(name);
    known.or_else(|| format.and_then(by_format)).or_else(|| by_name(last))
}

/// All kinds that may stand in generated text, besides the types of the language.
pub(crate) const NAMES: [&str; 22] = [
    "BucketArn",
    "BucketName",
    "CertificateArn",
    "DomainId",
    "FunctionArn",
    "HostedZoneId",
    "ImageId",
    "KeyAlias",
    "KeyArn",
    "KeyId",
    "LoadBalancerArn",
    "LogGroupName",
    "MlflowArn",
    "QueueArn",
    "RoleArn",
    "SecretArn",
    "SecurityGroupId",
    "SecurityGroupName",
    "SubnetId",
    "TargetGroupArn",
    "TopicArn",
    "VpcId",
];
