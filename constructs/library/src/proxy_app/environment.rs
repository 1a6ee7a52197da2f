//! What the service reads when it starts: plain values and references of the stack, nothing secret.

use std::collections::BTreeMap;

use formwork::{IntoValue, Value, text};

use super::identity::Identity;
use super::{IDLE_TIMEOUT_SECONDS, JwtIssuer, PROXY_PORT, ProxyAppProps, ProxyAuthentication};
use crate::load_balancer::{Exposure, LoadBalancer};
use crate::managed_mlflow::ManagedMlflow;

/// The folder of large bodies on their way, which the unit makes on the disk: `/tmp` may be in memory.
pub(super) const SPOOL_DIRECTORY: &str = "/var/cache/mlflow-proxy";

/// The environment of the service. The names of the first three are those of the sample that this replaces.
pub(super) fn of_service(
    props: &ProxyAppProps<'_>,
    identity: &Identity,
    balancer: &LoadBalancer,
    log_group: &Value<String>,
) -> BTreeMap<&'static str, Value<String>> {
    let mut environment = BTreeMap::from([
        ("SM_MLFLOW_ROLE_ARN", (&identity.mlflow_role.arn).into_value()),
        ("SM_MLFLOW_AWS_REGION", region_of(props.mlflow)),
        ("SM_MLFLOW_RESOURCE_ARN", (&props.mlflow.arn).into_value()),
        ("MLFLOW_PROXY_LISTEN", text!("0.0.0.0:{}", PROXY_PORT.to_string())),
        ("MLFLOW_PROXY_AUTH", props.authentication.name().into_value()),
        ("MLFLOW_PROXY_ACCESS", props.access.as_str().into_value()),
        ("MLFLOW_PROXY_ALLOWED_HOSTS", allowed_hosts(props, balancer)),
        // The load balancer closes idle connections first: one that the proxy closed would cost a request.
        ("MLFLOW_PROXY_KEEP_ALIVE", (IDLE_TIMEOUT_SECONDS + 30).to_string().into_value()),
        ("MLFLOW_PROXY_BEHIND_BALANCER", "true".into_value()),
        ("MLFLOW_PROXY_LOG_GROUP", log_group.clone()),
        ("MLFLOW_PROXY_SPOOL_DIRECTORY", SPOOL_DIRECTORY.into_value()),
    ]);
    if let Some(bucket) = &props.mlflow.artifact_bucket {
        environment.insert("SM_MLFLOW_ARTIFACT_URI", bucket.uri(&props.mlflow.artifact_prefix));
    }
    if let Some(secret) = &identity.secret {
        environment.insert("MLFLOW_PROXY_SECRET_ARN", secret.into_value());
    }
    if let Some(jwt) = props.jwt.as_ref().filter(|_| props.authentication == ProxyAuthentication::Jwt) {
        environment.extend(of_issuer(jwt));
    }
    if props.sign_in.is_some() {
        environment.insert("MLFLOW_PROXY_ALB_ARN", (&balancer.arn).into_value());
    }
    if props.authentication == ProxyAuthentication::None {
        // It listens for others, so it would not start without being told that this is meant.
        environment.insert("MLFLOW_PROXY_ALLOW_ANONYMOUS", "true".into_value());
    }
    environment
}

/// The host names that the proxy answers to.
fn allowed_hosts(props: &ProxyAppProps<'_>, balancer: &LoadBalancer) -> Value<String> {
    match props.exposure {
        // Through a forwarded port the proxy is called by the name of the machine that the port was brought to.
        Exposure::Internal => text!("{},localhost,127.0.0.1", &balancer.host),
        Exposure::Public => balancer.host.clone(),
    }
}

fn of_issuer(jwt: &JwtIssuer) -> BTreeMap<&'static str, Value<String>> {
    let mut environment = BTreeMap::from([
        ("MLFLOW_PROXY_JWT_ISSUER", jwt.issuer.as_str().into_value()),
        ("MLFLOW_PROXY_JWT_AUDIENCE", jwt.audience.as_str().into_value()),
    ]);
    if let Some(claim) = &jwt.roles_claim {
        environment.insert("MLFLOW_PROXY_JWT_ROLES_CLAIM", claim.as_str().into_value());
    }
    for (name, groups) in [
        ("MLFLOW_PROXY_JWT_ADMIN_GROUPS", &jwt.admin_groups),
        ("MLFLOW_PROXY_JWT_WRITER_GROUPS", &jwt.writer_groups),
        ("MLFLOW_PROXY_JWT_READER_GROUPS", &jwt.reader_groups),
    ] {
        if !groups.is_empty() {
            environment.insert(name, groups.join(",").into_value());
        }
    }
    environment
}

/// The region that requests are signed for: that of the stack, or of a server that was taken in.
fn region_of(mlflow: &ManagedMlflow) -> Value<String> {
    let arn = mlflow.arn.as_literal();
    let region = arn.as_ref().and_then(|arn| arn.as_str()).and_then(|arn| arn.split(':').nth(3));
    region.map_or_else(formwork::pseudo::region, IntoValue::into_value)
}
