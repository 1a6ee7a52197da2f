//! What the stack of the proxy tells: where it is, and the lines to paste.
//!
//! Outputs are shown sorted by name, so that the three lines for users of MLflow, `Use1…` to `Use3…`, come last.

use formwork::{IntoValue, Output, Scope, Value, pseudo, text};

use super::compute::Running;
use super::identity::Identity;
use super::{ProxyAppProps, ProxyAuthentication};
use crate::load_balancer::{Exposure, LoadBalancer};

/// What is told about.
pub(super) struct Told<'a> {
    pub(super) balancer: &'a LoadBalancer,
    pub(super) identity: &'a Identity,
    pub(super) running: Running,
    pub(super) log_group: Value<String>,
}

pub(super) fn define(scope: Scope<'_>, props: &ProxyAppProps<'_>, told: Told<'_>) {
    let Told { balancer, identity, running, log_group } = told;
    output(scope, "Url", balancer.url.clone(), "What MLflow clients take as MLFLOW_TRACKING_URI");
    output(scope, "UiUrl", text!("{}/ui", &balancer.url), "Opens MLflow's pages in a browser");
    output(scope, "LoadBalancerName", balancer.dns_name.clone(), "The name of the load balancer");
    identity.mlflow_role.output(scope, "FlaskMlflowRoleArn", "The one role that may call MLflow");
    identity.instance_role.output(scope, "InstanceRoleArn", "The role of the instances");
    output(scope, "LogGroupName", log_group, "Where the proxy and failed boots write");
    output(
        scope,
        "SessionCommand",
        running.session_command,
        "Opens a shell on an instance; /var/log/user-data.log has the boot log",
    );
    if props.exposure == Exposure::Internal {
        output(
            scope,
            "PortForwardCommand",
            running.port_forward_command,
            "From outside of the network: leave it running, and take http://localhost:5000 as MLFLOW_TRACKING_URI",
        );
    }
    output(scope, "Authentication", props.authentication.name(), "How clients show who they are");
    output(scope, "Access", props.access.as_str(), "What nobody may do more than");
    if let Some(secret) = &identity.secret {
        Output::new(secret).description("The secret that holds who may get in").define(scope, "SecretArn");
    }
    lines_to_paste(scope, props, balancer);
}

/// The tracking URI, the way to show who one is, and a check.
fn lines_to_paste(scope: Scope<'_>, props: &ProxyAppProps<'_>, balancer: &LoadBalancer) {
    let uri = text!("export MLFLOW_TRACKING_URI={}", &balancer.url);
    output(scope, "Use1TrackingUri", uri, "The first line to paste where MLflow's client runs");
    let stack = pseudo::stack_name();
    let second = match props.authentication {
        ProxyAuthentication::Token => Some(text!(
            "export MLFLOW_TRACKING_TOKEN=$(formwork proxy user add NAME --role {} --stack {})",
            props.access.as_str(),
            stack
        )),
        ProxyAuthentication::Basic => Some(text!(
            "formwork proxy user add NAME --role {} --password --stack {}; export MLFLOW_TRACKING_USERNAME=NAME MLFLOW_TRACKING_PASSWORD=...",
            props.access.as_str(),
            stack
        )),
        ProxyAuthentication::Jwt => Some("export MLFLOW_TRACKING_TOKEN=<a token of the issuer>".into_value()),
        ProxyAuthentication::None => None,
    };
    if let Some(second) = second {
        output(
            scope,
            "Use2Token",
            second,
            "The second line: it makes a user, and takes the token, which is shown once",
        );
    }
    output(scope, "Use3Check", "mlflow experiments search", "The last line: it lists the experiments");
}

fn output(scope: Scope<'_>, id: &str, value: impl IntoValue<String>, description: &str) {
    Output::new(value).description(description).define(scope, id);
}
