use serde_json::json;

use super::*;
use crate::plan::testing::{input, plan};

fn planned(id: &str, importers: &[&str]) -> Planned {
    let mut stack = plan().stacks.remove(0);
    stack.id = id.to_owned();
    stack.name = id.to_owned();
    stack.operation = Operation::Delete;
    stack.base = Some(crate::plan::settle::base(&crate::plan::testing::stack(
        id,
        crate::aws::cloudformation::StackStatus::CreateComplete,
    )));
    let importers: Vec<String> = importers.iter().map(|name| (*name).to_owned()).collect();
    let importers = if importers.is_empty() { BTreeMap::new() } else { [("x".to_owned(), importers)].into() };
    Planned { plan: stack, importers, obstacles: Vec::new() }
}

fn depending(id: &str, on: &[&str]) -> Input {
    let mut input = input(id, json!({}));
    input.artifact.dependencies = on.iter().map(|id| (*id).to_owned()).collect();
    input
}

/// Fault 44: a stack that somebody outside imports from stays, with the importer's name.
#[test]
fn a_shared_stack_stays_while_somebody_imports_from_it() {
    let (net, app) = (depending("net", &[]), depending("app", &["net"]));
    let stacks = order(vec![planned("net", &["app", "other"]), planned("app", &[])], &[&net, &app]).unwrap();
    let names: Vec<(&str, Operation)> = stacks.iter().map(|it| (it.name.as_str(), it.operation)).collect();
    assert_eq!(names, [("app", Operation::Delete), ("net", Operation::Nothing)]);
    assert_eq!(stacks[1].notes, ["stays, because it is needed by other"]);
}

#[test]
fn what_a_staying_stack_needs_stays_too() {
    let (base, net, app) = (depending("base", &[]), depending("net", &["base"]), depending("app", &["net"]));
    let all = vec![planned("base", &[]), planned("net", &["other"]), planned("app", &[])];
    let stacks = order(all, &[&base, &net, &app]).unwrap();
    let staying: Vec<&str> =
        stacks.iter().filter(|it| it.operation == Operation::Nothing).map(|it| it.name.as_str()).collect();
    assert_eq!(staying, ["net", "base"]);
}

#[test]
fn stacks_are_deleted_after_those_that_need_them() {
    let (net, app) = (depending("net", &[]), depending("app", &["net"]));
    let stacks = order(vec![planned("net", &["app"]), planned("app", &[])], &[&net, &app]).unwrap();
    assert_eq!(stacks[0].id, "app");
    assert_eq!(stacks[1].needs, ["app"]);
}

#[test]
fn everything_that_stands_in_the_way_is_named_at_once() {
    let net = depending("net", &[]);
    let mut one = planned("net", &[]);
    let obstacle = |words: &str| Obstacle { removal: None, words: words.to_owned(), hint: "do something" };
    one.obstacles = vec![obstacle("bucket logs is not empty"), obstacle("an app runs")];
    let refused = order(vec![one], &[&net]).unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("bucket logs is not empty\n  an app runs"), "{}", refused.message);
    assert_eq!(refused.hint.as_deref(), Some("do something"));
}

#[test]
fn deletion_protection_is_read_from_the_template() {
    let protected = |properties: Value| checks::is_protected(&json!({"Properties": properties}));
    assert!(protected(json!({"DeletionProtection": true})));
    assert!(protected(json!({"DeletionProtection": "ACTIVE"})));
    assert!(protected(
        json!({"LoadBalancerAttributes": [{"Key": "deletion_protection.enabled", "Value": "true"}]})
    ));
    assert!(!protected(json!({"DeletionProtection": false})));
    assert!(!protected(
        json!({"LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]})
    ));
}

#[test]
fn what_stays_says_what_it_costs() {
    let resource = |kind: &str| StackResource {
        logical_id: "Kept".to_owned(),
        physical_id: Some("kept-1".to_owned()),
        resource_type: kind.to_owned(),
        status: "CREATE_COMPLETE".to_owned(),
        reason: None,
        drift: None,
    };
    assert!(left(&resource("AWS::S3::Bucket")).cost.unwrap().contains("gigabyte"));
    assert_eq!(left(&resource("AWS::IAM::Role")).cost, None);
}
