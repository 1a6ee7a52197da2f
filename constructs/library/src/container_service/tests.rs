//! A service of containers as its stack's template shows it.

use formwork::{
    App, AppProps, IntoValue, Json, KeyArn, Resource, SecretArn, Severity, SynthesisError, TargetGroupArn,
    resolve_secret,
};

use super::{
    ContainerImage, ContainerSecret, ContainerService, ContainerServiceProps, HealthCommand, InitContainer,
    ServiceTarget,
};
use crate::networking::{EndpointPreset, Networking, NetworkingProps};

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:runs-AbCdEf";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";

fn synth_in(
    network: NetworkingProps,
    change: impl for<'a> Fn(ContainerServiceProps<'a>) -> ContainerServiceProps<'a>,
) -> Result<Json, SynthesisError> {
    let app = App::new(AppProps::default());
    let networking = Networking::new(app.stack("networking"), "Networking", network);
    let stack = app.stack("service");
    let image = ContainerImage::Pinned("example/server:v1.2.3".to_owned());
    let props = ContainerServiceProps {
        ports: vec![8080],
        ..ContainerServiceProps::new(&networking, "the server", image)
    };
    ContainerService::new(stack, "Service", &change(props));
    app.synth().map(|synthesis| {
        for found in &synthesis.diagnostics {
            assert!(found.severity < Severity::Warning, "{found}");
        }
        synthesis.template("service").expect("the stack")
    })
}

fn template(change: impl for<'a> Fn(ContainerServiceProps<'a>) -> ContainerServiceProps<'a>) -> Json {
    synth_in(NetworkingProps::default(), change).unwrap_or_else(|error| panic!("{:?}", error.diagnostics))
}

fn rules(change: impl for<'a> Fn(ContainerServiceProps<'a>) -> ContainerServiceProps<'a>) -> Vec<String> {
    let error = synth_in(NetworkingProps::default(), change).expect_err("it is refused");
    error.diagnostics.iter().map(|found| found.rule.clone()).collect()
}

fn all<'t>(template: &'t Json, type_name: &str) -> Vec<&'t Json> {
    let resources = template["Resources"].as_object().expect("resources");
    resources.values().filter(|resource| resource["Type"] == type_name).map(|it| &it["Properties"]).collect()
}

fn one<'t>(template: &'t Json, type_name: &str) -> &'t Json {
    let found = all(template, type_name);
    assert_eq!(found.len(), 1, "{type_name}");
    found[0]
}

fn secret<'a>(name: &'a str, field: &'a str, key: Option<&str>) -> ContainerSecret<'a> {
    let key = key.map(KeyArn::literal);
    ContainerSecret { name, secret: SecretArn::literal(SECRET), field, key }
}

#[test]
fn tasks_stand_in_private_subnets_and_a_bad_deployment_is_rolled_back() {
    let template = template(|props| props);
    let service = one(&template, "AWS::ECS::Service");
    let network = &service["NetworkConfiguration"]["AwsvpcConfiguration"];
    assert_eq!(network["AssignPublicIp"], "DISABLED");
    assert!(network["Subnets"].to_string().contains("Private"), "{network}");
    let breaker = &service["DeploymentConfiguration"]["DeploymentCircuitBreaker"];
    assert_eq!((&breaker["Enable"], &breaker["Rollback"]), (&true.into(), &true.into()));
    assert_eq!(service["EnableExecuteCommand"], false);
    assert_eq!(service["DesiredCount"], 1);
    assert!(service["ServiceName"].is_null(), "a fixed name stands in the way of a replacement");
    assert_eq!(one(&template, "AWS::ECS::Cluster")["ClusterSettings"][0]["Value"], "enabled");
    assert!(one(&template, "AWS::Logs::LogGroup")["RetentionInDays"].is_number());
    assert_eq!(all(&template, "AWS::EC2::SecurityGroupIngress"), Vec::<&Json>::new(), "nobody is let in");
}

