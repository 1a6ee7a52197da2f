//! What the service is told, and what the stack tells of it.

use formwork::{Json, SecretArn};

use super::{named, of_type, one, rules, synth, template};
use crate::load_balancer::{Exposure, OidcSignIn, SignIn};
use crate::managed_mlflow::MlflowType;
use crate::proxy_app::{JwtIssuer, ProxyAppProps, ProxyAuthentication, ProxyCompute};

/// The lines of the service's environment, with references as `${...}`.
fn environment(template: &Json) -> Vec<String> {
    let data = &one(template, "AWS::EC2::LaunchTemplate")["Properties"]["LaunchTemplateData"];
    // Values of other stacks are variables of the text.
    let sub = &data["UserData"]["Fn::Base64"]["Fn::Sub"];
    let mut text = sub[0].as_str().or(sub.as_str()).expect("text with references").to_owned();
    for (name, imported) in sub[1].as_object().into_iter().flatten() {
        let export = imported["Fn::ImportValue"].as_str().expect("an import");
        text = text.replace(&format!("${{{name}}}"), &format!("${{{export}}}"));
    }
    let lines = text.split("SERVICE_ENVIRONMENT='").nth(1).and_then(|rest| rest.split('\'').next());
    lines.expect("an environment").lines().map(str::to_owned).collect()
}

fn value<'e>(environment: &'e [String], name: &str) -> Option<&'e str> {
    environment.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn the_environment_comes_from_references_and_has_no_secret() {
    let environment = environment(&template(|props| props));
    assert!(value(&environment, "SM_MLFLOW_ROLE_ARN").expect("a role").starts_with("${ProxyMlflowRole"));
    assert_eq!(value(&environment, "SM_MLFLOW_AWS_REGION"), Some("${AWS::Region}"));
    assert!(value(&environment, "SM_MLFLOW_ARTIFACT_URI").expect("a bucket").ends_with("/mlflow"));
    assert!(value(&environment, "MLFLOW_PROXY_SECRET_ARN").expect("a secret").starts_with("${ProxyUsers"));
    assert_eq!(value(&environment, "MLFLOW_PROXY_ALLOW_ANONYMOUS"), None);
}

/// A proxy that closes an idle connection before the load balancer does makes the next request on it fail with 502.
#[test]
fn the_load_balancer_closes_idle_connections_first() {
    let template = template(|props| props);
    let balancer = one(&template, "AWS::ElasticLoadBalancingV2::LoadBalancer");
    let attributes = balancer["Properties"]["LoadBalancerAttributes"].as_array().expect("attributes");
    let idle = attributes.iter().find(|it| it["Key"] == "idle_timeout.timeout_seconds").expect("a limit");
    let seconds = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok()).expect("a number");
    let environment = environment(&template);
    assert!(seconds(value(&environment, "MLFLOW_PROXY_KEEP_ALIVE")) > seconds(idle["Value"].as_str()));
}

/// Large bodies lie where the unit makes a folder for them, and not in memory.
#[test]
fn large_bodies_wait_on_the_disk() {
    let template = template(|props| props);
    let unit = one(&template, "AWS::EC2::LaunchTemplate").to_string();
    assert!(unit.contains("CacheDirectory=mlflow-proxy"));
    assert_eq!(
        value(&environment(&template), "MLFLOW_PROXY_SPOOL_DIRECTORY"),
        Some("/var/cache/mlflow-proxy")
    );
}

#[test]
fn a_forwarded_port_may_be_called_by_its_local_name_on_an_internal_proxy_only() {
    let hosts = |exposure, certificate: bool| {
        let template = template(|props| ProxyAppProps {
            exposure,
            allow_cidrs: vec!["203.0.113.0/24".into()],
            certificate: certificate.then(|| {
                formwork::CertificateArn::literal(
                    "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
                )
            }),
            ..props
        });
        let hosts = value(&environment(&template), "MLFLOW_PROXY_ALLOWED_HOSTS").expect("names").to_owned();
        (hosts, template["Outputs"].get("PortForwardCommand").is_some())
    };
    let (internal, forwarded) = hosts(Exposure::Internal, false);
    assert!(internal.ends_with(".DNSName},localhost,127.0.0.1") && forwarded, "{internal}");
    let (public, forwarded) = hosts(Exposure::Public, true);
    assert!(public.ends_with(".DNSName}") && !forwarded, "{public}");
}

#[test]
fn without_authentication_the_service_is_told_that_this_is_meant() {
    let template = template(|props| ProxyAppProps {
        authentication: ProxyAuthentication::None,
        allow_insecure: true,
        ..props
    });
    let environment = environment(&template);
    assert_eq!(value(&environment, "MLFLOW_PROXY_AUTH"), Some("none"));
    assert_eq!(value(&environment, "MLFLOW_PROXY_ALLOW_ANONYMOUS"), Some("true"));
    assert!(template["Outputs"].get("Use2Token").is_none());
}

