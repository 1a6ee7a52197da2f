//! The API in front of the metadata service in the template.

use formwork::Json;

use super::Api;
use crate::metaflow::MetaflowProps;
use crate::metaflow::testing::{one, properties, resources, rules, template};

fn public(blocks: &[&str]) -> Json {
    let allow_cidrs: Vec<String> = blocks.iter().map(|block| (*block).to_owned()).collect();
    template(|props| MetaflowProps { api: Api::Public { allow_cidrs: allow_cidrs.clone() }, ..props })
}

fn private() -> Json {
    template(|props| MetaflowProps { api: Api::Private, ..props })
}

#[test]
fn without_an_api_the_service_has_no_way_from_outside() {
    let template = template(|props| props);
    assert!(properties(&template, "AWS::ApiGateway::RestApi").is_empty());
    assert_eq!(
        template["Outputs"]["ServiceUrl"]["Value"],
        template["Outputs"]["InternalServiceUrl"]["Value"]
    );
    assert!(template["Outputs"]["ApiKeyId"].is_null());
}

#[test]
fn every_call_needs_the_key_and_a_named_address() {
    let template = public(&["203.0.113.0/24"]);
    let method = one(&template, "AWS::ApiGateway::Method");
    assert_eq!(method["ApiKeyRequired"], true);
    assert_eq!(method["HttpMethod"], "ANY");
    let statement = &one(&template, "AWS::ApiGateway::RestApi")["Policy"]["Statement"];
    assert_eq!(statement.as_array().map(Vec::len), Some(1), "nothing else is allowed: {statement}");
    assert_eq!(statement[0]["Condition"]["IpAddress"]["aws:SourceIp"], Json::from(vec!["203.0.113.0/24"]));
    assert_eq!(properties(&template, "AWS::ApiGateway::UsagePlanKey").len(), 1);
    let description = template["Outputs"]["ApiKeyId"]["Description"].as_str().unwrap_or_default();
    assert!(description.ends_with("[METAFLOW_SERVICE_AUTH_KEY]"), "{description}");
}

#[test]
fn the_key_is_not_in_the_configuration_but_its_place_is_told() {
    let template = public(&["203.0.113.0/24"]);
    let profile = template["Outputs"]["MetaflowProfileJson"]["Value"].to_string();
    assert!(!profile.contains("METAFLOW_SERVICE_AUTH_KEY"), "the id is not the key: {profile}");
    assert!(profile.contains("METAFLOW_SERVICE_URL"), "{profile}");
}

#[test]
fn calls_go_over_the_link_to_the_internal_load_balancer() {
    let template = public(&["203.0.113.0/24"]);
    let integration = &one(&template, "AWS::ApiGateway::Method")["Integration"];
    assert_eq!(
        (&integration["Type"], &integration["ConnectionType"]),
        (&"HTTP_PROXY".into(), &"VPC_LINK".into())
    );
    assert_eq!(integration["Uri"], "http://${stageVariables.host}/{proxy}");
    let variables = &one(&template, "AWS::ApiGateway::Stage")["Variables"];
    assert!(variables["vpcLinkId"]["Ref"].is_string() && variables["host"].is_object(), "{variables}");
    let balancer = one(&template, "AWS::ElasticLoadBalancingV2::LoadBalancer");
    assert_eq!(balancer["Scheme"], "internal");
    assert_eq!(balancer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"], "off");
}

#[test]
fn what_clients_see_changes_with_the_settings() {
    let deployment = |template: &Json| {
        let found = resources(template, "AWS::ApiGateway::Deployment");
        assert_eq!(found.len(), 1);
        assert!(found[0].1["DependsOn"].to_string().contains("EveryCall"), "{}", found[0].1);
        found[0].0.to_owned()
    };
    let first = deployment(&public(&["203.0.113.0/24"]));
    assert_eq!(first, deployment(&public(&["203.0.113.0/24"])));
    assert_ne!(first, deployment(&public(&["198.51.100.0/24"])), "a deployment is a copy of the API");
    assert_ne!(first, deployment(&private()));
}

#[test]
fn a_private_api_is_reached_over_its_own_endpoint_alone() {
    let template = private();
    let api = one(&template, "AWS::ApiGateway::RestApi");
    assert_eq!(api["EndpointConfiguration"]["Types"], Json::from(vec!["PRIVATE"]));
    let (endpoint, _) = resources(&template, "AWS::EC2::VPCEndpoint")[0];
    let condition = &api["Policy"]["Statement"][0]["Condition"]["StringEquals"]["aws:SourceVpce"];
    assert_eq!(condition["Ref"], endpoint);
    assert_eq!(one(&template, "AWS::EC2::VPCEndpoint")["PrivateDnsEnabled"], false);
    let url = template["Outputs"]["ServiceUrl"]["Value"].to_string();
    assert!(url.contains(endpoint) && url.contains("https://"), "{url}");
    assert_eq!(one(&template, "AWS::ApiGateway::Method")["ApiKeyRequired"], true);
}

#[test]
fn an_api_for_nobody_or_in_front_of_nothing_is_refused() {
    let with = |blocks: Vec<String>| {
        rules(|props| MetaflowProps { api: Api::Public { allow_cidrs: blocks.clone() }, ..props })
    };
    assert_eq!(with(vec![]), ["unknown-clients"]);
    assert_eq!(with(vec!["203.0.113.7/24".to_owned()]), ["address-block"]);
    assert_eq!(
        rules(|props| MetaflowProps { api: Api::Private, metadata: None, ..props }),
        ["metaflow-parts"]
    );
}
