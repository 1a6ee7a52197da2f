//! Change sets: names, statuses, tokens, pages, contents.

use super::Bench;
use super::basic::NETWORK;
use crate::cloudformation::faults::{HookFault, ValidationFault};

fn statuses(bench: &mut Bench, change_set: &str) -> (String, String) {
    let told = bench.call("DescribeChangeSet", &[("ChangeSetName", change_set)]).unwrap();
    (told.text("Status"), told.text("ExecutionStatus"))
}

fn pair(left: &str, right: &str) -> (String, String) {
    (left.to_owned(), right.to_owned())
}

#[test]
fn a_change_set_is_in_the_making_for_a_while() {
    let mut bench = Bench::new();
    let parameters = [
        ("StackName", "net"),
        ("ChangeSetName", "a"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", NETWORK),
    ];
    let id = bench.call("CreateChangeSet", &parameters).unwrap().text("Id");
    assert_eq!(statuses(&mut bench, &id), pair("CREATE_PENDING", "UNAVAILABLE"));
    bench.wait(1);
    assert_eq!(statuses(&mut bench, &id), pair("CREATE_IN_PROGRESS", "UNAVAILABLE"));
    let refused = bench.refused("ExecuteChangeSet", &[("ChangeSetName", &id)]);
    assert!(refused.starts_with("InvalidChangeSetStatus: ChangeSet [arn:"), "{refused}");
    bench.wait(5);
    assert_eq!(statuses(&mut bench, &id), pair("CREATE_COMPLETE", "AVAILABLE"));
}

/// Fault 30: the execution of one change set makes the others obsolete; none is executed twice.
#[test]
fn an_execution_makes_other_change_sets_obsolete() {
    let mut bench = Bench::new();
    bench.deploy("net", NETWORK);
    let changed = NETWORK.replace("10.0.0.0/16", "10.1.0.0/16");
    let first = bench.change_set("net", "UPDATE", &changed, &[]);
    let second = bench.change_set("net", "UPDATE", &changed.replace("10.1", "10.2"), &[]);
    bench.execute(&second, &[]);
    assert_eq!(statuses(&mut bench, &first).1, "OBSOLETE");
    assert_eq!(statuses(&mut bench, &second).1, "EXECUTE_IN_PROGRESS");
    bench.settle();
    assert_eq!(statuses(&mut bench, &second).1, "EXECUTE_COMPLETE");
    for (id, word) in [(&first, "OBSOLETE"), (&second, "EXECUTE_COMPLETE")] {
        let refused = bench.refused("ExecuteChangeSet", &[("ChangeSetName", id)]);
        assert!(refused.starts_with("InvalidChangeSetStatus") && refused.contains(word), "{refused}");
    }
    bench.call("DeleteChangeSet", &[("ChangeSetName", &first)]).unwrap();
    let refused = bench.refused("DescribeChangeSet", &[("ChangeSetName", &first)]);
    assert!(refused.starts_with("ChangeSetNotFound: "), "{refused}");
}

/// Fault 29: the name of a change set is taken.
#[test]
fn the_name_of_a_change_set_is_unique_in_its_stack() {
    let mut bench = Bench::new();
    let parameters = [
        ("StackName", "net"),
        ("ChangeSetName", "a"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", NETWORK),
    ];
    bench.call("CreateChangeSet", &parameters).unwrap();
    assert!(bench.refused("CreateChangeSet", &parameters).starts_with("AlreadyExistsException: "));
    bench.call("DeleteChangeSet", &[("StackName", "net"), ("ChangeSetName", "a")]).unwrap();
    bench.call("CreateChangeSet", &parameters).unwrap();
}

/// Faults 15 and 16: the same token is the same call, however often it arrives.
#[test]
fn a_repeated_token_has_one_effect_and_another_content_is_refused() {
    let mut bench = Bench::new();
    let parameters = |name: &'static str| {
        [
            ("StackName", "net"),
            ("ChangeSetName", name),
            ("ChangeSetType", "CREATE"),
            ("TemplateBody", NETWORK),
            ("ClientToken", "create-1"),
        ]
    };
    let first = bench.call("CreateChangeSet", &parameters("a")).unwrap().text("Id");
    bench.wait(10);
    assert_eq!(bench.call("CreateChangeSet", &parameters("a")).unwrap().text("Id"), first);
    let refused = bench.refused("CreateChangeSet", &parameters("b"));
    assert!(refused.starts_with("TokenAlreadyExistsException: "), "{refused}");
    let execution = [("ChangeSetName", first.as_str()), ("ClientRequestToken", "execute-1")];
    bench.call("ExecuteChangeSet", &execution).unwrap();
    bench.call("ExecuteChangeSet", &execution).unwrap();
    bench.settle();
    bench.call("ExecuteChangeSet", &execution).unwrap();
    let begun = bench.events("net").iter().filter(|it| it.starts_with("net CREATE_IN_PROGRESS")).count();
    assert_eq!(begun, 1);
}

#[test]
fn many_changes_come_in_pages() {
    let resources: Vec<String> =
        (0..230).map(|index| format!(r#""Topic{index:03}": {{"Type": "AWS::SNS::Topic"}}"#)).collect();
    let template = format!(r#"{{"Resources": {{{}}}}}"#, resources.join(","));
    let mut bench = Bench::new();
    let id = bench.change_set("many", "CREATE", &template, &[]);
    let mut parameters = vec![("ChangeSetName", id.as_str())];
    let first = bench.call("DescribeChangeSet", &parameters).unwrap();
    assert_eq!(first.members("Changes").len(), 100);
    let token = first.text("NextToken");
    parameters.push(("NextToken", &token));
    let second = bench.call("DescribeChangeSet", &parameters).unwrap();
    assert_eq!(second.members("Changes")[0].text("LogicalResourceId"), "Topic100");
    let token = second.text("NextToken");
    parameters[1].1 = &token;
    let third = bench.call("DescribeChangeSet", &parameters).unwrap();
    assert_eq!((third.members("Changes").len(), third.text("NextToken")), (30, String::new()));
    parameters[1].1 = "nonsense";
    assert!(bench.refused("DescribeChangeSet", &parameters).contains("NextToken"));

    bench.execute(&id, &[]);
    bench.settle();
    let events = bench.events("many");
    assert_eq!(events.len(), 3 + 3 * 230);
}

#[test]
fn details_name_what_causes_a_change_and_mask_secrets() {
    let template = r#"{
      "Parameters": {
        "Name": {"Type": "String"},
        "Secret": {"Type": "String", "NoEcho": "true"}},
      "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Name"}, "DisplayName": {"Ref": "Secret"}}},
        "Policy": {"Type": "AWS::SNS::Subscription", "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs"}}}}"#;
    let mut bench = Bench::new();
    let given = |name: &'static str, secret: &'static str| {
        [
            ("Parameters.member.1.ParameterKey", "Name"),
            ("Parameters.member.1.ParameterValue", name),
            ("Parameters.member.2.ParameterKey", "Secret"),
            ("Parameters.member.2.ParameterValue", secret),
        ]
    };
    bench.deploy_with("app", template, &given("first", "hunter2"), &[]);
    let id = bench.change_set("app", "UPDATE", template, &given("second", "hunter3"));
    assert_eq!(bench.changes(&id), ["Modify Policy Conditional", "Modify Topic True"]);
    let told = bench
        .call("DescribeChangeSet", &[("ChangeSetName", &id), ("IncludePropertyValues", "true")])
        .unwrap();
    let text = format!("{told:?}");
    assert!(!text.contains("hunter"), "{text}");
    let topic = &told.members("Changes")[1];
    let details = format!("{topic:?}");
    assert!(details.contains("ParameterReference") && details.contains("/Properties/TopicName"), "{details}");
    assert!(details.contains("first") && details.contains("second"), "{details}");
    let policy = format!("{:?}", told.members("Changes")[0]);
    assert!(policy.contains("KNOWN_AFTER_APPLY") && policy.contains("ResourceReference"), "{policy}");
    let events = format!("{:?}", bench.call("DescribeStackEvents", &[("StackName", "app")]).unwrap());
    assert!(!events.contains("hunter") && events.contains("****"), "{events}");
    let stack = format!("{:?}", bench.call("DescribeStacks", &[("StackName", "app")]).unwrap());
    assert!(!stack.contains("hunter") && stack.contains("****"), "{stack}");
}

