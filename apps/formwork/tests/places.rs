//! An app whose stacks have one name in two regions, and what else belongs to a place: regions, accounts, roles.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use serde_json::Value as Json;
use support::account::Account;
use support::{Done, assert_schema};

/// Where the stacks of the app are; the settings say eu-west-1.
const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];

fn run(account: &Account, arguments: &[&str]) -> Done {
    Done::of(account.command_of("regions", arguments).output().unwrap())
}

fn deployed() -> Account {
    let account = Account::new();
    run(&account, &["deploy", "--yes", "--outputs-file", "outputs.json"])
        .ends_with(0)
        .says("app-twin@eu-central-1  is deployed")
        .says("app-twin@us-east-1  is deployed");
    account
}

#[test]
fn outputs_of_two_regions_stay_apart() {
    let account = deployed();
    let file = account.project.json("outputs.json");
    let names: Vec<&String> = file.as_object().unwrap().keys().collect();
    assert_eq!(names, ["app-twin@eu-central-1", "app-twin@us-east-1"]);

    run(&account, &["audit", "--out", "audit"]).ends_with(0);
    let kept = account.project.json("audit/outputs.json");
    assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), names);

    let report: Json =
        serde_json::from_str(&run(&account, &["outputs", "--json"]).ends_with(0).stdout).unwrap();
    assert_schema("outputs.json", &report);
    for region in REGIONS {
        let stack = &report["stacks"][format!("app-twin@{region}")];
        assert_eq!(stack["name"], "app-twin");
        assert_eq!(stack["environment"]["region"], region);
    }
    let lines = run(&account, &["outputs", "--format", "env"]).ends_with(0).stdout;
    for region in ["EU_CENTRAL_1", "US_EAST_1"] {
        assert!(lines.contains(&format!("APP_TWIN_{region}_NAME1='")), "{lines}");
    }
    run(&account, &["outputs"]).ends_with(0).prints("app-twin@us-east-1");
    // A name that is the only one stays as it is.
    let one: Json = serde_json::from_str(&run(&account, &["outputs", "--json", "twin-us"]).stdout).unwrap();
    assert_eq!(one["stacks"].as_object().unwrap().keys().collect::<Vec<_>>(), ["app-twin"]);
}

#[test]
fn a_difference_is_looked_for_where_the_stack_is() {
    let account = deployed();
    run(&account, &["diff", "--fail-on", "any-change"]).ends_with(0).says("2 stacks are the same");
    run(&account, &["diff", "-c", "topics=2", "--fail-on", "any-change"])
        .ends_with(2)
        .says("2 stacks differ");
}

#[test]
fn a_stack_is_followed_and_diagnosed_where_it_is() {
    let account = deployed();
    for (word, region) in [("twin-eu", REGIONS[0]), ("twin-us", REGIONS[1])] {
        let diagnosis = run(&account, &["diagnose", word, "--json"]).ends_with(0).stdout;
        let diagnosis: Json = serde_json::from_str(&diagnosis).unwrap();
        let arn = diagnosis["stackId"].as_str().unwrap();
        assert!(arn.contains(region), "{arn}");
        run(&account, &["diagnose", arn]).ends_with(0).prints("app-twin is in CREATE_COMPLETE");
        run(&account, &["follow", word]).ends_with(0).says("app-twin  is deployed");
        run(&account, &["cancel", word, "--yes"]).ends_with(0).prints("no update is going on");
    }
    // The name alone says too little, and a stack that is not of the app is looked for where the settings say.
    for command in ["diagnose", "follow", "cancel"] {
        run(&account, &[command, "app-twin"]).ends_with(10).says("names several stacks: twin-eu, twin-us");
        let foreign = run(&account, &[command, "foreign"]);
        assert!(matches!(foreign.code, Some(1 | 10)), "{foreign:?}");
        assert!(foreign.stderr.contains("there is no stack foreign"), "{foreign:?}");
    }
}

/// The stack of another program is found by its name, in the region of the settings, also when the app is broken.
#[test]
fn a_stack_that_is_not_of_the_app_is_looked_at_all_the_same() {
    let account = Account::new();
    account.run(&["deploy", "--yes"]).ends_with(0);
    for word in ["regions", "broken"] {
        let run = |arguments: &[&str]| Done::of(account.command_of(word, arguments).output().unwrap());
        run(&["diagnose", "app-network"]).ends_with(0).prints("app-network is in CREATE_COMPLETE");
        run(&["follow", "app-network"]).ends_with(0).says("app-network  is deployed");
    }
}

#[test]
fn every_line_of_json_progress_parses_and_tells_the_place() {
    let account = Account::new();
    let done =
        run(&account, &["deploy", "--yes", "--progress", "json"]).ends_with(0).says("app-twin@us-east-1");
    let events: Vec<Json> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        assert_schema("event.json", event);
        assert_eq!(event.get("stack").is_some(), event.get("environment").is_some(), "{event}");
    }
    for region in REGIONS {
        let ended =
            |event: &&Json| event["event"] == "stack-finished" && event["environment"]["region"] == region;
        assert_eq!(events.iter().filter(ended).count(), 1, "{region}");
    }
    let done = run(&account, &["plan", "--progress", "json"]).ends_with(0).says("2 stacks unchanged");
    assert!(done.stdout.lines().all(|line| serde_json::from_str::<Json>(line).is_ok()), "{done:?}");
    run(&account, &["plan", "--progress", "json", "--json"]).ends_with(10).says("hint:");
}

#[test]
fn whoever_declines_leaves_no_unfinished_run() {
    let account = Account::new();
    run(&account, &["plan", "--out", "plan.json"]).ends_with(0);
    run(&account, &["apply", "plan.json"]).ends_with(3);
    run(&account, &["deploy", "--require-approval", "any-change"]).ends_with(3);
    run(&account, &["deploy", "--yes", "--parameters", "Nothing=1"]);
    run(&account, &["apply", "plan.json", "--yes"]);
    run(&account, &["destroy"]).ends_with(3);
    let journals = account.project.names(".formwork/journal");
    assert!(journals.len() >= 5, "{journals:?}");
    // What was told lies beside each journal.
    let is_journal = |name: &&String| name.ends_with(".jsonl") && !name.ends_with(".events.jsonl");
    for name in journals.iter().filter(is_journal) {
        let text = account.project.read(&format!(".formwork/journal/{name}"));
        let last = text.lines().last().unwrap();
        assert!(last.contains("ended"), "{name}: {last}");
    }
}
