//! What a self-hosted MLflow server cannot be made of, and keys of it that would be ignored.

use formwork_library::mlflow_server::ServerAuthentication;

use super::{Review, forms};
use crate::settings::Component;

/// All keys of the server.
const KEYS: [&str; 13] = [
    "serverExposure",
    "serverAuth",
    "oidcJwksEndpoint",
    "oidcAudience",
    "serverImage",
    "serverCpu",
    "serverMemoryMib",
    "serverWorkers",
    "serverMinTasks",
    "serverMaxTasks",
    "serverArtifacts",
    "serverDatabaseVersion",
    "serverDatabaseClass",
];

pub(super) fn check(review: &Review<'_>) {
    let (settings, server) = (review.settings, review.server);
    let ignored = |keys: &[&str], because: &str, hint: &str| {
        for key in keys.iter().filter(|key| review.is_set(key)) {
            review.refuse(format!("{key} is set, but {because}"), hint);
        }
    };
    if !settings.has(Component::MlflowServer) {
        let hint = "add mlflow-server to components, or leave it out";
        ignored(&KEYS, "there is no self-hosted MLflow server", hint);
        ignored(&["serverDatabaseGib"], "there is no self-hosted MLflow server", hint);
        return;
    }
    if server.server_auth != ServerAuthentication::Oidc {
        let because = "programs come with tokens of the issuer only with serverAuth=oidc";
        ignored(&["oidcJwksEndpoint", "oidcAudience"], because, "set serverAuth=oidc, or leave it out");
    }
    if server.oidc_jwks_endpoint.is_some() != server.oidc_audience.is_some() {
        review.refuse("oidcJwksEndpoint and oidcAudience go together, and one is missing", "set both");
    }
    if let Some(url) = &server.oidc_jwks_endpoint
        && !forms::is_issuer(url)
    {
        review.refuse(
            format!("oidcJwksEndpoint is {url:?}, which is not an https URL"),
            "write the jwks_uri of the provider's /.well-known/openid-configuration",
        );
    }
    if let Some(audience) = &server.oidc_audience
        && !forms::is_plain_line(audience)
    {
        review.refuse(
            format!("oidcAudience is {audience:?}, which is not an audience"),
            "write what the issuer puts into `aud`: one line, not empty, no quotes",
        );
    }
    if settings.has(Component::Proxy) && settings.domain_name.is_some() {
        review.refuse(
            "domainName is set, but the proxy and the MLflow server have a load balancer each",
            "deploy them as two apps, each with a prefix and a domainName of its own",
        );
    }
}
