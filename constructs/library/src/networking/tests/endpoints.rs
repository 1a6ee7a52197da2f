//! Endpoints by preset and region.

use super::*;

fn endpoint_names(made: &Synthesised, kind: &str) -> BTreeSet<String> {
    let endpoints = made.properties("AWS::EC2::VPCEndpoint");
    endpoints
        .into_iter()
        .filter(|endpoint| endpoint["VpcEndpointType"] == kind)
        .map(|endpoint| text_of(&endpoint["ServiceName"]))
        .collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

const MINIMAL: [&str; 8] = [
    "aws.sagemaker.${AWS::Region}.experiments",
    "com.amazonaws.${AWS::Region}.cloudformation",
    "com.amazonaws.${AWS::Region}.logs",
    "com.amazonaws.${AWS::Region}.sagemaker.api",
    "com.amazonaws.${AWS::Region}.secretsmanager",
    "com.amazonaws.${AWS::Region}.ssm",
    "com.amazonaws.${AWS::Region}.ssmmessages",
    "com.amazonaws.${AWS::Region}.sts",
];

#[test]
fn presets_have_their_endpoints() {
    let of = |endpoints| network(NetworkingProps { endpoints, ..NetworkingProps::default() });
    let gateways = names(["com.amazonaws.${AWS::Region}.dynamodb", "com.amazonaws.${AWS::Region}.s3"]);
    let none = of(EndpointPreset::None);
    assert_eq!(endpoint_names(&none, "Interface"), names([]));
    assert!(none.all("AWS::EC2::SecurityGroup").is_empty(), "no interface, no group");
    assert_eq!(endpoint_names(&of(EndpointPreset::Minimal), "Interface"), names(MINIMAL));
    let mut studio = names(MINIMAL);
    studio.extend(names([
        "aws.sagemaker.${AWS::Region}.notebook",
        "aws.sagemaker.${AWS::Region}.studio",
        "com.amazonaws.${AWS::Region}.ecr.api",
        "com.amazonaws.${AWS::Region}.ecr.dkr",
        "com.amazonaws.${AWS::Region}.kms",
        "com.amazonaws.${AWS::Region}.monitoring",
        "com.amazonaws.${AWS::Region}.sagemaker.runtime",
    ]));
    assert_eq!(endpoint_names(&of(EndpointPreset::Studio), "Interface"), studio);
    for preset in [EndpointPreset::None, EndpointPreset::Minimal, EndpointPreset::Studio] {
        assert_eq!(endpoint_names(&of(preset), "Gateway"), gateways);
    }
}

#[test]
fn interface_endpoints_answer_https_from_the_vpc_only() {
    let made = network(NetworkingProps::default());
    let (vpc, _) = made.all("AWS::EC2::VPC")[0];
    let (group, definition) = made.all("AWS::EC2::SecurityGroup")[0];
    assert!(
        definition["Properties"].get("SecurityGroupIngress").is_none(),
        "rules are resources of their own"
    );
    let rules = made.properties("AWS::EC2::SecurityGroupIngress");
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["CidrIp"], json!({"Fn::GetAtt": [vpc, "CidrBlock"]}));
    assert_eq!((&rules[0]["FromPort"], &rules[0]["ToPort"]), (&json!(443), &json!(443)));
    for endpoint in made.properties("AWS::EC2::VPCEndpoint") {
        if endpoint["VpcEndpointType"] == "Interface" {
            assert_eq!(endpoint["PrivateDnsEnabled"], true);
            assert_eq!(endpoint["SecurityGroupIds"], json!([{"Fn::GetAtt": [group, "GroupId"]}]));
            let subnets = endpoint["SubnetIds"].to_string();
            assert!(
                subnets.matches("PrivateSubnet").count() == 2 && !subnets.contains("Public"),
                "{subnets}"
            );
        } else {
            let tables = endpoint["RouteTableIds"].to_string();
            assert_eq!(tables.matches("PrivateRouteTable").count(), 2);
            assert_eq!(tables.matches("IsolatedRouteTable").count(), 1);
            assert!(!tables.contains("PublicRouteTable"), "{tables}");
        }
    }
}

