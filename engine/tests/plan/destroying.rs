//! Plans of a destruction.

use formwork_engine::Class;
use formwork_engine::plan::{Command, LossKind, Operation, RemovalKind};
use serde_json::json;

use crate::case::{Case, of, pair, part, topic};

#[tokio::test(start_paused = true)]
async fn stacks_are_deleted_in_reverse_order() {
    let mut case = Case::new("");
    let (net, app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    case.request.command = Command::Destroy;
    let plan = case.plan(&[net.clone(), app.clone()]).await.unwrap();
    let ids: Vec<&str> = plan.stacks.iter().map(|stack| stack.id.as_str()).collect();
    assert_eq!(ids, ["app", "net"]);
    assert_eq!(of(&plan, "net").needs, ["app"]);
    let report = case.apply(&plan, &[net, app]).await;
    assert_eq!(report.code, 0, "{report:#?}");
    assert_eq!((case.status("app").await, case.status("net").await), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_shared_stack_stays_and_the_importer_is_named() {
    let mut case = Case::new("");
    let (net, app) = pair();
    let mut other = app.clone();
    other.id = "other";
    case.deploy(&[net.clone(), app.clone(), other]).await;
    case.request.command = Command::Destroy;
    let plan = case.plan(&[net, app]).await.unwrap();
    assert_eq!(of(&plan, "app").operation, Operation::Delete);
    assert_eq!(of(&plan, "net").operation, Operation::Nothing);
    assert_eq!(of(&plan, "net").notes, ["stays, because it is needed by other"]);
}

#[tokio::test(start_paused = true)]
async fn a_selected_stack_takes_those_with_it_that_need_it() {
    let mut case = Case::new("");
    let (net, app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    case.request.command = Command::Destroy;
    case.request.stacks = vec!["net".to_owned()];
    let plan = case.plan(&[net, app]).await.unwrap();
    assert_eq!(plan.stacks.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_holds_data_is_a_loss_and_what_is_retained_is_left() {
    let mut case = Case::new("");
    let template = json!({"Resources": {
        "Users": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST"}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"},
        "Topic": topic("x")
    }});
    let parts = [part("shop", &[], template)];
    case.deploy(&parts).await;
    case.request.command = Command::Destroy;
    let plan = case.plan(&parts).await.unwrap();
    let stack = of(&plan, "shop");
    assert_eq!(stack.losses.len(), 1, "{:?}", stack.losses);
    assert_eq!((stack.losses[0].logical_id.as_str(), stack.losses[0].by), ("Users", LossKind::Delete));
    assert_eq!(stack.left.len(), 1, "{:?}", stack.left);
    assert!(stack.left[0].cost.as_deref().unwrap().contains("gigabyte"));
}

/// Fault 43: a protected stack is named before anything is deleted.
#[tokio::test(start_paused = true)]
async fn a_protected_stack_stands_in_the_way() {
    let mut case = Case::new("");
    let (net, mut app) = pair();
    app.properties = json!({"terminationProtection": true});
    case.deploy(&[net.clone(), app.clone()]).await;
    case.request.command = Command::Destroy;
    let before = case.requests();
    let refused = case.plan(&[net.clone(), app.clone()]).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("stack app is protected against deletion"), "{}", refused.message);
    assert_eq!(case.writes(before), Vec::<String>::new());
    case.request.removals.protection = true;
    let plan = case.plan(&[net, app]).await.unwrap();
    assert_eq!(of(&plan, "app").removals[0].kind, RemovalKind::TerminationProtection);
    let session = case.runtime().sessions.base().await.unwrap();
    let journal = formwork_engine::journal::Journal::in_memory();
    formwork_engine::plan::removal::remove(of(&plan, "app"), &session, &case.runtime(), &journal)
        .await
        .unwrap();
    assert!(!session.cloudformation().stack("app").await.unwrap().unwrap().termination_protection);
}

/// A bucket with an object stops a deletion: it is named, and emptied only when that is asked for.
#[tokio::test(start_paused = true)]
async fn a_bucket_with_objects_stands_in_the_way() {
    let mut case = Case::new("");
    let template = json!({"Resources": {"Data": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "shop-data"}}}});
    let parts = [part("shop", &[], template)];
    case.deploy(&parts).await;
    case.script("bucket shop-data exists");
    case.request.command = Command::Destroy;
    let plan = case.plan(&parts).await.unwrap();
    assert!(
        of(&plan, "shop").losses.is_empty(),
        "an empty bucket loses nothing: {:?}",
        of(&plan, "shop").losses
    );
    case.put("shop-data", "runs/1", "x").await;
    let refused = case.plan(&parts).await.unwrap_err();
    assert!(refused.message.contains("bucket shop-data is not empty"), "{}", refused.message);
    assert!(refused.hint.unwrap().contains("--remove content"));
    case.request.removals.content = true;
    let plan = case.plan(&parts).await.unwrap();
    assert_eq!(of(&plan, "shop").removals[0].kind, RemovalKind::BucketContent);
    assert_eq!(of(&plan, "shop").losses.len(), 1);
    let session = case.runtime().sessions.base().await.unwrap();
    let journal = formwork_engine::journal::Journal::in_memory();
    formwork_engine::plan::removal::remove(of(&plan, "shop"), &session, &case.runtime(), &journal)
        .await
        .unwrap();
    assert!(session.storage().is_empty("shop-data").await.unwrap());
}

/// A check that the service does not answer stops nothing, and is told.
#[tokio::test(start_paused = true)]
async fn a_check_without_an_answer_is_told() {
    let mut case = Case::new("on ListImages error 400 AccessDeniedException \"not authorized\"");
    let template = json!({"Resources": {"Images": {"Type": "AWS::ECR::Repository"}}});
    let parts = [part("shop", &[], template)];
    case.deploy(&parts).await;
    case.request.command = Command::Destroy;
    let plan = case.plan(&parts).await.unwrap();
    assert!(
        of(&plan, "shop").notes[0].starts_with("Images was not looked into"),
        "{:?}",
        of(&plan, "shop").notes
    );
}

/// A name that no stack has would have been deleted silently.
#[tokio::test(start_paused = true)]
async fn a_resource_to_leave_behind_that_does_not_exist_is_refused() {
    let mut case = Case::new("");
    let (net, app) = pair();
    case.deploy(&[net.clone(), app.clone()]).await;
    case.request.command = Command::Destroy;
    case.request.options.retain = vec!["app.Topic".to_owned()];
    let refused = case.plan(&[net.clone(), app.clone()]).await.unwrap_err();
    assert_eq!(refused.class, Class::Usage);
    assert!(refused.message.contains("`app.Topic`"), "{}", refused.message);
    case.request.options.retain = vec!["net.Topic".to_owned(), "Parameter".to_owned()];
    let plan = case.plan(&[net, app]).await.unwrap();
    assert_eq!(plan.options.retain, ["net.Topic", "Parameter"], "the plan says what is left behind");
}
