//! What single calls refuse, and how long lists come.

use super::Bench;
use super::basic::NETWORK;

/// Fault 46: while one operation runs, no other one begins.
#[test]
fn two_operations_on_one_stack_are_one_too_many() {
    let mut bench = Bench::new();
    bench.deploy("net", NETWORK);
    let changed = NETWORK.replace("10.0.0.0/16", "10.1.0.0/16");
    let mine = bench.change_set("net", "UPDATE", &changed, &[]);
    let other = bench.change_set("net", "UPDATE", &changed, &[]);
    bench.execute(&mine, &[("ClientRequestToken", "mine")]);
    let refused = bench.refused("ExecuteChangeSet", &[("ChangeSetName", &other)]);
    assert!(refused.starts_with("InvalidChangeSetStatus"), "{refused}");
    let making = [("StackName", "net"), ("ChangeSetName", "third"), ("TemplateBody", NETWORK)];
    let refused = bench.refused("CreateChangeSet", &making);
    assert!(refused.ends_with("is in UPDATE_IN_PROGRESS state and can not be updated."), "{refused}");
    let refused = bench.refused("UpdateStack", &[("StackName", "net"), ("TemplateBody", NETWORK)]);
    assert!(refused.ends_with("is in UPDATE_IN_PROGRESS state and can not be updated."), "{refused}");
    let refused = bench.refused("DeleteStack", &[("StackName", "net")]);
    assert!(refused.ends_with("cannot be deleted while in status UPDATE_IN_PROGRESS"), "{refused}");
}

/// Fault 47: a name can come back as another stack; the ARN tells them apart.
#[test]
fn a_name_that_comes_back_is_another_stack() {
    let mut bench = Bench::new();
    bench.deploy("net", NETWORK);
    let arn =
        |bench: &mut Bench| bench.call("DescribeStacks", &[("StackName", "net")]).unwrap().text("StackId");
    let first = arn(&mut bench);
    bench.call("DeleteStack", &[("StackName", "net")]).unwrap();
    bench.settle();
    bench.deploy("net", NETWORK);
    assert_ne!(arn(&mut bench), first);
    assert_eq!(bench.status(&first), "DELETE_COMPLETE");
    let both = bench.call("ListStacks", &[]).unwrap().members("StackSummaries");
    assert_eq!(
        both.iter().map(|it| it.text("StackStatus")).collect::<Vec<_>>(),
        ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    );
}

/// Fault 35: a template of 51,200 bytes goes inline, one of a byte more does not; bytes count, not characters.
#[test]
fn the_size_of_a_template_counts_in_bytes() {
    let template = |bytes: usize| {
        let empty = r#"{"Description": "", "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}"#;
        // An umlaut has two bytes.
        let room = bytes - empty.len();
        let text = "ü".repeat(room / 2) + if room % 2 == 1 { "x" } else { "" };
        empty.replace("\"Description\": \"\"", &format!("\"Description\": \"{text}\""))
    };
    let mut bench = Bench::new();
    bench.call("ValidateTemplate", &[("TemplateBody", &template(51_200))]).unwrap();
    let refused = bench.refused("ValidateTemplate", &[("TemplateBody", &template(51_201))]);
    assert!(refused.contains("Member must have length less than or equal to 51200"), "{refused}");
    for (bytes, fits) in [(1_048_576, true), (1_048_577, false)] {
        bench.around.templates.insert("url".to_owned(), template(bytes));
        assert_eq!(bench.call("ValidateTemplate", &[("TemplateURL", "url")]).is_ok(), fits, "{bytes}");
    }
    let refused = bench.refused("ValidateTemplate", &[("TemplateURL", "elsewhere")]);
    assert_eq!(refused, "ValidationError: S3 error: Access Denied");
}

