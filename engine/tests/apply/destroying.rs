//! Destructions, and what stands in their way.

use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::event::StackOutcome;
use formwork_engine::plan::Command;

use crate::case::{Case, four, of, part};

#[tokio::test(start_paused = true)]
async fn stacks_are_deleted_in_reverse_order() {
    let case = Case::new("");
    case.deploy(&four("one")).await;
    let report = case.destroy(&four("one")).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert!(report.stacks.iter().all(|stack| stack.outcome == StackOutcome::Deleted), "{report:#?}");
    let simulator = case.account.simulator();
    let deleted: Vec<String> = simulator
        .log()
        .entries()
        .iter()
        .filter(|entry| entry.operation == "DeleteStack")
        .map(|entry| entry.parameters["StackName"].clone())
        .collect();
    let place = |name: &str| deleted.iter().position(|it| it.contains(&format!("stack/{name}/"))).unwrap();
    assert!(
        place("app") < place("domain") && place("domain") < place("net") && place("proxy") < place("net")
    );
}

/// Fault 38: a resource cannot be deleted; it is named with the next command, and left behind where that is asked for.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_deleted_is_named_and_can_be_left_behind() {
    let mut case = Case::new("delete of net/Topic fails \"it is in use\"");
    case.deploy(&[part("net", &[], "one")]).await;
    let report = case.destroy(&[part("net", &[], "one")]).await;
    let net = of(&report, "net");
    assert_eq!((report.code, net.outcome), (5, StackOutcome::Failed), "{report:#?}");
    assert_eq!(net.status, Some(StackStatus::DeleteFailed));
    assert!(net.message.as_ref().unwrap().contains("Topic"), "{net:#?}");
    assert!(net.hint.as_ref().unwrap().contains("--retain Topic"), "{net:#?}");

    case.plan_options.retain = vec!["Topic".to_owned()];
    let report = case.run_as("20260102-050000-ffff", Command::Destroy, &[part("net", &[], "one")]).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert!(of(&report, "net").warnings.iter().any(|it| it.contains("Topic")), "{report:#?}");
    assert_eq!(case.status("net").await, None);
}

/// Fault 38: the same in one go, and with force.
#[tokio::test(start_paused = true)]
async fn force_leaves_behind_whatever_cannot_be_deleted() {
    let mut case = Case::new("delete of net/Topic fails \"it is in use\"");
    case.deploy(&[part("net", &[], "one")]).await;
    case.plan_options.force = true;
    let report = case.destroy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert_eq!(case.effects("DeleteStack"), 2);
}

/// Fault 43: a protected stack is not deleted.
#[tokio::test(start_paused = true)]
async fn a_protected_stack_stays() {
    let case = Case::new("");
    let mut net = part("net", &[], "one");
    net.properties = serde_json::json!({"terminationProtection": true});
    case.deploy(&[net.clone()]).await;
    let journal = formwork_engine::journal::Journal::in_memory_of("20260102-050000-ffff", Default::default());
    let code = match case.plan(Command::Destroy, &[net.clone()], &journal).await {
        Err(error) => error.class.exit_code(),
        Ok(plan) => {
            let assembly = case.assembly(&[net]);
            let run = formwork_engine::apply::run(&plan, &assembly, &case.options, case.runtime(), &journal);
            run.await.unwrap().code
        }
    };
    assert_eq!(code, 3);
    assert_eq!(case.calls("DeleteStack"), 0);
}

/// Fault 43: the protection is taken away where that was asked for and approved, then the stack is deleted.
#[tokio::test(start_paused = true)]
async fn a_protected_stack_goes_where_that_was_asked_for() {
    let case = Case::new("");
    let mut net = part("net", &[], "one");
    net.properties = serde_json::json!({"terminationProtection": true});
    case.deploy(&[net.clone()]).await;
    let run = "20260102-050000-ffff";
    let journal = formwork_engine::journal::Journal::in_memory_of(run, Default::default());
    let mut request = formwork_engine::plan::PlanRequest::new(Command::Destroy, run);
    request.removals.protection = true;
    let assembly = case.assembly(&[net]);
    let plan = formwork_engine::plan::make(&request, &assembly, case.runtime(), &journal).await.unwrap();
    let report = formwork_engine::apply::run(&plan, &assembly, &case.options, case.runtime(), &journal);
    let report = report.await.unwrap();
    assert_eq!(report.code, 0, "{report:#?}");
    assert_eq!(case.status("net").await, None);
}

/// A stack that somebody changed since the plan was approved holds what nobody has looked at: it is not deleted.
#[tokio::test(start_paused = true)]
async fn a_stack_that_changed_since_its_destruction_was_planned_stays() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    let parts = [part("net", &[], "one")];
    let journal = formwork_engine::journal::Journal::in_memory_of("20260102-050000-ffff", Default::default());
    let plan = case.plan(Command::Destroy, &parts, &journal).await.unwrap();
    case.deploy(&[part("net", &[], "two")]).await;
    let assembly = case.assembly(&parts);
    let runtime = case.next_process();
    let report = formwork_engine::apply::run(&plan, &assembly, &case.options, &runtime, &journal);
    let report = report.await.unwrap();
    assert_eq!(report.code, 3, "{report:#?}");
    let message = of(&report, "net").message.clone().unwrap();
    assert!(message.contains("changed since the plan was made"), "{message}");
    assert_eq!(case.calls("DeleteStack"), 0);
}
