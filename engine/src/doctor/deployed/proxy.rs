//! The front of the proxy: its load balancer, its targets, and whether anybody may get in.
//!
//! Whether the proxy is ready is seen where clients stand: the load balancer asks each instance for its health page, and
//! the code of its refusal tells a unit that does not run from one that answers wrongly.

use serde_json::json;

use super::super::{Check, Outcome};
use super::{log, unread};
use crate::components::services::balancing::{self, Target};
use crate::components::{Found, Health, words};

/// The checks of a stack's load balancers and targets, and of the secret beside them.
pub(super) async fn checks(found: &Found) -> Vec<Check> {
    let session = &found.located.session;
    let mut checks = Vec::new();
    for (_, arn) in found.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer") {
        checks.push(match balancing::balancer(session, arn).await {
            Err(error) => unread("load-balancer", arn, found, &error),
            Ok(balancer) => {
                let reason = balancer.reason.as_deref().map(|it| format!(": {it}")).unwrap_or_default();
                let detail = format!("{}{reason}", balancer.state);
                let name = &balancer.dns_name;
                let look =
                    format!("`aws elbv2 describe-load-balancers --load-balancer-arns {arn}` tells more");
                match words::balancer(&balancer.state) {
                    Health::Healthy => Check::ok("load-balancer", name, detail),
                    Health::Changing => Check::warning("load-balancer", name, detail).with_hint(look),
                    Health::Unhealthy => Check::failed("load-balancer", name, detail).with_hint(look),
                    _ => Check::new("load-balancer", name, Outcome::Unknown, detail).with_hint(look),
                }
            }
        });
    }
    let mut is_ill = false;
    for (_, arn) in found.of_type("AWS::ElasticLoadBalancingV2::TargetGroup") {
        let of_group = targets(found, arn).await;
        is_ill |= of_group.iter().any(|check| check.outcome == Outcome::Failed);
        checks.extend(of_group);
    }
    if is_ill {
        checks.extend(log::checks(found).await);
    }
    if found.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer").next().is_some() {
        for (_, arn) in found.of_type("AWS::SecretsManager::Secret") {
            checks.push(users(found, arn).await);
        }
    }
    checks
}

async fn targets(found: &Found, arn: &str) -> Vec<Check> {
    const NAME: &str = "target-health";
    let session = &found.located.session;
    let group = arn.rsplit('/').nth(1).unwrap_or(arn);
    let targets = match balancing::targets(session, arn).await {
        Err(error) => return vec![unread(NAME, group, found, &error)],
        Ok(targets) => targets,
    };
    if targets.is_empty() {
        let stack = &found.located.name;
        let check = Check::failed(NAME, group, "there is no target, so that nobody answers");
        return vec![check.with_hint(format!(
            "the group of instances may be empty or may not start them: see the check instances, and `formwork diagnose {stack}`"
        ))];
    }
    let path = balancing::health_check_path(session, arn).await.ok().flatten();
    targets.iter().map(|target| health(found, target, path.as_deref())).collect()
}

fn health(found: &Found, target: &Target, path: Option<&str>) -> Check {
    const NAME: &str = "target-health";
    let subject = format!("{}:{}", target.id, target.port);
    let path = path.unwrap_or("its health page");
    let code = target.reason.as_deref().unwrap_or_default();
    let (meaning, hint) = meaning(code, &target.port, path, &shell(found, &target.id));
    let mut detail = target.state.clone();
    if !code.is_empty() {
        detail = format!("{detail} ({code})");
    }
    if let Some(meaning) = meaning.or(target.description.as_deref()) {
        detail = format!("{detail}: {meaning}");
    }
    match words::target(&target.state) {
        Health::Healthy => Check::ok(NAME, subject, format!("healthy: it answers {path}")),
        Health::Changing => Check::warning(NAME, subject, detail).with_hint(hint),
        Health::Unhealthy => Check::failed(NAME, subject, detail).with_hint(hint),
        _ => Check::new(NAME, subject, Outcome::Unknown, detail).with_hint(hint),
    }
}

/// The command that opens a shell on an instance.
fn shell(found: &Found, instance: &str) -> String {
    format!("aws ssm start-session --region {} --target {instance}", found.located.environment.region)
}

