//! Many stacks at once: long chains, wide graphs, several regions.

use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::event::StackOutcome;

use crate::case::{Case, Part, of, part};

/// A name for as long as the test runs.
fn name(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Fault 79: a chain in which each stack needs the one before.
#[tokio::test(start_paused = true)]
async fn a_long_chain_is_deployed_from_its_beginning_to_its_end() {
    const LENGTH: usize = 60;
    let ids: Vec<&'static str> = (0..LENGTH).map(|index| name(format!("link{index:03}"))).collect();
    let parts: Vec<Part> =
        (0..LENGTH).map(|index| part(ids[index], &ids[index.saturating_sub(1)..index], "one")).collect();
    let case = Case::new("");
    let report = case.deploy(&parts).await;
    assert_eq!(report.code, 0, "{:#?}", of(&report, ids[0]));
    assert_eq!(case.effects("ExecuteChangeSet"), LENGTH);
    assert_eq!(case.status(ids[LENGTH - 1]).await, Some(StackStatus::CreateComplete));

    let report = case.destroy(&parts).await;
    assert_eq!(report.code, 0);
    assert!(report.stacks.iter().all(|stack| stack.outcome == StackOutcome::Deleted));
}

/// Fault 79: many stacks that need one and are needed by one.
#[tokio::test(start_paused = true)]
async fn a_wide_graph_takes_no_longer_than_its_path() {
    const WIDTH: usize = 100;
    let ids: Vec<&'static str> = (0..WIDTH).map(|index| name(format!("side{index:03}"))).collect();
    let mut parts = vec![part("first", &[], "one")];
    parts.extend(ids.iter().map(|id| part(id, &["first"], "one")));
    let mut case = Case::new("");
    case.options.concurrency = WIDTH;
    let alone = case.deploy(&parts[..1]).await.seconds;
    let report = case.deploy(&parts).await;
    assert_eq!(report.code, 0);
    assert_eq!(case.effects("ExecuteChangeSet"), WIDTH + 1);
    assert!(report.seconds < alone * 10.0, "{} s for {WIDTH} stacks, {alone} s for one", report.seconds);
}

/// Fault 77: stacks of several regions in one run, each watched where it is.
#[tokio::test(start_paused = true)]
async fn every_region_has_a_poller_of_its_own() {
    let regions = ["us-east-1", "eu-west-1", "ap-southeast-2", "sa-east-1"];
    let parts: Vec<Part> = regions
        .iter()
        .map(|region| Part {
            environment: name(format!("aws://123456789012/{region}")),
            ..part(name(format!("in-{region}")), &[], "one")
        })
        .collect();
    let case = Case::new("");
    let report = case.deploy(&parts).await;
    assert_eq!(report.code, 0, "{report:#?}");
    for region in regions {
        let stack = of(&report, name(format!("in-{region}")));
        assert_eq!(stack.environment.region, region);
        assert!(stack.outputs["Arn"].value.contains(region), "{stack:#?}");
    }
    let simulator = case.account.simulator();
    let asked: std::collections::BTreeSet<&str> = simulator
        .log()
        .entries()
        .iter()
        .filter(|entry| entry.operation == "DescribeStackEvents")
        .map(|entry| entry.region.as_str())
        .collect();
    assert_eq!(asked.len(), regions.len(), "events are read in each region: {asked:?}");
}
