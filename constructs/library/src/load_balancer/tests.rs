//! A load balancer as its stack's template shows it, with a sign-in in front of what stands behind.

use formwork::{App, AppProps, CertificateArn, IntoValue, Json, ResourceId, Scope, SecretArn, Severity};
use serde_json::json;

use super::{
    BearerTokens, CognitoSignIn, Exposure, LoadBalancer, LoadBalancerProps, OidcSignIn, SignIn, SignInOn,
    TargetKind, Targets,
};
use crate::networking::{Networking, NetworkingProps};

const CERTIFICATE: &str =
    "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sign-in-AbCdEf";

fn oidc(field: Option<&str>) -> SignIn {
    SignIn::Oidc(OidcSignIn {
        issuer: "https://login.example.com".into(),
        authorization_endpoint: "https://login.example.com/authorize".into(),
        token_endpoint: "https://login.example.com/token".into(),
        user_info_endpoint: "https://login.example.com/userinfo".into(),
        client_id: "mlflow".into(),
        client_secret: SecretArn::literal(SECRET),
        client_secret_field: field.map(str::to_owned),
        bearer_tokens: None,
    })
}

fn targets(sign_in: SignInOn) -> Targets {
    Targets { port: 8080, kind: TargetKind::Addresses, health_path: "/health", drain_seconds: 30, sign_in }
}

/// The template of a stack with a load balancer, or the rules by which it is refused.
fn synth(
    nat_gateways: u8,
    change: impl for<'a> Fn(LoadBalancerProps<'a>) -> LoadBalancerProps<'a>,
    build: impl Fn(Scope<'_>, LoadBalancer) -> Option<ResourceId>,
) -> Result<Json, Vec<String>> {
    let app = App::new(AppProps::default());
    let props = NetworkingProps { nat_gateways, ..NetworkingProps::default() };
    let networking = Networking::new(app.stack("networking"), "Networking", props);
    let stack = app.stack("service");
    let props = change(LoadBalancerProps::new(&networking, "the Team-1 page", "Browsers"));
    let balancer = LoadBalancer::new(stack, &props);
    build(stack, balancer);
    let synthesis = app.synth().map_err(|error| {
        let errors = error.diagnostics.into_iter().filter(|found| found.severity == Severity::Error);
        errors.map(|found| found.rule).collect::<Vec<_>>()
    })?;
    Ok(synthesis.template("service").expect("the stack"))
}

fn signed_in<'a>(props: LoadBalancerProps<'a>, sign_in: SignIn) -> LoadBalancerProps<'a> {
    LoadBalancerProps {
        certificate: Some(CertificateArn::literal(CERTIFICATE)),
        sign_in: Some(sign_in),
        ..props
    }
}

fn with_sign_in(sign_in: &SignIn, on: &SignInOn) -> Json {
    synth(
        1,
        |props| signed_in(props, sign_in.clone()),
        |stack, it| Some(it.forward(stack, targets(on.clone())).listener),
    )
    .expect("a template")
}

fn named<'t>(template: &'t Json, start: &str) -> &'t Json {
    let resources = template["Resources"].as_object().expect("resources");
    &resources.iter().find(|(id, _)| id.starts_with(start)).unwrap_or_else(|| panic!("no {start}")).1["Properties"]
}

#[test]
fn behind_a_sign_in_no_path_is_open() {
    let template = with_sign_in(&oidc(Some("client_secret")), &SignInOn::Everything);
    let default = &named(&template, "Https")["DefaultActions"];
    assert_eq!(default[0]["Type"], "fixed-response", "{default}");
    assert_eq!(default[0]["FixedResponseConfig"]["StatusCode"], "403");
    let rule = named(&template, "SignIn");
    assert_eq!(rule["Conditions"][0]["PathPatternConfig"]["Values"], json!(["/*"]));
    assert_eq!(rule["Actions"][0]["Type"], "authenticate-oidc");
    assert_eq!(rule["Actions"][0]["Order"], 1);
    assert_eq!(rule["Actions"][1]["Type"], "forward");
    assert_eq!(rule["Actions"][1]["Order"], 2);
    let config = &rule["Actions"][0]["AuthenticateOidcConfig"];
    assert_eq!(config["Issuer"], "https://login.example.com");
    assert_eq!(
        config["ClientSecret"],
        format!("{{{{resolve:secretsmanager:{SECRET}:SecretString:client_secret}}}}"),
        "the template refers to the secret and does not have it"
    );
    let out = named(&template, "BalancerToProvider");
    assert_eq!(
        (&out["FromPort"], &out["ToPort"], &out["CidrIp"]),
        (&json!(443), &json!(443), &json!("0.0.0.0/0"))
    );
}

#[test]
fn a_secret_that_is_no_object_is_the_text_itself() {
    let template = with_sign_in(&oidc(None), &SignInOn::Everything);
    let secret = &named(&template, "SignIn")["Actions"][0]["AuthenticateOidcConfig"]["ClientSecret"];
    assert_eq!(*secret, format!("{{{{resolve:secretsmanager:{SECRET}:SecretString}}}}"));
}

