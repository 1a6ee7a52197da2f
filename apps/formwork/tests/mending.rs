//! The commands that bring stacks and what there really is together, on a simulated account behind a loopback port.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use serde_json::Value as Json;
use support::account::Account;
use support::{Done, assert_schema};

fn script(account: &Account, script: &str) {
    account.served.with(|simulator| simulator.add(script.parse().unwrap()));
}

/// Fault 56: drift is found, told with the construct that made the resource, and taken back after a question.
#[test]
fn drift_is_found_and_taken_back() {
    let account = Account::new();
    account.run(&["drift"]).ends_with(1).says("none of the stacks is deployed: app-network, app-proxy");
    account.run(&["drift", "app-proxy"]).ends_with(1).says("stack app-proxy is not deployed");
    account.run(&["deploy", "--yes"]).ends_with(0);
    account.run(&["drift", "--detailed-exitcode"]).ends_with(0).prints("= app-network  in sync");
    account.run(&["drift", "--revert"]).ends_with(0).says("nothing drifted");

    script(&account, "drift app-network/Topic1 /DisplayName other; drift app-proxy/Own deleted");
    account
        .run(&["drift"])
        .ends_with(0)
        .prints("~ app-network  drifted, 1 of 2 resources")
        .prints("/DisplayName is other, the stack says nothing")
        .prints("made by app-network/Topic1")
        .prints("- Own  AWS::SNS::Topic  gone");
    account.run(&["drift", "app-proxy", "--detailed-exitcode"]).ends_with(2);
    let report: Json = serde_json::from_str(&account.run(&["drift", "--json"]).ends_with(0).stdout).unwrap();
    assert_schema("drift.json", &report);
    assert_eq!(report["stacks"][0]["resources"][0]["properties"][0]["actual"], "other");

    account.run(&["drift", "app-network", "--revert"]).ends_with(3).says("no terminal to ask on");
    account
        .run(&["drift", "app-network", "--revert", "--yes"])
        .ends_with(0)
        .says("~ Topic1  AWS::SNS::Topic  set back")
        .says("1 stack deployed");
    account
        .run(&["drift", "--detailed-exitcode"])
        .ends_with(2)
        .prints("= app-network  in sync")
        .prints("~ app-proxy  drifted");
}

/// Fault 56: without an answer nobody is told that all is well.
#[test]
fn drift_that_cannot_be_told_is_no_success() {
    let account = Account::new();
    account.run(&["deploy", "--yes"]).ends_with(0);
    script(
        &account,
        "on DetectStackDrift error 403 AccessDenied \"not authorized to perform: cloudformation:DetectStackDrift\"",
    );
    account
        .run(&["drift", "app-network"])
        .ends_with(5)
        .prints("? app-network  cannot tell")
        .prints("DetectStackDrift");
}

/// Fault 56: what drifted is taken back, and what could not be looked at is not passed over.
#[test]
fn drift_taken_back_beside_a_stack_that_cannot_be_told_needs_action() {
    let account = Account::new();
    account.run(&["deploy", "--yes"]).ends_with(0);
    script(
        &account,
        "drift app-network/Topic1 /DisplayName other; on DetectStackDrift of app-proxy error 403 AccessDenied",
    );
    account
        .run(&["drift", "--revert", "--yes"])
        .ends_with(5)
        .says("? app-proxy  cannot tell")
        .says("1 stack deployed");
    account.run(&["drift", "app-network", "--detailed-exitcode"]).ends_with(0);
}

/// Runs a command with the app `kept`, whose second topic stands for a bucket.
fn kept(account: &Account, arguments: &[&str]) -> Done {
    Done::of(account.command_of("kept", &[arguments, &["-c", "topics=2"]].concat()).output().unwrap())
}

#[test]
fn an_existing_resource_is_taken_into_a_stack() {
    let account = Account::new();
    Done::of(account.command_of("kept", &["deploy", "--yes"]).output().unwrap()).ends_with(0);
    account.served.with(|simulator| {
        simulator.world_mut().put_existing("123456789012", "AWS::S3::Bucket", "old-one");
    });
    kept(&account, &["import", "app-kept"])
        .ends_with(0)
        .prints("Store     AWS::S3::Bucket  BucketName (old-one)")
        .says("hint:");
    let listed = kept(&account, &["import", "app-kept", "--json"]).ends_with(0).stdout;
    let listed: Json = serde_json::from_str(&listed).unwrap();
    assert_schema("import.json", &listed);
    assert_eq!(listed["resources"][0]["identifier"][0], "BucketName");

    let writes = account.writes();
    account
        .run(&["import", "app-*", "Store=old-one"])
        .ends_with(1)
        .says("2 stacks are selected: app-network, app-proxy")
        .says("hint: name one stack");
    kept(&account, &["import", "app-kept", "Stroe=old-one"])
        .ends_with(1)
        .says("did you mean Store?")
        .says("hint: ");
    kept(&account, &["import", "app-kept", "Store:Name=old-one"])
        .ends_with(1)
        .says("BucketName does")
        .says("hint: say Store=VALUE");
    assert_eq!(account.writes(), writes, "what is wrong is found before any write");

    kept(&account, &["import", "app-kept", "Store=old-one"]).ends_with(3).says("no terminal to ask on");
    std::fs::write(account.project.path().join("resources.json"), r#"{"Store": {"BucketName": "old-one"}}"#)
        .unwrap();
    kept(&account, &["import", "app-kept", "--resources", "resources.json", "--yes"])
        .ends_with(0)
        .says("+ Store  AWS::S3::Bucket  taken in")
        .says("1 stack deployed");
    kept(&account, &["import", "app-kept"]).ends_with(0).says("nothing could be imported");
    kept(&account, &["import", "app-kept", "Store=old-one"])
        .ends_with(1)
        .says("is part of the stack already");
    kept(&account, &["deploy", "--yes"]).ends_with(0).prints("StoreArn");
}
