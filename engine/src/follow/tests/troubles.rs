//! Reads that fail, answers that are old, and what may not be read at all.

use std::time::Duration;

use futures_util::future::join_all;

use super::world::*;
use crate::aws::ErrorKind;
use crate::aws::cloudformation::{StackEvent, StackStatus};
use crate::event::What;
use crate::follow::operation::OperationKind;

fn throttled() -> ErrorKind {
    ErrorKind::Throttled { retry_after: None }
}

/// Fault 13: every read is throttled for ten minutes: slower reads, no failure, and the user is told.
#[tokio::test(start_paused = true)]
async fn throttled_reads_fail_nothing() {
    let world = World::new();
    world.creation("net", 3, 700.0, "CREATE_COMPLETE");
    world.fault(|now, _| (now > seconds(20.0) && now < seconds(620.0)).then(throttled));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success, "{finished:?}");
    let during = world.calls().iter().filter(|(at, _)| *at > seconds(60.0) && *at < seconds(620.0)).count();
    assert!(during <= 40, "{during} reads while throttled");
    let told: Vec<f64> = world
        .told()
        .iter()
        .filter_map(|what| match what {
            What::Throttled { next_seconds } => Some(*next_seconds),
            _ => None,
        })
        .collect();
    assert!(told.len() >= 3 && told.len() <= 12, "{told:?}");
    assert!(told.last().unwrap() > &10.0);
    assert_eq!(world.resources("net").len(), 6);
}

/// Fault 14: the last read of events is throttled for good: the deployment was successful all the same.
#[tokio::test(start_paused = true)]
async fn throttled_last_events_do_not_spoil_a_success() {
    let world = World::new();
    world.creation("net", 3, 20.0, "CREATE_COMPLETE");
    world.fault(|now, call| (now > seconds(19.0) && matches!(call, Call::Events(..))).then(throttled));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success && finished.failure.is_none(), "{finished:?}");
    let took = world.calls().last().unwrap().0;
    assert!(took < seconds(90.0), "{took:?}");
}

/// Fault 17: no network for five minutes: it goes on afterwards, and events of the time between are told.
#[tokio::test(start_paused = true)]
async fn a_lost_network_is_waited_for() {
    let world = World::new();
    world.creation("net", 3, 200.0, "CREATE_COMPLETE");
    world.fault(|now, _| (now > seconds(10.0) && now < seconds(310.0)).then_some(ErrorKind::Unreachable));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success, "{finished:?}");
    assert_eq!(world.resources("net").len(), 6);
    let unreachable =
        world.told().into_iter().filter(|what| matches!(what, What::Unreachable { .. })).count();
    assert!((2..=10).contains(&unreachable), "{unreachable}");
}

/// Fault 17: no network at all any more: after half an hour of silence the run is detached.
#[tokio::test(start_paused = true)]
async fn endless_silence_detaches() {
    let world = World::new();
    world.creation("net", 3, 200.0, "CREATE_COMPLETE");
    world.fault(|now, _| (now > seconds(10.0)).then_some(ErrorKind::Unreachable));
    let started = tokio::time::Instant::now();
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.detached.unwrap().contains("30 minutes"));
    assert!(finished.failure.is_none() && !finished.success);
    assert_eq!(finished.status, StackStatus::CreateInProgress);
    assert!(started.elapsed() > seconds(1800.0) && started.elapsed() < seconds(1830.0));
}

/// Fault 3: credentials that cannot be renewed detach, and are no failure.
#[tokio::test(start_paused = true)]
async fn lost_credentials_detach() {
    let world = World::new();
    world.creation("net", 3, 200.0, "CREATE_COMPLETE");
    world.fault(|now, _| (now > seconds(60.0)).then_some(ErrorKind::ExpiredCredentials));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.detached.unwrap().contains("credentials"));
    assert!(finished.failure.is_none());
}

/// Fault 18: every other answer is nonsense.
#[tokio::test(start_paused = true)]
async fn nonsense_is_read_again() {
    let world = World::new();
    world.creation("net", 3, 60.0, "CREATE_COMPLETE");
    let count = std::sync::atomic::AtomicUsize::new(0);
    world.fault(move |_, _| {
        let odd = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(2);
        odd.then_some(ErrorKind::Protocol)
    });
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success, "{finished:?}");
    assert_eq!(world.resources("net").len(), 6);
}

/// Fault 20: the stack still shows as in review, and its events come late.
#[tokio::test(start_paused = true)]
async fn a_stale_review_is_not_the_end() {
    let world = World::new();
    world.life("net", |life| life.statuses.push((seconds(0.0), "REVIEW_IN_PROGRESS", None)));
    world.status("net", 40.0, "CREATE_COMPLETE");
    let end = of_stack("net", 38.0, "CREATE_COMPLETE");
    world.life("net", |life| life.events.push((seconds(45.0), end)));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert_eq!(finished.status, StackStatus::CreateComplete);
    assert!(finished.success);
}