/// Fault 23: the checks before a deployment fail the change set and tell why by their events.
#[test]
fn early_validation_fails_a_change_set() {
    let mut bench = Bench::new();
    bench.world.faults.validations.push(ValidationFault {
        stack: "net".to_owned(),
        logical_id: "Topic".to_owned(),
        name: "NAME_CONFLICT_VALIDATION".to_owned(),
        reason: "a topic of this name exists".to_owned(),
        path: "/Resources/Topic/Properties/TopicName".to_owned(),
        fails: true,
    });
    let id = bench.change_set("net", "CREATE", NETWORK, &[]);
    let told = bench.call("DescribeChangeSet", &[("ChangeSetName", &id)]).unwrap();
    assert_eq!(told.text("Status"), "FAILED");
    assert!(told.text("StatusReason").contains("AWS::EarlyValidation"), "{}", told.text("StatusReason"));
    let events = bench
        .call("DescribeEvents", &[("ChangeSetName", &id), ("Filters.FailedEvents", "true")])
        .unwrap()
        .members("OperationEvents");
    assert_eq!(events[0].text("ValidationName"), "NAME_CONFLICT_VALIDATION");
    assert_eq!(events[0].text("ValidationStatusReason"), "a topic of this name exists");
}

#[test]
fn a_property_that_the_type_does_not_know_fails_the_change_set() {
    let mut bench = Bench::new();
    bench.world.options.early_validation = true;
    let wrong = NETWORK
        .replace(r#""Type": "AWS::SNS::Topic""#, r#""Type": "AWS::SNS::Topic", "Properties": {"Nmae": "x"}"#);
    let id = bench.change_set("net", "CREATE", &wrong, &[]);
    let told = bench.call("DescribeChangeSet", &[("ChangeSetName", &id)]).unwrap();
    assert!(told.text("StatusReason").contains("AWS::EarlyValidation::PropertyValidation"));
    let right = bench.change_set("other", "CREATE", NETWORK, &[]);
    assert_eq!(statuses(&mut bench, &right).0, "CREATE_COMPLETE");
}

/// Fault 26: a hook refuses a resource.
#[test]
fn a_hook_fails_a_resource() {
    let mut bench = Bench::new();
    bench.world.faults.hooks.push(HookFault {
        stack: "net".to_owned(),
        logical_id: "Topic".to_owned(),
        hook: "Acme::Guard::Hook".to_owned(),
        reason: "topics need a key".to_owned(),
        fails: true,
    });
    assert_eq!(bench.deploy("net", NETWORK), "ROLLBACK_COMPLETE");
    let events = bench.events("net");
    assert!(
        events.contains(&"Topic CREATE_FAILED: The following hook(s) failed: [Acme::Guard::Hook]".to_owned())
    );
    let results = bench.call("ListHookResults", &[("TargetType", "STACK"), ("TargetId", "net")]).unwrap();
    assert_eq!(results.text("HookStatusReason"), "topics need a key");
    let id = results.text("HookResultId");
    assert_eq!(bench.call("GetHookResult", &[("HookResultId", &id)]).unwrap().text("FailureMode"), "FAIL");
}

/// Fault 28: a change set never leaves its making.
#[test]
fn a_change_set_may_be_stuck() {
    let mut bench = Bench::new();
    bench.world.faults.stuck_change_sets.push("net".to_owned());
    let id = bench.change_set("net", "CREATE", NETWORK, &[]);
    bench.wait(100_000);
    assert_eq!(statuses(&mut bench, &id).0, "CREATE_IN_PROGRESS");
    bench.call("DeleteChangeSet", &[("ChangeSetName", &id)]).unwrap();
}

/// Fault 22: a call that is refused leaves no stack behind.
#[test]
fn a_refused_change_set_leaves_no_stack() {
    let mut bench = Bench::new();
    let refused = bench.refused(
        "CreateChangeSet",
        &[("StackName", "net"), ("ChangeSetName", "a"), ("ChangeSetType", "CREATE"), ("TemplateBody", "{}")],
    );
    assert_eq!(
        refused,
        "ValidationError: Template format error: At least one Resources member must be defined."
    );
    assert!(bench.call("ListStacks", &[]).unwrap().members("StackSummaries").is_empty());
}

#[test]
fn only_outputs_changed_is_a_change_and_only_a_description_is_none() {
    let mut bench = Bench::new();
    bench.deploy("net", NETWORK);
    let outputs = NETWORK.replace(r#""Outputs": {"#, r#""Outputs": {"More": {"Value": "x"}, "#);
    let id = bench.change_set("net", "UPDATE", &outputs, &[]);
    assert_eq!(statuses(&mut bench, &id).0, "CREATE_COMPLETE");
    assert!(bench.changes(&id).is_empty());
    let described = NETWORK.replacen('{', r#"{"Description": "told", "#, 1);
    let id = bench.change_set("net", "UPDATE", &described, &[]);
    assert_eq!(statuses(&mut bench, &id).0, "FAILED");
}
