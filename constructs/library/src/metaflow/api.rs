//! The way to the metadata service from outside of the network: API Gateway, with a key, in front of its load balancer.

use std::collections::BTreeMap;

use formwork::{Diagnostic, IntoValue, Resource, Scope, Value, VpcId, pseudo, text};
use formwork_resources::apigateway::{
    ApiStage, CfnApiKey, CfnDeployment, CfnMethod, CfnResource, CfnRestApi, CfnStage, CfnUsagePlan,
    CfnUsagePlanKey, CfnVpcLink, EndpointConfiguration, Integration, IntegrationConnectionType,
    IntegrationType, UsagePlanKeyType,
};
use formwork_resources::ec2::{CfnVpcEndpoint, VpcEndpointType};
use sha2::{Digest, Sha256};

use super::{Metadata, MetaflowProps, Told};
use crate::alarms::{self, Metric, Rule};
use crate::iam::{PolicyDocument, Principal, Statement};
use crate::networking::{AddressBlock, HTTPS, allow_from_block, security_group};

/// How the metadata service is reached from outside of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// Not at all: only from inside the VPC, or from what is connected to it.
    #[default]
    None,
    /// From the internet, with a key, and from the named address blocks only.
    Public {
        /// The address blocks that may connect.
        allow_cidrs: Vec<String>,
    },
    /// With a key and TLS, over a VPC endpoint of its own.
    Private,
}

/// The API in front of the metadata service.
#[derive(Clone, Debug)]
pub struct ServiceApi {
    /// The URL for clients.
    pub url: Value<String>,
    /// The id of the key that clients send as `x-api-key`.
    pub key_id: Value<String>,
}

/// The name of the stage: the path that clients' URLs begin with.
const STAGE: &str = "api";

/// Raise it when what a deployment consists of changes: a deployment is a copy of the API, and stays as it is.
const DEPLOYMENT_VERSION: u32 = 1;

impl ServiceApi {
    #[track_caller]
    pub(super) fn new(scope: Scope<'_>, props: &MetaflowProps<'_>, metadata: &Metadata) -> Option<Self> {
        let (endpoint, policy, endpoint_id) = match &props.api {
            Api::None => return None,
            Api::Public { allow_cidrs } => {
                check_blocks(scope, allow_cidrs);
                let policy = allowed().when_any("IpAddress", "aws:SourceIp", allow_cidrs.clone());
                (EndpointConfiguration::new().types(["REGIONAL"]), policy, None)
            }
            Api::Private => {
                let id = private_endpoint(scope, props);
                let policy = allowed().when("StringEquals", "aws:SourceVpce", &id);
                let endpoint = EndpointConfiguration::new().types(["PRIVATE"]).vpc_endpoint_ids([&id]);
                (endpoint, policy, Some(id))
            }
        };
        let name = text!("{}-metadata", pseudo::stack_name());
        let api = CfnRestApi::new()
            .name(&name)
            .description("the metadata service of Metaflow")
            .api_key_source_type("HEADER")
            .endpoint_configuration(endpoint)
            .policy(PolicyDocument::new([policy]))
            .define(scope, "Api");
        let id = api.rest_api_id();
        let method = proxy_method(scope, &id, api.root_resource_id());
        let balancer = &metadata.balancer;
        let link = CfnVpcLink::new(&name, vec![balancer.arn.retype::<String>()])
            .description("To the load balancer of Metaflow's metadata service")
            .define(scope, "VpcLink");
        // A deployment is a copy: one that is changed has to be another one, or nothing would change for clients.
        let content = format!("{DEPLOYMENT_VERSION} {:?}", props.api);
        let digest = Sha256::digest(content.as_bytes());
        let suffix: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let deployment =
            CfnDeployment::new(&id).depends_on(method).define(scope, &format!("Deployment{suffix}"));
        let stage = CfnStage::new(&id)
            .stage_name(STAGE)
            .deployment_id(deployment.deployment_id())
            .variables(BTreeMap::from([
                ("vpcLinkId".to_owned(), link.vpc_link_id()),
                ("host".to_owned(), balancer.dns_name.clone()),
            ]))
            .define(scope, "Stage");
        let key = CfnApiKey::new()
            .enabled(true)
            .description("What Metaflow's clients send to its metadata service")
            .define(scope, "Key");
        let plan = CfnUsagePlan::new()
            .api_stages([ApiStage::new().api_id(&id).stage(stage.stage_name())])
            .define(scope, "UsagePlan");
        CfnUsagePlanKey::new(UsagePlanKeyType::API_KEY, plan.id(), key.api_key_id())
            .define(scope, "UsagePlanKey");
        let failing = Rule::many(
            "ApiErrorsAlarm",
            "The API in front of Metaflow's metadata service answers with 5xx: no task answers it, or one fails. The service's log tells why; see docs/operations.md#services-of-containers.",
            Metric {
                namespace: "AWS/ApiGateway",
                name: "5XXError",
                dimensions: vec![("ApiName", name), ("Stage", STAGE.into_value())],
            },
            5.0,
        );
        alarms::define(scope, props.alarm_topic.as_ref(), [failing]);
        let host = match endpoint_id {
            None => text!("{}.execute-api.{}.{}", &id, pseudo::region(), pseudo::url_suffix()),
            Some(endpoint) => {
                text!("{}-{}.execute-api.{}.{}", &id, endpoint, pseudo::region(), pseudo::url_suffix())
            }
        };
        Some(Self { url: text!("https://{}/{}/", host, STAGE), key_id: key.api_key_id() })
    }
}

