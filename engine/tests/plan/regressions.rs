//! Bugs that other tools had: docs/faults.md has the table.

use std::time::Duration;

use formwork_engine::event::StackOutcome;
use formwork_engine::plan::{Command, Operation};
use serde_json::json;

use crate::case::{Case, of, part, shop, topic};

/// Bug 1835: the selection follows the ids of stacks, whatever they are called in CloudFormation.
#[tokio::test(start_paused = true)]
async fn stacks_that_need_a_renamed_one_go_with_it() {
    let template = json!({"Resources": {"Topic": topic("x")}});
    let mut net = part("net", &[], template.clone());
    net.properties = json!({"stackName": "prod-network"});
    let mut app = part("app", &["net"], template);
    app.properties = json!({"stackName": "prod-app"});
    let parts = [net, app];
    let mut case = Case::new("");
    case.deploy(&parts).await;
    case.request.command = Command::Destroy;
    for name in ["net", "prod-network"] {
        case.request.stacks = vec![name.to_owned()];
        let plan = case.plan(&parts).await.unwrap();
        let names: Vec<&str> = plan.stacks.iter().map(|stack| stack.name.as_str()).collect();
        assert_eq!(names, ["prod-app", "prod-network"], "{name}");
    }
    case.request.command = Command::Deploy;
    case.request.stacks = vec!["prod-app".to_owned()];
    assert_eq!(case.plan(&parts).await.unwrap().stacks.len(), 2, "what it needs comes along");
}

/// Bug 1805: right after somebody's update the stack is still at work; the plan is made of what it will be.
#[tokio::test(start_paused = true)]
async fn a_plan_waits_for_the_end_of_the_operation_before() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    case.script("resource shop/Topic slow 200s");
    let theirs = case.plan(&[shop("two")]).await.unwrap();
    let session = case.runtime().sessions.base().await.unwrap();
    let journal = formwork_engine::journal::Journal::in_memory();
    let ticket = journal.intent(formwork_engine::journal::Intent::new("ExecuteChangeSet", "shop")).unwrap();
    let arn = &of(&theirs, "shop").change_set.as_ref().unwrap().arn;
    session.cloudformation().execute_change_set(arn, Default::default(), &ticket).await.unwrap();
    case.runtime().clock.sleep(Duration::from_secs(3)).await;
    assert_eq!(case.status("shop").await.as_deref(), Some("UPDATE_IN_PROGRESS"));
    let ours = case.plan(&[shop("two")]).await.unwrap();
    assert_eq!(of(&ours, "shop").operation, Operation::Nothing, "what they did is what we want");
}

/// Bug 1845: a new stack that fails is told with the resource that failed, not with the stack that is gone.
#[tokio::test(start_paused = true)]
async fn a_new_stack_that_fails_names_the_resource() {
    let mut case = Case::new("resource shop/Topic fail \"the name is taken\"");
    let report = case.deploy(&[shop("one")]).await;
    let stack = &report.stacks[0];
    assert_eq!(stack.outcome, StackOutcome::RolledBack);
    let failure = stack.failure.as_ref().unwrap();
    assert_eq!(failure.path, ["Topic"]);
    assert!(failure.reason.contains("the name is taken"), "{failure:?}");
}
