//! A platform in small, of the types of the real one, in both modes; and what the doctor says of domains and of MLflow.

use formwork_engine::doctor::{self, Check, Outcome};
use formwork_engine::plan::{self, Located};
use formwork_simulator::SimulatorOptions;
use serde_json::{Value, json};

use crate::case::{Case, Part, part};

pub const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";

/// An account in which things take a hundredth of their time: what matters here is what is there in the end.
pub fn quick(script: &str) -> Case {
    let mut options = SimulatorOptions::default();
    options.world.scale = 0.01;
    Case::with(script, options)
}

/// A way to the internet for the private subnet, or none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WayOut {
    Nat,
    None,
    Endpoints,
}

fn network(way: WayOut) -> Part {
    let mut resources = json!({
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
        "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "Association": {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {
            "RouteTableId": {"Ref": "Table"}, "SubnetId": {"Ref": "Subnet"}}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "apps", "VpcId": {"Ref": "Vpc"},
            "SecurityGroupEgress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]}},
        "S3": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {
            "VpcEndpointType": "Gateway", "VpcId": {"Ref": "Vpc"}, "RouteTableIds": [{"Ref": "Table"}],
            "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}}},
    });
    if way == WayOut::Nat {
        resources["Nat"] = json!({"Type": "AWS::EC2::NatGateway", "Properties": {
            "SubnetId": {"Ref": "Subnet"}, "AllocationId": "eipalloc-1"}});
        resources["Route"] = json!({"Type": "AWS::EC2::Route", "Properties": {
            "RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0",
            "NatGatewayId": {"Ref": "Nat"}}});
    }
    if way == WayOut::Endpoints {
        for (id, service) in [
            ("Api", "com.amazonaws.${AWS::Region}.sagemaker.api"),
            ("Runtime", "com.amazonaws.${AWS::Region}.sagemaker.runtime"),
            ("Studio", "aws.sagemaker.${AWS::Region}.studio"),
            ("Logs", "com.amazonaws.${AWS::Region}.logs"),
            ("Sts", "com.amazonaws.${AWS::Region}.sts"),
        ] {
            resources[id] = json!({"Type": "AWS::EC2::VPCEndpoint", "Properties": {
                "VpcEndpointType": "Interface", "VpcId": {"Ref": "Vpc"}, "SubnetIds": [{"Ref": "Subnet"}],
                "PrivateDnsEnabled": true, "ServiceName": {"Fn::Sub": service}}});
        }
    }
    let export = |name: &str, value: &str| json!({"Value": {"Ref": value}, "Export": {"Name": name}});
    let outputs = json!({
        "Vpc": export("net:Vpc", "Vpc"), "Subnet": export("net:Subnet", "Subnet"),
        "Group": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}, "Export": {"Name": "net:Group"}},
    });
    part("net", &[], json!({"Resources": resources, "Outputs": outputs}))
}

fn domain() -> Part {
    let role = json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                       "Principal": {"Service": "sagemaker.amazonaws.com"}}]}}});
    let domain = json!({"Type": "AWS::SageMaker::Domain", "Properties": {
        "DomainName": "team", "AuthMode": "IAM", "VpcId": {"Fn::ImportValue": "net:Vpc"},
        "SubnetIds": [{"Fn::ImportValue": "net:Subnet"}], "AppNetworkAccessType": "VpcOnly",
        "DefaultUserSettings": {"ExecutionRole": {"Fn::GetAtt": ["Role", "Arn"]},
                                "SecurityGroups": [{"Fn::ImportValue": "net:Group"}]}}});
    let bucket = json!({"Type": "AWS::S3::Bucket"});
    part("domain", &["net"], json!({"Resources": {"Role": role, "Domain": domain, "Bucket": bucket}}))
}

/// The service of a mode and the role that uses it.
fn mlflow(id: &'static str, service: Value, arn: Value) -> Part {
    let resources = json!({"Service": service, "Artifacts": {"Type": "AWS::S3::Bucket"}});
    let outputs = json!({
        "MlflowResourceArn": {"Value": arn, "Export": {"Name": format!("{id}:Arn")}},
        "Endpoint": {"Value": format!("https://{id}.example.com")},
    });
    part(id, &["domain"], json!({"Resources": resources, "Outputs": outputs}))
}

pub fn tracking() -> Part {
    let server = json!({"Type": "AWS::SageMaker::MlflowTrackingServer", "Properties": {
        "TrackingServerName": "team-server", "ArtifactStoreUri": "s3://artifacts/mlflow",
        "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/service"), "MlflowVersion": "3.0"}});
    mlflow("mlflow-tracking", server, json!({"Fn::GetAtt": ["Service", "TrackingServerArn"]}))
}

