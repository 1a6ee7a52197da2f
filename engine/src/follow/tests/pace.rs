//! How much is read.

use futures_util::future::join_all;

use super::world::*;
use crate::aws::ErrorKind;
use crate::event::What;
use crate::follow::operation::OperationKind;

/// The most reads in any second; a list counts as many reads as it has pages of 100 stacks.
fn most_in_a_second(world: &World) -> usize {
    let calls = world.calls();
    let mut most = 0;
    for (start, _) in &calls {
        let within = calls.iter().filter(|(at, _)| at >= start && *at < *start + seconds(1.0));
        let reads = within.map(|(at, call)| match call {
            Call::List => world.working(*at + LATENCY).div_ceil(100).max(1),
            Call::Stacks => world.living(),
            _ => 1,
        });
        most = most.max(reads.sum());
    }
    most
}

async fn many(world: &World, count: usize) -> tokio::time::Duration {
    let started = tokio::time::Instant::now();
    let watcher = world.watcher();
    let finished = join_all((0..count).map(|index| {
        let name = format!("stack-{index}");
        world.creation(&name, 5, 60.0 + index as f64, "CREATE_COMPLETE");
        watcher.operation(world.operation(&name, OperationKind::Create))
    }))
    .await;
    assert!(finished.iter().all(|finished| finished.success && finished.stack.is_some()));
    started.elapsed()
}

/// Fault 76, the reading half: 400 stacks at once stay within the budget, and their ends are noticed in time.
#[tokio::test(start_paused = true)]
async fn four_hundred_stacks_stay_within_eight_reads_a_second() {
    let world = World::new();
    let took = many(&world, 400).await;
    let most = most_in_a_second(&world);
    assert!(most <= 8, "{most} reads in a second");
    assert!(took <= seconds(459.0 * 1.05), "{took:?} for 459 seconds");
}

#[tokio::test(start_paused = true)]
async fn without_the_list_each_stack_is_asked_for_within_the_budget() {
    let world = World::new();
    world.fault(|_, call| (*call == Call::List).then_some(ErrorKind::Denied));
    many(&world, 40).await;
    assert!(most_in_a_second(&world) <= 8);
    let lists = world.calls().iter().filter(|(_, call)| *call == Call::List).count();
    assert_eq!(lists, 1);
    let notes = world.told().into_iter().filter(|what| matches!(what, What::Note { .. })).count();
    assert_eq!(notes, 1);
}

/// Fault 78: ten thousand events in one stack.
#[tokio::test(start_paused = true)]
async fn ten_thousand_events_are_told_once_each() {
    let world = World::new();
    world.creation("net", 5000, 1000.0, "CREATE_COMPLETE");
    let finished = world.watcher().operation(world.operation("net", OperationKind::Create)).await;
    assert!(finished.success, "{finished:?}");
    let mut told = world.resources("net");
    assert_eq!(told.len(), 10_000);
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 10_000);
    assert!(most_in_a_second(&world) <= 8);
}

/// The last of many stacks was looked for seconds late, once there was nothing to list any more.
#[tokio::test(start_paused = true)]
async fn the_last_of_many_is_looked_for_as_often_as_the_others_were() {
    for behind in [0.2, 0.5, 0.8, 1.5] {
        let world = World::new();
        let watcher = world.watcher();
        let started = tokio::time::Instant::now();
        let ended = join_all((0..30).map(|index| {
            let name = format!("stack-{index}");
            world.creation(&name, 5, if index == 29 { 20.0 + behind } else { 20.0 }, "CREATE_COMPLETE");
            let mut operation = world.operation(&name, OperationKind::Create);
            operation.typical = Some(seconds(22.0));
            watcher.operation(operation)
        }))
        .await;
        assert!(ended.iter().all(|it| it.success));
        let late = started.elapsed().as_secs_f64() - 20.0 - behind;
        assert!(late <= 2.0, "{late} s late, {behind} s behind the others");
    }
}
