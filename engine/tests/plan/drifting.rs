//! Drift: found resource by resource, told honestly where it cannot be found, and taken back by a plan.

use std::time::Duration;

use formwork_engine::aws::cloudformation::ChangeAction;
use formwork_engine::drift::{self, DriftReport, HowDrifted, Subject, Verdict};
use formwork_engine::event::What;
use formwork_engine::follow::Places;
use formwork_engine::journal::{Intent, Journal};
use formwork_engine::plan::{self, Operation};
use serde_json::{Value, json};

use crate::case::{Case, Part, of, part, topic};

/// A queue, a topic, and a resource of a type that CloudFormation cannot read.
fn shop(seconds: u32) -> Part {
    let queue = json!({"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": seconds},
        "Metadata": {"aws:cdk:path": "shop/Orders/Resource"}});
    let own = json!({"Type": "Custom::Own",
        "Properties": {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f"}});
    part("shop", &[], json!({"Resources": {"Queue": queue, "Topic": topic("news"), "Own": own}}))
}

async fn look(case: &Case, parts: &[Part], deadline: Duration) -> DriftReport {
    let (assembly, runtime) = (case.assembly(parts), case.runtime());
    let artifacts = assembly.stacks().unwrap();
    let located = plan::locate(&assembly, &[], None, None, &runtime).await.unwrap();
    let subjects: Vec<Subject> = located
        .into_iter()
        .map(|located| {
            let artifact = artifacts.iter().find(|artifact| artifact.id == located.id).unwrap();
            Subject { places: Places::of(&assembly, artifact), located }
        })
        .collect();
    drift::detect_drift(&subjects, deadline, &runtime, &Journal::in_memory()).await.unwrap()
}

async fn found(case: &Case, parts: &[Part]) -> DriftReport {
    look(case, parts, drift::DETECTION_DEADLINE).await
}

/// Fault 56: what was changed behind CloudFormation's back is told by property, with the construct that made it and
/// with what cannot be compared.
#[tokio::test(start_paused = true)]
async fn drift_is_told_by_property_and_construct() {
    let mut case = Case::new("");
    let parts = [shop(30)];
    case.deploy(&parts).await;
    let report = found(&case, &parts).await;
    assert_eq!(report.stacks[0].verdict, Verdict::InSync);
    assert_eq!(report.stacks[0].checked, 2);
    assert_eq!(report.stacks[0].not_checked[0].logical_id, "Own");

    case.script("drift shop/Queue /VisibilityTimeout 90; drift shop/Topic deleted");
    let report = found(&case, &parts).await;
    let stack = &report.stacks[0];
    assert_eq!((stack.verdict, stack.checked, stack.untold.len()), (Verdict::Drifted, 2, 0));
    let [queue, topic] = &stack.resources[..] else { panic!("{stack:#?}") };
    assert_eq!((queue.how, topic.how), (HowDrifted::Modified, HowDrifted::Deleted));
    assert_eq!(queue.construct_path.as_deref(), Some("shop/Orders"));
    let property = &queue.properties[0];
    assert_eq!(property.path, "/VisibilityTimeout");
    assert_eq!((&property.expected, &property.actual), (&Some(json!(30)), &Some(json!(90))));
}

/// Fault 56: a nested stack is asked by itself, because its parent's detection leaves it out.
#[tokio::test(start_paused = true)]
async fn drift_of_a_nested_stack_is_drift_of_its_parent() {
    let mut case = Case::new("bucket assets exists");
    case.put("assets", "inner.json", &json!({"Resources": {"Topic": topic("x")}}).to_string()).await;
    let outer = json!({"Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "https://s3.us-east-1.amazonaws.com/assets/inner.json"}});
    let parts = [part("shop", &[], json!({"Resources": {"Inner": outer}}))];
    case.deploy(&parts).await;
    assert_eq!(found(&case, &parts).await.stacks[0].verdict, Verdict::InSync);
    let session = case.runtime().sessions.base().await.unwrap();
    let resources = session.cloudformation().resources("shop").await.unwrap();
    let name = resources[0].physical_id.as_deref().unwrap().split('/').nth(1).unwrap();
    case.script(&format!("drift {name}/Topic /DisplayName other"));
    let stack = &found(&case, &parts).await.stacks[0];
    assert_eq!(stack.verdict, Verdict::Drifted);
    assert_eq!(stack.resources[0].logical_id, "Inner.Topic");
    assert_eq!(stack.resources[0].properties[0].actual, Some(json!("other")));
}

/// Fault 56: a stack takes one detection at a time, so that somebody else's is waited for.
#[tokio::test(start_paused = true)]
async fn a_detection_that_runs_already_is_waited_for() {
    let mut case = Case::new("");
    let many: serde_json::Map<String, Value> =
        (0..40).map(|number| (format!("Topic{number}"), topic("x"))).collect();
    let parts = [part("shop", &[], json!({"Resources": many}))];
    case.deploy(&parts).await;
    case.script("drift shop/Topic7 /DisplayName other");
    let session = case.runtime().sessions.base().await.unwrap();
    let ticket = Journal::in_memory().intent(Intent::new("DetectStackDrift", "shop")).unwrap();
    session.cloudformation().detect_drift("shop", &ticket).await.unwrap();
    assert_eq!(found(&case, &parts).await.stacks[0].verdict, Verdict::Drifted);
    let waited = case.account.events().iter().any(|event| matches!(event.what, What::StackWaiting { .. }));
    assert!(waited, "nobody was told of the wait");
}

/// Fault 56: what cannot be told is no good news: a time limit, a denied call, a stack in a state without detection.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_not_in_sync() {
    let mut case = Case::new("");
    let (parts, other) = ([shop(30)], part("other", &[], json!({"Resources": {"Topic": topic("x")}})));
    case.deploy(&parts).await;
    let late = look(&case, &parts, Duration::ZERO).await;
    assert_eq!(late.stacks[0].verdict, Verdict::Unknown);
    assert!(late.stacks[0].untold[0].contains("not done after"), "{late:#?}");

    case.runtime().clock.sleep(Duration::from_secs(60)).await;
    let both = [shop(30), other];
    let report = found(&case, &both).await;
    let other = report.stacks.iter().find(|stack| stack.id == "other").unwrap();
    assert_eq!(other.verdict, Verdict::NotDeployed);

    case.script("on DetectStackDrift error 403 AccessDenied \"not authorized to perform: cloudformation:DetectStackDrift\"");
    let denied = found(&case, &parts).await;
    assert_eq!(denied.stacks[0].verdict, Verdict::Unknown);
    assert!(denied.stacks[0].untold[0].contains("DetectStackDrift"), "{denied:#?}");
}

/// Fault 13: a detection of which reads are throttled for minutes ends with its result.
#[tokio::test(start_paused = true)]
async fn a_throttled_detection_ends_with_its_result() {
    let mut case = Case::new("");
    let parts = [shop(30)];
    case.deploy(&parts).await;
    case.script(
        "drift shop/Queue /VisibilityTimeout 90; on DescribeStackDriftDetectionStatus for 3m throttle",
    );
    assert_eq!(found(&case, &parts).await.stacks[0].verdict, Verdict::Drifted);
}

/// Fault 78: more resources than a page holds are all told.
#[tokio::test(start_paused = true)]
async fn all_pages_of_drifts_are_read() {
    let mut case = Case::new("");
    let many: serde_json::Map<String, Value> =
        (0..130).map(|number| (format!("Topic{number}"), topic("x"))).collect();
    let parts = [part("shop", &[], json!({"Resources": many}))];
    case.deploy(&parts).await;
    for number in 0..130 {
        case.script(&format!("drift shop/Topic{number} /DisplayName other"));
    }
    assert_eq!(found(&case, &parts).await.stacks[0].resources.len(), 130);
}

/// Fault 56: drift is taken back by a plan that shows it; what needs nothing but a note is told apart.
#[tokio::test(start_paused = true)]
async fn drift_is_taken_back_as_planned() {
    let mut case = Case::new("");
    let parts = [shop(30)];
    case.deploy(&parts).await;
    case.script("drift shop/Queue /VisibilityTimeout 90; drift shop/Topic deleted");
    case.request.options.revert_drift = true;
    let met = case.plan(&[shop(90)]).await.unwrap();
    let queue = of(&met, "shop").changes.iter().find(|change| change.logical_id == "Queue").unwrap();
    assert_eq!(queue.action, ChangeAction::SyncWithActual, "the template says now what there is");

    let plan = case.plan(&parts).await.unwrap();
    let stack = of(&plan, "shop");
    assert_eq!(stack.operation, Operation::Update);
    let [queue, topic] = &stack.changes[..] else { panic!("{stack:#?}") };
    assert_eq!((&queue.action, queue.drift.as_deref()), (&ChangeAction::Modify, Some("MODIFIED")));
    let detail = &queue.details[0];
    assert_eq!((detail.before.as_deref(), detail.after.as_deref()), (Some("90"), Some("30")));
    assert_eq!(topic.drift.as_deref(), Some("DELETED"));
    let report = case.apply(&plan, &parts).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert_eq!(found(&case, &parts).await.stacks[0].verdict, Verdict::InSync);
}

/// Fault 74: a plan that takes drift back tells what there is, but not where a secret may stand.
#[tokio::test(start_paused = true)]
async fn a_plan_that_takes_drift_back_shows_no_secret() {
    let mut case = Case::new("");
    let template = json!({
        "Parameters": {"Key": {"Type": "String", "NoEcho": true, "Default": "closed"}},
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Key"}}},
        }
    });
    let parts = [part("shop", &[], template)];
    case.deploy(&parts).await;
    case.script("drift shop/Topic /DisplayName open-sesame");
    let report = found(&case, &parts).await;
    assert!(!serde_json::to_string(&report).unwrap().contains("open-sesame"), "{report:#?}");
    case.request.options.revert_drift = true;
    let plan = case.plan(&parts).await.unwrap();
    assert_eq!(of(&plan, "shop").changes.len(), 1);
    assert!(!plan::file::text(&plan).contains("open-sesame"));
}
