//! Deployments from an empty account to changes, refusals and failures of single stacks.

use std::time::Duration;

use formwork_engine::apply;
use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::error::Class;
use formwork_engine::event::{StackOutcome, What};
use formwork_engine::journal::Journal;
use formwork_engine::plan::Command;
use serde_json::json;

use crate::case::{Case, RUN, four, of, part};

#[tokio::test(start_paused = true)]
async fn four_stacks_are_made_in_order_changed_and_left_alone() {
    let case = Case::new("");
    let report = case.deploy(&four("one")).await;
    assert_eq!(report.code, 0, "{report:#?}");
    for stack in &report.stacks {
        assert_eq!(stack.outcome, StackOutcome::Deployed);
        assert_eq!(stack.status, Some(StackStatus::CreateComplete));
        assert!(stack.outputs["Arn"].value.starts_with("arn:"), "{stack:#?}");
    }
    assert_eq!(case.effects("ExecuteChangeSet"), 4);

    let mut changed = four("one");
    changed[3] = part("proxy", &["net"], "two");
    let report = case.deploy(&changed).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert_eq!(of(&report, "proxy").status, Some(StackStatus::UpdateComplete));
    assert_eq!(of(&report, "net").outcome, StackOutcome::Unchanged);
    assert_eq!(case.effects("ExecuteChangeSet"), 5);

    let writes = case.effects("ExecuteChangeSet") + case.effects("CreateChangeSet");
    let report = case.deploy(&changed).await;
    assert!(report.stacks.iter().all(|stack| stack.outcome == StackOutcome::Unchanged), "{report:#?}");
    assert_eq!(of(&report, "net").outputs.len(), 1, "outputs are had of unchanged stacks too");
    assert_eq!(case.effects("ExecuteChangeSet") + case.effects("CreateChangeSet"), writes);
}

/// Fault 36 and 45: a resource fails; what needs its stack is skipped, its siblings go on.
#[tokio::test(start_paused = true)]
async fn a_failure_stops_only_what_needs_it() {
    let case = Case::new("resource domain/Topic fail \"Invalid display name\"");
    let report = case.deploy(&four("one")).await;
    assert_eq!(report.code, 4, "{report:#?}");
    assert_eq!(of(&report, "net").outcome, StackOutcome::Deployed);
    assert_eq!(of(&report, "proxy").outcome, StackOutcome::Deployed);
    assert_eq!(of(&report, "app").outcome, StackOutcome::Skipped);
    let domain = of(&report, "domain");
    assert_eq!((domain.outcome, domain.code), (StackOutcome::RolledBack, 4));
    let failure = domain.failure.as_ref().unwrap();
    assert_eq!(failure.path, ["Topic"]);
    assert!(failure.reason.contains("Invalid display name"));
    assert_eq!(case.status("app").await, None, "no shell is left");
}

/// Fault 37: what was rolled back is deleted and made anew by the next deployment.
#[tokio::test(start_paused = true)]
async fn a_failed_creation_is_made_anew_by_the_next_deployment() {
    let case = Case::new("resource net/Topic#1 fail \"no\"");
    let report = case.deploy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 4, "{report:#?}");
    assert_eq!(case.status("net").await, Some(StackStatus::RollbackComplete));
    let failed = case.stack("net").await.unwrap().id;
    let report = case.deploy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 0, "{report:#?}");
    let made = case.stack("net").await.unwrap();
    assert_eq!(made.status, StackStatus::CreateComplete);
    assert_ne!(made.id, failed);
}

/// Fault 37: the leftovers can be deleted at once.
#[tokio::test(start_paused = true)]
async fn a_failed_creation_is_deleted_at_once_where_that_is_asked_for() {
    let mut case = Case::new("resource net/Topic fail \"no\"");
    case.options.delete_failed_creates = true;
    let report = case.deploy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 4);
    assert_eq!(case.status("net").await, None);
}

/// Fault 40: with `--no-rollback` the failure is left as it was, and told with both ways out.
#[tokio::test(start_paused = true)]
async fn without_rollback_a_failure_needs_action() {
    let mut case = Case::new("resource net/Topic#1 fail \"no\"");
    case.plan_options.rollback = false;
    let report = case.deploy(&[part("net", &[], "one")]).await;
    let net = of(&report, "net");
    assert_eq!((report.code, net.outcome), (5, StackOutcome::Failed));
    assert_eq!(net.status, Some(StackStatus::CreateFailed));
    assert!(net.hint.as_ref().unwrap().contains("formwork rollback net"), "{net:#?}");
    let report = case.deploy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 0, "it goes on in the same way: {report:#?}");
}

