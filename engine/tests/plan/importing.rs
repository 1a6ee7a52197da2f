//! Imports: existing resources become part of a stack, and nothing else changes.

use formwork_engine::Class;
use formwork_engine::EngineError;
use formwork_engine::aws::cloudformation::ChangeAction;
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, GivenIdentifier, Operation, Plan};
use serde_json::json;

use crate::case::{Case, Part, of, part, topic};

/// A topic and a bucket, of which an output tells.
fn shop(with_bucket: bool) -> Part {
    let mut template = json!({"Resources": {"Topic": topic("news")}});
    if with_bucket {
        template["Resources"]["Store"] = json!({"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain",
            "Properties": {"BucketName": "old-one"}});
        template["Outputs"] = json!({"Bucket": {"Value": {"Ref": "Store"}}});
    }
    part("shop", &[], template)
}

async fn import(case: &mut Case, parts: &[Part]) -> Result<Plan, EngineError> {
    let given =
        [GivenIdentifier { logical_id: "Store".to_owned(), property: None, value: "old-one".to_owned() }];
    case.request.run = "20260102-040000-bbbb".to_owned();
    case.request.stacks = vec!["shop".to_owned()];
    case.request.exclusively = true;
    let journal = Journal::in_memory_of(&case.request.run, Default::default());
    let assembly = case.assembly(parts);
    plan::make_import(&case.request, &given, &assembly, &case.runtime(), &journal).await
}

fn case() -> Case {
    let case = Case::new("");
    case.account.simulator().world_mut().put_existing("123456789012", "AWS::S3::Bucket", "old-one");
    case
}

#[tokio::test(start_paused = true)]
async fn a_resource_is_taken_into_a_stack_and_the_rest_comes_with_the_next_deployment() {
    let mut case = case();
    case.deploy(&[shop(false)]).await;
    let parts = [shop(true)];
    let could = plan::importable(&case.request, &case.assembly(&parts), &case.runtime()).await.unwrap();
    assert_eq!(could.len(), 1);
    assert_eq!(
        (could[0].identifier.as_slice(), could[0].problem.as_deref()),
        (&["BucketName".to_owned()][..], None)
    );

    let plan = import(&mut case, &parts).await.unwrap();
    let stack = of(&plan, "shop");
    assert_eq!(stack.operation, Operation::Import);
    assert_eq!(stack.changes[0].action, ChangeAction::Import);
    assert_eq!(case.apply(&plan, &parts).await.code, 0);
    assert_eq!(case.status("shop").await.as_deref(), Some("IMPORT_COMPLETE"));

    case.request.stacks.clear();
    let next = case.plan(&parts).await.unwrap();
    let bucket = of(&next, "shop").changes.iter().find(|change| change.logical_id == "Store");
    assert!(bucket.is_none_or(|change| change.action == ChangeAction::Modify), "{bucket:#?}");
    assert_eq!(case.apply(&next, &parts).await.code, 0);
    let session = case.runtime().sessions.base().await.unwrap();
    let stack = session.cloudformation().stack("shop").await.unwrap().unwrap();
    assert_eq!(stack.outputs["Bucket"].value, "old-one");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_made_of_an_import_is_ours() {
    let mut case = case();
    let parts = [shop(true)];
    let plan = import(&mut case, &parts).await.unwrap();
    assert_eq!(case.apply(&plan, &parts).await.code, 0);
    let session = case.runtime().sessions.base().await.unwrap();
    let stack = session.cloudformation().stack("shop").await.unwrap().unwrap();
    assert_eq!((stack.status.as_str(), stack.tags["formwork:owner"].as_str()), ("IMPORT_COMPLETE", "shop"));
    case.request.stacks.clear();
    case.deploy(&parts).await;
    assert_eq!(case.status("shop").await.as_deref(), Some("UPDATE_COMPLETE"));
}

/// Fault 22: an import that CloudFormation refuses leaves no change set and no shell.
#[tokio::test(start_paused = true)]
async fn a_refused_import_leaves_nothing() {
    let mut case = case();
    case.script("validation shop/Store IMPORT_CHECK \"the bucket is in another region\" /Resources/Store");
    let refused = import(&mut case, &[shop(true)]).await.unwrap_err();
    assert!(refused.message.contains("another region"), "{}", refused.message);
    case.runtime().clock.sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(case.status("shop").await, None);
}

#[tokio::test(start_paused = true)]
async fn an_import_that_is_declined_leaves_nothing() {
    let mut case = case();
    let plan = import(&mut case, &[shop(true)]).await.unwrap();
    formwork_engine::apply::discard(&plan, &case.runtime(), &Journal::in_memory()).await;
    case.runtime().clock.sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(case.status("shop").await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_an_import_is_found_before_any_write() {
    let mut case = Case::new("");
    case.deploy(&[shop(true)]).await;
    let before = case.requests();
    let refused = import(&mut case, &[shop(true)]).await.unwrap_err();
    assert_eq!(refused.class, Class::Input);
    assert!(refused.message.contains("Store is part of the stack already"), "{}", refused.message);
    assert_eq!(case.writes(before), Vec::<String>::new());
}
