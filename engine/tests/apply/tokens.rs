//! What makes a repeat harmless: calls that change something carry a token wherever their API takes one.

use std::collections::BTreeSet;

use formwork_engine::apply::{self, RollbackOptions};
use formwork_engine::journal::Journal;
use formwork_engine::plan::Command;

use crate::case::{Case, four, part};

/// CloudFormation's calls that change something and take no token; the engine's table of mutations says why a repeat of
/// each is harmless. Source: CloudFormation API reference, request parameters of each action.
const WITHOUT_TOKEN: [&str; 2] = ["DeleteChangeSet", "UpdateTerminationProtection"];

#[tokio::test(start_paused = true)]
async fn every_call_that_changes_something_carries_a_token() {
    let mut case = Case::new("");
    case.deploy(&four("one")).await;
    case.run_as("20260102-040000-aaaa", Command::Deploy, &four("two")).await;
    case.script("resource net/Topic fail \"failed on purpose\"");
    case.plan_options.rollback = false;
    case.run_as("20260102-050000-bbbb", Command::Deploy, &[part("net", &[], "three")]).await;
    apply::rollback(
        &case.located("net").await,
        &RollbackOptions::default(),
        &case.next_process(),
        &Journal::in_memory(),
    )
    .await
    .unwrap();
    case.destroy(&four("two")).await;

    let simulator = case.account.simulator();
    let mut seen = BTreeSet::new();
    for entry in simulator.log().mutating().filter(|entry| entry.service == "cloudformation") {
        let exempt = WITHOUT_TOKEN.contains(&entry.operation.as_str());
        assert!(
            exempt || entry.token.is_some(),
            "{} without a token: {:?}",
            entry.operation,
            entry.parameters
        );
        seen.insert(entry.operation.clone());
    }
    for operation in ["CreateChangeSet", "ExecuteChangeSet", "RollbackStack", "DeleteStack"] {
        assert!(seen.contains(operation), "{operation} was never asked for: {seen:?}");
    }
}
