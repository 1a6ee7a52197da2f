//! What ties stacks together: exports and imports, nested stacks, imports of resources; and drift.

use super::Bench;
use crate::cloudformation::faults::{Drift, DriftChange, Moment, Outcome, ResourceFault};
use serde_json::json;

const PRODUCER: &str = r#"{
  "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
  "Outputs": {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": "shared"}}}}"#;
const CONSUMER: &str = r#"{
  "Resources": {"It": {"Type": "AWS::SNS::Subscription", "Properties": {
    "Protocol": "sqs", "TopicArn": {"Fn::ImportValue": "shared"}}}}}"#;

/// Fault 44: an export that others use stays, whether its stack is changed or deleted, and the importers are named.
#[test]
fn an_export_in_use_stays() {
    let mut bench = Bench::new();
    bench.deploy("producer", PRODUCER);
    bench.deploy("one", CONSUMER);
    bench.deploy("two", CONSUMER);
    let imports = bench.call("ListImports", &[("ExportName", "shared")]).unwrap().members("Imports");
    assert_eq!(imports.iter().map(|it| it.text("Text")).collect::<Vec<_>>(), ["one", "two"]);

    let told = "Delete canceled. Cannot delete export shared as it is in use by one and two.";
    bench.call("DeleteStack", &[("StackName", "producer")]).unwrap();
    bench.settle();
    assert_eq!(
        (bench.status("producer"), bench.reason("producer")),
        ("CREATE_COMPLETE".to_owned(), told.to_owned())
    );

    let without = r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#;
    assert_eq!(bench.deploy("producer", without), "UPDATE_ROLLBACK_COMPLETE");
    let events = bench.events("producer");
    assert!(
        events.iter().any(|it| it.starts_with("producer UPDATE_ROLLBACK_IN_PROGRESS: Delete canceled.")),
        "{events:?}"
    );
    assert_eq!(bench.call("ListExports", &[]).unwrap().text("Name"), "shared");

    let renamed = PRODUCER.replace(
        r#""Type": "AWS::SNS::Topic""#,
        r#""Type": "AWS::SNS::Topic", "Properties": {"TopicName": "x"}"#,
    );
    assert_eq!(bench.deploy("producer", &renamed), "UPDATE_ROLLBACK_COMPLETE");
    let told =
        "producer UPDATE_ROLLBACK_IN_PROGRESS: Cannot update export shared as it is in use by one and two. ";
    assert!(bench.events("producer").contains(&told.to_owned()), "{:?}", bench.events("producer"));

    bench.world.options.older_export_words = true;
    bench.call("DeleteStack", &[("StackName", "producer")]).unwrap();
    bench.settle();
    assert_eq!(bench.reason("producer"), "Export shared cannot be deleted as it is in use by one and two");

    for stack in ["one", "two"] {
        bench.call("DeleteStack", &[("StackName", stack)]).unwrap();
        bench.settle();
    }
    assert!(
        bench.refused("ListImports", &[("ExportName", "shared")]).contains("is not imported by any stack")
    );
    assert_eq!(bench.deploy("producer", without), "UPDATE_COMPLETE");
}

#[test]
fn a_second_export_of_a_name_is_refused() {
    let mut bench = Bench::new();
    bench.deploy("producer", PRODUCER);
    assert_eq!(bench.deploy("rival", PRODUCER), "ROLLBACK_COMPLETE");
    let told = "rival ROLLBACK_IN_PROGRESS: Export with name shared is already exported by stack producer. Rollback \
                requested by user.";
    assert!(bench.events("rival").contains(&told.to_owned()), "{:?}", bench.events("rival"));
}

/// Fault 45: the import of an export that is not there fails, early or late.
#[test]
fn a_missing_export_fails_the_change_set_or_the_creation() {
    let mut bench = Bench::new();
    let id = bench.change_set("one", "CREATE", CONSUMER, &[]);
    let told = bench.call("DescribeChangeSet", &[("ChangeSetName", &id)]).unwrap();
    assert_eq!(
        (told.text("Status"), told.text("StatusReason")),
        ("FAILED".to_owned(), "No export named shared found".to_owned())
    );
    bench.world.options.imports_checked_early = false;
    assert_eq!(bench.deploy("late", CONSUMER), "ROLLBACK_COMPLETE");
    let told = "late ROLLBACK_IN_PROGRESS: No export named shared found. Rollback requested by user.";
    assert!(bench.events("late").contains(&told.to_owned()), "{:?}", bench.events("late"));
}

const PARENT: &str = r#"{
  "Parameters": {"Name": {"Type": "String", "Default": "a"}},
  "Resources": {
    "Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {
      "TemplateURL": "https://s3.eu-west-1.amazonaws.com/b/inner.json", "Parameters": {"Name": {"Ref": "Name"}}}},
    "After": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["Inner", "Outputs.Told"]}}}}}"#;
const INNER: &str = r#"{
  "Parameters": {"Name": {"Type": "String"}},
  "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Name"}}}},
  "Outputs": {"Told": {"Value": {"Ref": "Name"}}}}"#;