#[test]
fn endpoints_are_added_and_left_out_one_by_one() {
    let made = network(NetworkingProps {
        endpoints: EndpointPreset::None,
        more_endpoints: vec![AwsService::MlflowApp, AwsService::SecurityTokens],
        without_endpoints: vec![AwsService::SecurityTokens],
        ..NetworkingProps::default()
    });
    assert_eq!(endpoint_names(&made, "Interface"), names(["aws.sagemaker.${AWS::Region}.mlflow"]));
}

#[test]
fn an_endpoint_that_the_region_lacks_is_left_out_with_a_warning() {
    let build = |without: Vec<AwsService>| {
        synth(Some("cn-north-1"), |scope| {
            let props = NetworkingProps { without_endpoints: without, ..NetworkingProps::default() };
            Networking::new(scope, "Networking", props);
        })
        .expect("no error")
    };
    let made = build(Vec::new());
    assert_eq!(
        messages(&made.diagnostics),
        ["cn-north-1 has no VPC endpoint of the MLflow tracking server, which is left out"]
    );
    let hint = made.diagnostics[0].hint.as_deref().expect("a hint");
    assert!(hint.contains("withoutEndpoints") && hint.contains("NAT"), "{hint}");
    let interfaces = endpoint_names(&made, "Interface");
    assert!(!interfaces.contains("aws.sagemaker.${AWS::Region}.experiments"), "{interfaces:?}");
    assert!(interfaces.contains("cn.com.amazonaws.${AWS::Region}.sts"), "{interfaces:?}");
    assert!(interfaces.contains("com.amazonaws.${AWS::Region}.logs"), "{interfaces:?}");
    assert!(endpoint_names(&made, "Gateway").contains("com.amazonaws.${AWS::Region}.s3"));
    assert!(build(vec![AwsService::MlflowTrackingServer]).diagnostics.is_empty());
}

#[test]
fn interface_endpoints_can_be_in_fewer_zones() {
    let one = NetworkingProps { zones: 3, endpoint_zones: vec![3], ..NetworkingProps::default() };
    let made = network_in(Some("ap-south-1"), one.clone());
    assert!(made.diagnostics.is_empty(), "{:?}", made.diagnostics);
    for endpoint in made.properties("AWS::EC2::VPCEndpoint") {
        if endpoint["VpcEndpointType"] == "Interface" {
            assert_eq!(endpoint["SubnetIds"].as_array().map(Vec::len), Some(1));
            assert!(endpoint["SubnetIds"].to_string().contains("PrivateSubnet3"), "{endpoint}");
        }
    }
    let in_all =
        network_in(Some("ap-south-1"), NetworkingProps { endpoint_zones: Vec::new(), ..one.clone() });
    assert_eq!(
        messages(&in_all.diagnostics),
        ["on 2023-09-21 some zones of ap-south-1 lacked the VPC endpoint of the SageMaker API"]
    );
    let found = synth(None, |scope| {
        Networking::new(scope, "Networking", NetworkingProps { endpoint_zones: vec![1, 4], ..one });
    })
    .err()
    .expect("a mistake");
    assert_eq!(messages(&found), ["endpointZones names zone 4, but the zones are 1 to 3"]);
}

#[test]
fn presets_and_services_are_written_in_kebab_case() {
    assert_eq!(serde_json::to_value(EndpointPreset::Minimal).expect("a text"), "minimal");
    assert_eq!(serde_json::to_value(FlowLogs::Reject).expect("a text"), "reject");
    assert_eq!(serde_json::to_value(AwsService::MlflowApp).expect("a text"), "mlflow-app");
    assert!(serde_json::from_value::<EndpointPreset>(json!("full")).is_err());
}
