//! The user interface in the template.

use formwork::{Json, SecretArn};

use super::{UiProps, UiSignIn};
use crate::load_balancer::{Exposure, OidcSignIn};
use crate::metaflow::MetaflowProps;
use crate::metaflow::testing::{one, properties, rules, template, ui};

fn with(change: impl Fn(UiProps) -> UiProps) -> Json {
    template(|props| MetaflowProps { ui: Some(change(ui())), ..props })
}

fn task(template: &Json) -> &Json {
    let tasks = properties(template, "AWS::ECS::TaskDefinition");
    tasks
        .into_iter()
        .map(|task| &task["ContainerDefinitions"][0])
        .find(|container| container["PortMappings"][0]["ContainerPort"] == 8083)
        .expect("the pages")
}

#[test]
fn without_the_pages_nothing_of_them_is_there() {
    let template = template(|props| props);
    assert_eq!(properties(&template, "AWS::ECS::TaskDefinition").len(), 1);
    assert!(properties(&template, "AWS::Cognito::UserPool").is_empty());
}

#[test]
fn every_request_is_of_somebody_who_signed_in() {
    let template = with(|own| own);
    let rules = properties(&template, "AWS::ElasticLoadBalancingV2::ListenerRule");
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["Actions"][0]["Type"], "authenticate-cognito");
    assert_eq!(rules[0]["Conditions"][0]["PathPatternConfig"]["Values"], Json::from(vec!["/*"]));
    for listener in properties(&template, "AWS::ElasticLoadBalancingV2::Listener") {
        let is_http = listener["Protocol"] == "HTTP" || listener["Protocol"] == "HTTPS";
        assert!(!is_http || listener["DefaultActions"][0]["Type"] != "forward", "{listener}");
    }
    let pool = one(&template, "AWS::Cognito::UserPool");
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
    assert_eq!(pool["Policies"]["PasswordPolicy"]["MinimumLength"], 16);
    let client = one(&template, "AWS::Cognito::UserPoolClient");
    assert_eq!(client["CallbackURLs"][0], "https://metaflow.example.com/oauth2/idpresponse");
}

#[test]
fn a_provider_of_ones_own_takes_the_place_of_the_pool() {
    let provider = OidcSignIn {
        issuer: "https://login.example.com".to_owned(),
        authorization_endpoint: "https://login.example.com/authorize".to_owned(),
        token_endpoint: "https://login.example.com/token".to_owned(),
        user_info_endpoint: "https://login.example.com/userinfo".to_owned(),
        client_id: "metaflow".to_owned(),
        client_secret: SecretArn::literal("arn:aws:secretsmanager:us-east-1:123456789012:secret:oidc-AbCdEf"),
        client_secret_field: None,
        bearer_tokens: None,
    };
    let template = with(|own| UiProps { sign_in: UiSignIn::Oidc(provider.clone()), ..own });
    assert!(properties(&template, "AWS::Cognito::UserPool").is_empty());
    let rules = properties(&template, "AWS::ElasticLoadBalancingV2::ListenerRule");
    assert_eq!(rules[0]["Actions"][0]["Type"], "authenticate-oidc");
    assert!(template["Outputs"]["UiUserPoolId"].is_null());
}

#[test]
fn the_pages_read_runs_and_write_nothing() {
    let template = with(|own| own);
    let container = task(&template);
    assert_eq!(container["StopTimeout"], 10);
    assert_eq!(container["Command"][2], "services.ui_backend_service.ui_server");
    let variables = container["Environment"].to_string();
    assert!(variables.contains("MF_METADATA_DB_SSL_MODE") && variables.contains("/metaflow"), "{variables}");
    assert!(!variables.contains("DEBUG") && !variables.contains("resolve:"), "{variables}");
    let policies = properties(&template, "AWS::IAM::Policy");
    let reads: Vec<_> = policies
        .iter()
        .filter(|policy| policy["PolicyName"].to_string().contains("ReadRuns"))
        .map(|policy| policy["PolicyDocument"].to_string())
        .collect();
    assert_eq!(reads.len(), 1);
    assert!(reads[0].contains("s3:GetObject") && reads[0].contains("s3:ListBucket"), "{reads:?}");
    assert!(!reads[0].contains("PutObject") && !reads[0].contains("DeleteObject"), "{reads:?}");
}

#[test]
fn pages_without_a_name_or_without_addresses_are_refused() {
    let refused =
        |change: fn(UiProps) -> UiProps| rules(|props| MetaflowProps { ui: Some(change(ui())), ..props });
    assert!(
        refused(|own| UiProps { domain_name: "Metaflow.example.com".to_owned(), ..own })
            .contains(&"ui-name".to_owned())
    );
    assert!(refused(|own| UiProps { hosted_zone: None, ..own }).contains(&"certificate".to_owned()));
    assert!(!refused(|own| UiProps { exposure: Exposure::Public, ..own }).is_empty(), "open to whom?");
    assert_eq!(rules(|props| MetaflowProps { ui: Some(ui()), datastore: None, ..props }), ["metaflow-parts"]);
    assert_eq!(rules(|props| MetaflowProps { ui: Some(ui()), metadata: None, ..props }), ["metaflow-parts"]);
}
