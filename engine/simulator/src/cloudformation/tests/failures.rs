//! What happens when resources fail, hang or cannot be deleted.

use std::time::Duration;

use super::Bench;
use crate::cloudformation::faults::{Moment, Outcome, ResourceFault};

/// A bucket and a topic that need nothing, and a queue that needs the topic.
pub(super) const APP: &str = r#"{
  "Parameters": {"Size": {"Type": "String", "Default": "30"}},
  "Resources": {
    "Store": {"Type": "AWS::S3::Bucket"},
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "first"}},
    "Queue": {"Type": "AWS::SQS::Queue", "DependsOn": "Topic", "Properties": {"VisibilityTimeout": {"Ref": "Size"}}}
  }
}"#;

impl Bench {
    pub(super) fn goes_wrong(&mut self, id: &str, moment: Moment, outcome: Outcome) {
        self.world.faults.resources.push(ResourceFault {
            logical_id: id.to_owned(),
            stack: None,
            moment: Some(moment),
            attempt: None,
            outcome,
        });
    }

    pub(super) fn fails(&mut self, id: &str, moment: Moment, reason: &str) {
        self.goes_wrong(id, moment, Outcome::Fail { reason: reason.to_owned(), after: None });
    }

    pub(super) fn statuses(&mut self, stack: &str) -> Vec<String> {
        let answer = self.call("ListStackResources", &[("StackName", stack)]).unwrap();
        let told =
            |it: &super::Answer| format!("{} {}", it.text("LogicalResourceId"), it.text("ResourceStatus"));
        answer.members("StackResourceSummaries").iter().map(told).collect()
    }
}

pub(super) fn changed() -> String {
    APP.replace("\"first\"", "\"second\"").replace("\"30\"", "\"60\"")
}

/// Fault 36: a resource that cannot be made stops its siblings, and everything is taken back.
#[test]
fn a_failed_creation_cancels_siblings_and_rolls_back() {
    let mut bench = Bench::new();
    bench.fails("Topic", Moment::Create, "Limit exceeded");
    assert_eq!(bench.deploy_with("app", APP, &[], &[("ClientRequestToken", "t1")]), "ROLLBACK_COMPLETE");
    assert_eq!(
        bench.events("app")[1..],
        [
            "app CREATE_IN_PROGRESS: User Initiated",
            "Store CREATE_IN_PROGRESS",
            "Topic CREATE_IN_PROGRESS",
            "Store CREATE_IN_PROGRESS: Resource creation Initiated",
            "Topic CREATE_IN_PROGRESS: Resource creation Initiated",
            "Topic CREATE_FAILED: Limit exceeded",
            "Store CREATE_FAILED: Resource creation cancelled",
            "app ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Topic, Store]. Rollback requested by user.",
            "Store DELETE_IN_PROGRESS",
            "Topic DELETE_IN_PROGRESS",
            "Store DELETE_COMPLETE",
            "Topic DELETE_COMPLETE",
            "app ROLLBACK_COMPLETE",
        ]
    );
    let events = bench.call("DescribeStackEvents", &[("StackName", "app")]).unwrap().members("StackEvents");
    let mut operations: Vec<String> = events.iter().map(|it| it.text("OperationId")).collect();
    operations.dedup();
    // The rollback, the creation, and the review that belongs to no operation.
    assert_eq!(operations.len(), 3);
    assert!(events[..12].iter().all(|it| it.text("ClientRequestToken") == "t1"));
}

/// Fault 37: a stack whose creation was rolled back takes no update; it has to be deleted first.
#[test]
fn a_rolled_back_creation_takes_no_update() {
    let mut bench = Bench::new();
    bench.fails("Topic", Moment::Create, "no");
    bench.deploy("app", APP);
    let refused = bench.refused(
        "CreateChangeSet",
        &[("StackName", "app"), ("ChangeSetName", "again"), ("TemplateBody", APP)],
    );
    assert!(refused.ends_with("is in ROLLBACK_COMPLETE state and can not be updated."), "{refused}");
    bench.call("DeleteStack", &[("StackName", "app")]).unwrap();
    bench.settle();
    bench.world.faults.resources.clear();
    assert_eq!(bench.deploy("app", APP), "CREATE_COMPLETE");
}