#[test]
fn secrets_are_fetched_by_ecs_and_by_exact_name() {
    let template = template(|props| ContainerServiceProps {
        secrets: vec![secret("PASSWORD", "password", Some(KEY)), secret("USER_NAME", "username", None)],
        ..props
    });
    let container = &one(&template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"][0];
    assert_eq!(container["Secrets"][0]["ValueFrom"], format!("{SECRET}:password::"));
    assert!(container["Environment"].is_null());
    let policies = all(&template, "AWS::IAM::Policy");
    let execution = policies[0]["PolicyDocument"]["Statement"].as_array().expect("statements");
    let of = |sid: &str| execution.iter().find(|it| it["Sid"] == sid).unwrap_or_else(|| panic!("{sid}"));
    assert_eq!(of("ReadSecrets")["Resource"], SECRET, "once, and no wildcard");
    assert_eq!(of("DecryptSecrets")["Resource"], KEY);
    assert_eq!(policies.len(), 1, "the program itself may do nothing");
}

#[test]
fn a_secret_in_the_environment_is_refused() {
    let found = rules(|props| ContainerServiceProps {
        environment: vec![("PASSWORD", resolve_secret(SecretArn::literal(SECRET), Some("password")))],
        ..props
    });
    assert_eq!(found, ["secret-in-environment"]);
    let twice = rules(|props| ContainerServiceProps {
        environment: vec![("PASSWORD", "x".into_value())],
        secrets: vec![secret("PASSWORD", "password", None)],
        ..props
    });
    assert_eq!(twice, ["container-service"]);
}

#[test]
fn containers_that_run_before_have_to_end_well() {
    let before = |name| InitContainer { name, entry_point: vec!["sh".to_owned()], command: vec![] };
    let template = template(|props| ContainerServiceProps {
        before: vec![before("schema"), before("users")],
        health_command: Some(HealthCommand { command: vec!["true".to_owned()], start_seconds: 60 }),
        ..props
    });
    let containers = &one(&template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"];
    assert_eq!(containers[0]["Name"], "schema");
    assert_eq!(containers[0]["Essential"], false);
    for (position, waits_for) in [(1, "schema"), (2, "users")] {
        let dependency = &containers[position]["DependsOn"][0];
        assert_eq!(dependency["ContainerName"], waits_for);
        assert_eq!(dependency["Condition"], "SUCCESS");
    }
    assert_eq!(containers[2]["HealthCheck"]["Command"], Json::from(vec!["CMD", "true"]));
    assert_eq!(
        rules(|props| ContainerServiceProps { before: vec![before("main")], ..props }),
        ["container-service"]
    );
}

#[test]
fn the_number_of_tasks_is_left_to_the_load_when_it_follows_it() {
    let template = template(|props| ContainerServiceProps { autoscaling: Some((2, 6)), spot: true, ..props });
    let service = one(&template, "AWS::ECS::Service");
    assert!(service["DesiredCount"].is_null());
    assert_eq!(service["CapacityProviderStrategy"][1]["CapacityProvider"], "FARGATE_SPOT");
    let target = one(&template, "AWS::ApplicationAutoScaling::ScalableTarget");
    assert_eq!((&target["MinCapacity"], &target["MaxCapacity"]), (&2.into(), &6.into()));
    assert_eq!(
        rules(|props| ContainerServiceProps { autoscaling: Some((3, 2)), ..props }),
        ["container-service"]
    );
}

#[test]
fn a_load_balancer_leads_to_a_port_that_is_open() {
    let app = App::new(AppProps::default());
    let networking = Networking::new(app.stack("networking"), "Networking", NetworkingProps::default());
    let stack = app.stack("service");
    let listener = formwork::CfnResource::new("AWS::CloudFormation::WaitConditionHandle")
        .removal_policy(formwork::RemovalPolicy::Delete)
        .define(stack, "Listener");
    let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/0123456789abcdef";
    let props = ContainerServiceProps {
        ports: vec![8080],
        targets: vec![ServiceTarget { target_group: TargetGroupArn::literal(arn), port: 9090, listener }],
        ..ContainerServiceProps::new(
            &networking,
            "the server",
            ContainerImage::Pinned("example/server:v1.2.3".to_owned()),
        )
    };
    ContainerService::new(stack, "Service", &props);
    let error = app.synth().expect_err("it is refused");
    assert!(error.diagnostics[0].message.contains("port 9090"), "{:?}", error.diagnostics);
}

#[test]
fn sizes_are_those_of_fargate() {
    for (cpu, memory_mib) in [(256, 512), (256, 2_048), (1_024, 3_072), (4_096, 30_720), (16_384, 122_880)] {
        assert_eq!(super::size::mistake(cpu, memory_mib), None, "{cpu} {memory_mib}");
    }
    for (cpu, memory_mib) in [(256, 4_096), (300, 512), (512, 512), (1_024, 2_500), (8_192, 17_408), (512, 0)]
    {
        assert!(super::size::mistake(cpu, memory_mib).is_some(), "{cpu} {memory_mib}");
    }
    assert_eq!(
        rules(|props| ContainerServiceProps { cpu: 1_024, memory_mib: 512, ..props }),
        ["fargate-size"]
    );
}

#[test]
fn an_image_of_docker_hub_needs_a_way_out_and_one_of_ecr_endpoints() {
    let isolated = || NetworkingProps {
        nat_gateways: 0,
        endpoints: EndpointPreset::Studio,
        more_endpoints: vec![crate::networking::AwsService::SecretsManager],
        ..NetworkingProps::default()
    };
    let refused = synth_in(isolated(), |props| props).expect_err("no way out");
    assert!(refused.diagnostics.iter().any(|found| found.message.contains("the registry of its image")));
    let name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/server:v1.2.3";
    let found = synth_in(isolated(), |props| ContainerServiceProps {
        image: ContainerImage::Pinned(name.to_owned()),
        ..props
    });
    let template = found.unwrap_or_else(|error| panic!("{:?}", error.diagnostics));
    let policy = all(&template, "AWS::IAM::Policy")[0].to_string();
    assert!(policy.contains("ecr:us-east-1:123456789012:repository/team/server"), "{policy}");
    assert_eq!(
        rules(|props| ContainerServiceProps {
            image: ContainerImage::Pinned("server:latest".to_owned()),
            ..props
        }),
        ["image"]
    );
}
