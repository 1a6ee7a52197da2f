//! What the stack of the server tells: where it is, where its data is, and the lines to paste.
//!
//! Outputs are shown sorted by name, so that the lines for users of MLflow, `Use1…` to `Use3…`, come last.

use formwork::{IntoValue, Output, Scope, Value, pseudo, text};

use super::{ArtifactAccess, MlflowServer, MlflowServerProps, ServerAuthentication};
use crate::load_balancer::LoadBalancer;

pub(super) fn define(
    scope: Scope<'_>,
    props: &MlflowServerProps<'_>,
    server: &MlflowServer,
    balancer: &LoadBalancer,
) {
    let output = |id: &str, value: Value<String>, about: &str| {
        Output::new(value).description(about).define(scope, id);
    };
    output("Url", server.url.clone(), "What MLflow clients take as MLFLOW_TRACKING_URI, and browsers open");
    output("LoadBalancerName", balancer.dns_name.clone(), "The name of the load balancer");
    output("ArtifactLocation", server.bucket.uri(&props.artifact_prefix), "Where the artifacts lie");
    output("DatabaseHost", server.database.host.clone(), "The host name of the database");
    output("DatabasePort", server.database.port.clone(), "The port of the database");
    output("DatabaseName", props.database.database.as_str().into_value(), "The database of runs and models");
    output("DatabaseUser", server.database.username.as_str().into_value(), "The user who owns the database");
    output(
        "DatabaseSecretArn",
        server.database.secret.retype(),
        "The secret with the user and password of the database",
    );
    output("ClusterName", server.service.cluster_name.clone(), "The cluster of the tasks");
    output("ServiceName", server.service.service_name.clone(), "The service of the tasks");
    output("LogGroupName", server.service.log_group.retype(), "Where the tasks write");
    output(
        "Use1TrackingUri",
        text!("export MLFLOW_TRACKING_URI={}", &server.url),
        "The first line to paste where MLflow's client runs",
    );
    if let Some(secret) = &server.administrator {
        output(
            "AdministratorSecretArn",
            secret.retype(),
            "The secret with the administrator's name and first password",
        );
        let second = text!(
            "export MLFLOW_TRACKING_USERNAME=admin MLFLOW_TRACKING_PASSWORD=$(aws secretsmanager get-secret-value --region {} --secret-id {} --query SecretString --output text | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"password\"])')",
            pseudo::region(),
            secret
        );
        output("Use2Credentials", second, "The second line: the administrator, who makes other users");
    } else if props.authentication == ServerAuthentication::Oidc {
        let second = "export MLFLOW_TRACKING_TOKEN=<a token of the identity provider>".into_value();
        output("Use2Credentials", second, "The second line: what programs show in place of a session");
    }
    let check = match props.artifacts {
        ArtifactAccess::Proxied => "mlflow experiments search",
        ArtifactAccess::Direct => "pip install boto3 && mlflow experiments search",
    };
    output("Use3Check", check.into_value(), "The last line: it lists the experiments");
}
