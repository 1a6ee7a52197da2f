//! The commands that reach an account, on a simulated one behind a loopback port: the real binary, the real client.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use serde_json::Value as Json;
use support::account::Account;
use support::{Done, Project, assert_schema};

#[test]
fn stacks_are_deployed_shown_left_alone_and_destroyed() {
    let account = Account::new();
    account
        .run(&["deploy", "--yes", "--outputs-file", "outputs.json"])
        .ends_with(0)
        .says("app-network  is deployed")
        .says("2 stacks deployed");
    let outputs = account.run(&["outputs", "--json"]).ends_with(0).stdout;
    let outputs: Json = serde_json::from_str(&outputs).unwrap();
    assert_schema("outputs.json", &outputs);
    assert_eq!(outputs["stacks"]["app-proxy"]["status"], "CREATE_COMPLETE");

    account
        .run(&["deploy", "-c", "topics=2", "--require-approval", "any-change"])
        .ends_with(3)
        .says("no terminal to ask on");
    let left = account.served.with(|simulator| {
        let called = |operation: &str| simulator.log().calls(operation).count();
        called("CreateChangeSet") - called("DeleteChangeSet")
    });
    assert_eq!(left, 2, "only the change sets that were carried out are left");
    account.run(&["diff", "--fail-on", "any-change"]).ends_with(0).says("2 stacks are the same");
    account.run(&["diff", "-c", "topics=2", "--fail-on", "any-change"]).ends_with(2).prints("Topic2");
    let writes = account.writes();
    account.run(&["deploy", "--require-approval", "any-change"]).ends_with(0).says("2 stacks unchanged");
    account.run(&["plan", "--detailed-exitcode"]).ends_with(0).prints("2 stacks unchanged");
    assert_eq!(account.writes(), writes, "what has nothing to change writes nothing");

    account
        .run(&["destroy"])
        .ends_with(3)
        .says("the stacks above would be deleted, and there is no terminal to ask on")
        .says("hint:");
    account.run(&["destroy", "--yes"]).ends_with(0).says("2 stacks deleted");
    account.run(&["outputs"]).ends_with(1).says("none of the stacks is deployed: app-");
}

#[test]
fn a_plan_that_was_written_down_is_applied_once() {
    let account = Account::new();
    account
        .run(&["plan", "--out", "plan.json", "--detailed-exitcode"])
        .ends_with(2)
        .prints("2 stacks to create");
    assert_schema("plan.json", &account.project.json("plan.json"));
    account.run(&["apply", "plan.json"]).ends_with(3).says("no terminal to ask on");
    account.run(&["apply", "plan.json", "--yes"]).ends_with(0).says("2 stacks deployed");
    account.run(&["apply", "plan.json"]).ends_with(3).says("since");
    let tampered = account.project.read("plan.json").replace("app-proxy", "app-other");
    std::fs::write(account.project.path().join("plan.json"), tampered).unwrap();
    account.run(&["apply", "plan.json"]).ends_with(3);
}

#[test]
fn another_change_set_than_the_approved_one_is_never_carried_out() {
    let account = Account::new();
    account.run(&["plan", "--out", "plan.json"]).ends_with(0);
    account.run(&["deploy", "--yes", "-c", "topics=2"]).ends_with(0);
    let writes = account.writes();
    account.run(&["apply", "plan.json", "--yes"]).ends_with(3);
    assert_eq!(account.writes(), writes);
}

/// Fault 1: there are no credentials.
#[test]
fn without_credentials_nothing_is_reached() {
    let account = Account::new();
    let mut command = account.command(&["deploy", "--yes"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    Done::of(command.output().unwrap()).ends_with(10).says("credentials").says("hint:");
    assert_eq!(account.writes(), 0);
}

#[test]
fn an_account_is_bootstrapped_for_what_the_app_needs() {
    let account = Account::new();
    let target = "aws://123456789012/eu-west-1";
    let template: Json =
        serde_json::from_str(&account.run(&["bootstrap", target, "--show-template"]).ends_with(0).stdout)
            .unwrap();
    assert!(template.to_string().contains("sns:CreateTopic"), "the rights follow from the app's resources");
    let policy = account.run(&["bootstrap", target, "--show-policy"]).ends_with(0).stdout;
    assert!(policy.contains("sts:AssumeRole"), "{policy}");
    assert_eq!(account.writes(), 0);

    account.run(&["bootstrap", target]).ends_with(3).says("no terminal to ask on");
    account.run(&["bootstrap", target, "--yes"]).ends_with(0).says("1 stack deployed");
    account.run(&["bootstrap", target, "--yes"]).ends_with(0).says("1 stack unchanged");
    account.run(&["bootstrap", "aws://999999999999/eu-west-1", "--yes"]).ends_with(3).says("123456789012");
    account.run(&["bootstrap", "eu-west-1"]).ends_with(10).says("aws://ACCOUNT/REGION");
}

#[test]
fn a_stack_that_failed_is_diagnosed_after_the_fact() {
    let account = Account::new();
    account.served.with(|simulator| {
        simulator.add("resource Topic1 fail \"the topic cannot be made\"".parse().unwrap());
    });
    account.run(&["deploy", "--yes"]).ends_with(4).says("the topic cannot be made").says("was rolled back");
    account.run(&["diagnose", "app-network"]).ends_with(0).prints("the topic cannot be made");
    account.run(&["diagnose", "app-nothing"]).says("error:").says("app-nothing");
}

#[test]
fn a_rehearsal_needs_no_account_and_leaves_nothing() {
    let project = Project::new();
    let rehearse = |arguments: &[&str]| project.run(&[&["rehearse", "--speed"], arguments].concat());
    for mode in ["mlflowType=serverless", "mlflowType=tracking"] {
        rehearse(&["6000", "-c", mode])
            .ends_with(0)
            .says("nothing is deployed and nothing costs")
            .says("critical path")
            .says("in all, by the typical times of resource types")
            .says("4 stacks deployed")
            .prints("Url");
    }
    rehearse(&["6000", "*-networking", "-e", "--fail", "NetworkingVpcC61EE5AB"])
        .ends_with(4)
        .says("failed on purpose")
        .says("was rolled back");
    rehearse(&["600", "*-networking", "-e", "--fault", "on * after 1m for 2m refuse"])
        .ends_with(0)
        .says("no answer for")
        .says("1 stack deployed");
    rehearse(&["600", "--fault", "on nothing"]).ends_with(10).says("hint:");
    assert_eq!(project.names("."), [""; 0]);
}

/// Bug 1821 of docs/faults.md: who only looks leaves neither change sets nor empty stacks.
#[test]
fn looking_leaves_no_change_set() {
    let account = Account::new();
    let left = || {
        account.served.with(|simulator| {
            let called = |operation: &str| simulator.log().calls(operation).count();
            called("CreateChangeSet") - called("DeleteChangeSet")
        })
    };
    account.run(&["plan"]).ends_with(0).prints("2 stacks to create");
    assert_eq!(left(), 0);
    account.run(&["deploy", "--yes"]).ends_with(0);
    let before = left();
    account.run(&["diff", "-c", "topics=2"]).ends_with(0).prints("Topic2");
    account.run(&["plan", "-c", "topics=2"]).ends_with(0).prints("1 stack to update");
    assert_eq!(left(), before);
}
