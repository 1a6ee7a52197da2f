//! What keeps resources and stacks from being changed, and what is kept when they go.

use super::Bench;
use super::failures::{APP, changed};
use crate::cloudformation::faults::Moment;

/// Fault 54: a stack policy forbids the update of a resource.
#[test]
fn a_stack_policy_denies_an_update() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    let policy = r#"{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "LogicalResourceId/Queue"},
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}"#;
    bench.call("SetStackPolicy", &[("StackName", "app"), ("StackPolicyBody", policy)]).unwrap();
    assert_eq!(bench.deploy("app", &changed()), "UPDATE_ROLLBACK_COMPLETE");
    assert!(
        bench
            .events("app")
            .iter()
            .any(|it| it.starts_with("Queue UPDATE_FAILED: Action denied by stack policy"))
    );
}

/// Fault 43: a protected stack is not deleted; the protection is changed without a change set.
#[test]
fn a_protected_stack_is_not_deleted() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    let protect = |on| [("StackName", "app"), ("EnableTerminationProtection", on)];
    bench.call("UpdateTerminationProtection", &protect("true")).unwrap();
    assert_eq!(
        bench.refused("DeleteStack", &[("StackName", "app")]),
        "ValidationError: Stack [app] cannot be deleted while TerminationProtection is enabled"
    );
    bench.call("UpdateTerminationProtection", &protect("false")).unwrap();
    bench.call("DeleteStack", &[("StackName", "app")]).unwrap();
}

#[test]
fn what_the_template_retains_stays_when_the_stack_goes() {
    let mut bench = Bench::new();
    let kept = APP.replace(
        r#""Store": {"Type": "AWS::S3::Bucket"}"#,
        r#""Store": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "kept"}}"#,
    );
    bench.deploy("app", &kept);
    let id = bench.call("DescribeStacks", &[("StackName", "app")]).unwrap().text("StackId");
    bench.call("DeleteStack", &[("StackName", "app")]).unwrap();
    bench.settle();
    assert!(bench.statuses(&id).contains(&"Store DELETE_SKIPPED".to_owned()));
    // The name is still taken.
    assert_eq!(bench.deploy("app", &kept), "ROLLBACK_COMPLETE");
    assert!(bench.events("app").iter().any(|it| it.contains("HandlerErrorCode: AlreadyExists")));
}

#[test]
fn a_replacement_that_fails_keeps_the_old_resource() {
    let mut bench = Bench::new();
    bench.deploy("app", APP);
    let physical = |bench: &mut Bench| {
        let parameters = [("StackName", "app"), ("LogicalResourceId", "Queue")];
        bench.call("DescribeStackResource", &parameters).unwrap().text("PhysicalResourceId")
    };
    let before = physical(&mut bench);
    bench.fails("Queue", Moment::Create, "no");
    let replaced = APP.replace("\"VisibilityTimeout\"", "\"FifoQueue\": true, \"VisibilityTimeout\"");
    assert_eq!(bench.deploy("app", &replaced), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(physical(&mut bench), before);
    bench.world.faults.resources.clear();
    assert_eq!(bench.deploy("app", &replaced), "UPDATE_COMPLETE");
    assert_ne!(physical(&mut bench), before);
}
