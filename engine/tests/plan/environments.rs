//! Where stacks go and whose they are.

use formwork_engine::Class;
use formwork_engine::plan::{Depth, Operation};
use serde_json::json;

use crate::case::{Case, of, part, shop, topic};

/// Fault 5: credentials of another account are refused before anything is uploaded or made.
#[tokio::test(start_paused = true)]
async fn another_account_is_refused_before_any_write() {
    let mut case = Case::new("");
    let mut foreign = shop("one");
    foreign.environment = "aws://999999999999/us-east-1";
    let refused = case.plan(&[foreign]).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("999999999999") && refused.message.contains("123456789012"));
    case.request.account = Some("888888888888".to_owned());
    let refused = case.plan(&[shop("one")]).await.unwrap_err();
    assert!(refused.message.contains("888888888888"), "{}", refused.message);
    assert_eq!(case.writes(0), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_region_of_the_artifact_beats_the_one_that_is_asked_for() {
    let mut case = Case::new("");
    case.request.region = Some("eu-west-1".to_owned());
    let mut fixed = part("fixed", &[], json!({"Resources": {"Topic": topic("x")}}));
    fixed.environment = "aws://123456789012/ap-south-1";
    let plan = case.plan(&[shop("one"), fixed]).await.unwrap();
    assert_eq!(of(&plan, "shop").environment.region, "eu-west-1");
    assert_eq!(of(&plan, "fixed").environment.region, "ap-south-1");
    assert_eq!(plan.environments.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stack_without_our_mark_is_refused_unless_it_is_adopted() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    // Another app with a stack of the same name.
    let mut other = part("other", &[], shop("two").template);
    other.properties = json!({"stackName": "shop"});
    let refused = case.plan(std::slice::from_ref(&other)).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("belongs to another app"), "{}", refused.message);
    case.request.options.adopt = true;
    let plan = case.plan(&[other]).await.unwrap();
    assert!(of(&plan, "other").adopted);
    assert_eq!(of(&plan, "other").operation, Operation::Update);
}

#[tokio::test(start_paused = true)]
async fn an_assembly_that_wants_a_newer_bootstrap_stack_is_refused() {
    let mut bound = shop("one");
    bound.properties = json!({
        "requiresBootstrapStackVersion": 6,
        "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/x/version"
    });
    let mut case = Case::new("");
    let refused = case.plan(std::slice::from_ref(&bound)).await.unwrap_err();
    assert!(refused.message.contains("is not bootstrapped"), "{}", refused.message);
    case.script("parameter /cdk-bootstrap/x/version 5");
    let refused = case.plan(std::slice::from_ref(&bound)).await.unwrap_err();
    assert!(refused.message.contains("has bootstrap version 5, the assembly needs 6"), "{}", refused.message);
    case.script("parameter /cdk-bootstrap/x/version 6");
    case.plan(&[bound]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_only_reads_writes_nothing() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    case.request.depth = Depth::Templates;
    let before = case.requests();
    let plan = case.plan(&[shop("two")]).await.unwrap();
    assert_eq!(case.writes(before), Vec::<String>::new());
    assert!(of(&plan, "shop").provisional.is_some());
    assert_eq!(of(&plan, "shop").changes.len(), 1);
}
