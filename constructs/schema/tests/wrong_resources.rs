//! Wrong resources of many services, each with the rule and the place that must be reported, and nothing else.

use formwork_assembly::Severity;
use formwork_schema::{Context, check_resource, type_for};
use serde_json::{Value, json};

/// Type, properties, and what must be reported: rule and pointer, sorted by pointer.
type Case = (&'static str, Value, &'static [(&'static str, &'static str)]);

fn reported(
    type_name: &str,
    properties: &Value,
    context: &Context<'_>,
) -> Vec<(&'static str, String, String)> {
    let resource = type_for(type_name).expect("a known type");
    let mut found: Vec<_> = check_resource(resource, properties, context)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| (finding.rule, finding.pointer, finding.message))
        .collect();
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found
}

fn trust(service: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }
    ] })
}

fn cases() -> Vec<Case> {
    vec![
        (
            "AWS::EC2::VPC",
            json!({ "CidrBlok": "10.0.0.0/16" }),
            &[("required-one-of", ""), ("unknown-property", "/CidrBlok")],
        ),
        (
            "AWS::EC2::VPC",
            json!({ "CidrBlock": "10.0.0.0/16", "InstanceTenancy": "shared" }),
            &[("unlisted-value", "/InstanceTenancy")],
        ),
        (
            "AWS::EC2::VPC",
            json!({ "CidrBlock": "10.0.0.0/16", "EnableDnsSupport": "yes" }),
            &[("wrong-type", "/EnableDnsSupport")],
        ),
        (
            "AWS::EC2::VPC",
            json!({ "CidrBlock": "10.0.0.0/16", "VpcId": "vpc-12345678" }),
            &[("read-only-property", "/VpcId")],
        ),
        ("AWS::EC2::Subnet", json!({ "CidrBlock": "10.0.0.0/24" }), &[("missing-required", "")]),
        (
            "AWS::EC2::Subnet",
            json!({ "VpcId": "net-1", "CidrBlock": "10.0.0.0/24" }),
            &[("format", "/VpcId")],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({ "GroupDescription": "x", "SecurityGroupIngress": { "IpProtocol": "tcp" } }),
            &[("wrong-type", "/SecurityGroupIngress")],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({ "GroupDescription": "x", "SecurityGroupIngress": [{ "IpProtocol": "tcp", "CidrIp": "0.0.0.0/0" }] }),
            &[
                ("security-group-protocols-and-ports-inclusive", "/SecurityGroupIngress/0"),
                ("security-group-protocols-and-ports-inclusive", "/SecurityGroupIngress/0"),
            ],
        ),
        (
            "AWS::EC2::Instance",
            json!({ "ImageId": "ami-12345678", "InstanceType": "t3.smal" }),
            &[("unavailable-instance-type", "/InstanceType")],
        ),
        ("AWS::EC2::Instance", json!({ "InstanceType": "t3.small" }), &[("instance-image", "")]),
        ("AWS::EC2::Instance", json!({ "ImageId": "ami-123" }), &[("format", "/ImageId")]),
        ("AWS::S3::Bucket", json!({ "BucketName": "Upper" }), &[("format", "/BucketName")]),
        (
            "AWS::S3::Bucket",
            json!({ "VersioningConfiguration": { "Status": "On" } }),
            &[("unlisted-value", "/VersioningConfiguration/Status")],
        ),
        (
            "AWS::S3::Bucket",
            json!({ "VersioningConfiguration": {} }),
            &[("missing-required", "/VersioningConfiguration")],
        ),
        ("AWS::S3::Bucket", json!({ "AccessControl": "PublicRead" }), &[("access-control-ownership", "")]),
        (
            "AWS::S3::Bucket",
            json!({ "LifecycleConfiguration": { "Rules": [{ "Status": "Enabled", "ExpirationInDay": 3 }] } }),
            &[("unknown-property", "/LifecycleConfiguration/Rules/0/ExpirationInDay")],
        ),
        ("AWS::IAM::Role", json!({}), &[("missing-required", "")]),
        (
            "AWS::IAM::Role",
            json!({ "AssumeRolePolicyDocument": trust("ec2.amazonaws.com"), "MaxSessionDuration": 100 }),
            &[("out-of-range", "/MaxSessionDuration")],
        ),
        (
            "AWS::IAM::Role",
            json!({ "AssumeRolePolicyDocument": { "Statement": [{ "Effect": "Permit", "Principal": "*", "Action": "sts:AssumeRole" }] } }),
            &[("unlisted-value", "/AssumeRolePolicyDocument/Statement/0/Effect")],
        ),
        (
            "AWS::IAM::Role",
            json!({ "AssumeRolePolicyDocument": trust("ec2.amazonaws.com"), "RoleName": "a".repeat(65) }),
            &[("too-long", "/RoleName")],
        ),
        (
            "AWS::IAM::ManagedPolicy",
            json!({ "PolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject" }] } }),
            &[("required-one-of", "/PolicyDocument/Statement/0")],
        ),
        (
            "AWS::IAM::Policy",
            json!({ "PolicyName": "p", "Roles": ["r"], "PolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "NotAction": "s3:PutObject", "Resource": "*" }] } }),
            &[("mutually-exclusive", "/PolicyDocument/Statement/0/Action")],
        ),
        (
            "AWS::Lambda::Function",
            json!({ "Code": { "ZipFile": "x" }, "Runtime": "python3.13", "Handler": "index.handler" }),
            &[("missing-required", "")],
        ),
        (
            "AWS::Lambda::Function",
            json!({ "Role": "role", "Code": { "ZipFile": "x" }, "Runtime": "python3.13", "Handler": "index.handler" }),
            &[("pattern", "/Role")],
        ),
        (
            "AWS::Lambda::Function",
            json!({ "Role": { "Ref": "R" }, "Code": { "S3Bucket": "bucket", "S3Key": "k" }, "MemorySize": 64, "Runtime": "python3.13", "Handler": "h.h" }),
            &[("out-of-range", "/MemorySize")],
        ),
        (
            "AWS::Lambda::Function",
            json!({ "Role": { "Ref": "R" }, "Code": { "ZipFile": "x" }, "Runtime": "java21", "Handler": "h.h" }),
            &[("function-zipfile-runtime-enum", "/Runtime")],
        ),
        (
            "AWS::Lambda::Function",
            json!({ "Role": { "Ref": "R" }, "Code": { "ZipFile": "x" }, "Runtime": "python3.13", "Handler": "h.h", "Environment": { "Variables": { "AWS_REGION": "x" } } }),
            &[("function-environment-keys", "/Environment/Variables/AWS_REGION")],
        ),
        (
            "AWS::Lambda::Function",
            json!({ "Role": { "Ref": "R" }, "Code": { "ZipFile": "x" }, "Runtime": "python3.13", "Handler": "h.h", "Timeout": "soon" }),
            &[("wrong-type", "/Timeout")],
        ),
        ("AWS::SQS::Queue", json!({ "DelaySeconds": 901 }), &[("out-of-range", "/DelaySeconds")]),
        (
            "AWS::DynamoDB::Table",
            json!({ "KeySchema": [{ "AttributeName": "id", "KeyType": "HASHED" }], "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }], "BillingMode": "PAY_PER_REQUEST" }),
            &[("unlisted-value", "/KeySchema/0/KeyType")],
        ),
        (
            "AWS::DynamoDB::Table",
            json!({ "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }], "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }], "BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 } }),
            &[
                ("table-billing-mode-exclusive", "/ProvisionedThroughput/ReadCapacityUnits"),
                ("table-billing-mode-exclusive", "/ProvisionedThroughput/WriteCapacityUnits"),
            ],
        ),
        (
            "AWS::DynamoDB::Table",
            json!({ "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }], "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }, { "AttributeName": "at", "AttributeType": "S" }] }),
            &[("table-keys", "/AttributeDefinitions")],
        ),
        (
            "AWS::RDS::DBInstance",
            json!({ "Engine": "postgres", "EngineVersion": "8.0", "DBInstanceClass": "db.t3.micro" }),
            &[("db-instance-engine-version", "/EngineVersion")],
        ),
        (
            "AWS::RDS::DBInstance",
            json!({ "Engine": "postgres", "DBInstanceClass": "db.t3.tiny" }),
            &[("unavailable-instance-type", "/DBInstanceClass")],
        ),
        (
            "AWS::SageMaker::MlflowApp",
            json!({ "Name": "app", "ArtifactStoreUri": "s3://bucket/a", "RoleArn": { "Fn::GetAtt": ["R", "Arn"] }, "KmsKeyId": "k" }),
            &[("unknown-property", "/KmsKeyId")],
        ),
        (
            "AWS::SageMaker::MlflowApp",
            json!({ "Name": "app", "ArtifactStoreUri": "s3://bucket/a", "RoleArn": { "Fn::GetAtt": ["R", "Arn"] }, "WeeklyMaintenanceWindowStart": "TUE:03:30" }),
            &[("pattern", "/WeeklyMaintenanceWindowStart")],
        ),
        (
            "AWS::SageMaker::MlflowTrackingServer",
            json!({ "TrackingServerName": "t", "ArtifactStoreUri": "s3://b/a", "RoleArn": { "Fn::GetAtt": ["R", "Arn"] }, "TrackingServerSize": "small" }),
            &[("unlisted-value", "/TrackingServerSize")],
        ),
        (
            "AWS::SageMaker::Domain",
            json!({ "AuthMode": "IAM", "DomainName": "d", "DefaultUserSettings": { "ExecutionRole": { "Fn::GetAtt": ["R", "Arn"] } }, "SubnetIds": [] }),
            &[("too-few-items", "/SubnetIds")],
        ),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            json!({ "Scheme": "public", "Subnets": ["subnet-12345678", "subnet-87654321"] }),
            &[("unlisted-value", "/Scheme")],
        ),
        (
            "AWS::ElasticLoadBalancingV2::Listener",
            json!({ "LoadBalancerArn": { "Ref": "L" }, "Port": 70000, "Protocol": "HTTP", "DefaultActions": [{ "Type": "forward", "TargetGroupArn": { "Ref": "T" } }] }),
            &[("out-of-range", "/Port")],
        ),
        (
            "AWS::ElasticLoadBalancingV2::Listener",
            json!({ "LoadBalancerArn": { "Ref": "L" }, "Port": 443, "Protocol": "HTTPS", "DefaultActions": [{ "Type": "forward", "TargetGroupArn": { "Ref": "T" } }] }),
            &[("listener-certificate", "")],
        ),
        (
            "AWS::AutoScaling::AutoScalingGroup",
            json!({ "MinSize": "5", "MaxSize": "2", "LaunchTemplate": { "LaunchTemplateId": { "Ref": "T" }, "Version": "1" }, "VPCZoneIdentifier": ["subnet-12345678"] }),
            &[("auto-scaling-min-max-size", "/MinSize")],
        ),
        (
            "AWS::AutoScaling::AutoScalingGroup",
            json!({ "MinSize": "1", "MaxSize": "2", "LaunchTemplate": { "LaunchTemplateId": { "Ref": "T" }, "Version": "1" }, "VPCZoneIdentifier": ["subnet-12345678"], "Tags": [{ "Key": "a", "Value": "b" }] }),
            &[("missing-required", "/Tags/0")],
        ),
        (
            "AWS::ECS::TaskDefinition",
            json!({ "RequiresCompatibilities": ["FARGATE"], "NetworkMode": "awsvpc", "Cpu": "300", "Memory": "512", "ContainerDefinitions": [{ "Name": "a", "Image": "i" }] }),
            &[("fargate-cpu-memory", "/Cpu"), ("task-fargate-properties", "/Cpu")],
        ),
        (
            "AWS::Route53::RecordSet",
            json!({ "Name": "a.example.com", "Type": "A", "TTL": "300", "HostedZoneId": "Z1", "ResourceRecords": ["1.2.3"] }),
            &[("record-set-value", "/ResourceRecords/0")],
        ),
        ("AWS::CloudFormation::CustomResource", json!({ "Anything": 1 }), &[("missing-required", "")]),
        ("Custom::Thing", json!({ "ServiceToken": ["arn"] }), &[("wrong-type", "/ServiceToken")]),
        ("AWS::Logs::LogGroup", json!({ "RetentionInDays": 2 }), &[("unlisted-value", "/RetentionInDays")]),
        ("AWS::Logs::LogGroup", json!({ "LogGroupName": "a b" }), &[("format", "/LogGroupName")]),
        (
            "AWS::KMS::Key",
            json!({ "KeyPolicy": { "Statement": [{ "Effect": "Allow", "Principal": "*", "Actions": "kms:*", "Resource": "*" }] } }),
            &[
                ("required-one-of", "/KeyPolicy/Statement/0"),
                ("unknown-property", "/KeyPolicy/Statement/0/Actions"),
            ],
        ),
        ("AWS::SNS::Topic", json!({ "Tags": [{ "Key": "a" }] }), &[("missing-required", "/Tags/0")]),
        (
            "AWS::ECR::Repository",
            json!({ "ImageTagMutability": "Immutable" }),
            &[("unlisted-value", "/ImageTagMutability")],
        ),
        (
            "AWS::CloudWatch::Alarm",
            json!({ "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 0, "MetricName": "m", "Namespace": "n", "Period": 60, "Threshold": 1, "Statistic": "Sum" }),
            &[("out-of-range", "/EvaluationPeriods")],
        ),
        (
            "AWS::EC2::LaunchTemplate",
            json!({ "LaunchTemplateData": { "MetadataOptions": { "HttpTokens": "must" } } }),
            &[("unlisted-value", "/LaunchTemplateData/MetadataOptions/HttpTokens")],
        ),
        ("AWS::EC2::VPC", json!({ "CidrBlock": { "Fn::GetAZs": "" } }), &[("wrong-type", "/CidrBlock")]),
        (
            "AWS::SageMaker::Domain",
            json!({ "AuthMode": "IAM", "DomainName": "d", "DefaultUserSettings": { "Fn::Sub": "x" }, "SubnetIds": { "Fn::Join": ["", []] } }),
            &[("wrong-type", "/DefaultUserSettings"), ("wrong-type", "/SubnetIds")],
        ),
        (
            "AWS::EC2::Subnet",
            json!({ "VpcId": { "Ref": "AWS::NoValue" }, "CidrBlock": "10.0.0.0/24" }),
            &[("missing-required", "")],
        ),
        (
            "AWS::EC2::Subnet",
            json!({ "VpcId": { "Fn::If": ["C", { "Ref": "V" }, { "Ref": "AWS::NoValue" }] }, "CidrBlock": "10.0.0.0/24" }),
            &[("missing-required", "")],
        ),
        (
            "AWS::EC2::VPC",
            json!({ "CidrBlock": "10.0.0.0/16", "InstanceTenancy": { "Fn::If": ["C", "dedicated", "shared"] } }),
            &[("unlisted-value", "/InstanceTenancy/Fn::If/2")],
        ),
        ("AWS::EC2::VPC", json!({ "CidrBlock": "10.0.0.0/16", "Tags": null }), &[("wrong-type", "/Tags")]),
    ]
}

#[test]
fn every_mistake_is_reported_at_its_place() {
    let mut failures = Vec::new();
    for (type_name, properties, wanted) in cases() {
        let found = reported(type_name, &properties, &Context::default());
        let rules: Vec<(&str, &str)> =
            found.iter().map(|(rule, pointer, _)| (*rule, pointer.as_str())).collect();
        if rules != wanted {
            failures.push(format!("{type_name} {properties}\n  wanted {wanted:?}\n  found  {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases().len() >= 40);
}

#[test]
fn what_cannot_be_known_is_not_wrong() {
    let right = [
        (
            "AWS::EC2::VPC",
            json!({ "CidrBlock": { "Ref": "Cidr" }, "EnableDnsSupport": "true", "Tags": [{ "Ref": "AWS::NoValue" }] }),
        ),
        (
            "AWS::EC2::Subnet",
            json!({ "VpcId": { "Fn::ImportValue": "v" }, "CidrBlock": { "Fn::Select": [0, { "Fn::Cidr": ["10.0.0.0/16", 4, 8] }] }, "AvailabilityZone": { "Fn::Select": ["0", { "Fn::GetAZs": "" }] } }),
        ),
        (
            "AWS::EC2::Subnet",
            json!({ "Fn::Transform": { "Name": "AWS::Include" }, "CidrBlock": "10.0.0.0/24" }),
        ),
        (
            "AWS::SQS::Queue",
            json!({ "DelaySeconds": "30", "QueueName": "{{resolve:ssm:/queue/name}}", "Fn::ForEach::Tags": ["T", ["a"], {}] }),
        ),
        (
            "AWS::RDS::DBInstance",
            json!({ "Engine": { "Ref": "Engine" }, "EngineVersion": "1", "DBInstanceClass": { "Fn::FindInMap": ["M", "a", "b"] }, "MasterUserPassword": "{{resolve:secretsmanager:s}}" }),
        ),
        (
            "AWS::ElasticLoadBalancingV2::Listener",
            json!({ "LoadBalancerArn": { "Ref": "L" }, "Port": { "Fn::If": ["Secure", 443, 80] }, "Protocol": { "Fn::If": ["Secure", "HTTPS", "HTTP"] },
            "Certificates": { "Fn::If": ["Secure", [{ "CertificateArn": { "Ref": "Cert" } }], { "Ref": "AWS::NoValue" }] }, "DefaultActions": [{ "Type": "forward", "TargetGroupArn": { "Ref": "T" } }] }),
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({ "GroupDescription": "x", "SecurityGroupIngress": { "Fn::If": ["C", [{ "IpProtocol": "-1", "CidrIp": "10.0.0.0/8" }], { "Ref": "AWS::NoValue" }] } }),
        ),
        (
            "Custom::Thing",
            json!({ "ServiceToken": { "Fn::GetAtt": ["F", "Arn"] }, "Deep": { "List": [1, true, "x"] }, "Flag": true }),
        ),
        (
            "AWS::Lambda::Function",
            json!({ "Role": { "Fn::GetAtt": ["R", "Arn"] }, "Code": "./handler", "Runtime": "provided.al2023", "Handler": "bootstrap" }),
        ),
    ];
    for (type_name, properties) in right {
        let found = reported(type_name, &properties, &Context::default());
        assert!(found.is_empty(), "{type_name}: {found:?}");
    }
}

#[test]
fn a_condition_of_the_resource_settles_its_branches() {
    let subnet = json!({ "VpcId": { "Fn::If": ["C", { "Ref": "V" }, { "Ref": "AWS::NoValue" }] }, "CidrBlock": "10.0.0.0/24" });
    let always = Context { condition: Some("C"), ..Context::default() };
    assert_eq!(reported("AWS::EC2::Subnet", &subnet, &always), []);
    let impossible = |assumptions: &[(&str, bool)]| !assumptions.contains(&("C", false));
    let told = Context { possible: Some(&impossible), ..Context::default() };
    assert_eq!(reported("AWS::EC2::Subnet", &subnet, &told), []);
}

#[test]
fn properties_that_exclude_each_other_may_take_turns() {
    let choice = |block: Value, pool: Value| {
        json!({ "VpcId": { "Ref": "V" }, "CidrBlock": { "Fn::If": ["C", "10.0.0.0/24", block] }, "Ipv4IpamPoolId": { "Fn::If": ["C", { "Ref": "AWS::NoValue" }, pool] },
            "Ipv4NetmaskLength": { "Fn::If": ["C", { "Ref": "AWS::NoValue" }, 24] } })
    };
    let nothing = json!({ "Ref": "AWS::NoValue" });
    assert_eq!(
        reported("AWS::EC2::Subnet", &choice(nothing.clone(), json!("pool")), &Context::default()),
        []
    );
    assert!(
        !reported("AWS::EC2::Subnet", &choice(json!("10.1.0.0/24"), json!("pool")), &Context::default())
            .is_empty()
    );
    assert!(!reported("AWS::EC2::Subnet", &choice(nothing.clone(), nothing), &Context::default()).is_empty());
}

#[test]
fn a_region_narrows_the_instance_types() {
    let instance = json!({ "ImageId": "ami-12345678", "InstanceType": "c1.medium" });
    let regions: Vec<bool> = formwork_schema::regions()
        .iter()
        .map(|region| {
            reported("AWS::EC2::Instance", &instance, &Context { region: Some(region), ..Context::default() })
                .is_empty()
        })
        .collect();
    assert!(
        regions.contains(&true) && regions.contains(&false),
        "an old type is offered in some regions only"
    );
    let unknown = Context { region: Some("us-iso-east-1"), ..Context::default() };
    assert_eq!(reported("AWS::EC2::Instance", &instance, &unknown), []);
}

#[test]
fn unknown_types_are_errors_and_private_ones_are_not() {
    let near = type_for("AWS::EC2::Vcp").expect_err("misspelt");
    assert_eq!(
        (near.rule, near.severity, near.hint.as_deref()),
        ("unknown-type", Severity::Error, Some("did you mean `AWS::EC2::VPC`?"))
    );
    assert_eq!(type_for("Ours::Network::MODULE").expect_err("a module").severity, Severity::Note);
    assert_eq!(type_for("Datadog::Monitors::Monitor").expect_err("private").severity, Severity::Note);
    assert!(type_for("Custom::Anything").is_ok());
}

#[test]
fn a_misspelt_property_gets_a_hint() {
    let resource = type_for("AWS::SageMaker::MlflowApp").expect("known");
    let properties =
        json!({ "Name": "a", "ArtifactStoreUri": "s3://b/c", "RoleArm": "arn:aws:iam::123456789012:role/r" });
    let findings = check_resource(resource, &properties, &Context::default());
    let hints: Vec<&str> = findings.iter().filter_map(|finding| finding.hint.as_deref()).collect();
    assert_eq!(hints, ["rename `RoleArm` to `RoleArn`?", "did you mean `RoleArn`?"]);
}

#[test]
fn reference_sites_say_what_is_wanted() {
    let resource = type_for("AWS::ECS::TaskDefinition").expect("known");
    let properties = json!({ "ExecutionRoleArn": { "Ref": "Role" }, "TaskRoleArn": { "Fn::If": ["C", { "Fn::GetAtt": ["Role", "Arn"] }, { "Ref": "AWS::NoValue" }] } });
    let sites = formwork_schema::reference_sites(resource, &properties);
    let wanted: Vec<(&str, &[&str])> =
        sites.iter().map(|site| (site.pointer.as_str(), site.formats.as_slice())).collect();
    assert_eq!(
        wanted,
        [
            ("/ExecutionRoleArn", ["AWS::IAM::Role.Arn"].as_slice()),
            ("/TaskRoleArn/Fn::If/1", &["AWS::IAM::Role.Arn"]),
            ("/TaskRoleArn/Fn::If/2", &["AWS::IAM::Role.Arn"]),
        ]
    );
}