/// Fault 43: termination protection is set although nothing else changes, and taken away again.
#[tokio::test(start_paused = true)]
async fn termination_protection_changes_alone() {
    let case = Case::new("");
    let mut net = part("net", &[], "one");
    case.deploy(&[net.clone()]).await;
    assert!(!case.stack("net").await.unwrap().termination_protection);
    for wanted in [true, false] {
        net.properties = json!({"terminationProtection": wanted});
        let report = case.deploy(&[net.clone()]).await;
        assert_eq!(of(&report, "net").outcome, StackOutcome::Unchanged, "{report:#?}");
        assert_eq!(case.stack("net").await.unwrap().termination_protection, wanted);
    }
    assert_eq!(case.effects("ExecuteChangeSet"), 1);
}

/// Fault 44: an export that is in use is removed in two phases of one run.
#[tokio::test(start_paused = true)]
async fn an_export_in_use_is_removed_by_itself() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one"), part("app", &["net"], "one")]).await;
    let mut net = part("net", &[], "one");
    net.template["Outputs"] = json!({"Other": {"Value": "x"}});
    let mut app = part("app", &[], "one");
    app.needs = vec!["net"];
    let report = case.deploy(&[net, app]).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert!(!case.session().await.cloudformation().exports().await.unwrap().contains_key("net-arn"));
    assert_eq!(of(&report, "net").outcome, StackOutcome::Deployed);
}

/// Fault 44: somebody outside the plan still imports; the export is kept and that is said.
#[tokio::test(start_paused = true)]
async fn an_export_that_a_stranger_imports_is_kept() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one"), part("app", &["net"], "one")]).await;
    let mut net = part("net", &[], "two");
    net.template["Outputs"] = json!({});
    let report = case.deploy(&[net]).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert!(case.session().await.cloudformation().exports().await.unwrap().contains_key("net-arn"));
    let warnings = &of(&report, "net").warnings;
    assert!(warnings.iter().any(|it| it.contains("net-arn") && it.contains("app")), "{report:#?}");
}

/// Fault 30: the change set became obsolete between plan and apply.
#[tokio::test(start_paused = true)]
async fn a_stack_that_changed_since_the_plan_is_refused() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = [part("net", &[], "two")];
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    case.deploy(&[part("net", &[], "three")]).await;
    let assembly = case.assembly(&parts);
    let report = apply::run(&plan, &assembly, &case.options, case.runtime(), &journal).await.unwrap();
    let net = of(&report, "net");
    assert_eq!((report.code, net.outcome), (3, StackOutcome::Failed), "{report:#?}");
    assert!(net.message.as_ref().unwrap().contains("since it was planned"), "{net:#?}");
}

/// Fault 46: somebody else changes the stack at this moment.
#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_else_changes_is_refused_with_their_token() {
    let case = Case::new("resource net/Topic slow 600s");
    case.deploy(&[part("net", &[], "one")]).await;
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = [part("net", &[], "two")];
    let plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let other = Journal::in_memory_of("20260102-999999-eeee", Default::default());
    let theirs = [part("net", &[], "three")];
    let their_plan = case.plan(Command::Deploy, &theirs, &other).await.unwrap();
    let their_assembly = case.assembly(&theirs);
    let runtime = case.next_process();
    let them = apply::run(&their_plan, &their_assembly, &case.options, &runtime, &other);
    let us = async {
        case.runtime().clock.sleep(Duration::from_secs(30)).await;
        let assembly = case.assembly(&parts);
        apply::run(&plan, &assembly, &case.options, case.runtime(), &journal).await.unwrap()
    };
    let (them, us) = tokio::join!(them, us);
    assert_eq!(them.unwrap().code, 0);
    let net = of(&us, "net");
    assert_eq!(us.code, 3, "{us:#?}");
    let message = net.message.as_ref().unwrap();
    assert!(message.contains("somebody else"), "{message}");
}

/// Fault 52: a just-created role is not known everywhere; the update is repeated once.
#[tokio::test(start_paused = true)]
async fn a_role_that_is_not_known_everywhere_is_waited_for_once() {
    let reason = "The role defined for the function cannot be assumed by Lambda.";
    let case = Case::new(&format!("resource net/Topic#1 fail \"{reason}\""));
    let report = case.deploy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 0, "{report:#?}");
    let notes = case.account.events().into_iter().filter(|it| matches!(it.what, What::Note { .. })).count();
    assert_eq!(notes, 1);

    let always = Case::new(&format!("resource net/Topic fail \"{reason}\""));
    let report = always.deploy(&[part("net", &[], "one")]).await;
    assert_eq!(report.code, 4, "{report:#?}");
    assert_eq!(always.effects("ExecuteChangeSet"), 2, "once is enough");
}

/// Fault 48: an update that does not end is cancelled at its time limit; a creation is left.
#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_cancelled_or_left() {
    let mut case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    case.script("resource net/Topic slow 20m");
    case.options.limit = Some(Duration::from_secs(600));
    let report = case.deploy(&[part("net", &[], "two")]).await;
    let net = of(&report, "net");
    assert_eq!((report.code, net.outcome), (4, StackOutcome::RolledBack), "{report:#?}");
    assert_eq!(case.effects("CancelUpdateStack"), 1);
    assert!(net.message.as_ref().unwrap().contains("600 seconds"), "{net:#?}");

    let mut case = Case::new("resource net/Topic slow 20m");
    case.options.limit = Some(Duration::from_secs(600));
    let report = case.deploy(&[part("net", &[], "one")]).await;
    assert_eq!((report.code, case.effects("CancelUpdateStack")), (6, 0), "{report:#?}");
}

