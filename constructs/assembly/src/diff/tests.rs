use serde_json::{Value, json};

use super::*;

fn with(resource: Value) -> Value {
    json!({ "Resources": { "X": resource } })
}

/// The pointers of all differences; a tilde marks those that CloudFormation does not see.
fn pointers(before: &Value, after: &Value) -> Vec<String> {
    let mark = |change: &Change| format!("{}{}", if change.alike { "~" } else { "" }, change.pointer);
    diff(before, after).changes().map(mark).collect()
}

#[test]
fn sections_and_resources_are_added_removed_and_changed() {
    let before = json!({
        "Description": "old",
        "Parameters": { "Gone": { "Type": "String" }, "Kept": { "Type": "String" } },
        "Resources": { "Gone": { "Type": "AWS::SNS::Topic" }, "Kept": { "Type": "AWS::SQS::Queue" } },
    });
    let after = json!({
        "Description": "new",
        "Parameters": { "Kept": { "Type": "String", "Default": "x" } },
        "Resources": { "Kept": { "Type": "AWS::SQS::Queue", "Properties": { "DelaySeconds": 3 } }, "New": { "Type": "AWS::S3::Bucket" } },
    });
    let found = diff(&before, &after);
    let entries: Vec<_> = found
        .entries
        .iter()
        .map(|entry| (entry.section.as_str(), entry.name.as_deref(), entry.kind))
        .collect();
    assert_eq!(
        entries,
        [
            ("Description", None, ChangeKind::Changed),
            ("Parameters", Some("Gone"), ChangeKind::Removed),
            ("Parameters", Some("Kept"), ChangeKind::Changed),
        ]
    );
    let resources: Vec<_> =
        found.resources.iter().map(|resource| (resource.logical_id.as_str(), resource.kind)).collect();
    assert_eq!(
        resources,
        [("Gone", ChangeKind::Removed), ("Kept", ChangeKind::Changed), ("New", ChangeKind::Added)]
    );
    let kept = found.resource("Kept").unwrap();
    let (path, change) = kept.properties().next().unwrap();
    assert_eq!((path, &change.before, &change.after), ("DelaySeconds", &None, &Some(json!(3))));
    assert!(found.moves.is_empty());
}

#[test]
fn depends_on_is_a_set_whose_changes_are_named() {
    let one = with(json!({ "Type": "T", "DependsOn": "A" }));
    let list = with(json!({ "Type": "T", "DependsOn": ["A"] }));
    let more = with(json!({ "Type": "T", "DependsOn": ["A", "B"] }));
    let turned = with(json!({ "Type": "T", "DependsOn": ["B", "A"] }));
    let other = with(json!({ "Type": "T", "DependsOn": ["B", "C"] }));
    assert_eq!(pointers(&one, &list), ["~/Resources/X/DependsOn"]);
    assert_eq!(pointers(&more, &turned), ["~/Resources/X/DependsOn"]);
    assert_eq!(pointers(&list, &more), ["/Resources/X/DependsOn/1"]);
    assert_eq!(pointers(&more, &other), ["/Resources/X/DependsOn/0", "/Resources/X/DependsOn/1"]);
    let found = diff(&more, &other);
    assert_eq!(found.resources[0].changes[0].before, Some(json!("A")));
    assert_eq!(found.resources[0].changes[1].after, Some(json!("C")));
    let attribute = found.resources[0].attributes().next().unwrap();
    assert_eq!(attribute.0, "DependsOn");
}

#[test]
fn numbers_and_truth_values_are_like_their_texts() {
    let before = with(json!({ "Type": "T", "Properties": { "Port": "80", "On": true, "Other": "8" } }));
    let after = with(json!({ "Type": "T", "Properties": { "Port": 80, "On": "true", "Other": 9 } }));
    assert_eq!(
        pointers(&before, &after),
        ["~/Resources/X/Properties/On", "/Resources/X/Properties/Other", "~/Resources/X/Properties/Port"]
    );
    let metadata = |value: Value| with(json!({ "Type": "T", "Metadata": { "V": value } }));
    assert_eq!(pointers(&metadata(json!(1)), &metadata(json!("1"))), ["/Resources/X/Metadata/V"]);
}

#[test]
fn an_item_in_the_middle_of_a_list_is_named_alone() {
    let list = |items: Value| with(json!({ "Type": "T", "Properties": { "L": items } }));
    let before = list(json!(["a", "b", "c"]));
    assert_eq!(pointers(&before, &list(json!(["a", "x", "b", "c"]))), ["/Resources/X/Properties/L/1"]);
    assert_eq!(pointers(&before, &list(json!(["a", "c"]))), ["/Resources/X/Properties/L/1"]);
    assert_eq!(pointers(&before, &list(json!(["a", "y", "c"]))), ["/Resources/X/Properties/L/1"]);
    let rules = |ports: &[i32]| {
        list(
            ports
                .iter()
                .map(|port| json!({ "From": port, "To": port, "P": "tcp", "C": "10.0.0.0/8" }))
                .collect(),
        )
    };
    let found = diff(&rules(&[1, 2, 3]), &rules(&[1, 3]));
    assert_eq!(found.resources[0].changes.len(), 1);
    assert_eq!(found.resources[0].changes[0].place_before(), Some("/Resources/X/Properties/L/1"));
}