fn nested() -> Bench {
    let mut bench = Bench::new();
    bench
        .around
        .templates
        .insert("https://s3.eu-west-1.amazonaws.com/b/inner.json".to_owned(), INNER.to_owned());
    bench
}

#[test]
fn a_nested_stack_is_made_changed_and_deleted_with_its_parent() {
    let mut bench = nested();
    assert_eq!(bench.deploy("outer", PARENT), "CREATE_COMPLETE");
    let resource = [("StackName", "outer"), ("LogicalResourceId", "Inner")];
    let child = bench.call("DescribeStackResource", &resource).unwrap().text("PhysicalResourceId");
    assert_eq!(bench.status(&child), "CREATE_COMPLETE");
    let told = bench.call("DescribeStacks", &[("StackName", &child)]).unwrap();
    assert!(told.text("ParentId").contains("stack/outer/"));

    let changed = PARENT.replace("\"a\"", "\"b\"");
    let id = bench.change_set("outer", "UPDATE", &changed, &[("IncludeNestedStacks", "true")]);
    assert_eq!(bench.changes(&id), ["Modify After False", "Modify Inner False"]);
    let changes = bench.call("DescribeChangeSet", &[("ChangeSetName", &id)]).unwrap().members("Changes");
    let inner = changes[1].text("ChangeSetId");
    assert_eq!(bench.changes(&inner), ["Modify Queue False"]);
    bench.execute(&id, &[]);
    bench.settle();
    assert_eq!(
        (bench.status("outer"), bench.status(&child)),
        ("UPDATE_COMPLETE".to_owned(), "UPDATE_COMPLETE".to_owned())
    );
    assert_eq!(bench.output(&child, "Told"), "b");

    bench.call("DeleteStack", &[("StackName", "outer")]).unwrap();
    bench.settle();
    assert_eq!(bench.status(&child), "DELETE_COMPLETE");
}

/// Fault 36, in a nested stack: the parent tells the child's reason.
#[test]
fn a_failure_in_a_nested_stack_is_the_parents_failure() {
    let mut bench = nested();
    bench.world.faults.fail("Queue", "not today");
    assert_eq!(bench.deploy("outer", PARENT), "ROLLBACK_COMPLETE");
    let events = bench.events("outer");
    let told = events.iter().find(|it| it.starts_with("Inner CREATE_FAILED")).unwrap();
    assert!(
        told.contains("was not successfully created: The following resource(s) failed to create: [Queue]."),
        "{told}"
    );
}

#[test]
fn a_failed_update_of_a_parent_takes_the_nested_stack_back() {
    let mut bench = nested();
    bench.deploy("outer", PARENT);
    bench.world.faults.resources.push(ResourceFault {
        logical_id: "After".to_owned(),
        stack: None,
        moment: Some(Moment::Update),
        attempt: None,
        outcome: Outcome::Fail { reason: "no".to_owned(), after: None },
    });
    assert_eq!(bench.deploy("outer", &PARENT.replace("\"a\"", "\"b\"")), "UPDATE_ROLLBACK_COMPLETE");
    let resource = [("StackName", "outer"), ("LogicalResourceId", "Inner")];
    let child = bench.call("DescribeStackResource", &resource).unwrap().text("PhysicalResourceId");
    assert_eq!(bench.output(&child, "Told"), "a");
}

/// Fault 24: the reason of a nested change set is told by the one above.
#[test]
fn a_nested_change_set_that_fails_names_itself() {
    let mut bench = nested();
    bench.deploy("outer", PARENT);
    let broken = PARENT.replace("\"Name\": {\"Ref\": \"Name\"}", "\"Nmae\": \"x\"");
    let id = bench.change_set("outer", "UPDATE", &broken, &[("IncludeNestedStacks", "true")]);
    let told = bench.call("DescribeChangeSet", &[("ChangeSetName", &id)]).unwrap();
    assert_eq!(told.text("Status"), "FAILED");
    assert!(told.text("StatusReason").contains("Nested change set"), "{}", told.text("StatusReason"));
}

#[test]
fn a_resource_that_is_there_is_taken_in() {
    let template = r#"{"Resources": {"Store": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain",
        "Properties": {"BucketName": "old-one"}}}}"#;
    let mut bench = Bench::new();
    bench.world.put_existing("123456789012", "AWS::S3::Bucket", "old-one");
    let import = [
        ("ResourcesToImport.member.1.ResourceType", "AWS::S3::Bucket"),
        ("ResourcesToImport.member.1.LogicalResourceId", "Store"),
        ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.key", "BucketName"),
        ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.value", "old-one"),
    ];
    let id = bench.change_set("old", "IMPORT", template, &import);
    assert_eq!(bench.changes(&id), ["Import Store"]);
    bench.execute(&id, &[]);
    bench.settle();
    assert_eq!(bench.status("old"), "IMPORT_COMPLETE", "{:?}", bench.events("old"));
}

