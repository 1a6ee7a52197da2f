//! Stacks that read each other's values: what has to wait, and the removal of an export in use.

use formwork_engine::Class;
use formwork_engine::plan::Operation;
use serde_json::json;

use crate::case::{Case, of, pair, part, topic};

#[tokio::test(start_paused = true)]
async fn a_stack_that_imports_what_is_not_there_yet_is_provisional() {
    let mut case = Case::new("");
    let (net, app) = pair();
    let plan = case.plan(&[net.clone(), app.clone()]).await.unwrap();
    assert!(of(&plan, "net").change_set.is_some());
    let waiting = of(&plan, "app");
    assert_eq!(waiting.provisional.as_deref(), Some("waits for export net:Arn of stack net"));
    assert_eq!((waiting.changes.len(), waiting.needs.as_slice()), (1, &["net".to_owned()][..]));
    case.apply(&plan, &[net, app]).await;
    assert_eq!(case.status("app").await.as_deref(), Some("CREATE_COMPLETE"));
}

#[tokio::test(start_paused = true)]
async fn a_stack_whose_imports_stay_as_they_are_is_planned_for_sure() {
    let mut case = Case::new("");
    let (mut net, mut app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    net.template["Resources"]["Topic"]["Properties"]["DisplayName"] = json!("other");
    app.template["Resources"]["More"] = topic("more");
    let plan = case.plan(&[net, app]).await.unwrap();
    assert_eq!(of(&plan, "app").provisional, None);
    assert!(of(&plan, "app").change_set.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_stack_whose_import_gets_another_value_is_provisional() {
    let mut case = Case::new("");
    let (mut net, app) = pair();
    net.template["Outputs"]["Name"] =
        json!({"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}, "Export": {"Name": "net:Name"}});
    let mut reader = app.clone();
    reader.template["Resources"]["Parameter"]["Properties"]["Value"] = json!({"Fn::ImportValue": "net:Name"});
    case.deploy(&[net.clone(), reader.clone()]).await;
    // A new name replaces the topic, so that what is exported changes.
    net.template["Resources"]["Topic"]["Properties"]["TopicName"] = json!("renamed");
    reader.template["Resources"]["More"] = topic("more");
    let plan = case.plan(&[net, reader]).await.unwrap();
    assert_eq!(
        of(&plan, "app").provisional.as_deref(),
        Some("the value of export net:Name changes with stack net")
    );
}

/// Fault 45, planned: an import that nobody exports is found before anything is made.
#[tokio::test(start_paused = true)]
async fn an_import_that_nobody_exports_is_refused() {
    let mut case = Case::new("");
    let (net, app) = pair();
    case.request.stacks = vec!["app".to_owned()];
    case.request.exclusively = true;
    let refused = case.plan(&[net, app]).await.unwrap_err();
    assert_eq!(refused.class, Class::Input);
    assert!(refused.message.contains("stack net exports it but is not deployed"), "{}", refused.message);
    assert_eq!(case.writes(0), Vec::<String>::new());
}

/// Fault 44: an export that is dropped while a stack of the plan imports it goes in two phases.
#[tokio::test(start_paused = true)]
async fn an_export_in_use_is_removed_in_two_phases() {
    let mut case = Case::new("");
    let (mut net, mut app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    net.template = json!({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}});
    app.template = json!({"Resources": {"Parameter": {
        "Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "fixed"}}}});
    let parts = [net, app];
    let plan = case.plan(&parts).await.unwrap();
    let first = of(&plan, "net").first_phase.as_ref().unwrap();
    assert_eq!(first.kept_exports["net:Arn"], ["app"]);
    assert_eq!(first.then_after, ["app"]);
    assert!(first.held_by.is_empty());
    let changed: Vec<&str> = of(&plan, "net").changes.iter().map(|it| it.logical_id.as_str()).collect();
    assert_eq!(changed, ["Queue", "Topic"], "what the second phase removes is shown");
    let report = case.apply(&plan, &parts).await;
    assert_eq!(report.code, 0, "{report:#?}");
    let again = case.plan(&parts).await.unwrap();
    assert!(again.stacks.iter().all(|stack| stack.operation == Operation::Nothing), "{again:#?}");
}

/// Fault 44: the removal is all that changes, so that the first phase has nothing to do; the second one still comes.
#[tokio::test(start_paused = true)]
async fn an_export_in_use_is_removed_when_nothing_else_changes() {
    let mut case = Case::new("");
    let (mut net, mut app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    net.template["Outputs"] = json!({});
    app.template = json!({"Resources": {"Parameter": {
        "Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "fixed"}}}});
    let parts = [net, app];
    let plan = case.plan(&parts).await.unwrap();
    let stack = of(&plan, "net");
    assert_eq!((stack.operation, &stack.change_set), (Operation::Update, &None));
    assert_eq!(stack.first_phase.as_ref().unwrap().then_after, ["app"]);
    let report = case.apply(&plan, &parts).await;
    assert_eq!(report.code, 0, "{report:#?}");
    let again = case.plan(&parts).await.unwrap();
    assert!(again.stacks.iter().all(|stack| stack.operation == Operation::Nothing), "{again:#?}");
}

/// Fault 44: while a stack outside the plan imports it, the export stays, and a note names that stack.
#[tokio::test(start_paused = true)]
async fn an_export_that_others_import_stays() {
    let mut case = Case::new("");
    let (mut net, app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    net.template["Outputs"] = json!({"Other": {"Value": "x"}});
    case.request.stacks = vec!["net".to_owned()];
    let plan = case.plan(&[net, app]).await.unwrap();
    let stack = of(&plan, "net");
    assert_eq!(stack.first_phase.as_ref().unwrap().held_by, ["app"]);
    assert!(
        stack.notes.iter().any(|note| note.contains("export net:Arn stays: app imports it")),
        "{:?}",
        stack.notes
    );
}

/// Fault 44: an export whose importer goes on importing it cannot be dropped; the message names the importer.
#[tokio::test(start_paused = true)]
async fn an_export_that_is_still_wanted_is_not_dropped() {
    let mut case = Case::new("");
    let (mut net, app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    net.template["Outputs"]["Arn"]["Value"] = json!("another value");
    let refused = case.plan(&[net, app]).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("stack app goes on importing net:Arn"), "{}", refused.message);
}

#[tokio::test(start_paused = true)]
async fn selected_stacks_bring_what_they_need() {
    let mut case = Case::new("");
    let (net, app) = pair();
    let lone = part("lone", &[], json!({"Resources": {"Topic": topic("x")}}));
    case.request.stacks = vec!["app".to_owned()];
    let plan = case.plan(&[net, app, lone]).await.unwrap();
    let ids: Vec<&str> = plan.stacks.iter().map(|stack| stack.id.as_str()).collect();
    assert_eq!(ids, ["net", "app"]);
    case.request.stacks = vec!["appp".to_owned()];
    let (net, app) = pair();
    let refused = case.plan(&[net, app]).await.unwrap_err();
    assert!(refused.message.contains("did you mean app?"), "{}", refused.message);
}