/// Fault 38: what cannot be deleted leaves the rollback failed, then the deletion, until somebody gives it up.
#[test]
fn a_resource_that_cannot_be_deleted_is_retained_or_forced() {
    let mut bench = Bench::new();
    bench.fails("Queue", Moment::Create, "no");
    bench.fails("Topic", Moment::Delete, "still in use");
    assert_eq!(bench.deploy("app", APP), "ROLLBACK_FAILED");
    assert_eq!(bench.reason("app"), "The following resource(s) failed to delete: [Topic]. ");
    bench.call("DeleteStack", &[("StackName", "app")]).unwrap();
    bench.settle();
    assert_eq!(bench.status("app"), "DELETE_FAILED");
    let id = bench.call("DescribeStacks", &[("StackName", "app")]).unwrap().text("StackId");
    bench.call("DeleteStack", &[("StackName", &id), ("RetainResources.member.1", "Topic")]).unwrap();
    bench.settle();
    assert_eq!(bench.status(&id), "DELETE_COMPLETE");
    assert!(bench.statuses(&id).contains(&"Topic DELETE_SKIPPED".to_owned()));

    let mut bench = Bench::new();
    bench.fails("Topic", Moment::Delete, "still in use");
    bench.deploy("app", APP);
    let refused =
        bench.refused("DeleteStack", &[("StackName", "app"), ("RetainResources.member.1", "Topic")]);
    assert!(refused.contains("only when the stack is in the DELETE_FAILED state"), "{refused}");
    bench.call("DeleteStack", &[("StackName", "app")]).unwrap();
    bench.settle();
    bench.call("DeleteStack", &[("StackName", "app"), ("DeletionMode", "FORCE_DELETE_STACK")]).unwrap();
    bench.settle();
    assert_eq!(bench.status("app"), "ValidationError: Stack with id app does not exist");
}

/// Fault 36, of an update: what was changed is changed back.
#[test]
fn a_failed_update_is_taken_back() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    bench.fails("Queue", Moment::Update, "Throttled");
    let seen = bench.events("app").len();
    assert_eq!(bench.deploy("app", &changed()), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(
        bench.events("app")[seen..],
        [
            "app UPDATE_IN_PROGRESS: User Initiated",
            "Topic UPDATE_IN_PROGRESS",
            "Topic UPDATE_COMPLETE",
            "Queue UPDATE_IN_PROGRESS",
            "Queue UPDATE_FAILED: Throttled",
            "app UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [Queue]. ",
            "Topic UPDATE_IN_PROGRESS",
            "Topic UPDATE_COMPLETE",
            "Queue UPDATE_IN_PROGRESS",
            "Queue UPDATE_COMPLETE",
            "app UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            "app UPDATE_ROLLBACK_COMPLETE",
        ]
    );
    let template = bench.call("GetTemplate", &[("StackName", "app")]).unwrap().text("TemplateBody");
    assert_eq!(template, APP);
    bench.world.faults.resources.clear();
    assert_eq!(bench.deploy("app", &changed()), "UPDATE_COMPLETE");
}

/// Fault 39: a rollback that fails goes on when it is told to, with or without the resource that does not go back.
#[test]
fn a_failed_rollback_goes_on_and_skips() {
    for force in [false, true] {
        let mut bench = Bench::new();
        bench.deploy("app", APP);
        bench.fails("Queue", Moment::Update, "no");
        bench.fails("Topic", Moment::Rollback, "gone for good");
        assert_eq!(bench.deploy("app", &changed()), "UPDATE_ROLLBACK_FAILED");
        assert_eq!(bench.reason("app"), "The following resource(s) failed to update: [Topic]. ");
        let refused = bench.refused(
            "ContinueUpdateRollback",
            &[("StackName", "app"), ("ResourcesToSkip.member.1", "Store")],
        );
        assert!(refused.contains("not in the UPDATE_FAILED state"), "{refused}");
        let how: &[(&str, &str)] = if force {
            &[("StackName", "app"), ("ForceRollback", "true")]
        } else {
            &[("StackName", "app"), ("ResourcesToSkip.member.1", "Topic")]
        };
        bench.call("ContinueUpdateRollback", how).unwrap();
        bench.settle();
        assert_eq!(bench.status("app"), "UPDATE_ROLLBACK_COMPLETE", "{:?}", bench.events("app"));
        bench.world.faults.resources.clear();
        assert_eq!(bench.deploy("app", &changed()), "UPDATE_COMPLETE");
    }
}