pub fn serverless() -> Part {
    let app = json!({"Type": "AWS::SageMaker::MlflowApp", "Properties": {
        "Name": "team-app", "ArtifactStoreUri": "s3://artifacts/mlflow",
        "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/service")}});
    mlflow("mlflow-serverless", app, json!({"Ref": "Service"}))
}

/// An app that a custom resource makes.
pub fn custom() -> Part {
    let app = json!({"Type": "Custom::MlflowApp", "Properties": {
        "ServiceToken": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:maker"), "Name": "team-app"}});
    mlflow("mlflow-custom", app, json!({"Fn::GetAtt": ["Service", "MlflowAppArn"]}))
}

/// A proxy before the MLflow of a stack.
pub fn proxy(id: &'static str, mlflow: &'static str, action: &str) -> Part {
    let trust = |principal: Value| json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]});
    let policy = |role: &str, statement: Value| {
        json!({"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": role, "Roles": [{"Ref": role}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}})
    };
    let resources = json!({
        "Front": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {
            "Type": "application", "Scheme": "internal", "Subnets": [{"Fn::ImportValue": "net:Subnet"}]}},
        "Targets": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {
            "Port": 5000, "Protocol": "HTTP", "TargetType": "instance", "HealthCheckPath": "/healthz",
            "VpcId": {"Fn::ImportValue": "net:Vpc"}}},
        "Instances": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {
            "MinSize": "1", "MaxSize": "2", "TargetGroupARNs": [{"Ref": "Targets"}]}},
        "Log": {"Type": "AWS::Logs::LogGroup"},
        "Users": {"Type": "AWS::SecretsManager::Secret"},
        "InstanceRole": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": trust(json!({"Service": "ec2.amazonaws.com"}))}},
        "MlflowRole": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": trust(json!({"AWS": {"Fn::GetAtt": ["InstanceRole", "Arn"]}}))}},
        "InstancePolicy": policy("InstanceRole", json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": {"Fn::GetAtt": ["MlflowRole", "Arn"]}})),
        "ClientPolicy": policy("MlflowRole", json!({"Effect": "Allow",
            "Action": [action, "sagemaker-mlflow:CreateRun"],
            "Resource": {"Fn::ImportValue": format!("{mlflow}:Arn")}})),
    });
    let parameters =
        json!({"ProxyBinarySha256": {"Type": "String", "Default": "0123456789abcdef".repeat(4)}});
    let outputs = json!({"Url": {"Value": {"Fn::Sub": "http://${Front.DNSName}"}}});
    part(id, &[mlflow], json!({"Parameters": parameters, "Resources": resources, "Outputs": outputs}))
}

/// The four stacks of a mode, or six of both.
pub fn both() -> Vec<Part> {
    vec![
        network(WayOut::Nat),
        domain(),
        tracking(),
        proxy("proxy-tracking", "mlflow-tracking", "sagemaker-mlflow:SearchRuns"),
        serverless(),
        proxy("proxy-serverless", "mlflow-serverless", "sagemaker:CallMlflowAppApi"),
    ]
}

/// A network and a domain in it.
pub fn studio(way: WayOut) -> Vec<Part> {
    vec![network(way), domain()]
}

pub async fn located(case: &Case, parts: &[Part]) -> Vec<Located> {
    plan::locate(&case.assembly(parts), &[], None, None, &case.runtime()).await.unwrap()
}

/// Deploys, then lets things go wrong as the script says, then asks the doctor.
pub async fn checks(parts: &[Part], script: &str) -> Vec<Check> {
    let mut case = quick("");
    case.deploy(parts).await;
    case.script(script);
    let writes = case.requests();
    let checks = doctor::deployed(&located(&case, parts).await).await;
    assert_eq!(case.writes(writes), [""; 0], "a doctor changes nothing");
    checks
}

/// The checks of a name.
pub fn named<'c>(checks: &'c [Check], name: &str) -> Vec<&'c Check> {
    let found: Vec<&Check> = checks.iter().filter(|check| check.name == name).collect();
    assert!(!found.is_empty(), "no check {name} in {checks:#?}");
    found
}

