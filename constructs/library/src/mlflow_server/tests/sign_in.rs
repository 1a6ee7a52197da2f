//! A server at whose load balancer people sign in.

use formwork::{CertificateArn, SecretArn};

use super::{CERTIFICATE, container, named, of_type, template, variable};
use crate::load_balancer::{BearerTokens, LoadBalancerProps, OidcSignIn, SignIn};
use crate::mlflow_server::{MlflowServerProps, ServerAuthentication};

fn signed_in(props: MlflowServerProps<'_>) -> MlflowServerProps<'_> {
    let provider = OidcSignIn {
        issuer: "https://login.example.com".into(),
        authorization_endpoint: "https://login.example.com/authorize".into(),
        token_endpoint: "https://login.example.com/token".into(),
        user_info_endpoint: "https://login.example.com/userinfo".into(),
        client_id: "mlflow".into(),
        client_secret: SecretArn::literal(
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:sign-in-AbCdEf",
        ),
        client_secret_field: None,
        bearer_tokens: Some(Box::new(BearerTokens {
            jwks_endpoint: "https://login.example.com/keys".into(),
            audience: "mlflow".into(),
        })),
    };
    MlflowServerProps {
        authentication: ServerAuthentication::Oidc,
        load_balancer: LoadBalancerProps {
            certificate: Some(CertificateArn::literal(CERTIFICATE)),
            domain_name: Some("mlflow.example.com".into()),
            sign_in: Some(SignIn::Oidc(provider)),
            ..props.load_balancer.clone()
        },
        ..props
    }
}

#[test]
fn nobody_gets_past_the_load_balancer_unknown() {
    let template = template(signed_in);
    let rules = of_type(&template, "AWS::ElasticLoadBalancingV2::ListenerRule");
    assert_eq!(rules.len(), 2);
    for rule in rules {
        let first = rule["Properties"]["Actions"][0]["Type"].as_str();
        assert!(matches!(first, Some("authenticate-oidc" | "jwt-validation")), "{rule}");
    }
    let default = &named(&template, "ServerHttps")["Properties"]["DefaultActions"][0]["Type"];
    assert_eq!(default, "fixed-response");
    assert!(!container(&template, "main").to_string().contains("basic-auth"));
}

#[test]
fn the_server_answers_to_its_name_and_to_that_of_the_load_balancer() {
    let template = template(signed_in);
    let hosts = variable(&template, "MLFLOW_SERVER_ALLOWED_HOSTS").to_string();
    assert!(hosts.contains("mlflow.example.com,") && hosts.contains("DNSName"), "{hosts}");
    assert_eq!(variable(&template, "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"), "https://mlflow.example.com");
}