/// What the code of a target's state means, and what to do.
///
/// Source: `TargetHealthReasonEnum` of Elastic Load Balancing's API reference, and its user guide on target groups.
fn meaning(code: &str, port: &str, path: &str, shell: &str) -> (Option<&'static str>, String) {
    let unit = format!(
        "open a shell with `{shell}`, then `systemctl status mlflow-proxy` and \
         `journalctl --unit mlflow-proxy --lines 50`; a failed boot is told by /var/log/user-data.log"
    );
    let wait = "wait a minute, then `formwork doctor` again".to_owned();
    match code {
        "Target.FailedHealthChecks" => (Some("the connection is refused: the unit does not run"), unit),
        "Target.Timeout" => (
            Some("no answer in time: a security group is in the way, or the unit hangs"),
            format!(
                "the group of the instances has to let port {port} in from the load balancer (`formwork drift` shows what was removed); {unit}"
            ),
        ),
        "Target.ResponseCodeMismatch" => (
            Some("the unit runs and does not answer 200"),
            format!("open a shell with `{shell}`, then `curl -i http://localhost:{port}{path}`"),
        ),
        "Elb.InitialHealthChecking" | "Elb.RegistrationInProgress" => (Some("it was just added"), wait),
        "Target.DeregistrationInProgress" => (Some("it is being taken out"), wait),
        "Target.InvalidState" => (
            Some("the instance is stopped or terminated"),
            "see the check instances: its group starts another one".to_owned(),
        ),
        "Target.NotInUse" => (
            Some("no listener forwards to its group, or its zone is not one of the load balancer's"),
            "`formwork drift` shows a listener that was removed".to_owned(),
        ),
        "Target.NotRegistered" => {
            (Some("it is not in its group"), "`formwork drift` shows what was removed".to_owned())
        }
        "Target.IpUnusable" => (Some("its address is that of a load balancer"), unit),
        "Target.HealthCheckDisabled" => {
            (Some("the group asks for no health"), "`formwork drift` shows what was changed".to_owned())
        }
        "Elb.InternalError" => (Some("the load balancer has an error of its own"), wait),
        _ => (None, unit),
    }
}

/// Whether anybody may get in. The secret is made without a value, which means nobody; its value is not asked for.
async fn users(found: &Found, arn: &str) -> Check {
    const NAME: &str = "proxy-users";
    let body = json!({ "SecretId": arn });
    match found.located.session.call().json("secretsmanager", "secretsmanager.DescribeSecret", &body).await {
        Err(error) => unread(NAME, arn, found, &error),
        Ok(secret) if secret["DeletedDate"].is_number() => {
            Check::failed(NAME, arn, "the secret is marked for deletion: the proxy cannot read it")
                .with_hint(format!("`aws secretsmanager restore-secret --secret-id {arn}` brings it back"))
        }
        Ok(secret) => {
            let stages = secret["VersionIdsToStages"].as_object();
            let is_current = |stages: &serde_json::Value| {
                stages.as_array().is_some_and(|stages| stages.iter().any(|it| it == "AWSCURRENT"))
            };
            if stages.is_some_and(|stages| stages.values().any(is_current)) {
                Check::ok(NAME, arn, "the secret has a value")
            } else {
                let stack = &found.located.name;
                Check::warning(NAME, arn, "the secret has no value yet, so that everybody gets 401").with_hint(
                    format!(
                        "`formwork proxy user add NAME --role writer --stack {stack}` adds somebody, and prints a token"
                    ),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_api_has_a_meaning() {
        for code in [
            "Elb.RegistrationInProgress",
            "Elb.InitialHealthChecking",
            "Target.ResponseCodeMismatch",
            "Target.Timeout",
            "Target.FailedHealthChecks",
            "Target.NotRegistered",
            "Target.NotInUse",
            "Target.DeregistrationInProgress",
            "Target.InvalidState",
            "Target.IpUnusable",
            "Target.HealthCheckDisabled",
            "Elb.InternalError",
        ] {
            assert!(meaning(code, "5000", "/healthz", "aws").0.is_some(), "{code}");
        }
        let (meaning, hint) = meaning("Target.New", "5000", "/healthz", "aws ssm start-session");
        assert!(meaning.is_none() && hint.contains("systemctl status mlflow-proxy"));
    }
}