#[test]
fn calls_about_nothing_say_so() {
    let mut bench = Bench::new();
    bench.deploy("net", NETWORK);
    let creation = [
        ("StackName", "net"),
        ("ChangeSetName", "a"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", NETWORK),
    ];
    for (action, parameters, told) in [
        ("DescribeStacks", &[("StackName", "no")][..], "ValidationError: Stack with id no does not exist"),
        ("DescribeStackEvents", &[("StackName", "no")], "ValidationError: Stack [no] does not exist"),
        ("GetTemplate", &[("StackName", "no")], "ValidationError: Stack with id no does not exist"),
        (
            "CreateChangeSet",
            &[("StackName", "no"), ("ChangeSetName", "a"), ("TemplateBody", NETWORK)],
            "ValidationError: Stack [no] does not exist",
        ),
        (
            "CreateChangeSet",
            &creation,
            "ValidationError: Stack [net] already exists and cannot be created again with the changeSet [a].",
        ),
        (
            "CreateStack",
            &[("StackName", "net"), ("TemplateBody", NETWORK)],
            "AlreadyExistsException: Stack [net] already exists",
        ),
        (
            "DescribeChangeSet",
            &[("ChangeSetName", "a")],
            "ValidationError: StackName must be specified if ChangeSetName is not specified as an ARN.",
        ),
        (
            "DescribeChangeSet",
            &[("ChangeSetName", "a"), ("StackName", "net")],
            "ChangeSetNotFound: ChangeSet [a] does not exist",
        ),
        (
            "ListImports",
            &[("ExportName", "no")],
            "ValidationError: Export 'no' is not imported by any stack.",
        ),
        (
            "DescribeType",
            &[("TypeName", "AWS::No::Such")],
            "TypeNotFoundException: The type 'AWS::No::Such' cannot be found.",
        ),
        ("Dance", &[], "InvalidAction: Could not find operation Dance for version 2010-05-15"),
    ] {
        assert_eq!(bench.refused(action, parameters), told, "{action}");
    }
    // There is nothing to delete, which is as good as deleted.
    bench.call("DeleteStack", &[("StackName", "no")]).unwrap();
}

/// Fault 78: the pages of events stay what they were while new events come.
#[test]
fn pages_of_events_do_not_move_when_new_ones_come() {
    let mut bench = Bench::new();
    let resources: Vec<String> =
        (0..60).map(|index| format!(r#""T{index:02}": {{"Type": "AWS::SNS::Topic"}}"#)).collect();
    bench.deploy("many", &format!(r#"{{"Resources": {{{}}}}}"#, resources.join(",")));
    let first = bench.call("DescribeStackEvents", &[("StackName", "many")]).unwrap();
    let token = first.text("NextToken");
    let page = [("StackName", "many"), ("NextToken", token.as_str())];
    let before = bench.call("DescribeStackEvents", &page).unwrap();
    bench.call("DeleteStack", &[("StackName", "many")]).unwrap();
    let id = first.members("StackEvents")[0].text("StackId");
    bench.settle();
    let later = [("StackName", id.as_str()), ("NextToken", token.as_str())];
    let after = bench.call("DescribeStackEvents", &later).unwrap();
    assert_eq!(
        before.members("StackEvents")[0].text("EventId"),
        after.members("StackEvents")[0].text("EventId")
    );
    assert!(
        bench
            .refused("DescribeStackEvents", &[("StackName", &id), ("NextToken", "old")])
            .contains("NextToken")
    );
}

#[test]
fn accounts_and_regions_do_not_see_each_other() {
    let mut bench = Bench::new();
    bench.deploy("net", NETWORK);
    let id = bench.call("DescribeStacks", &[("StackName", "net")]).unwrap().text("StackId");
    let change_set = bench.change_set("other", "CREATE", NETWORK, &[]);
    bench.region = "us-east-1".to_owned();
    let refused = bench.refused("DescribeChangeSet", &[("ChangeSetName", &change_set)]);
    assert!(refused.starts_with("ChangeSetNotFound"), "{refused}");
    assert!(bench.status("net").contains("does not exist"));
    assert!(bench.status(&id).contains("does not exist"));
    assert!(bench.call("ListExports", &[]).unwrap().members("Exports").is_empty());
    assert_eq!(bench.deploy("net", NETWORK), "CREATE_COMPLETE");
}

#[test]
fn a_limit_of_stacks_is_told() {
    let mut bench = Bench::new();
    bench.world.options.stack_limit = 1;
    bench.deploy("net", NETWORK);
    let refused = bench.refused("CreateStack", &[("StackName", "more"), ("TemplateBody", NETWORK)]);
    assert!(refused.starts_with("LimitExceededException: "), "{refused}");
}