/// Fault 20: the end of the operation before ours is not the end of ours.
#[tokio::test(start_paused = true)]
async fn the_state_before_is_not_the_end() {
    let world = World::new();
    world.life("net", |life| life.statuses.push((seconds(0.0), "UPDATE_COMPLETE", None)));
    world.status("net", 30.0, "UPDATE_IN_PROGRESS");
    let start = of_stack("net", 0.2, "UPDATE_IN_PROGRESS");
    world.life("net", |life| life.events.push((seconds(31.0), start)));
    world.event("net", of_stack("net", 60.0, "UPDATE_ROLLBACK_COMPLETE"));
    // And once more an old answer in between.
    world.life("net", |life| life.statuses.push((seconds(40.0), "UPDATE_COMPLETE", None)));
    world.status("net", 43.0, "UPDATE_IN_PROGRESS");
    world.status("net", 60.0, "UPDATE_ROLLBACK_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    assert_eq!(finished.status, StackStatus::UpdateRollbackComplete);
    assert!(!finished.success);
}

/// Fault 20: a stack that was just made is not known everywhere yet.
#[tokio::test(start_paused = true)]
async fn a_new_stack_may_not_be_known_yet() {
    let world = World::new();
    world.status("net", 15.0, "CREATE_IN_PROGRESS");
    world.status("net", 30.0, "CREATE_COMPLETE");
    world.event("net", of_stack("net", 16.0, "CREATE_IN_PROGRESS"));
    world.event("net", of_stack("net", 30.0, "CREATE_COMPLETE"));
    world.fault(|now, call| {
        (now < seconds(15.0) && matches!(call, Call::Events(..))).then_some(ErrorKind::NotFound)
    });
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success, "{finished:?}");
}

/// Fault 20: the token of the second page expires each time for a while.
#[tokio::test(start_paused = true)]
async fn an_expired_page_is_read_again_from_the_newest() {
    let world = World::new();
    world.creation("net", 150, 60.0, "CREATE_COMPLETE");
    world.fault(|now, call| {
        let second = matches!(call, Call::Events(_, Some(_)));
        (second && now < seconds(30.0)).then_some(ErrorKind::Invalid)
    });
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success);
    assert_eq!(world.resources("net").len(), 300);
}

/// An operation that was accepted and never shows is not called a success.
#[tokio::test(start_paused = true)]
async fn an_operation_without_a_sign_is_no_success() {
    let world = World::new();
    world.life("net", |life| life.statuses.push((seconds(0.0), "UPDATE_COMPLETE", None)));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    assert!(!finished.success);
    assert!(finished.failure.unwrap().reason.contains("no sign"));
}

#[tokio::test(start_paused = true)]
async fn without_events_the_stack_alone_tells() {
    let world = World::new();
    world.creation("net", 3, 20.0, "CREATE_COMPLETE");
    world.fault(|_, call| matches!(call, Call::Events(..)).then_some(ErrorKind::Denied));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success, "{finished:?}");
    let warnings = world.told().into_iter().filter(|what| matches!(what, What::Warning { .. })).count();
    assert_eq!(warnings, 1);
}

#[tokio::test(start_paused = true)]
async fn without_stacks_the_events_alone_tell() {
    let world = World::new();
    world.creation("net", 3, 20.0, "ROLLBACK_COMPLETE");
    world.fault(|_, call| matches!(call, Call::Stack(_)).then_some(ErrorKind::Denied));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert_eq!(finished.status, StackStatus::RollbackComplete);
    assert!(finished.stack.is_none() && finished.failure.is_some());
}

#[tokio::test(start_paused = true)]
async fn with_neither_the_run_is_detached() {
    let world = World::new();
    world.creation("net", 3, 20.0, "CREATE_COMPLETE");
    world.fault(|_, _| Some(ErrorKind::Denied));
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.detached.unwrap().contains("may not be read"));
}

/// A cancellation with a token of its own begins the rollback: its events belong to the operation.
#[tokio::test(start_paused = true)]
async fn the_rollback_that_a_cancellation_begins_is_ours() {
    let world = World::new();
    world.status("net", 0.1, "UPDATE_IN_PROGRESS");
    world.event("net", of_stack("net", 0.1, "UPDATE_IN_PROGRESS"));
    let other = |event: StackEvent| StackEvent { token: Some("cancel".to_owned()), ..event };
    world.event("net", other(of_stack("net", 5.0, "UPDATE_ROLLBACK_IN_PROGRESS")));
    world.event("net", other(event("net", 6.0, "Topic", "UPDATE_COMPLETE", None)));
    world.event("net", other(of_stack("net", 9.0, "UPDATE_ROLLBACK_COMPLETE")));
    world.status("net", 9.0, "UPDATE_ROLLBACK_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Update)).await;
    assert_eq!(finished.status, StackStatus::UpdateRollbackComplete);
    assert_eq!(world.resources("net"), ["Topic UPDATE_COMPLETE"]);
}

/// The descriptions of all stacks wait after a failure, whenever further stacks are due.
#[tokio::test(start_paused = true)]
async fn failed_descriptions_of_all_stacks_are_not_asked_for_at_once_by_others() {
    let world = World::new();
    world.fault(|now, call| {
        (*call == Call::Stacks && now > seconds(5.0) && now < seconds(60.0)).then_some(ErrorKind::Protocol)
    });
    let watcher = world.watcher();
    // They end in pairs, one pair after the other.
    let finished = join_all((0..24).map(|index| {
        let name = format!("stack-{index}");
        world.creation(&name, 2, 8.0 + f64::from(index / 2) * 0.7, "CREATE_COMPLETE");
        watcher.operation(world.operation(&name, OperationKind::Create))
    }))
    .await;
    assert!(finished.iter().all(|finished| finished.success));
    let calls = world.calls();
    let failed: Vec<Duration> = calls
        .iter()
        .filter(|(at, call)| *call == Call::Stacks && *at > seconds(5.0) && *at < seconds(59.0))
        .map(|(at, _)| *at)
        .collect();
    let gaps: Vec<f64> = failed.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    assert!(gaps.len() >= 3, "{failed:?}");
    for (index, gap) in gaps.iter().enumerate() {
        let wait = (f64::from(1 << index) * 0.999).min(30.0);
        assert!(*gap >= wait, "{gap} s after {} failures: {failed:?}", index + 1);
    }
}
