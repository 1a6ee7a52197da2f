//! Looking on without doing anything, and finding runs whose journal is lost.

use std::time::Duration;

use formwork_engine::apply;
use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::event::StackOutcome;
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, Command};

use crate::case::{Case, Part, RUN, of, part};

fn two() -> Vec<Part> {
    vec![part("net", &[], "one"), part("other", &[], "one")]
}

/// A run of two stacks that is gone 30 seconds after its start.
async fn lost(case: &Case) -> Journal {
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = two();
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let assembly = case.assembly(&parts);
    let run = apply::run(&plan, &assembly, &case.options, case.runtime(), &journal);
    let gone = case.runtime().clock.timeout(Duration::from_secs(30), run).await;
    assert!(gone.is_none());
    journal
}

#[tokio::test(start_paused = true)]
async fn a_run_is_followed_from_its_journal() {
    let case = Case::new("resource net/Topic slow 300s; resource other/Topic slow 200s");
    let journal = lost(&case).await;
    let runtime = case.next_process();
    let operations = apply::operations(&journal.history(), &runtime).await.unwrap();
    assert_eq!(operations.len(), 2);
    let writes = case.calls("ExecuteChangeSet");
    let report = apply::follow(RUN, &operations, &runtime).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert_eq!(of(&report, "other").outcome, StackOutcome::Deployed);
    assert_eq!(case.calls("ExecuteChangeSet"), writes);
}

/// Fault 72: the journal is lost; the run is found by tokens and marks.
#[tokio::test(start_paused = true)]
async fn a_run_without_a_journal_is_found_in_the_account() {
    let case = Case::new("resource net/Topic slow 300s; resource other/Topic slow 200s");
    lost(&case).await;
    let runtime = case.next_process();
    let assembly = case.assembly(&two());
    let stacks = plan::locate(&assembly, &[], None, None, &runtime).await.unwrap();
    let runs = apply::find_runs(&stacks, &runtime).await.unwrap();
    assert_eq!(runs.keys().map(String::as_str).collect::<Vec<_>>(), [RUN]);
    let names: Vec<&str> = runs[RUN].going_on.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["net", "other"]);
    assert!(runs[RUN].waiting.is_empty(), "{:?}", runs[RUN].waiting);
    let report = apply::follow(RUN, &runs[RUN].going_on, &runtime).await;
    assert_eq!(report.code, 0, "{report:#?}");
    let after = apply::find_runs(&stacks, &runtime).await.unwrap();
    assert!(after[RUN].going_on.is_empty());
    assert_eq!(after[RUN].ended["net"], StackStatus::CreateComplete);
}

/// Fault 72: what was planned and not begun is found, and not taken for approved; what cannot be read hides nothing.
#[tokio::test(start_paused = true)]
async fn change_sets_that_wait_are_found_without_their_journal() {
    let case = Case::new("");
    let journal = Journal::in_memory_of(RUN, Default::default());
    case.plan(Command::Deploy, &two(), &journal).await.unwrap();
    let runtime = case.next_process();
    let assembly = case.assembly(&two());
    let stacks = plan::locate(&assembly, &[], None, None, &runtime).await.unwrap();
    let runs = apply::find_runs(&stacks, &runtime).await.unwrap();
    let waiting: Vec<&str> = runs[RUN].waiting.iter().map(|it| it.stack.as_str()).collect();
    assert_eq!(waiting, ["net", "other"]);
    assert!(runs[RUN].going_on.is_empty() && runs[RUN].ended.is_empty());

    case.script("on DescribeStacks of net error 403 AccessDenied \"no\"");
    let runs = apply::find_runs(&stacks, &runtime).await.unwrap();
    let waiting: Vec<&str> = runs[RUN].waiting.iter().map(|it| it.stack.as_str()).collect();
    assert_eq!(waiting, ["other"]);
    case.script("on DescribeStacks error 403 AccessDenied \"no\"");
    assert!(apply::find_runs(&stacks, &runtime).await.is_err());
}

/// Fault 47: the stack is deleted and made again while it is followed.
#[tokio::test(start_paused = true)]
async fn a_stack_of_the_same_name_is_another_stack() {
    let case = Case::new("resource net/Topic slow 300s");
    let journal = lost(&case).await;
    let runtime = case.next_process();
    let operations = apply::operations(&journal.history(), &runtime).await.unwrap();
    let net = operations.iter().find(|it| it.name == "net").unwrap().clone();
    let somebody = async {
        let session = case.session().await;
        let journal = Journal::in_memory_of("20260102-999999-eeee", Default::default());
        let intent = formwork_engine::journal::Intent::new("DeleteStack", "net");
        let ticket = journal.intent(intent).unwrap();
        session.cloudformation().delete_stack(&net.stack_id, &Default::default(), &ticket).await.unwrap();
    };
    let (report, ()) = tokio::join!(apply::follow(RUN, std::slice::from_ref(&net), &runtime), somebody);
    assert_ne!(report.code, 0, "{report:#?}");
}