#[test]
fn programs_show_a_token_in_place_of_a_session() {
    let SignIn::Oidc(mut provider) = oidc(None) else { panic!("OpenID Connect") };
    provider.bearer_tokens = Some(Box::new(BearerTokens {
        jwks_endpoint: "https://login.example.com/keys".into(),
        audience: "mlflow".into(),
    }));
    let template = with_sign_in(&SignIn::Oidc(provider), &SignInOn::Everything);
    let rule = named(&template, "BearerTokens");
    assert_eq!(rule["Conditions"][0]["HttpHeaderConfig"]["Values"], json!(["Bearer *"]));
    assert_eq!(rule["Actions"][0]["Type"], "jwt-validation");
    let config = &rule["Actions"][0]["JwtValidationConfig"];
    assert_eq!(config["JwksEndpoint"], "https://login.example.com/keys");
    assert_eq!(config["Issuer"], "https://login.example.com");
    assert_eq!(
        config["AdditionalClaims"],
        json!([{ "Format": "single-string", "Name": "aud", "Values": ["mlflow"] }])
    );
    assert!(rule["Priority"].as_i64() < named(&template, "SignIn")["Priority"].as_i64());
    let without = with_sign_in(&oidc(None), &SignInOn::Everything);
    assert!(!without.to_string().contains("jwt-validation"));
}

#[test]
fn a_sign_in_on_some_paths_leaves_the_others_to_the_service() {
    let template = with_sign_in(&oidc(None), &SignInOn::Paths(vec!["/", "/ui"]));
    assert_eq!(named(&template, "Https")["DefaultActions"][0]["Type"], "forward");
    let rule = named(&template, "SignIn");
    assert_eq!(rule["Conditions"][0]["PathPatternConfig"]["Values"], json!(["/", "/ui"]));
    assert_eq!(rule["Actions"][0]["Type"], "authenticate-oidc");
}

#[test]
fn a_user_pool_signs_people_in_too() {
    let pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI";
    let cognito = SignIn::Cognito(CognitoSignIn {
        user_pool_arn: pool.into_value(),
        client_id: "client".into_value(),
        domain: "team".into_value(),
    });
    let template = with_sign_in(&cognito, &SignInOn::Everything);
    let action = &named(&template, "SignIn")["Actions"][0];
    assert_eq!(action["Type"], "authenticate-cognito");
    assert_eq!(action["AuthenticateCognitoConfig"]["UserPoolArn"], pool);
    assert_eq!(action["AuthenticateCognitoConfig"]["UserPoolClientId"], "client");
    assert_eq!(action["AuthenticateCognitoConfig"]["UserPoolDomain"], "team");
}

#[test]
fn paths_with_targets_of_their_own_are_behind_the_same_sign_in() {
    let template = synth(
        1,
        |props| signed_in(props, oidc(None)),
        |stack, balancer| {
            let main = balancer.forward(stack, targets(SignInOn::Everything));
            let api = Targets { port: 8083, ..targets(SignInOn::Everything) };
            Some(balancer.forward_path(stack, "Api", &main, &["/api/*"], 10, api).listener)
        },
    )
    .expect("a template");
    let rule = named(&template, "ApiRule");
    assert_eq!(rule["Priority"], 10);
    assert_eq!(rule["Actions"][0]["Type"], "authenticate-oidc");
    assert_ne!(
        rule["Actions"][1]["TargetGroupArn"],
        named(&template, "SignIn")["Actions"][1]["TargetGroupArn"]
    );
    assert_eq!(rule["ListenerArn"], named(&template, "SignIn")["ListenerArn"]);
    assert_eq!(named(&template, "ApiTargets")["Port"], 8083);
    assert_eq!(named(&template, "ApiTargets")["TargetType"], "ip");
}

#[test]
fn a_sign_in_needs_https_and_a_way_to_the_provider() {
    let forward =
        |stack: Scope<'_>, it: LoadBalancer| Some(it.forward(stack, targets(SignInOn::Everything)).listener);
    let without_tls = synth(1, |props| LoadBalancerProps { sign_in: Some(oidc(None)), ..props }, forward);
    assert_eq!(without_tls, Err(vec!["sign-in".to_owned()]));
    let even_when_insecure = synth(
        1,
        |props| LoadBalancerProps {
            sign_in: Some(oidc(None)),
            exposure: Exposure::Public,
            allow_insecure: true,
            allow_cidrs: vec!["203.0.113.0/24".into()],
            ..props
        },
        forward,
    );
    assert_eq!(even_when_insecure, Err(vec!["sign-in".to_owned()]));
    let no_way = synth(0, |props| signed_in(props, oidc(None)), forward);
    assert_eq!(no_way, Err(vec!["unreachable-service".to_owned()]));
}

#[test]
fn the_figures_of_a_firewall_are_named_after_what_stands_behind() {
    let template = synth(
        1,
        |props| LoadBalancerProps { firewall: true, ..props },
        |stack, it| Some(it.forward(stack, targets(SignInOn::Everything)).listener),
    )
    .expect("a template");
    assert_eq!(named(&template, "Firewall")["VisibilityConfig"]["MetricName"], "Team1Page");
}
