//! The proxy as its stack's template shows it.

mod reach;
mod service;
mod watching;

use formwork::{App, AppProps, CertificateArn, HostedZoneId, Json, Severity, SynthesisError};
use serde_json::json;

use super::{
    Architecture, JwtIssuer, ProxyApp, ProxyAppProps, ProxyAuthentication, ProxyBinary, ProxyCompute,
};
use crate::load_balancer::Exposure;
use crate::managed_mlflow::{ManagedMlflow, ManagedMlflowProps, MlflowType};
use crate::networking::{Networking, NetworkingProps};
use crate::testing::{named, of_type, one};

fn built() -> ProxyBinary {
    ProxyBinary::BuiltAtPublish { source_hash: "0".repeat(64) }
}

fn synth(
    mlflow_type: MlflowType,
    change: impl for<'a> Fn(ProxyAppProps<'a>) -> ProxyAppProps<'a>,
) -> Result<Json, SynthesisError> {
    let app = App::new(AppProps::default());
    let networking = Networking::new(app.stack("networking"), "Networking", NetworkingProps::default());
    let props = ManagedMlflowProps::new(mlflow_type, "mlflow");
    let mlflow = ManagedMlflow::new(app.stack("mlflow"), "Mlflow", props);
    let stack = app.stack("proxy");
    ProxyApp::new(stack, "Proxy", change(ProxyAppProps::new(&networking, &mlflow, built())));
    let synthesis = app.synth()?;
    let warnings: Vec<String> = synthesis
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity >= Severity::Warning)
        .map(ToString::to_string)
        .collect();
    assert!(warnings.is_empty(), "{}", warnings.join("\n"));
    Ok(synthesis.template("proxy").expect("the stack"))
}

fn template(change: impl for<'a> Fn(ProxyAppProps<'a>) -> ProxyAppProps<'a>) -> Json {
    synth(MlflowType::Tracking, change).unwrap_or_else(|error| {
        let shown: Vec<String> = error.diagnostics.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n\n"));
    })
}

fn rules(change: impl for<'a> Fn(ProxyAppProps<'a>) -> ProxyAppProps<'a>) -> Vec<String> {
    let error = synth(MlflowType::Tracking, change).expect_err("it is refused");
    let errors = error.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(|diagnostic| diagnostic.rule.clone()).collect()
}

#[test]
fn by_default_it_is_internal_and_open_to_the_vpc_only() {
    let template = template(|props| props);
    assert_eq!(
        one(&template, "AWS::ElasticLoadBalancingV2::LoadBalancer")["Properties"]["Scheme"],
        "internal"
    );
    let ingress = of_type(&template, "AWS::EC2::SecurityGroupIngress");
    for rule in &ingress {
        let text = rule.to_string();
        assert!(!text.contains("0.0.0.0/0"), "{text}");
    }
    let clients = named(&template, "ProxyClients1Port80");
    assert!(
        clients["Properties"]["CidrIp"]["Fn::ImportValue"].as_str().expect("an import").contains("CidrBlock")
    );
}

#[test]
fn the_group_is_updated_one_by_one_and_waits_for_signals() {
    let template = template(|props| ProxyAppProps { min_instances: 2, max_instances: 4, ..props });
    let group = one(&template, "AWS::AutoScaling::AutoScalingGroup");
    let rolling = &group["UpdatePolicy"]["AutoScalingRollingUpdate"];
    assert_eq!(rolling["MaxBatchSize"], 1);
    assert_eq!(rolling["MinInstancesInService"], 2);
    assert_eq!(rolling["WaitOnResourceSignals"], true);
    assert_eq!(group["CreationPolicy"]["ResourceSignal"]["Count"], 2);
    assert_eq!(group["Properties"]["HealthCheckType"], "ELB");
    assert!(
        group["DependsOn"].to_string().contains("Http"),
        "targets count once a listener forwards to them"
    );
}