/// Every call but for conditions, which the caller adds.
fn allowed() -> Statement {
    Statement::allow(["execute-api:Invoke"]).principal(Principal::Anyone).on("execute-api:/*")
}

/// Every path and every verb goes to the service as it is, when the key is right. Where the service is stands in the
/// stage's variables: what a deployment has in it stays as it was.
#[track_caller]
fn proxy_method(scope: Scope<'_>, api: &Value<String>, root: Value<String>) -> formwork::ResourceId {
    let every_path = CfnResource::new(root, "{proxy+}", api).define(scope, "EveryPath");
    let path = BTreeMap::from([(
        "integration.request.path.proxy".to_owned(),
        "method.request.path.proxy".to_owned(),
    )]);
    let integration = Integration::new(IntegrationType::HTTP_PROXY)
        .connection_type(IntegrationConnectionType::VPC_LINK)
        .connection_id("${stageVariables.vpcLinkId}")
        .integration_http_method("ANY")
        .uri("http://${stageVariables.host}/{proxy}")
        .request_parameters(path);
    CfnMethod::new(api, every_path.resource_id(), "ANY")
        .authorization_type("NONE")
        .api_key_required(true)
        .request_parameters(BTreeMap::from([("method.request.path.proxy".to_owned(), true)]))
        .integration(integration)
        .define(scope, "EveryCall")
        .resource()
}

/// An endpoint for this API alone. It takes over no names of the VPC, so that public APIs are reached as before.
#[track_caller]
fn private_endpoint(scope: Scope<'_>, props: &MetaflowProps<'_>) -> Value<String> {
    let networking = props.networking;
    let vpc_id: &Value<VpcId> = &networking.vpc_id;
    let group = security_group(scope, "EndpointGroup", vpc_id, "The endpoint of the private API of Metaflow");
    let blocks = props.metadata.as_ref().map(|metadata| metadata.allow_cidrs.as_slice()).unwrap_or_default();
    let mut sources: Vec<Value<String>> = blocks.iter().map(|block| block.as_str().into_value()).collect();
    if sources.is_empty() {
        sources.extend(networking.vpc_cidr.clone());
    }
    for (position, source) in sources.iter().enumerate() {
        let id = format!("Clients{}", position + 1);
        allow_from_block(scope, &id, source, &group, HTTPS, "Clients of Metaflow");
    }
    if sources.is_empty() {
        let message =
            "the address block of the existing VPC is not known, so nobody could reach the private API";
        let hint = "set vpcCidr to the block of the VPC, or name the blocks of the clients";
        scope.report(Diagnostic::error("unknown-clients", message).with_hint(hint));
    }
    CfnVpcEndpoint::new(vpc_id)
        .vpc_endpoint_type(VpcEndpointType::INTERFACE)
        .service_name(text!("com.amazonaws.{}.execute-api", pseudo::region()))
        .private_dns_enabled(false)
        .subnet_ids(&networking.private_subnets)
        .security_group_ids([&group])
        .define(scope, "Endpoint")
        .id()
}

fn check_blocks(scope: Scope<'_>, blocks: &[String]) {
    let refuse = |rule: &str, message: String, hint: &str| {
        scope.report(Diagnostic::error(rule, message).with_hint(hint));
    };
    if blocks.is_empty() {
        refuse(
            "unknown-clients",
            "a public API of the metadata service has no address blocks that may connect".to_owned(),
            "name the blocks of the clients, or 0.0.0.0/0 for everybody who has the key",
        );
    }
    for block in blocks.iter().filter(|block| block.parse::<AddressBlock>().is_err()) {
        refuse(
            "address-block",
            format!("`{block}` is not an IPv4 address block that may call the API"),
            "write blocks as in 203.0.113.0/24, with no bits set behind the prefix",
        );
    }
}

/// The URLs of the service. Without an API, clients outside of the network have to be connected to it.
pub(super) fn told(metadata: &Metadata, api: Option<&ServiceApi>) -> Vec<Told> {
    let url = api.map_or(&metadata.internal_url, |api| &api.url);
    let mut told = vec![
        Told::setting(
            "ServiceUrl",
            "METAFLOW_SERVICE_URL",
            "Where clients reach the metadata service",
            url.clone(),
        ),
        Told::setting(
            "InternalServiceUrl",
            "METAFLOW_SERVICE_INTERNAL_URL",
            "Where jobs inside of the network reach the metadata service",
            metadata.internal_url.clone(),
        ),
    ];
    if let Some(api) = api {
        told.push(Told::output(
            "ApiKeyId",
            "The id of the key; `formwork metaflow config` fetches the key itself [METAFLOW_SERVICE_AUTH_KEY]",
            api.key_id.clone(),
        ));
    }
    told
}

#[cfg(test)]
mod tests;
