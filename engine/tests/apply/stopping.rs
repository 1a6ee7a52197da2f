//! Runs that are asked to stop, and go on later.

use std::time::Duration;

use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::event::{StackOutcome, What};
use formwork_engine::journal::Journal;
use formwork_engine::plan::Command;
use formwork_engine::{Wish, apply};

use crate::case::{Case, RUN, four, of, part};

/// Fault 68: one Ctrl-C. Nothing more is started, what runs goes on without us, and resuming does the rest.
#[tokio::test(start_paused = true)]
async fn a_detached_run_is_resumed() {
    let case = Case::new("resource net/Topic slow 300s");
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = four("one");
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let assembly = case.assembly(&parts);
    let control = case.runtime().control.clone();
    let clock = case.runtime().clock;
    let run = apply::run(&plan, &assembly, &case.options, case.runtime(), &journal);
    let user = async {
        clock.sleep(Duration::from_secs(30)).await;
        control.raise(Wish::Detach);
    };
    let (report, ()) = tokio::join!(run, user);
    let report = report.unwrap();
    assert_eq!(report.code, 6, "{report:#?}");
    assert_eq!(of(&report, "net").outcome, StackOutcome::Detached);
    assert_eq!(of(&report, "app").outcome, StackOutcome::Skipped);
    assert!(report.seconds < 60.0, "it does not wait for the end: {}", report.seconds);
    assert_eq!(case.effects("ExecuteChangeSet"), 1);
    assert_eq!(case.status("net").await, Some(StackStatus::CreateInProgress));

    let journal = Journal::in_memory_of(RUN, journal.history());
    let report = apply::resume(&journal, Some(&assembly), None, &case.next_process()).await.unwrap();
    assert_eq!(report.code, 0, "{report:#?}");
    assert!(report.stacks.iter().all(|stack| stack.outcome == StackOutcome::Deployed), "{report:#?}");
    assert_eq!(case.effects("ExecuteChangeSet"), 4);

    let journal = Journal::in_memory_of(RUN, journal.history());
    let ended = apply::resume(&journal, Some(&assembly), None, &case.next_process()).await.unwrap_err();
    assert!(ended.message.contains("has ended"), "{}", ended.message);
}

/// Fault 68: one Ctrl-C while a late change set is made: other stacks were changed by then.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_detached_while_a_change_set_is_made_does_not_say_that_nothing_changed() {
    let case = Case::new("");
    let net = part("net", &[], "one");
    let mut app = part("app", &["net"], "one");
    app.template["Resources"]["Fromnet"]["Properties"]["Value"] =
        serde_json::json!({"Fn::GetStackOutput": {"StackName": "net", "OutputName": "Arn"}});
    let parts = [net, app];
    let journal = Journal::in_memory_of(RUN, Default::default());
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let assembly = case.assembly(&parts);
    let runtime = case.next_process();
    let run = apply::run(&plan, &assembly, &case.options, &runtime, &journal);
    let user = async {
        while case.calls("CreateChangeSet") < 2 {
            runtime.clock.sleep(Duration::from_millis(20)).await;
        }
        runtime.control.raise(Wish::Detach);
    };
    let (report, ()) = tokio::join!(run, user);
    let report = report.unwrap();
    assert_eq!((report.code, of(&report, "net").outcome), (6, StackOutcome::Deployed), "{report:#?}");
    let message = of(&report, "app").message.clone().unwrap();
    assert!(message.contains("interrupted while its change set was made"), "{message}");
}

/// Fault 68: two Ctrl-C. Updates are cancelled; creations cannot be, and that is said.
#[tokio::test(start_paused = true)]
async fn a_cancelled_run_takes_updates_back() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    case.script("resource net/Topic slow 300s; resource app/Topic slow 300s");
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = [part("net", &[], "two"), part("app", &[], "one")];
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let assembly = case.assembly(&parts);
    let runtime = case.next_process();
    let run = apply::run(&plan, &assembly, &case.options, &runtime, &journal);
    let user = async {
        runtime.clock.sleep(Duration::from_secs(30)).await;
        runtime.control.raise(Wish::Detach);
        runtime.clock.sleep(Duration::from_secs(1)).await;
        runtime.control.raise(Wish::Cancel);
    };
    let (report, ()) = tokio::join!(run, user);
    let report = report.unwrap();
    assert_eq!(report.code, 130, "{report:#?}");
    assert_eq!(case.effects("CancelUpdateStack"), 1);
    assert_eq!(case.status("app").await, Some(StackStatus::CreateInProgress));
    let told = case.account.events();
    let warned = told.iter().any(|event| {
        event.stack.as_deref() == Some("app")
            && matches!(&event.what, What::Warning { message, .. } if message.contains("only updates"))
    });
    assert!(warned, "{told:#?}");
    runtime.clock.sleep(Duration::from_secs(900)).await;
    assert_eq!(case.status("net").await, Some(StackStatus::UpdateRollbackComplete));
}

/// Fault 49: there is nothing to cancel.
#[tokio::test(start_paused = true)]
async fn cancelling_what_does_not_run_says_so() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    let session = case.runtime().sessions.base().await.unwrap();
    let operation =
        async |name| apply::operation_of(name, &session, Default::default(), case.runtime()).await;
    let found = operation("net").await.unwrap();
    let cancelled = apply::cancel(&[found], case.runtime(), &Journal::in_memory()).await.unwrap();
    assert!(cancelled.is_empty());
    assert_eq!(case.calls("CancelUpdateStack"), 0);
    let absent = operation("nope").await;
    assert!(absent.is_err_and(|error| error.message.contains("nope")));
}