#[test]
fn instances_are_locked_down() {
    let template = template(|props| props);
    let data = &one(&template, "AWS::EC2::LaunchTemplate")["Properties"]["LaunchTemplateData"];
    assert_eq!(data["MetadataOptions"]["HttpTokens"], "required");
    assert_eq!(data["MetadataOptions"]["HttpPutResponseHopLimit"], 1);
    assert_eq!(data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"], true);
    assert_eq!(data["BlockDeviceMappings"][0]["Ebs"]["VolumeType"], "gp3");
    assert!(data.get("KeyName").is_none() && data.get("NetworkInterfaces").is_none());
    assert_eq!(data["InstanceType"], "t3.small");
}

#[test]
fn the_image_is_ubuntu_by_parameter_for_each_architecture() {
    for (architecture, name, instance_type) in
        [(Architecture::Amd64, "amd64", "t3.small"), (Architecture::Arm64, "arm64", "t4g.small")]
    {
        let template = template(|props| ProxyAppProps { architecture, ..props });
        let parameter = &template["Parameters"]["ProxyImage"];
        assert_eq!(parameter["Type"], "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>");
        assert_eq!(
            parameter["Default"],
            format!("/aws/service/canonical/ubuntu/server/24.04/stable/current/{name}/hvm/ebs-gp3/ami-id")
        );
        let data = &one(&template, "AWS::EC2::LaunchTemplate")["Properties"]["LaunchTemplateData"];
        assert_eq!(data["InstanceType"], instance_type);
    }
}

#[test]
fn a_single_instance_stays_possible() {
    let template = template(|props| ProxyAppProps { compute: ProxyCompute::Single, ..props });
    let instance = one(&template, "AWS::EC2::Instance");
    assert_eq!(instance["CreationPolicy"]["ResourceSignal"]["Count"], 1);
    assert!(of_type(&template, "AWS::AutoScaling::AutoScalingGroup").is_empty());
    let targets = &one(&template, "AWS::ElasticLoadBalancingV2::TargetGroup")["Properties"]["Targets"];
    assert!(targets[0]["Id"]["Ref"].as_str().expect("a reference").starts_with("ProxyInstance"));
    let user_data = one(&template, "AWS::EC2::LaunchTemplate").to_string();
    assert!(user_data.contains("SIGNAL_RESOURCE='ProxyInstance"));
}

#[test]
fn the_mlflow_role_is_assumed_by_the_instances_alone_and_without_a_circle() {
    let template = template(|props| props);
    let trust =
        &named(&template, "ProxyMlflowRole")["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    assert!(
        trust["Principal"]["AWS"]["Fn::GetAtt"][0].as_str().expect("a role").starts_with("ProxyInstanceRole")
    );
    let policy =
        named(&template, "ProxyInstancePolicy")["Properties"]["PolicyDocument"]["Statement"].to_string();
    assert!(policy.contains("sts:AssumeRole") && policy.contains("ProxyMlflowRole"));
    assert!(!policy.contains("sagemaker"), "instances themselves may not call MLflow");
    assert!(template["Outputs"]["FlaskMlflowRoleArn"].is_object());
}

#[test]
fn only_actions_that_name_no_resource_are_allowed_on_all() {
    let template = template(|props| props);
    for policy in of_type(&template, "AWS::IAM::Policy") {
        for statement in policy["Properties"]["PolicyDocument"]["Statement"].as_array().expect("statements") {
            if statement["Resource"] == "*" {
                let actions = statement["Action"].to_string();
                let known = actions.contains("ssmmessages:") || actions.contains("sagemaker-mlflow:AccessUI");
                assert!(known, "{statement}");
            }
        }
    }
}

#[test]
fn a_public_proxy_needs_tls_authentication_and_clients() {
    assert_eq!(
        rules(|props| ProxyAppProps { exposure: Exposure::Public, ..props }),
        ["insecure-exposure", "unknown-clients"]
    );
    assert_eq!(
        rules(|props| ProxyAppProps {
            exposure: Exposure::Public,
            authentication: ProxyAuthentication::None,
            allow_cidrs: vec!["203.0.113.0/24".to_owned()],
            ..props
        }),
        ["insecure-proxy", "insecure-exposure"]
    );
    assert_eq!(
        rules(|props| ProxyAppProps { exposure: Exposure::Public, allow_insecure: true, ..props }),
        ["insecure-exposure"],
        "who takes the risk says for whom"
    );
}

#[test]
fn a_proxy_without_authentication_is_a_risk_inside_a_network_too() {
    assert_eq!(
        rules(|props| ProxyAppProps { authentication: ProxyAuthentication::None, ..props }),
        ["insecure-proxy"]
    );
}

#[test]
fn who_takes_the_risk_names_the_clients() {
    let template = template(|props| ProxyAppProps {
        exposure: Exposure::Public,
        authentication: ProxyAuthentication::None,
        allow_insecure: true,
        allow_cidrs: vec!["203.0.113.0/24".to_owned()],
        ..props
    });
    assert_eq!(named(&template, "ProxyClients1Port80")["Properties"]["CidrIp"], "203.0.113.0/24");
}

#[test]
fn a_name_gives_certificate_record_redirect_and_a_modern_tls_policy() {
    let template = template(|props| ProxyAppProps {
        exposure: Exposure::Public,
        domain_name: Some("mlflow.example.com".to_owned()),
        hosted_zone: Some(HostedZoneId::literal("Z0123456789ABCDEFGHIJ")),
        allow_cidrs: vec!["203.0.113.0/24".to_owned()],
        ..props
    });
    assert_eq!(
        one(&template, "AWS::CertificateManager::Certificate")["Properties"]["ValidationMethod"],
        "DNS"
    );
    assert_eq!(one(&template, "AWS::Route53::RecordSet")["Properties"]["Name"], "mlflow.example.com.");
    let https = named(&template, "ProxyHttps");
    assert_eq!(https["Properties"]["SslPolicy"], "ELBSecurityPolicy-TLS13-1-2-Res-2021-06");
    let redirect = &named(&template, "ProxyRedirectToHttps")["Properties"]["DefaultActions"][0];
    assert_eq!(redirect["RedirectConfig"]["StatusCode"], "HTTP_301");
    assert_eq!(template["Outputs"]["Url"]["Value"], "https://mlflow.example.com");
}

#[test]
fn a_certificate_that_exists_is_taken() {
    let template = template(|props| ProxyAppProps {
        certificate: Some(CertificateArn::literal(
            "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        )),
        ..props
    });
    assert!(of_type(&template, "AWS::CertificateManager::Certificate").is_empty());
    assert!(template["Outputs"]["Url"]["Value"].to_string().contains("https://"));
}

#[test]
fn a_firewall_blocks_floods_and_only_counts_what_looks_odd_in_bodies() {
    let template = template(|props| ProxyAppProps { firewall: true, ..props });
    let rules = &one(&template, "AWS::WAFv2::WebACL")["Properties"]["Rules"];
    assert_eq!(rules[0]["Action"], json!({"Block": {}}));
    let overrides = &rules[3]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"];
    assert!(
        overrides.as_array().expect("overrides").iter().all(|one| one["ActionToUse"] == json!({"Count": {}}))
    );
    one(&template, "AWS::WAFv2::WebACLAssociation");
}

#[test]
fn jwt_needs_an_issuer_and_no_secret() {
    assert_eq!(
        rules(|props| ProxyAppProps { authentication: ProxyAuthentication::Jwt, ..props }),
        ["jwt-issuer"]
    );
    let template = template(|props| ProxyAppProps {
        authentication: ProxyAuthentication::Jwt,
        jwt: Some(JwtIssuer {
            issuer: "https://issuer.example.com".into(),
            audience: "mlflow".into(),
            ..JwtIssuer::default()
        }),
        ..props
    });
    assert!(of_type(&template, "AWS::SecretsManager::Secret").is_empty());
    assert!(one(&template, "AWS::EC2::LaunchTemplate").to_string().contains("MLFLOW_PROXY_JWT_ISSUER"));
}

#[test]
fn the_secret_with_the_users_has_no_value_and_outlives_the_stack() {
    let template = template(|props| props);
    let secret = one(&template, "AWS::SecretsManager::Secret");
    assert!(secret["Properties"].get("SecretString").is_none(), "a value would come back with each update");
    assert_eq!(secret["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(secret["UpdateReplacePolicy"], "Retain");
}

#[test]
fn the_binary_is_known_by_its_digest() {
    let parameter = &template(|props| props)["Parameters"]["ProxyBinarySha256"].clone();
    assert_eq!(parameter["AllowedPattern"], "^[0-9a-f]{64}$");
    assert!(parameter.get("Default").is_none(), "what is built at publish is not known yet");
    let taker = &template(|props| props)["Metadata"]["Formwork::AssetDigests"]["ProxyBinarySha256"];
    assert_eq!(
        taker.as_str().map(str::len),
        Some(64),
        "whoever publishes the asset knows where its digest goes"
    );
    let file = std::env::temp_dir().join(format!("formwork-proxy-{}", std::process::id()));
    std::fs::write(&file, "binary").expect("a writable file");
    let with_file = template(|props| ProxyAppProps { binary: ProxyBinary::File(file.clone()), ..props });
    let _ = std::fs::remove_file(&file);
    // echo -n binary | sha256sum
    let digest = "9a3a45d01531a20e89ac6ae10b0b0beb0492acd7216a368aa062d1a5fecaf9cd";
    assert_eq!(with_file["Parameters"]["ProxyBinarySha256"]["Default"], digest);
    assert!(with_file["Metadata"].get("Formwork::AssetDigests").is_none());
}

#[test]
fn wrong_numbers_and_blocks_are_refused_together() {
    let found = rules(|props| ProxyAppProps {
        min_instances: 3,
        max_instances: 2,
        allow_cidrs: vec!["10.0.0.1/8".into(), "everyone".into()],
        ..props
    });
    // What the schemas say of the same values comes after what we say.
    assert_eq!(found[..3], ["instances", "address-block", "address-block"]);
}

#[test]
fn a_proxy_without_a_way_to_the_serverless_api_is_refused() {
    let app = App::new(AppProps::default());
    let no_way_out = NetworkingProps { nat_gateways: 0, ..NetworkingProps::default() };
    let networking = Networking::new(app.stack("networking"), "Networking", no_way_out);
    let props = ManagedMlflowProps::new(MlflowType::Serverless, "mlflow");
    let mlflow = ManagedMlflow::new(app.stack("mlflow"), "Mlflow", props);
    ProxyApp::new(app.stack("proxy"), "Proxy", ProxyAppProps::new(&networking, &mlflow, built()));
    let error = app.synth().expect_err("it is refused");
    assert!(error.diagnostics.iter().any(|diagnostic| diagnostic.rule == "unreachable-service"));
}

#[test]
fn text_of_the_settings_stays_text_in_the_boot_script() {
    let evil = "https://x'; touch /tmp/pwned; #";
    let found = rules(|props| ProxyAppProps {
        authentication: ProxyAuthentication::Jwt,
        jwt: Some(JwtIssuer { issuer: evil.into(), audience: "one\ntwo".into(), ..JwtIssuer::default() }),
        ..props
    });
    assert_eq!(found, ["service-environment", "service-environment"]);
}

#[test]
fn the_binaries_of_two_architectures_have_two_keys() {
    let keys = [Architecture::Amd64, Architecture::Arm64].map(|architecture| {
        let template = template(|props| ProxyAppProps { architecture, ..props });
        let policy = named(&template, "ProxyInstancePolicy").to_string();
        policy.split("${AssetBucket}/").nth(1).expect("the object").chars().take(64).collect::<String>()
    });
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn nearly_the_whole_internet_is_not_taken_without_protection() {
    let found = rules(|props| ProxyAppProps {
        exposure: Exposure::Public,
        allow_insecure: true,
        allow_cidrs: vec!["0.0.0.0/1".into(), "128.0.0.0/1".into()],
        ..props
    });
    assert_eq!(found, ["insecure-exposure"]);
}
