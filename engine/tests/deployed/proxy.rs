//! The proxy: its targets, its instances, its log, and who may use it.

use formwork_engine::doctor::Outcome;

use crate::case::Part;
use crate::platform::{WayOut, checks, has, named, proxy, studio, tracking};

fn parts() -> Vec<Part> {
    let proxy = proxy("proxy", "mlflow-tracking", "sagemaker-mlflow:SearchRuns");
    [studio(WayOut::Nat), vec![tracking(), proxy]].concat()
}

const TARGETS: &str = "state AWS::ElasticLoadBalancingV2::TargetGroup unhealthy";

#[tokio::test(start_paused = true)]
async fn the_code_of_an_unhealthy_target_says_where_to_look() {
    for (code, meaning, command) in [
        ("Target.FailedHealthChecks", "the unit does not run", "systemctl status mlflow-proxy"),
        ("Target.Timeout", "a security group is in the way", "port 5000"),
        ("Target.ResponseCodeMismatch", "does not answer 200", "http://localhost:5000/healthz"),
        ("Target.NotInUse", "no listener", "formwork drift"),
    ] {
        let checks = checks(&parts(), &format!("{TARGETS} \"{code}\"")).await;
        has(&checks, "target-health", Outcome::Failed, meaning, command);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_of_the_log_are_shown_without_secrets_when_a_target_is_ill() {
    let healthy = checks(&parts(), "log * \"all is well\"").await;
    assert!(!healthy.iter().any(|check| check.name == "proxy-log"), "nobody asked");
    let mut script = format!("{TARGETS} \"Target.FailedHealthChecks\"\n");
    for line in 1..=9 {
        script.push_str(&format!("log * \"line {line}\"\n"));
    }
    script.push_str("log * \"cannot sign: token=hunter2 of AKIAHUNTER2EXAMPLE77\"\n");
    let found = checks(&parts(), &script).await;
    has(&found, "proxy-log", Outcome::Warning, "line 9\ncannot sign: token=*** of ***", "aws logs tail");
    let told = &named(&found, "proxy-log")[0].detail;
    assert!(!told.to_lowercase().contains("hunter2") && !told.contains("line 1\n"), "{told}");
    let silent = checks(&parts(), &format!("{TARGETS} \"Target.FailedHealthChecks\"")).await;
    has(&silent, "proxy-log", Outcome::Warning, "nothing was written", "--instance-id i-");
}

#[tokio::test(start_paused = true)]
async fn instances_that_do_not_run_and_agents_that_do_not_answer_are_found() {
    let stopped = checks(&parts(), "state AWS::EC2::Instance stopped \"User initiated\"").await;
    has(&stopped, "instance-state", Outcome::Failed, "User initiated", "start-instances");
    has(&stopped, "instances", Outcome::Failed, "0 of 1", "describe-scaling-activities");
    let lost = checks(&parts(), "state AWS::SSM::ManagedInstance ConnectionLost").await;
    has(&lost, "session-manager-agent", Outcome::Warning, "ConnectionLost", "ssmmessages");
    let never = checks(&parts(), "state AWS::SSM::ManagedInstance Missing").await;
    has(&never, "session-manager-agent", Outcome::Warning, "never called", "get-console-output");
}

#[tokio::test(start_paused = true)]
async fn a_secret_with_a_value_lets_somebody_in() {
    let empty = checks(&parts(), "").await;
    has(
        &empty,
        "proxy-users",
        Outcome::Warning,
        "everybody gets 401",
        "formwork proxy user add NAME --role writer --stack proxy",
    );
    let filled = checks(&parts(), "state AWS::SecretsManager::Secret HasValue").await;
    has(&filled, "proxy-users", Outcome::Ok, "has a value", "");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_failed_says_why() {
    let script = "state AWS::ElasticLoadBalancingV2::LoadBalancer failed \"no free address\"";
    let checks = checks(&parts(), script).await;
    has(&checks, "load-balancer", Outcome::Failed, "no free address", "describe-load-balancers");
}
