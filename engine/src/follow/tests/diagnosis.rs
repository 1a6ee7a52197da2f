//! Diagnosis after the fact.

use std::sync::Arc;

use super::world::*;
use crate::aws::cloudformation::{StackEvent, StackStatus};
use crate::follow::{FailureClass, diagnose};

#[tokio::test(start_paused = true)]
async fn the_latest_failed_operation_is_diagnosed_whoever_started_it() {
    let world = World::new();
    let anonymous = |event: StackEvent| StackEvent { token: None, ..event };
    for event in [
        of_stack("net", -90.0, "CREATE_IN_PROGRESS"),
        event("net", -89.0, "Topic", "CREATE_FAILED", Some("an older failure")),
        of_stack("net", -80.0, "ROLLBACK_COMPLETE"),
        of_stack("net", -70.0, "UPDATE_IN_PROGRESS"),
        event("net", -69.0, "Bucket", "UPDATE_FAILED", Some("net-data already exists")),
        event("net", -68.0, "Queue", "UPDATE_FAILED", Some("Resource update cancelled")),
        of_stack("net", -67.0, "UPDATE_ROLLBACK_IN_PROGRESS"),
        of_stack("net", -60.0, "UPDATE_ROLLBACK_COMPLETE"),
        of_stack("net", -50.0, "UPDATE_IN_PROGRESS"),
        of_stack("net", -40.0, "UPDATE_COMPLETE"),
    ] {
        world.event("net", anonymous(event));
    }
    world.status("net", 0.0, "UPDATE_COMPLETE");
    let found = diagnose::of(&world, &arn("net"), Arc::default()).await.unwrap();
    assert_eq!((found.began, found.ended), (Some(time(-70.0)), Some(StackStatus::UpdateRollbackComplete)));
    let failure = found.failure.unwrap();
    assert_eq!((failure.path.join("/"), failure.class), ("Bucket".to_owned(), FailureClass::NameConflict));
}

#[tokio::test(start_paused = true)]
async fn a_healthy_stack_has_no_diagnosis_and_a_missing_one_is_an_error() {
    let world = World::new();
    world.status("net", 0.0, "CREATE_COMPLETE");
    world.event("net", of_stack("net", -50.0, "CREATE_IN_PROGRESS"));
    world.event("net", of_stack("net", -40.0, "CREATE_COMPLETE"));
    let found = diagnose::of(&world, &arn("net"), Arc::default()).await.unwrap();
    assert!(found.failure.is_none() && found.began.is_none());
    let error = diagnose::of(&world, &arn("app"), Arc::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no stack"), "{error}");
}