/// Fault 40: without rollback a failure leaves things as they are, until somebody updates or rolls back.
#[test]
fn a_failure_is_left_as_it_is_when_rollback_is_disabled() {
    let mut bench = Bench::new();
    bench.fails("Topic", Moment::Create, "no");
    let disabled = &[("DisableRollback", "true")];
    assert_eq!(bench.deploy_with("app", APP, &[], disabled), "CREATE_FAILED");
    // What does not depend on it went on.
    assert_eq!(bench.statuses("app"), ["Store CREATE_COMPLETE", "Topic CREATE_FAILED"]);
    bench.world.faults.resources.clear();
    assert_eq!(bench.deploy_with("app", APP, &[], disabled), "UPDATE_COMPLETE");
    assert_eq!(
        bench.statuses("app"),
        ["Queue CREATE_COMPLETE", "Store CREATE_COMPLETE", "Topic CREATE_COMPLETE"]
    );

    bench.fails("Queue", Moment::Update, "no");
    assert_eq!(bench.deploy_with("app", &changed(), &[], disabled), "UPDATE_FAILED");
    bench.call("RollbackStack", &[("StackName", "app")]).unwrap();
    bench.settle();
    assert_eq!(bench.status("app"), "UPDATE_ROLLBACK_COMPLETE");
    let refused = bench.refused("RollbackStack", &[("StackName", "app")]);
    assert!(refused.contains("can not be rolled back"), "{refused}");

    let replaced = APP.replace("\"VisibilityTimeout\"", "\"FifoQueue\": true, \"VisibilityTimeout\"");
    bench.world.faults.resources.clear();
    assert_eq!(bench.deploy_with("app", &replaced, &[], disabled), "UPDATE_FAILED");
    assert!(bench.events("app").iter().any(|it| it.contains("Replacement type updates not supported")));
}

#[test]
fn a_creation_without_rollback_can_be_rolled_back_later() {
    let mut bench = Bench::new();
    bench.fails("Queue", Moment::Create, "no");
    bench.deploy_with("app", APP, &[], &[("DisableRollback", "true")]);
    assert_eq!(bench.status("app"), "CREATE_FAILED");
    bench.call("RollbackStack", &[("StackName", "app")]).unwrap();
    bench.settle();
    assert_eq!(bench.status("app"), "ROLLBACK_COMPLETE");
}

#[test]
fn a_failed_creation_is_deleted_when_the_change_set_says_so() {
    let mut bench = Bench::new();
    bench.fails("Queue", Moment::Create, "no");
    bench.deploy_with("app", APP, &[("OnStackFailure", "DELETE")], &[]);
    assert_eq!(bench.status("app"), "ValidationError: Stack with id app does not exist");
}

/// Fault 41: an update whose clean-up leaves something behind is a success.
#[test]
fn a_clean_up_that_fails_leaves_the_update_complete() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    bench.fails("Store", Moment::Delete, "The bucket you tried to delete is not empty");
    let without = APP.replace(r#""Store": {"Type": "AWS::S3::Bucket"},"#, "");
    assert_eq!(bench.deploy("app", &without), "UPDATE_COMPLETE");
    assert_eq!(bench.reason("app"), "Update successful. One or more resources could not be deleted.");
    assert!(bench.events("app").iter().any(|it| it.starts_with("Store DELETE_FAILED")));
}

