//! Ends: successes, failures and everything in between.

use super::world::*;
use crate::aws::cloudformation::{StackEvent, StackStatus};
use crate::event::What;
use crate::follow::operation::OperationKind;
use crate::follow::{Failure, FailureClass};
use crate::plan::model::BaseState;

#[tokio::test(start_paused = true)]
async fn a_creation_ends_with_outputs_soon_after_its_end() {
    let world = World::new();
    world.creation("net", 3, 20.0, "CREATE_COMPLETE");
    let started = tokio::time::Instant::now();
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success && finished.failure.is_none() && finished.detached.is_none(), "{finished:?}");
    assert_eq!(finished.status, StackStatus::CreateComplete);
    assert_eq!(finished.stack.unwrap().outputs.len(), 1);
    assert!(started.elapsed() <= seconds(23.0), "{:?}", started.elapsed());
    assert_eq!(world.resources("net").len(), 6);
    assert!(world.calls().len() <= 30, "{} reads", world.calls().len());
}

async fn failed(reason: &str) -> Failure {
    let world = World::new();
    world.creation("net", 1, 30.0, "ROLLBACK_COMPLETE");
    let cancelled = Some("Resource creation cancelled");
    // The cancelled one comes first in the list of the service.
    world.event("net", event("net", 10.0, "Bucket", "CREATE_FAILED", Some(reason)));
    world.event("net", event("net", 10.2, "Queue", "CREATE_FAILED", cancelled));
    world.event("net", event("net", 12.0, "Late", "DELETE_FAILED", Some("it does not want to go")));
    world.event(
        "net",
        StackEvent { reason: Some("Because.".to_owned()), ..of_stack("net", 10.5, "ROLLBACK_IN_PROGRESS") },
    );
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(!finished.success);
    assert_eq!(finished.status, StackStatus::RollbackComplete);
    let rolled = What::Warning { message: "it is being rolled back: Because.".to_owned(), hint: None };
    assert!(world.told().contains(&rolled));
    finished.failure.unwrap()
}

/// Fault 36: a resource cannot be made: the first failure that is no cancellation is the cause.
#[tokio::test(start_paused = true)]
async fn the_first_real_failure_is_the_cause() {
    let failure = failed("net-bucket already exists").await;
    assert_eq!((failure.path.join("/").as_str(), failure.class), ("Bucket", FailureClass::NameConflict));
    assert_eq!(failure.others, ["Late (AWS::SNS::Topic): it does not want to go"]);
    assert_eq!(failure.stack, "net");
    assert!(failure.advice.last().unwrap().contains("formwork deploy net"));
}