/// Fault 5: the plan is for another account.
#[tokio::test(start_paused = true)]
async fn another_account_is_refused_before_anything_is_changed() {
    let case = Case::new("");
    let journal = Journal::in_memory_of(RUN, Default::default());
    let parts = [part("net", &[], "one")];
    let mut plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    plan.stacks[0].environment.account = "999999999999".to_owned();
    let assembly = case.assembly(&parts);
    let report = apply::run(&plan, &assembly, &case.options, case.runtime(), &journal).await.unwrap();
    assert_eq!(report.code, Class::Refused.exit_code(), "{report:#?}");
    assert_eq!(case.calls("ExecuteChangeSet"), 0);
}

/// A plan that is declined leaves neither change sets nor empty stacks.
#[tokio::test(start_paused = true)]
async fn a_declined_plan_is_taken_back() {
    let case = Case::new("");
    let journal = Journal::in_memory_of(RUN, Default::default());
    let plan = case.plan(Command::Deploy, &[part("net", &[], "one")], &journal).await.unwrap();
    assert_eq!(case.status("net").await, Some(StackStatus::ReviewInProgress));
    apply::discard(&plan, case.runtime(), &journal).await;
    case.runtime().clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(case.status("net").await, None);
}

/// Fault 41 and 42: an update replaced a resource. Its outputs are final while the old one is being deleted, so that the
/// next stack starts; what could not be deleted is told as a warning of a success.
#[tokio::test(start_paused = true)]
async fn a_cleanup_holds_nobody_up_and_what_it_leaves_is_told() {
    let named = |name: &str, text| {
        let mut net = part("net", &[], text);
        net.template["Resources"]["Queue"] =
            json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}});
        vec![net, part("app", &["net"], text)]
    };
    let case = Case::new("");
    case.deploy(&named("a", "one")).await;
    case.script("delete of net/Queue fails \"it is in use\"");
    let before = case.account.events().len();
    let report = case.deploy(&named("b", "two")).await;
    assert_eq!(report.code, 0, "{report:#?}");
    let net = of(&report, "net");
    assert_eq!(
        (net.outcome, net.status.clone()),
        (StackOutcome::Deployed, Some(StackStatus::UpdateComplete))
    );
    assert!(net.warnings.iter().any(|it| it.contains("Queue")), "{net:#?}");
    let events = case.account.events();
    let place = |stack: &str, wanted: fn(&What) -> bool| {
        let found =
            events[before..].iter().position(|it| it.stack.as_deref() == Some(stack) && wanted(&it.what));
        found.unwrap_or_else(|| panic!("{stack}: {events:#?}"))
    };
    let begins = place("app", |what| matches!(what, What::StackStarted { .. }));
    let told = place("net", |what| matches!(what, What::Warning { .. }));
    assert!(begins < told, "the next stack does not wait for the old queue");
}

/// Fault 74: a secret parameter reaches CloudFormation, and neither the journal, the plan, the events nor the report.
#[tokio::test(start_paused = true)]
async fn a_secret_is_written_down_nowhere() {
    let case = Case::new("resource net/Topic fail \"no\"");
    let secret = "hunter2-hunter2";
    let mut net = part("net", &[], "one");
    net.template["Parameters"] = json!({"Password": {"Type": "String", "NoEcho": true}});
    net.template["Resources"]["Topic"]["Properties"]["DisplayName"] = json!({"Ref": "Password"});
    let journal = Journal::in_memory_of(RUN, Default::default());
    let mut request = formwork_engine::plan::PlanRequest::new(Command::Deploy, RUN);
    let value = secret.to_owned();
    let given = formwork_engine::plan::GivenParameter { stack: None, name: "Password".to_owned(), value };
    request.parameters = vec![given.clone()];
    let assembly = case.assembly(&[net]);
    let plan = formwork_engine::plan::make(&request, &assembly, case.runtime(), &journal).await.unwrap();
    let options = apply::ApplyOptions { parameters: vec![given], ..case.options.clone() };
    let report = apply::run(&plan, &assembly, &options, case.runtime(), &journal).await.unwrap();
    assert_eq!(report.code, 4, "{report:#?}");
    let journal = serde_json::to_string(&journal.history().lines).unwrap();
    let texts = [
        journal,
        serde_json::to_string(&plan).unwrap(),
        serde_json::to_string(&case.account.events()).unwrap(),
        serde_json::to_string(&report).unwrap(),
        format!("{options:?}"),
    ];
    for text in texts {
        assert!(!text.contains(secret), "{text}");
    }
}
