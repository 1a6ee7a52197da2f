//! Taking back what failed, and going on with taking it back.

use formwork_engine::apply::{RollbackOptions, rollback};
use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::error::Class;
use formwork_engine::event::StackOutcome;
use formwork_engine::journal::Journal;

use crate::case::{Case, of, part};

async fn roll_back(
    case: &Case,
    options: &RollbackOptions,
) -> Result<formwork_engine::apply::StackReport, formwork_engine::EngineError> {
    let run = format!("20260102-0306{:02}-abcd", case.calls("DescribeStacks") % 100);
    let journal = Journal::in_memory_of(&run, Default::default());
    rollback(&case.located("net").await, options, &case.next_process(), &journal).await
}

/// Fault 40: what `--no-rollback` left is taken back.
#[tokio::test(start_paused = true)]
async fn a_paused_update_is_taken_back() {
    let mut case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    case.script("resource net/Topic update-fails \"no\"");
    case.plan_options.rollback = false;
    let report = case.deploy(&[part("net", &[], "two")]).await;
    assert_eq!(of(&report, "net").status, Some(StackStatus::UpdateFailed), "{report:#?}");
    let report = roll_back(&case, &RollbackOptions::default()).await.unwrap();
    assert_eq!((report.outcome, report.code), (StackOutcome::RolledBack, 0), "{report:#?}");
    assert_eq!(case.status("net").await, Some(StackStatus::UpdateRollbackComplete));
    assert_eq!(case.effects("RollbackStack"), 1);
}

/// Fault 39: the rollback failed; it goes on without the resource that cannot be taken back.
#[tokio::test(start_paused = true)]
async fn a_failed_rollback_goes_on_without_what_is_stuck() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    case.script("resource net/Topic update-fails \"no\"; rollback of net/Topic fails \"still no\"");
    let report = case.deploy(&[part("net", &[], "two")]).await;
    let net = of(&report, "net");
    assert_eq!(
        (report.code, net.status.clone()),
        (5, Some(StackStatus::UpdateRollbackFailed)),
        "{report:#?}"
    );
    assert!(net.hint.as_ref().unwrap().contains("formwork rollback net"), "{net:#?}");

    let again = roll_back(&case, &RollbackOptions::default()).await.unwrap();
    assert_eq!(again.code, 5, "{again:#?}");
    assert!(again.hint.as_ref().unwrap().contains("--skip Topic"), "{again:#?}");

    let wrong = RollbackOptions { skip: vec!["Nothing".to_owned()], ..RollbackOptions::default() };
    let refused = roll_back(&case, &wrong).await.unwrap_err();
    assert!(refused.hint.unwrap().contains("Topic"));

    let skip = RollbackOptions { skip: vec!["Topic".to_owned()], ..RollbackOptions::default() };
    let skipped = roll_back(&case, &skip).await.unwrap();
    assert_eq!(skipped.code, 0, "{skipped:#?}");
    assert_eq!(case.status("net").await, Some(StackStatus::UpdateRollbackComplete));
}

/// Fault 39: CloudFormation itself leaves out what fails.
#[tokio::test(start_paused = true)]
async fn a_failed_rollback_is_forced() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    case.script("resource net/Topic update-fails \"no\"; rollback of net/Topic fails \"still no\"");
    case.deploy(&[part("net", &[], "two")]).await;
    let force = RollbackOptions { force: true, ..RollbackOptions::default() };
    assert_eq!(roll_back(&case, &force).await.unwrap().code, 0);
}

/// Fault 38 and 40: where nothing can be taken back, the next command is named.
#[tokio::test(start_paused = true)]
async fn nothing_to_take_back_is_refused_with_the_next_command() {
    let case = Case::new("");
    case.deploy(&[part("net", &[], "one")]).await;
    let error = roll_back(&case, &RollbackOptions::default()).await.unwrap_err();
    assert_eq!(error.class, Class::Refused);
    assert!(error.hint.unwrap().contains("formwork deploy net"));
    let both = RollbackOptions { force: true, skip: vec!["Topic".to_owned()], ..RollbackOptions::default() };
    assert_eq!(roll_back(&case, &both).await.unwrap_err().class, Class::Usage);
}

/// Fault 53: CloudFormation refuses the rollback of a stack in this mode, and its words are told.
#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_refused_is_told_in_the_words_of_the_service() {
    let refusal =
        "on RollbackStack error 400 ValidationError \"RollbackStack is not supported in express mode\"";
    let mut case = Case::new(&format!("resource net/Topic create-fails \"no\"; {refusal}"));
    case.plan_options.rollback = false;
    case.deploy(&[part("net", &[], "one")]).await;
    let error = roll_back(&case, &RollbackOptions::default()).await.unwrap_err();
    assert_eq!(error.class, Class::NeedsAction);
    assert!(error.message.contains("not supported in express mode"), "{}", error.message);
}

/// A stack of the same name that another app or another tool made is nobody's to take back here.
#[tokio::test(start_paused = true)]
async fn a_stack_of_somebody_else_is_not_taken_back() {
    let mut case = Case::new("resource net/Topic create-fails \"no\"");
    case.plan_options.rollback = false;
    case.deploy(&[part("net", &[], "one")]).await;
    let mut place = case.located("net").await;
    place.id = "another".to_owned();
    let journal = Journal::in_memory_of("20260102-030700-abcd", Default::default());
    let mut options = RollbackOptions::default();
    let refused = rollback(&place, &options, &case.next_process(), &journal).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused, "{refused}");
    assert!(refused.hint.unwrap().contains("formwork rollback net --adopt"));
    assert_eq!(case.calls("RollbackStack"), 0);
    options.adopt = true;
    rollback(&place, &options, &case.next_process(), &journal).await.unwrap();
    assert_eq!(case.calls("RollbackStack"), 1);
}

/// The assembly's roles count as they do for a deployment: who calls, and as whom CloudFormation acts.
#[tokio::test(start_paused = true)]
async fn a_rollback_uses_the_roles_of_the_assembly() {
    let mut case = Case::new("resource net/Topic create-fails \"no\"");
    case.plan_options.rollback = false;
    let mut net = part("net", &[], "one");
    net.properties = serde_json::json!({
        "assumeRoleArn": "arn:aws:iam::123456789012:role/deployer",
        "cloudFormationExecutionRoleArn": "arn:aws:iam::123456789012:role/executor",
    });
    case.deploy(&[net]).await;
    roll_back(&case, &RollbackOptions::default()).await.unwrap();
    let simulator = case.account.simulator();
    let entries = simulator.log().entries();
    let call = entries.iter().find(|it| it.operation == "RollbackStack").unwrap();
    assert_eq!(call.parameters["RoleARN"], "arn:aws:iam::123456789012:role/executor");
    let executed = entries.iter().find(|it| it.operation == "ExecuteChangeSet").unwrap();
    let base = entries.iter().find(|it| it.operation == "GetCallerIdentity").unwrap();
    assert_eq!(call.access_key, executed.access_key);
    assert_ne!(call.access_key, base.access_key);
}