/// Fault 36: an encoded authorization message is decoded, and its conditions stay out.
#[tokio::test(start_paused = true)]
async fn an_encoded_message_is_decoded_where_that_is_allowed() {
    let failure = failed(
        "You are not authorized to perform this operation. Encoded authorization failure message: may-be-decoded-0123456789 (Service: Ec2, Status Code: 403)",
    )
    .await;
    assert_eq!(failure.class, FailureClass::Permission);
    assert!(
        failure.reason.contains("is not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2")
    );
    assert!(!failure.reason.contains("hidden") && !failure.reason.contains("may-be-decoded"));
    assert!(failure.advice.iter().any(|line| line.contains(r#""Action": "ec2:RunInstances""#)));

    let failure = self::failed("Encoded authorization failure message: not-to-be-decoded-0123456789").await;
    assert_eq!(failure.class, FailureClass::Permission);
}

/// Fault 36: the cause lies in a nested stack, whose own events are read.
#[tokio::test(start_paused = true)]
async fn the_cause_in_a_nested_stack_is_found_by_its_path() {
    let world = World::new();
    world.creation("outer", 1, 40.0, "ROLLBACK_COMPLETE");
    let nested = |at: f64, status: &str, id: &str, reason: Option<&str>| StackEvent {
        resource_type: "AWS::CloudFormation::Stack".to_owned(),
        physical_id: Some(id.to_owned()),
        ..event("outer", at, "Inner", status, reason)
    };
    world.event("outer", nested(1.0, "CREATE_IN_PROGRESS", "", None));
    world.event(
        "outer",
        nested(2.0, "CREATE_IN_PROGRESS", &arn("inner"), Some("Resource creation Initiated")),
    );
    world.event("inner", of_stack("inner", 2.0, "CREATE_IN_PROGRESS"));
    // A nested stack's events may carry another token.
    let topic = event("inner", 4.0, "Topic", "CREATE_IN_PROGRESS", None);
    world.event("inner", StackEvent { token: None, ..topic });
    world.event("inner", event("inner", 9.0, "Topic", "CREATE_FAILED", Some("Topic limit exceeded")));
    world.event("inner", of_stack("inner", 9.5, "ROLLBACK_IN_PROGRESS"));
    world.event("inner", of_stack("inner", 12.0, "ROLLBACK_COMPLETE"));
    let words = "Embedded stack arn was not successfully created: The following resource(s) failed to create: [Topic].";
    world.event("outer", nested(12.5, "CREATE_FAILED", &arn("inner"), Some(words)));
    world.event(
        "outer",
        StackEvent { reason: Some(words.to_owned()), ..of_stack("outer", 13.0, "ROLLBACK_IN_PROGRESS") },
    );
    world.event("outer", nested(20.0, "DELETE_IN_PROGRESS", &arn("inner"), None));
    world.event("inner", of_stack("inner", 20.0, "DELETE_IN_PROGRESS"));
    world.event("inner", event("inner", 21.0, "Topic", "DELETE_COMPLETE", None));
    world.event("outer", nested(22.0, "DELETE_COMPLETE", &arn("inner"), None));
    let finished = world.watcher().operation(world.operation("outer", OperationKind::Create)).await;
    let failure = finished.failure.unwrap();
    assert_eq!(failure.path, ["Inner", "Topic"]);
    assert_eq!(failure.class, FailureClass::Quota);
    assert_eq!(failure.others, Vec::<String>::new());
    let told = world.resources("outer");
    for wanted in
        ["Inner/Topic CREATE_IN_PROGRESS", "Inner/Topic CREATE_FAILED", "Inner/Topic DELETE_COMPLETE"]
    {
        assert_eq!(told.iter().filter(|line| *line == wanted).count(), 1, "{told:?}");
    }
}

/// Without a resource that failed, the stack's own event says why.
#[tokio::test(start_paused = true)]
async fn an_export_in_use_is_the_stacks_own_failure() {
    let world = World::new();
    world.status("net", 0.0, "UPDATE_IN_PROGRESS");
    world.event("net", of_stack("net", 0.1, "UPDATE_IN_PROGRESS"));
    let words = "Export net:Vpc cannot be deleted as it is in use by app";
    world.event(
        "net",
        StackEvent { reason: Some(words.to_owned()), ..of_stack("net", 5.0, "UPDATE_ROLLBACK_IN_PROGRESS") },
    );
    world.event("net", of_stack("net", 8.0, "UPDATE_ROLLBACK_COMPLETE"));
    world.status("net", 8.0, "UPDATE_ROLLBACK_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    let failure = finished.failure.unwrap();
    assert_eq!((failure.class, failure.reason.as_str()), (FailureClass::ExportInUse, words));
    assert!(failure.path.is_empty());
}

/// Fault 41: an update succeeded and could not remove what it replaced.
#[tokio::test(start_paused = true)]
async fn what_a_cleanup_leaves_behind_is_a_warning_of_a_success() {
    let world = World::new();
    world.status("net", 0.0, "UPDATE_IN_PROGRESS");
    world.event("net", of_stack("net", 0.1, "UPDATE_IN_PROGRESS"));
    world.event("net", event("net", 7.0, "Old", "DELETE_FAILED", Some("not empty")));
    world.event("net", of_stack("net", 8.0, "UPDATE_COMPLETE"));
    world.status("net", 8.0, "UPDATE_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    assert!(finished.success && finished.failure.is_none());
    assert_eq!(
        finished.warnings,
        ["Old (AWS::SNS::Topic) could not be deleted and is left behind: Old-physical (not empty)"]
    );
}

/// Fault 42: old resources are removed for hours: the update is over, its cleanup is told apart.
#[tokio::test(start_paused = true)]
async fn an_update_is_over_before_its_cleanup() {
    let world = World::new();
    world.status("net", 0.0, "UPDATE_IN_PROGRESS");
    world.event("net", of_stack("net", 0.1, "UPDATE_IN_PROGRESS"));
    world.event("net", of_stack("net", 10.0, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"));
    world.status("net", 10.0, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
    world.event("net", event("net", 7000.0, "Old", "DELETE_FAILED", Some("not empty")));
    world.event("net", of_stack("net", 7200.0, "UPDATE_COMPLETE"));
    world.status("net", 7200.0, "UPDATE_COMPLETE");
    let started = tokio::time::Instant::now();
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    assert!(finished.success, "{finished:?}");
    assert!(started.elapsed() < seconds(20.0));
    assert_eq!(finished.status, StackStatus::UpdateCompleteCleanupInProgress);
    assert!(finished.stack.is_some() && finished.warnings.is_empty());
    let cleaned = finished.cleanup.unwrap().finished().await;
    assert!(started.elapsed() > seconds(7200.0));
    assert_eq!((cleaned.status, cleaned.warnings.len()), (StackStatus::UpdateComplete, 1));
    assert!(cleaned.success && cleaned.cleanup.is_none());
}

/// Fault 46: somebody else's update comes right after ours: its events and its failure are not ours.
#[tokio::test(start_paused = true)]
async fn another_actors_operation_is_not_ours() {
    let world = World::new();
    let foreign = |event: StackEvent| StackEvent {
        token: Some("Console-1".to_owned()),
        id: format!("f{}", event.id),
        ..event
    };
    world.event("net", foreign(of_stack("net", -50.0, "UPDATE_IN_PROGRESS")));
    world.event("net", foreign(event("net", -40.0, "Topic", "UPDATE_FAILED", Some("not ours"))));
    world.event("net", foreign(of_stack("net", -30.0, "UPDATE_ROLLBACK_COMPLETE")));
    world.status("net", 0.3, "UPDATE_IN_PROGRESS");
    world.event("net", of_stack("net", 0.3, "UPDATE_IN_PROGRESS"));
    world.event("net", event("net", 1.0, "Topic", "UPDATE_COMPLETE", None));
    world.event("net", of_stack("net", 5.0, "UPDATE_COMPLETE"));
    world.event("net", foreign(of_stack("net", 5.1, "UPDATE_IN_PROGRESS")));
    world.event("net", foreign(event("net", 6.0, "Topic", "UPDATE_FAILED", Some("not ours"))));
    world.event("net", foreign(of_stack("net", 9.0, "UPDATE_ROLLBACK_COMPLETE")));
    world.status("net", 9.0, "UPDATE_ROLLBACK_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    assert_eq!(world.resources("net"), ["Topic UPDATE_COMPLETE"]);
    assert!(finished.success, "{finished:?}");
    assert_eq!(finished.status, StackStatus::UpdateComplete);
}

/// Fault 47: the stack was deleted and made again under its name: its ARN tells.
#[tokio::test(start_paused = true)]
async fn a_stack_that_was_deleted_under_our_eyes_is_noticed() {
    let world = World::new();
    world.status("net", 0.0, "UPDATE_IN_PROGRESS");
    world.status("net", 5.0, "DELETE_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    assert!(!finished.success);
    assert_eq!(finished.status, StackStatus::DeleteComplete);
    let failure = finished.failure.unwrap();
    assert!(failure.reason.contains("was deleted while it was watched"), "{}", failure.reason);
    assert!(world.calls().iter().all(|(_, call)| match call {
        Call::Stacks => true,
        Call::Stack(id) | Call::Events(id, _) => *id == arn("net"),
        Call::List => true,
    }));
}

/// Fault 48: a custom resource is silent for an hour: the limit ends the watching, not the operation.
#[tokio::test(start_paused = true)]
async fn a_limit_ends_the_watching() {
    let world = World::new();
    world.status("net", 0.0, "CREATE_IN_PROGRESS");
    world.event("net", of_stack("net", 0.0, "CREATE_IN_PROGRESS"));
    let mut operation = world.operation("net", OperationKind::Create);
    operation.limit = Some(seconds(3600.0));
    let started = tokio::time::Instant::now();
    let finished = world.watcher().operation(operation).await;
    assert!(finished.expired && !finished.success && finished.failure.is_none(), "{finished:?}");
    assert_eq!(finished.status, StackStatus::CreateInProgress);
    assert!(started.elapsed() >= seconds(3599.0) && started.elapsed() < seconds(3603.0));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_followed_by_arn_to_its_end() {
    let world = World::new();
    world.status("net", 0.0, "DELETE_IN_PROGRESS");
    world.event("net", of_stack("net", 0.0, "DELETE_IN_PROGRESS"));
    world.event("net", of_stack("net", 4.0, "DELETE_COMPLETE"));
    world.status("net", 4.0, "DELETE_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Delete)).await;
    assert!(finished.success, "{finished:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_asked_to_stop_leaves_at_once() {
    let world = World::new();
    world.status("net", 0.0, "CREATE_IN_PROGRESS");
    let runtime = world.runtime();
    let watcher = crate::follow::Watcher::reading(std::sync::Arc::new(world.clone()), &runtime);
    let control = runtime.control.clone();
    let stop = async {
        tokio::time::sleep(seconds(10.0)).await;
        control.raise(crate::Wish::Detach);
    };
    let started = tokio::time::Instant::now();
    let (finished, ()) = tokio::join!(watcher.operation(world.operation("net", OperationKind::Create)), stop);
    assert_eq!(finished.detached.as_deref(), Some("the run was asked to stop"));
    assert_eq!(finished.status, StackStatus::CreateInProgress);
    assert!(started.elapsed() < seconds(11.0));
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_somebody_else_is_followed_without_its_token() {
    let world = World::new();
    world.event("net", of_stack("net", -90.0, "CREATE_IN_PROGRESS"));
    world.event("net", event("net", -80.0, "Topic", "CREATE_COMPLETE", None));
    world.event("net", of_stack("net", -70.0, "CREATE_COMPLETE"));
    for (at, status) in [(0.0, "UPDATE_IN_PROGRESS"), (9.0, "UPDATE_ROLLBACK_COMPLETE")] {
        world.status("net", at, status);
        world.event("net", StackEvent { token: None, ..of_stack("net", at, status) });
    }
    let topic = event("net", 3.0, "Topic", "UPDATE_FAILED", Some("Model validation failed"));
    world.event("net", StackEvent { token: None, ..topic });
    let mut operation = world.operation("net", OperationKind::Unknown);
    operation.token = None;
    operation.base = None::<BaseState>;
    let finished = world.watcher().operation(operation).await;
    assert_eq!(world.resources("net"), ["Topic UPDATE_FAILED"]);
    assert_eq!(finished.failure.unwrap().class, FailureClass::Validation);
}
