//! Whether calls have a way.

use super::*;

/// What the proxy calls.
const PROXY: [AwsService; 8] = [
    AwsService::S3,
    AwsService::SecurityTokens,
    AwsService::CloudWatchLogs,
    AwsService::SystemsManager,
    AwsService::SystemsManagerMessages,
    AwsService::Ec2Messages,
    AwsService::CloudFormation,
    AwsService::SecretsManager,
];

fn reach(
    region: Option<&str>,
    props: NetworkingProps,
    services: &[AwsService],
) -> Result<Synthesised, Vec<Diagnostic>> {
    synth(region, |scope| {
        Networking::new(scope, "Networking", props).require_reach(scope, "the proxy", services);
    })
}

fn without_nat(endpoints: EndpointPreset) -> NetworkingProps {
    NetworkingProps { nat_gateways: 0, endpoints, ..NetworkingProps::default() }
}

#[test]
fn nat_reaches_everything() {
    let props = NetworkingProps { endpoints: EndpointPreset::None, ..NetworkingProps::default() };
    let made = reach(None, props, &[AwsService::MlflowApp, AwsService::SecurityTokens]).expect("no mistakes");
    assert!(made.diagnostics.is_empty());
}

#[test]
fn the_minimal_preset_is_enough_for_a_proxy_of_a_tracking_server() {
    let mut services = PROXY.to_vec();
    services.push(AwsService::MlflowTrackingServer);
    let made =
        reach(Some("us-east-1"), without_nat(EndpointPreset::Minimal), &services).expect("no mistakes");
    assert!(made.diagnostics.is_empty(), "{:?}", made.diagnostics);
}

#[test]
fn without_a_way_the_services_and_the_ways_out_are_named() {
    let found = reach(None, without_nat(EndpointPreset::None), &PROXY[..3]).err().expect("a mistake");
    assert_eq!(
        messages(&found),
        [
            "the proxy cannot reach CloudWatch Logs and STS: the network has no NAT gateway and no endpoint for that"
        ]
    );
    assert_eq!(found[0].hint.as_deref(), Some("set natGateways to 1 or more, or endpoints to minimal"));
    let found =
        reach(None, without_nat(EndpointPreset::Minimal), &[AwsService::SageMakerStudio]).err().expect("one");
    assert_eq!(found[0].hint.as_deref(), Some("set natGateways to 1 or more, or endpoints to studio"));
}

#[test]
fn a_serverless_app_without_nat_is_a_mistake_in_every_preset() {
    for preset in [EndpointPreset::None, EndpointPreset::Minimal, EndpointPreset::Studio] {
        let found =
            reach(Some("eu-west-1"), without_nat(preset), &[AwsService::MlflowApp]).err().expect("a mistake");
        assert!(found[0].message.starts_with("the proxy cannot reach the MLflow app"), "{found:?}");
        let hint = found[0].hint.as_deref().expect("a hint");
        assert!(hint.starts_with("set natGateways to 1 or more; "), "{hint}");
        assert!(hint.contains("aws.sagemaker.eu-west-1.mlflow"), "{hint}");
    }
    let asked_for = NetworkingProps {
        more_endpoints: vec![AwsService::MlflowApp],
        ..without_nat(EndpointPreset::Minimal)
    };
    assert!(reach(Some("eu-west-1"), asked_for, &[AwsService::MlflowApp]).is_ok());
}

#[test]
fn an_endpoint_that_the_region_lacks_is_no_way_out() {
    let services = [AwsService::MlflowTrackingServer];
    let found =
        reach(Some("cn-north-1"), without_nat(EndpointPreset::Minimal), &services).err().expect("a mistake");
    assert_eq!(found[0].severity, Severity::Error);
    assert_eq!(found[0].hint.as_deref(), Some("set natGateways to 1 or more"));
}

#[test]
fn an_endpoint_leads_to_no_other_region() {
    let reach = |own: Option<&str>, props: NetworkingProps, region: &str| {
        synth(own, |scope| {
            let services = [AwsService::MlflowTrackingServer];
            Networking::new(scope, "Networking", props).require_reach_in(
                scope,
                "the proxy",
                &services,
                region,
            );
        })
    };
    let minimal = || without_nat(EndpointPreset::Minimal);
    let found = reach(Some("us-east-1"), minimal(), "eu-west-1").err().expect("a mistake");
    assert_eq!(
        messages(&found),
        [
            "the proxy cannot reach the MLflow tracking server in eu-west-1: the network has no NAT gateway, and endpoints \
             lead to no other region"
        ]
    );
    assert!(found[0].hint.as_deref().is_some_and(|hint| hint.starts_with("set natGateways to 1 or more")));
    assert!(reach(Some("us-east-1"), minimal(), "us-east-1").is_ok());
    assert!(reach(None, minimal(), "eu-west-1").is_ok());
    assert!(reach(Some("us-east-1"), NetworkingProps::default(), "eu-west-1").is_ok());
}

#[test]
fn of_an_existing_network_there_is_a_note() {
    let made = synth(None, |scope| {
        let network = ExistingNetwork {
            vpc_id: "vpc-0a1b2c3d".to_owned(),
            subnet_ids: vec!["subnet-0a1b2c3d".to_owned(), "subnet-0a1b2c3e".to_owned()],
            ..ExistingNetwork::default()
        };
        let network = Networking::existing(scope, "Networking", network);
        security_group(scope, "Group", &network.vpc_id, "A group");
        network.require_reach(scope, "the proxy", &[AwsService::SecurityTokens]);
    })
    .expect("no mistakes");
    assert_eq!(
        messages(&made.diagnostics),
        ["the proxy calls STS, which the existing subnets have to reach"]
    );
    assert_eq!(made.diagnostics[0].severity, Severity::Note);
}

#[test]
fn too_few_zones_are_a_mistake() {
    let found = synth(None, |scope| {
        let props = NetworkingProps { zones: 1, ..NetworkingProps::default() };
        Networking::new(scope, "Networking", props).require_zones(scope, "the load balancer", 2);
    })
    .err()
    .expect("a mistake");
    assert_eq!(messages(&found), ["the load balancer needs subnets in 2 zones, and the network has 1"]);
}