/// The one check of a name, which has to come out so, with this in its detail and a next command.
#[track_caller]
pub fn has(checks: &[Check], name: &str, outcome: Outcome, detail: &str, hint: &str) {
    let found = named(checks, name);
    let fits = |check: &&&Check| {
        check.outcome == outcome
            && check.detail.contains(detail)
            && check.hint.as_deref().unwrap_or_default().contains(hint)
    };
    assert!(found.iter().any(|check| fits(&check)), "no {outcome:?} `{detail}` `{hint}` in {found:#?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_wrong_with_a_platform_in_both_modes_but_that_nobody_may_use_it_yet() {
    let checks = checks(&both(), "").await;
    let wrong: Vec<&Check> = checks.iter().filter(|check| check.outcome != Outcome::Ok).collect();
    assert!(wrong.iter().all(|check| check.name == "proxy-users"), "{wrong:#?}");
    assert_eq!(wrong.len(), 2);
    for name in [
        "stack-status",
        "nat-gateway",
        "vpc-endpoint",
        "domain-status",
        "domain-route",
        "domain-security-groups",
        "mlflow-tracking-server",
        "mlflow-app",
        "load-balancer",
        "target-health",
        "instances",
        "instance-state",
        "session-manager-agent",
        "mlflow-permissions",
        "role-chain",
        "bucket",
    ] {
        named(&checks, name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_failed_says_why() {
    let script = "state AWS::SageMaker::Domain Update_Failed \"no address is left in the subnet\"";
    let checks = checks(&studio(WayOut::Nat), script).await;
    has(&checks, "domain-status", Outcome::Failed, "no address is left", "aws sagemaker describe-domain");
}

#[tokio::test(start_paused = true)]
async fn a_domain_whose_subnets_lead_nowhere_is_found() {
    let checks = checks(&studio(WayOut::None), "").await;
    has(&checks, "domain-route", Outcome::Failed, "no endpoint of logs, sagemaker.api", "natGateways=1");
}

#[tokio::test(start_paused = true)]
async fn endpoints_of_all_services_stand_in_for_a_route() {
    let found = checks(&studio(WayOut::Endpoints), "").await;
    has(&found, "domain-route", Outcome::Ok, "by VPC endpoints", "");
    let script = "state AWS::EC2::VPCEndpoint pendingAcceptance";
    let found = checks(&studio(WayOut::Endpoints), script).await;
    has(&found, "domain-route", Outcome::Failed, "sagemaker.api", "endpoints=studio");
}

#[tokio::test(start_paused = true)]
async fn a_route_to_a_gateway_that_is_gone_leads_nowhere() {
    let checks = checks(&studio(WayOut::Nat), "state AWS::EC2::Route blackhole").await;
    has(&checks, "domain-route", Outcome::Failed, "which is gone", "formwork deploy");
}

#[tokio::test(start_paused = true)]
async fn security_groups_that_let_nothing_out_are_found() {
    let mut parts = studio(WayOut::Nat);
    parts[0].template["Resources"]["Group"]["Properties"]["SecurityGroupEgress"][0]["FromPort"] = json!(2049);
    parts[0].template["Resources"]["Group"]["Properties"]["SecurityGroupEgress"][0]["ToPort"] = json!(2049);
    let checks = checks(&parts, "").await;
    has(&checks, "domain-security-groups", Outcome::Failed, "port 443", "formwork drift");
}

#[tokio::test(start_paused = true)]
async fn servers_and_apps_that_do_not_run_are_found_whichever_way_they_were_made() {
    let with = |part: Part| [studio(WayOut::Nat), vec![part]].concat();
    let found = checks(&with(tracking()), "state AWS::SageMaker::MlflowTrackingServer Stopped").await;
    has(&found, "mlflow-tracking-server", Outcome::Failed, "Stopped", "start-mlflow-tracking-server");
    let found = checks(&with(tracking()), "state AWS::SageMaker::MlflowTrackingServer CreateFailed").await;
    has(&found, "mlflow-tracking-server", Outcome::Failed, "CreateFailed", "artifact bucket");
    let found = checks(&with(serverless()), "state AWS::SageMaker::MlflowApp Updating").await;
    has(&found, "mlflow-app", Outcome::Warning, "Updating", "describe-mlflow-app");
    let found = checks(&with(custom()), "").await;
    has(&found, "mlflow-app", Outcome::Ok, "Created, MLflow 3.10.1", "");
    let found = checks(&with(custom()), "state Custom::MlflowApp UpdateFailed").await;
    has(&found, "mlflow-app", Outcome::Failed, "UpdateFailed", "describe-mlflow-app");
    let found = checks(&with(serverless()), "state AWS::SageMaker::MlflowApp Splendid").await;
    has(&found, "mlflow-app", Outcome::Unknown, "not known here", "describe-mlflow-app");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_asked_is_unknown_and_names_the_right() {
    let script = "on sagemaker:DescribeDomain error 400 AccessDeniedException \"no\"";
    let checks = checks(&studio(WayOut::Nat), script).await;
    has(&checks, "domain-status", Outcome::Unknown, "DescribeDomain is denied", "DescribeDomain");
}
