//! An app of generated resources only: typed references, nested properties, value sets, and a template without a mistake.

use formwork::{App, AppProps, Json, RemovalPolicy, Resource, text};
use formwork_resources::ec2::{CfnSecurityGroup, CfnSubnet, CfnVpc, Ingress, Tag, VpcInstanceTenancy};
use formwork_resources::iam::{CfnRole, Policy};
use formwork_resources::kms::CfnKey;
use formwork_resources::s3::{
    BucketEncryption, CfnBucket, ServerSideEncryptionByDefault, ServerSideEncryptionByDefaultSseAlgorithm,
    ServerSideEncryptionRule,
};
use formwork_resources::sagemaker::CfnMlflowTrackingServer;
use serde_json::json;

fn statement(actions: &[&str], resource: Json) -> Json {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]})
}

#[test]
fn typed_resources_become_a_template() {
    let app = App::new(AppProps::default());
    let stack = app.stack("platform");

    let vpc = CfnVpc::new()
        .cidr_block("10.0.0.0/16")
        .enable_dns_support(true)
        .instance_tenancy(VpcInstanceTenancy::DEFAULT)
        .tags([Tag::new("Name", "platform")])
        .define(stack, "Vpc");
    let subnet = CfnSubnet::new(vpc.vpc_id()).cidr_block("10.0.0.0/20").define(stack, "Subnet");
    CfnSecurityGroup::new("reach the tracking server")
        .vpc_id(vpc.vpc_id())
        .security_group_ingress([Ingress::new("tcp").cidr_ip(vpc.cidr_block()).from_port(443).to_port(443)])
        .depends_on(subnet)
        .define(stack, "Group");

    let key =
        CfnKey::new().enable_key_rotation(true).removal_policy(RemovalPolicy::Retain).define(stack, "Key");
    let encryption = ServerSideEncryptionByDefault::new(ServerSideEncryptionByDefaultSseAlgorithm::AWS_KMS)
        .kms_master_key_id(key.arn());
    let bucket = CfnBucket::new()
        .bucket_encryption(BucketEncryption::new([
            ServerSideEncryptionRule::new().server_side_encryption_by_default(encryption)
        ]))
        .removal_policy(RemovalPolicy::Retain)
        .define(stack, "Bucket");
    let role = CfnRole::new(json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}],
    }))
    .policies([Policy::new("artifacts", statement(&["s3:GetObject"], "arn:aws:s3:::example/*".into()))])
    .define(stack, "Role");
    CfnMlflowTrackingServer::new("tracking", text!("s3://{}/mlflow", bucket.bucket_name()), role.arn())
        .removal_policy(RemovalPolicy::Retain)
        .define(stack, "Tracking");

    let synthesis = app.synth().unwrap_or_else(|error| panic!("{error:#?}"));
    let template = synthesis.template("platform").expect("the stack");
    let properties = |id: &str| &template["Resources"][id]["Properties"];
    assert_eq!(properties("Subnet")["VpcId"], json!({"Ref": "Vpc"}));
    assert_eq!(
        properties("Group")["SecurityGroupIngress"],
        json!([{"IpProtocol": "tcp", "CidrIp": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}, "FromPort": 443, "ToPort": 443}])
    );
    assert_eq!(template["Resources"]["Group"]["DependsOn"], json!(["Subnet"]));
    assert_eq!(
        properties("Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"],
        json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}})
    );
    assert_eq!(
        properties("Tracking"),
        &json!({
            "TrackingServerName": "tracking",
            "ArtifactStoreUri": {"Fn::Sub": "s3://${Bucket}/mlflow"},
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        })
    );
    for diagnostic in &synthesis.diagnostics {
        assert!(diagnostic.severity < formwork::Severity::Warning, "{diagnostic:#?}");
    }
}