#[test]
fn an_import_changes_nothing_else() {
    let import = [
        ("ResourcesToImport.member.1.ResourceType", "AWS::S3::Bucket"),
        ("ResourcesToImport.member.1.LogicalResourceId", "Store"),
        ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.key", "BucketName"),
        ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.value", "old-one"),
    ];
    let template = |more: &str, outputs: &str| {
        format!(
            r#"{{"Resources": {{"Topic": {{"Type": "AWS::SNS::Topic"}}, "Store": {{"Type": "AWS::S3::Bucket" {more}}}}}
                {outputs}}}"#
        )
    };
    let mut bench = Bench::new();
    bench.deploy("app", r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#);
    let kept = r#", "DeletionPolicy": "Retain""#;
    let outputs = r#", "Outputs": {"A": {"Value": "b"}}"#;
    for (template, wanted) in [
        (template(kept, outputs), "you cannot modify or add [Outputs]"),
        (template("", ""), "[Store] must have DeletionPolicy"),
    ] {
        bench.wait(1);
        let id = bench.change_set("app", "IMPORT", &template, &import);
        let reason = bench.call("DescribeChangeSet", &[("ChangeSetName", &id)]).unwrap().text("StatusReason");
        assert!(reason.contains(wanted), "{reason}");
    }
    bench.wait(1);
    let id = bench.change_set("app", "IMPORT", &template(kept, ""), &import);
    assert_eq!(bench.changes(&id), ["Import Store"]);
}

/// Fault 25: existing resources are taken in by their names, when they are kept on deletion.
#[test]
fn existing_resources_are_imported_only_with_a_policy() {
    let template =
        r#"{"Resources": {"Store": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "old-one"}}}}"#;
    let mut bench = Bench::new();
    bench.world.put_existing("123456789012", "AWS::S3::Bucket", "old-one");
    let existing = [("ImportExistingResources", "true")];
    let id = bench.change_set("old", "CREATE", template, &existing);
    let reason = bench.call("DescribeChangeSet", &[("ChangeSetName", &id)]).unwrap().text("StatusReason");
    assert!(
        reason.contains("because they already exist in your account") && reason.contains("Store"),
        "{reason}"
    );
    let kept = template.replace(r#""Properties""#, r#""DeletionPolicy": "Retain", "Properties""#);
    bench.wait(1);
    let id = bench.change_set("old", "CREATE", &kept, &existing);
    assert_eq!(bench.changes(&id), ["Import Store"]);
    bench.execute(&id, &[]);
    bench.settle();
    assert_eq!(bench.status("old"), "CREATE_COMPLETE");
}

/// Fault 56: drift is detected, told by property and taken back.
#[test]
fn drift_is_detected_and_taken_back() {
    let template = r#"{"Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}},
        "Own": {"Type": "Custom::Own", "Properties": {"ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:f"}}}}"#;
    let mut bench = Bench::new();
    bench.deploy("app", template);
    bench.world.faults.drifts.push(Drift {
        stack: "app".to_owned(),
        logical_id: "Queue".to_owned(),
        change: DriftChange::Property { path: "/VisibilityTimeout".to_owned(), actual: Some(json!(90)) },
    });
    let detection =
        bench.call("DetectStackDrift", &[("StackName", "app")]).unwrap().text("StackDriftDetectionId");
    let ask = [("StackDriftDetectionId", detection.as_str())];
    let status = bench.call("DescribeStackDriftDetectionStatus", &ask).unwrap();
    assert_eq!(status.text("DetectionStatus"), "DETECTION_IN_PROGRESS");
    bench.wait(5);
    let status = bench.call("DescribeStackDriftDetectionStatus", &ask).unwrap();
    assert_eq!(status.text("StackDriftStatus"), "DRIFTED");
    let stack = bench.call("DescribeStacks", &[("StackName", "app")]).unwrap();
    assert_eq!(stack.text("StackDriftStatus"), "DRIFTED");
    let drifts = bench.call("DescribeStackResourceDrifts", &[("StackName", "app")]).unwrap();
    let drifts = drifts.members("StackResourceDrifts");
    assert_eq!(drifts.len(), 1, "what cannot be compared is not in the list");
    assert_eq!(
        (drifts[0].text("ExpectedValue"), drifts[0].text("ActualValue"), drifts[0].text("DifferenceType")),
        ("30".to_owned(), "90".to_owned(), "NOT_EQUAL".to_owned())
    );
    let revert = [("DeploymentMode", "REVERT_DRIFT")];
    let met = bench.change_set("app", "UPDATE", &template.replace("30", "90"), &revert);
    assert_eq!(bench.changes(&met), ["SyncWithActual Queue False"], "the new template says what there is");
    bench.wait(1);
    let id = bench.change_set("app", "UPDATE", template, &revert);
    assert_eq!(bench.changes(&id), ["Modify Queue False"]);
    bench.execute(&id, &[]);
    bench.settle();
    assert_eq!(bench.status("app"), "UPDATE_COMPLETE");
    assert!(bench.world.faults.drifts.is_empty());
}
