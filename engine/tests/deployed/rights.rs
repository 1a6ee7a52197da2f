//! Rights by mode: what IAM says of the very actions on the very ARN.

use formwork_engine::doctor::Outcome;
use serde_json::json;

use crate::case::Part;
use crate::platform::{WayOut, both, checks, has, located, named, proxy, serverless, studio, tracking};

fn of_tracking() -> Vec<Part> {
    let proxy = proxy("proxy", "mlflow-tracking", "sagemaker-mlflow:SearchRuns");
    [studio(WayOut::Nat), vec![tracking(), proxy]].concat()
}

fn of_serverless() -> Vec<Part> {
    let proxy = proxy("proxy", "mlflow-serverless", "sagemaker:CallMlflowAppApi");
    [studio(WayOut::Nat), vec![serverless(), proxy]].concat()
}

#[tokio::test(start_paused = true)]
async fn each_mode_is_asked_for_its_own_actions_on_its_own_arn() {
    let both = checks(&both(), "").await;
    let found = named(&both, "mlflow-permissions");
    assert_eq!(found.len(), 2, "{found:#?}");
    let of = |arn: &str| found.iter().find(|check| check.subject.contains(arn)).unwrap();
    assert!(of(":mlflow-tracking-server/team-server").detail.contains("4 actions of mode tracking"));
    assert!(of(":mlflow-app/").detail.contains("1 actions of mode serverless"));
}

#[tokio::test(start_paused = true)]
async fn a_denied_action_of_one_mode_does_not_matter_to_the_other() {
    let denied = "deny sagemaker:CallMlflowAppApi";
    let found = checks(&of_serverless(), denied).await;
    has(&found, "mlflow-permissions", Outcome::Failed, "clients get 403", "formwork drift");
    let found = checks(&of_tracking(), denied).await;
    has(&found, "mlflow-permissions", Outcome::Ok, "mode tracking", "");
    let found = checks(&of_tracking(), "deny sagemaker-mlflow:*").await;
    has(&found, "mlflow-permissions", Outcome::Failed, "4 of 4 actions are denied", "");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_cannot_act_as_the_role_of_mlflow_is_found() {
    let found = checks(&of_tracking(), "deny sts:AssumeRole").await;
    has(&found, "role-chain", Outcome::Failed, "cannot act as the role", "");
    let mut parts = of_tracking();
    let trust = "/Resources/MlflowRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/AWS";
    *parts[3].template.pointer_mut(trust).unwrap() = json!("AROAEXAMPLEOFAROLE");
    let found = checks(&parts, "").await;
    has(&found, "role-chain", Outcome::Failed, "AROAEXAMPLEOFAROLE, a role that was deleted", "deploy");
    *parts[3].template.pointer_mut(trust).unwrap() = json!("arn:aws:iam::123456789012:role/other");
    let found = checks(&parts, "").await;
    has(&found, "role-chain", Outcome::Failed, "does not name", "formwork drift");
}

#[tokio::test(start_paused = true)]
async fn a_simulation_that_is_denied_is_unknown() {
    let script = "on SimulatePrincipalPolicy error 403 AccessDenied \"no\"";
    let found = checks(&of_tracking(), script).await;
    has(&found, "mlflow-permissions", Outcome::Unknown, "SimulatePrincipalPolicy is denied", "");
    has(&found, "role-chain", Outcome::Unknown, "SimulatePrincipalPolicy is denied", "");
}

#[tokio::test(start_paused = true)]
async fn what_a_stack_of_another_app_exports_is_asked_of_the_account() {
    let parts = of_tracking();
    let mut case = crate::platform::quick("");
    case.deploy(&parts).await;
    let only: Vec<_> =
        located(&case, &parts).await.into_iter().filter(|stack| stack.name == "proxy").collect();
    let found = formwork_engine::doctor::deployed(&only).await;
    has(&found, "mlflow-permissions", Outcome::Ok, "mode tracking", "");
}