fn with_sign_in(props: ProxyAppProps<'_>, authentication: ProxyAuthentication) -> ProxyAppProps<'_> {
    ProxyAppProps {
        authentication,
        jwt: Some(JwtIssuer {
            issuer: "https://login.example.com".into(),
            audience: "mlflow".into(),
            ..JwtIssuer::default()
        }),
        certificate: Some(formwork::CertificateArn::literal(
            "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        )),
        sign_in: Some(SignIn::Oidc(OidcSignIn {
            issuer: "https://login.example.com".into(),
            authorization_endpoint: "https://login.example.com/authorize".into(),
            token_endpoint: "https://login.example.com/token".into(),
            user_info_endpoint: "https://login.example.com/userinfo".into(),
            client_id: "browsers".into(),
            client_secret: SecretArn::literal(
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:sign-in-AbCdEf",
            ),
            client_secret_field: None,
            bearer_tokens: None,
        })),
        ..props
    }
}

#[test]
fn people_sign_in_at_the_balancer_whose_word_the_proxy_takes() {
    let template = template(|props| with_sign_in(props, ProxyAuthentication::Jwt));
    let environment = environment(&template);
    let balancer = value(&environment, "MLFLOW_PROXY_ALB_ARN").expect("the signer");
    assert!(balancer.starts_with("${ProxyLoadBalancer"), "{balancer}");
    let rule = &named(&template, "ProxySignIn")["Properties"];
    assert_eq!(rule["Conditions"][0]["PathPatternConfig"]["Values"], serde_json::json!(["/", "/ui"]));
    assert_eq!(rule["Actions"][0]["Type"], "authenticate-oidc");
    let default = &named(&template, "ProxyHttps")["Properties"]["DefaultActions"][0];
    assert_eq!(default["Type"], "forward", "clients with tokens are not sent to a page");
    assert_eq!(rules(|props| with_sign_in(props, ProxyAuthentication::Token)), ["sign-in"]);
}

#[test]
fn the_groups_of_an_issuer_say_who_is_what() {
    let jwt = JwtIssuer {
        issuer: "https://issuer.example.com".into(),
        audience: "mlflow".into(),
        roles_claim: Some("realm_access.roles".into()),
        admin_groups: vec!["platform".into()],
        writer_groups: vec!["science".into(), "ci".into()],
        reader_groups: Vec::new(),
    };
    let template = template(|props| ProxyAppProps {
        authentication: ProxyAuthentication::Jwt,
        jwt: Some(jwt.clone()),
        ..props
    });
    let environment = environment(&template);
    assert_eq!(value(&environment, "MLFLOW_PROXY_JWT_ROLES_CLAIM"), Some("realm_access.roles"));
    assert_eq!(value(&environment, "MLFLOW_PROXY_JWT_ADMIN_GROUPS"), Some("platform"));
    assert_eq!(value(&environment, "MLFLOW_PROXY_JWT_WRITER_GROUPS"), Some("science,ci"));
    assert_eq!(value(&environment, "MLFLOW_PROXY_JWT_READER_GROUPS"), None);
}

/// Whoever deployed it pastes three lines, which are shown last.
#[test]
fn the_outputs_end_with_the_lines_to_paste() {
    let template = template(|props| props);
    let outputs = template["Outputs"].as_object().expect("outputs");
    let mut names: Vec<&str> = outputs.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names[names.len() - 3..], ["Use1TrackingUri", "Use2Token", "Use3Check"]);
    let line = |name: &str| outputs[name]["Value"].to_string();
    assert!(line("Use1TrackingUri").contains("export MLFLOW_TRACKING_URI=http://${ProxyLoadBalancer"));
    assert!(
        line("Use2Token").contains("formwork proxy user add NAME --role writer --stack ${AWS::StackName}")
    );
    assert!(
        line("PortForwardCommand").contains("AWS-StartPortForwardingSession --parameters portNumber=5000,")
    );
    let commands = [
        (ProxyCompute::Asg, "--target $(aws autoscaling describe-auto-scaling-groups"),
        (ProxyCompute::Single, "--target ${ProxyInstance"),
    ];
    for (compute, target) in commands {
        let template = super::template(|props| ProxyAppProps { compute, ..props });
        let command = template["Outputs"]["PortForwardCommand"]["Value"].to_string();
        assert!(command.contains(target), "{command}");
    }
}

/// A missing object is told by 404 only to whoever may list, and a list stays within the artifacts.
#[test]
fn the_role_lists_the_artifacts_and_nothing_beside_them() {
    for mlflow_type in [MlflowType::Tracking, MlflowType::Serverless] {
        let template = synth(mlflow_type, |props| props).expect("no mistake");
        let policies = of_type(&template, "AWS::IAM::Policy");
        let statements = policies.iter().flat_map(|policy| {
            policy["Properties"]["PolicyDocument"]["Statement"].as_array().expect("statements")
        });
        let list: Vec<&Json> = statements
            .filter(|statement| statement["Action"].to_string().contains("\"s3:ListBucket\""))
            .collect();
        assert_eq!(list.len(), 1);
        assert_eq!(
            list[0]["Condition"],
            serde_json::json!({ "StringLikeIfExists": { "s3:prefix": ["mlflow", "mlflow/*"] } })
        );
    }
}