#[test]
fn statements_are_matched_by_content_and_tags_by_key() {
    let policy =
        |statements: Value| with(json!({ "Type": "T", "Properties": { "D": { "Statement": statements } } }));
    let read = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" });
    let write = json!({ "Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "b" });
    let wider = json!({ "Effect": "Allow", "Action": ["s3:DeleteObject", "s3:PutObject"], "Resource": "b" });
    let before = policy(json!([read, write]));
    assert_eq!(pointers(&before, &policy(json!([write, read]))), ["~/Resources/X/Properties/D/Statement"]);
    assert_eq!(
        pointers(&before, &policy(json!([wider, read]))),
        ["/Resources/X/Properties/D/Statement/0/Action/0", "~/Resources/X/Properties/D/Statement"]
    );
    let listed = json!({ "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*" });
    assert_eq!(
        pointers(&before, &policy(json!([listed, write]))),
        ["~/Resources/X/Properties/D/Statement/0/Action"]
    );
    let tags = |tags: Value| with(json!({ "Type": "T", "Properties": { "Tags": tags } }));
    assert_eq!(
        pointers(
            &tags(json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }])),
            &tags(json!([{ "Key": "b", "Value": "3" }, { "Key": "a", "Value": "1" }])),
        ),
        ["/Resources/X/Properties/Tags/0/Value", "~/Resources/X/Properties/Tags"]
    );
}

#[test]
fn functions_are_leaves_unless_they_carry_values() {
    let value = |value: Value| with(json!({ "Type": "T", "Properties": { "P": value } }));
    assert_eq!(
        pointers(&value(json!({ "Ref": "A" })), &value(json!({ "Ref": "B" }))),
        ["/Resources/X/Properties/P"]
    );
    assert_eq!(
        pointers(
            &value(json!({ "Fn::If": ["C", { "a": 1 }, { "a": 2 }] })),
            &value(json!({ "Fn::If": ["C", { "a": 1 }, { "a": 3 }] })),
        ),
        ["/Resources/X/Properties/P/Fn::If/2/a"]
    );
}

#[test]
fn functions_that_give_the_same_are_alike() {
    let value = |value: Value| with(json!({ "Type": "T", "Properties": { "P": value } }));
    let joined = json!({ "Fn::Join": ["", ["arn:", { "Ref": "A" }, "/*"]] });
    let dotted = json!({ "Fn::GetAtt": "A.Arn" });
    for (before, after, wanted) in [
        (joined.clone(), json!({ "Fn::Sub": "arn:${A}/*" }), "~"),
        (dotted, json!({ "Fn::GetAtt": ["A", "Arn"] }), "~"),
        (json!("x"), json!({ "Fn::Sub": "x" }), "~"),
        (json!("${A}"), json!({ "Fn::Sub": "${!A}" }), "~"),
        (json!("${A}"), json!({ "Ref": "A" }), ""),
        (joined, json!({ "Fn::Sub": "arn:${B}/*" }), ""),
        (json!({ "Fn::Select": [0, ["a"]] }), json!({ "Fn::Select": ["0", ["a"]] }), ""),
    ] {
        assert_eq!(pointers(&value(before), &value(after)), [format!("{wanted}/Resources/X/Properties/P")]);
    }
}

#[test]
fn a_renamed_resource_is_a_probable_move() {
    let topic = |queue: &str| json!({ "Type": "AWS::SNS::Topic", "Properties": { "Name": "n", "Display": { "Fn::GetAtt": [queue, "Arn"] }, "Fifo": true, "K": "k" } });
    let before =
        json!({ "Resources": { "OldTopic": topic("OldQueue"), "OldQueue": { "Type": "AWS::SQS::Queue" } } });
    let after = json!({ "Resources": { "NewTopic": topic("NewQueue"), "NewQueue": { "Type": "AWS::SQS::Queue" }, "B": { "Type": "AWS::S3::Bucket" } } });
    let moves: Vec<_> = diff(&before, &after).moves.into_iter().map(|found| (found.from, found.to)).collect();
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(moves, [pair("OldQueue", "NewQueue"), pair("OldTopic", "NewTopic")]);
}

#[test]
fn no_template_stands_for_nothing() {
    let template = json!({ "Resources": { "A": { "Type": "AWS::SNS::Topic" } } });
    assert_eq!(diff(&Value::Null, &template).resources[0].kind, ChangeKind::Added);
    assert_eq!(diff(&template, &Value::Null).resources[0].kind, ChangeKind::Removed);
    assert!(diff(&Value::Null, &Value::Null).is_empty());
}