/// Fault 42: the clean-up takes hours, while the outputs are final already.
#[test]
fn a_clean_up_may_take_hours() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    bench.goes_wrong("Store", Moment::Delete, Outcome::Takes(Duration::from_secs(7_200)));
    let without = APP.replace(r#""Store": {"Type": "AWS::S3::Bucket"},"#, "");
    let change_set = bench.change_set("app", "UPDATE", &without, &[]);
    bench.execute(&change_set, &[]);
    bench.wait(3_600);
    assert_eq!(bench.status("app"), "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
    bench.wait(4_000);
    assert_eq!(bench.status("app"), "UPDATE_COMPLETE");
}

/// Fault 48: what never answers ends by its own time limit, where it has one.
#[test]
fn a_silent_custom_resource_fails_after_its_timeout() {
    let template = r#"{"Resources": {"Own": {"Type": "Custom::Own", "Properties": {
        "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:f", "ServiceTimeout": "600"}}}}"#;
    let mut bench = Bench::new();
    bench.goes_wrong("Own", Moment::Create, Outcome::Never);
    let change_set = bench.change_set("own", "CREATE", template, &[]);
    bench.execute(&change_set, &[]);
    bench.wait(590);
    assert_eq!(bench.status("own"), "CREATE_IN_PROGRESS");
    bench.wait(120);
    assert_eq!(bench.status("own"), "ROLLBACK_COMPLETE");
    assert!(bench.events("own").iter().any(|it| it.contains("did not receive a response")));
}

/// Faults 48 and 49: an update that hangs is cancelled; anything else cannot be.
#[test]
fn a_hanging_update_is_cancelled() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    bench.goes_wrong("Queue", Moment::Update, Outcome::Never);
    let refused = bench.refused("CancelUpdateStack", &[("StackName", "app")]);
    assert_eq!(refused, "ValidationError: CancelUpdateStack cannot be called from current stack status");
    let change_set = bench.change_set("app", "UPDATE", &changed(), &[]);
    bench.execute(&change_set, &[]);
    bench.wait(86_400);
    assert_eq!(bench.status("app"), "UPDATE_IN_PROGRESS");
    bench.call("CancelUpdateStack", &[("StackName", "app")]).unwrap();
    bench.settle();
    assert_eq!(bench.status("app"), "UPDATE_ROLLBACK_COMPLETE");
    let events = bench.events("app");
    assert!(events.contains(&"Queue UPDATE_FAILED: Resource update cancelled".to_owned()), "{events:?}");
    assert!(events.contains(&"app UPDATE_ROLLBACK_IN_PROGRESS: User Initiated".to_owned()), "{events:?}");
}

/// Fault 53: in express mode a failure is left as it is and is not rolled back later.
#[test]
fn an_express_failure_is_not_rolled_back() {
    let mut bench = Bench::new();
    bench.fails("Queue", Moment::Create, "no");
    let express = &[("DeploymentConfig.Mode", "EXPRESS")];
    assert_eq!(bench.deploy_with("app", APP, express, &[]), "CREATE_FAILED");
    let refused = bench.refused("RollbackStack", &[("StackName", "app")]);
    assert!(refused.contains("EXPRESS"), "{refused}");
    let events = bench.call("DescribeStackEvents", &[("StackName", "app")]).unwrap();
    assert_eq!(events.text("DetailedStatus"), "CONFIGURATION_COMPLETE");
}

#[test]
fn an_alarm_that_goes_off_rolls_back() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    let alarm = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors";
    let watched = [
        ("RollbackConfiguration.RollbackTriggers.member.1.Arn", alarm),
        ("RollbackConfiguration.RollbackTriggers.member.1.Type", "AWS::CloudWatch::Alarm"),
        ("RollbackConfiguration.MonitoringTimeInMinutes", "30"),
    ];
    bench.world.faults.alarms.push(alarm.to_owned());
    let begun = bench.now;
    assert_eq!(bench.deploy_with("app", &changed(), &watched, &[]), "UPDATE_ROLLBACK_COMPLETE");
    assert!(super::elapsed(begun, bench.now) > Duration::from_secs(1_800));
    bench.world.faults.alarms.clear();
    assert_eq!(bench.deploy_with("app", &changed(), &watched, &[]), "UPDATE_COMPLETE");
}
