//! Nothing happens that was not approved, also where it shows only while the plan is carried out.

use formwork_engine::apply;
use formwork_engine::audit::{Audit, Bundle};
use formwork_engine::aws::cloudformation::StackStatus;
use formwork_engine::journal::Journal;
use formwork_engine::plan::approval::{Policy, needs};
use formwork_engine::plan::{Command, LossKind, Operation};
use serde_json::{Value, json};

use crate::case::{Case, Part, RUN, of, part};

fn stack(id: &'static str, needs: &[&'static str], template: Value) -> Part {
    Part { template, ..part(id, needs, "") }
}

/// A stack that hands on a range of addresses, and one whose group lets it in.
fn group_of_range(range: &str) -> [Part; 2] {
    let net = json!({
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": range}}},
        "Outputs": {"Range": {"Value": range}}
    });
    let app = json!({"Resources": {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
        "GroupDescription": "x",
        "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
            "CidrIp": {"Fn::GetStackOutput": {"StackName": "net", "OutputName": "Range"}}}]
    }}}});
    [stack("net", &[], net), stack("app", &["net"], app)]
}

/// The range that another stack hands on becomes the whole world: that shows only in the change set that is made when its
/// turn comes, and nobody has approved it.
#[tokio::test(start_paused = true)]
async fn reachability_that_grows_only_in_a_late_change_set_is_refused() {
    let mut case = Case::new("");
    case.deploy(&group_of_range("10.0.0.0/8")).await;
    let parts = group_of_range("0.0.0.0/0");
    let report = case.deploy(&parts).await;
    let app = of(&report, "app");
    assert_eq!(app.code, 3, "{report:#?}");
    let message = app.message.clone().unwrap();
    assert!(
        message.contains("would grant more than was approved") && message.contains("0.0.0.0/0"),
        "{message}"
    );
    assert_eq!(case.status("app").await, Some(StackStatus::CreateComplete));
    case.options.may_broaden = true;
    let report = case.deploy(&parts).await;
    assert_eq!(report.code, 0, "{report:#?}");
}

/// Fault 22: the late change set of a new stack is refused; that its shell is being deleted again is not what is wrong.
#[tokio::test(start_paused = true)]
async fn refusal_of_a_late_change_set_is_told_as_it_is() {
    let case = Case::new("validation app/Group GROUP_CHECK \"the group is wrong\" /Resources/Group");
    let report = case.deploy(&group_of_range("10.0.0.0/8")).await;
    let app = of(&report, "app");
    let message = app.message.clone().unwrap();
    assert!(message.contains("the group is wrong") && !message.contains("changed since"), "{message}");
    assert_eq!(app.code, 1, "{report:#?}");
}

/// A stack with a bucket that is kept and a topic that cannot be made.
fn half_made() -> Part {
    stack(
        "shop",
        &[],
        json!({"Resources": {
            "Data": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
            "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": "Data"}
        }}),
    )
}

/// Fault 37: what a failed creation has left is named and asked about before the rest of it is deleted.
#[tokio::test(start_paused = true)]
async fn what_a_failed_creation_retains_is_in_the_plan_of_the_next() {
    let case = Case::new("resource shop/Topic create-fails \"no\"");
    case.deploy(&[half_made()]).await;
    assert_eq!(case.status("shop").await, Some(StackStatus::RollbackComplete));
    let journal = Journal::in_memory_of("20260102-050000-ffff", Default::default());
    let plan = case.plan(Command::Deploy, &[half_made()], &journal).await.unwrap();
    assert_eq!(plan.stacks[0].operation, Operation::Recreate);
    let left: Vec<&str> = plan.stacks[0].left.iter().map(|left| left.logical_id.as_str()).collect();
    assert_eq!(left, ["Data"], "{:#?}", plan.stacks[0]);
    assert!(needs(&plan, Policy::Broadening, &Default::default()).approval);
}

/// Fault 37: a failed creation that was left as it was holds data; whoever has not approved its deletion keeps it.
#[tokio::test(start_paused = true)]
async fn data_of_a_failed_creation_is_not_deleted_without_approval() {
    let mut case = Case::new("resource shop/Topic create-fails \"no\"; rollback of shop/Data fails \"busy\"");
    let mut shop = half_made();
    shop.template["Resources"]["Data"].as_object_mut().unwrap().remove("DeletionPolicy");
    case.plan_options.rollback = false;
    case.deploy(&[shop.clone()]).await;
    assert_eq!(case.status("shop").await, Some(StackStatus::CreateFailed));
    // The plan of a stack that was taken back when it was made, and is not now.
    let journal = Journal::in_memory_of("20260102-050000-ffff", Default::default());
    let mut plan = case.plan(Command::Deploy, &[shop.clone()], &journal).await.unwrap();
    plan.stacks[0].operation = Operation::Recreate;
    let (assembly, runtime) = (case.assembly(&[shop]), case.next_process());
    let run = |plan, journal| {
        let (assembly, options, runtime) = (&assembly, &case.options, &runtime);
        async move { formwork_engine::apply::run(&plan, assembly, options, runtime, &journal).await.unwrap() }
    };
    let report = run(plan.clone(), journal).await;
    assert_eq!(report.code, 3, "{report:#?}");
    assert!(of(&report, "shop").message.as_ref().unwrap().contains("Data"), "{report:#?}");
    assert_eq!(case.calls("DeleteStack"), 0);
    plan.stacks[0].losses.push(formwork_engine::plan::Loss {
        logical_id: "Data".to_owned(),
        resource_type: "AWS::S3::Bucket".to_owned(),
        by: LossKind::Delete,
        words: String::new(),
    });
    run(plan, Journal::in_memory_of("20260102-060000-ffff", Default::default())).await;
    assert_eq!(case.calls("DeleteStack"), 1);
}

/// A pipeline planned, and somebody else carried the plan out and went on with it: the audit names who did what.
#[tokio::test(start_paused = true)]
async fn an_audit_names_who_approved_and_not_who_planned() {
    let case = Case::new("");
    let parts = [part("net", &[], "one"), part("app", &["net"], "one")];
    let directory = case.directory.path().join("journal");
    let journal = Journal::create(&directory, RUN).unwrap();
    let mut plan = case.plan(Command::Deploy, &parts, &journal).await.unwrap();
    let caller = plan.environments[0].identity.clone();
    plan.environments[0].identity = "arn:aws:sts::123456789012:assumed-role/ci/pipeline".to_owned();
    let records = journal.history().lines.len() as u64;
    journal.cut_at(records + 4, true);
    let (assembly, runtime) = (case.assembly(&parts), case.next_process());
    tokio::select! {
        biased;
        () = journal.was_cut() => {}
        _ = apply::run(&plan, &assembly, &case.options, &runtime, &journal) => {}
    }
    drop(journal);
    let journal = Journal::open(&directory, RUN).unwrap();
    let report = apply::resume(&journal, Some(&assembly), None, &case.next_process()).await.unwrap();
    assert_eq!(report.code, 0, "{report:#?}");
    let bundle = Bundle::of(&directory, RUN).unwrap();
    let audit: Audit = serde_json::from_slice(&bundle.files["audit.json"]).unwrap();
    let approved: Vec<&str> =
        audit.approval.iter().flat_map(|it| &it.identities).map(|it| it.identity.as_str()).collect();
    assert_eq!(approved, [caller.as_str()]);
    assert_eq!(audit.resumptions.len(), 1);
    assert_eq!(audit.resumptions[0].identities[0].identity, caller);
    assert!(String::from_utf8_lossy(&bundle.files["plan.json"]).contains("assumed-role/ci/pipeline"));
}
