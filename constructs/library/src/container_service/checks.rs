//! What would fail in the deployment, or hours after it, found at synth.

use std::collections::BTreeSet;

use formwork::{Diagnostic, Expression, Scope};

use super::{ContainerServiceProps, MAIN_CONTAINER, size};
use crate::networking::AwsService;

pub(super) fn check(scope: Scope<'_>, props: &ContainerServiceProps<'_>) {
    let name = props.name;
    let refuse = |message: String, hint: &str| {
        scope.report(Diagnostic::error("container-service", message).with_hint(hint));
    };
    props.image.check(scope);
    if let Some((message, hint)) = size::mistake(props.cpu, props.memory_mib) {
        scope.report(Diagnostic::error("fargate-size", message).with_hint(hint));
    }
    if let Some(gib) = props.ephemeral_gib.filter(|gib| !(21..=200).contains(gib)) {
        refuse(
            format!("a task of {name} cannot have a disk of {gib} GiB"),
            "set 21 to 200 GiB, or leave it out for the 20 GiB that every task has",
        );
    }
    if !(2..=120).contains(&props.stop_timeout_seconds) {
        refuse(
            format!("a task of {name} cannot be given {} seconds to stop", props.stop_timeout_seconds),
            "set 2 to 120 seconds",
        );
    }
    if let Some((least, greatest)) =
        props.autoscaling.filter(|(least, greatest)| *least == 0 || least > greatest)
    {
        refuse(
            format!("{name} cannot have {least} to {greatest} tasks"),
            "set the least number to 1 or more, and the greatest to no less",
        );
    }
    if let Some(target) = props.targets.iter().find(|target| !props.ports.contains(&target.port)) {
        refuse(
            format!(
                "a load balancer leads to port {} of {name}, which the container does not open",
                target.port
            ),
            "name the port among the container's ports",
        );
    }
    if props.health_command.as_ref().is_some_and(|health| health.start_seconds > 300) {
        refuse(format!("the start of {name} cannot be given more than 300 seconds"), "set 0 to 300 seconds");
    }
    let mut names = BTreeSet::from([MAIN_CONTAINER]);
    if let Some(init) = props.before.iter().find(|init| !names.insert(init.name)) {
        refuse(
            format!("two containers of {name} have the name `{}`", init.name),
            "give each container a name of its own; `main` is the service's",
        );
    }
    check_variables(scope, props);
    check_reach(scope, props);
}

/// Each variable once, and none with a secret in the clear: CloudFormation would write it into the task definition.
fn check_variables(scope: Scope<'_>, props: &ContainerServiceProps<'_>) {
    let mut names = BTreeSet::new();
    let of_secrets = props.secrets.iter().map(|secret| secret.name);
    for name in props.environment.iter().map(|(name, _)| *name).chain(of_secrets) {
        if !names.insert(name) {
            let message = format!("the variable `{name}` of {} is set twice", props.name);
            let hint = "set it once, as a variable or as a secret";
            scope.report(Diagnostic::error("container-service", message).with_hint(hint));
        }
    }
    for (name, value) in &props.environment {
        if has_secret(value.expression()) {
            let message =
                format!("the variable `{name}` of {} would show a secret in the task definition", props.name);
            let hint = "name the secret among the container's secrets, which are fetched when a task starts";
            scope.report(Diagnostic::error("secret-in-environment", message).with_hint(hint));
        }
    }
}

/// Whether CloudFormation would put a secret into a value.
fn has_secret(value: &Expression) -> bool {
    match value {
        Expression::Literal(json) => {
            let text = json.to_string();
            text.contains("{{resolve:secretsmanager:") || text.contains("{{resolve:ssm-secure:")
        }
        Expression::Text(items) | Expression::List(items) => items.iter().any(has_secret),
        Expression::Object(fields) => fields.values().any(has_secret),
        Expression::If { then, otherwise, .. } => has_secret(then) || has_secret(otherwise),
        Expression::Function(_, argument) => has_secret(argument),
        _ => false,
    }
}

fn check_reach(scope: Scope<'_>, props: &ContainerServiceProps<'_>) {
    let mut services = vec![AwsService::CloudWatchLogs];
    if !props.secrets.is_empty() {
        services.push(AwsService::SecretsManager);
    }
    if props.image.repository().is_some() {
        services.extend([AwsService::EcrApi, AwsService::EcrRegistry, AwsService::S3]);
    } else {
        props.networking.require_internet(scope, props.name, "the registry of its image");
    }
    props.networking.require_reach(scope, props.name, &services);
}
