//! Answers that do not come, come late or are wrong: every call takes effect once, and nothing is concluded wrongly.

use formwork_engine::apply;
use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::event::StackOutcome;
use formwork_engine::journal::Journal;
use formwork_engine::plan::Command;

use crate::case::{Case, RUN, four, of, part};

async fn deploys_once(script: &str) -> Case {
    let case = Case::new(script);
    let report = case.deploy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 0, "{script}: {report:#?}");
    assert_eq!(case.status("net").await, Some(StackStatus::CreateComplete), "{script}");
    assert_eq!(case.effects("ExecuteChangeSet"), 1, "{script}");
    case
}

/// Fault 16: CloudFormation took the execution, and the answer is lost.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_execution_executes_once() {
    for script in [
        "on ExecuteChangeSet#1 accept-then-drop",
        "on ExecuteChangeSet#1 accept-then-hang",
        "on ExecuteChangeSet#1 accept-then-error 500 InternalFailure",
        "on ExecuteChangeSet accept-then-drop",
        "on ExecuteChangeSet accept-then-error 503 ServiceUnavailable",
    ] {
        let case = deploys_once(script).await;
        assert!(case.calls("ExecuteChangeSet") > 1, "{script}");
    }
}

/// Fault 15: calls that change something are throttled, and are made again with the same token.
#[tokio::test(start_paused = true)]
async fn throttled_calls_take_effect_once() {
    deploys_once("on ExecuteChangeSet#1-4 throttle").await;
    deploys_once("on CreateChangeSet#1-2 throttle").await;
}

/// Fault 20: reads lag behind writes; events come twice and in the wrong order.
#[tokio::test(start_paused = true)]
async fn reads_that_lag_behind_lead_to_no_wrong_conclusion() {
    for script in [
        "on DescribeStacks lag 10s",
        "on DescribeStacks between 0s and 60s stale 5s",
        "on DescribeStackEvents reorder",
        "on DescribeStackEvents duplicate",
        "on ListStacks stale 10s",
    ] {
        deploys_once(script).await;
    }
}

/// Fault 17: the network is gone for five minutes.
#[tokio::test(start_paused = true)]
async fn a_network_that_is_gone_for_minutes_is_waited_for() {
    let case = deploys_once("resource net/Topic slow 600s; on * between 60s and 6m refuse").await;
    assert!(case.calls("ExecuteChangeSet") == 1);
}

/// Fault 3: the credentials expire for good while CloudFormation works. Nothing has failed: the run is detached, and
/// resumed with fresh credentials.
#[tokio::test(start_paused = true)]
async fn expired_credentials_detach_and_resuming_goes_on() {
    let case = Case::new(
        "resource net/Topic slow 900s; on * between 120s and 600s error 403 ExpiredToken \"expired\"",
    );
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = four("one");
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let assembly = case.assembly(&parts);
    let report = apply::run(&plan, &assembly, &case.options, case.runtime(), &journal).await.unwrap();
    assert_eq!(report.code, 6, "{report:#?}");
    assert_eq!(of(&report, "net").outcome, StackOutcome::Detached);
    assert!(report.stacks.iter().all(|stack| stack.outcome != StackOutcome::Failed), "{report:#?}");
    assert!(report.detached.is_some());

    case.runtime().clock.sleep(std::time::Duration::from_secs(600)).await;
    let journal = Journal::in_memory_of(RUN, journal.history());
    let report = apply::resume(&journal, Some(&assembly), None, &case.next_process()).await.unwrap();
    assert_eq!(report.code, 0, "{report:#?}");
    assert_eq!(case.effects("ExecuteChangeSet"), 4);
}

/// Fault 16, on deletion.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_deletion_deletes_once() {
    for effect in ["accept-then-drop", "accept-then-hang", "accept-then-error 500 InternalFailure"] {
        let case = Case::new(&format!("on DeleteStack#1 {effect}"));
        let parts = [part("net", &[], "one")];
        case.deploy(&parts).await;
        let report = case.destroy(&parts).await;
        assert_eq!(report.code, 0, "{effect}: {report:#?}");
        assert_eq!(case.effects("DeleteStack"), 1, "{effect}");
        assert_eq!(case.status("net").await, None);
    }
}

/// The journal cannot be written any longer: nothing more is changed, and what runs is watched to its end.
#[tokio::test(start_paused = true)]
async fn without_a_journal_nothing_is_changed() {
    let case = Case::new("");
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = four("one");
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let assembly = case.assembly(&parts);
    let made = case.calls("CreateChangeSet");
    journal.cut_at(journal.history().lines.len() as u64 + 3, true);
    let report = apply::run(&plan, &assembly, &case.options, case.runtime(), &journal).await.unwrap();
    assert_ne!(report.code, 0);
    assert_eq!((case.calls("ExecuteChangeSet"), case.calls("CreateChangeSet")), (0, made));
}
