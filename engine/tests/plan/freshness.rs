//! Plans that no longer hold.

use formwork_engine::aws::cloudformation::RollbackConfiguration;
use formwork_engine::journal::{Intent, Journal};
use formwork_engine::plan::{self, GivenParameter, Operation, Plan, check_fresh, file};
use formwork_engine::{Class, EngineError};
use serde_json::json;

use crate::case::{Case, Part, of, part, shop, topic};

async fn fresh(case: &Case, plan: &Plan, parts: &[Part]) -> Result<(), EngineError> {
    check_fresh(plan, &case.assembly(parts), &case.runtime()).await
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_just_made_holds() {
    let mut case = Case::new("");
    let plan = case.plan(&[shop("one")]).await.unwrap();
    fresh(&case, &plan, &[shop("one")]).await.unwrap();
    let read = file::parse(&file::text(&plan), "plan.json").unwrap();
    assert_eq!(read, plan);
}

/// Fault 30: the stack was changed by another run since, so that the change set is obsolete.
#[tokio::test(start_paused = true)]
async fn a_plan_of_a_stack_that_was_changed_since_is_refused() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    let plan = case.plan(&[shop("two")]).await.unwrap();
    case.deploy(&[shop("three")]).await;
    let refused = fresh(&case, &plan, &[shop("two")]).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("change set"), "{}", refused.message);
    assert!(refused.message.contains("CREATE_COMPLETE and is UPDATE_COMPLETE"), "{}", refused.message);
    assert_eq!(refused.hint.as_deref(), Some("make a new plan"));
}

/// Fault 30: the change set was deleted since.
#[tokio::test(start_paused = true)]
async fn a_plan_whose_change_set_is_gone_is_refused() {
    let mut case = Case::new("");
    let plan = case.plan(&[shop("one")]).await.unwrap();
    let session = case.runtime().sessions.base().await.unwrap();
    let journal = Journal::in_memory();
    let arn = &of(&plan, "shop").change_set.as_ref().unwrap().arn;
    let ticket = journal.intent(Intent::new("DeleteChangeSet", arn)).unwrap();
    session.cloudformation().delete_change_set(arn, &ticket).await.unwrap();
    let refused = fresh(&case, &plan, &[shop("one")]).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("is gone"), "{}", refused.message);
}

/// Fault 31: the template in the assembly is another one than the one that was approved.
#[tokio::test(start_paused = true)]
async fn a_plan_of_another_template_is_refused() {
    let mut case = Case::new("");
    let plan = case.plan(&[shop("one")]).await.unwrap();
    let refused = fresh(&case, &plan, &[shop("one ")]).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(
        refused.message.contains("its template in the assembly is another one now"),
        "{}",
        refused.message
    );
}

/// Fault 31: the SSM parameter that a default names holds something else now.
#[tokio::test(start_paused = true)]
async fn a_plan_with_another_ssm_value_is_refused() {
    let mut case = Case::new("parameter /image one");
    let template = json!({
        "Parameters": {"Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/image"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Image"}}}}
    });
    let parts = [part("shop", &[], template)];
    let plan = case.plan(&parts).await.unwrap();
    assert_eq!(of(&plan, "shop").parameters["Image"].resolved.as_deref(), Some("one"));
    case.script("parameter /image two");
    let refused = fresh(&case, &plan, &parts).await.unwrap_err();
    assert!(refused.message.contains("SSM parameter /image was `one` and is `two`"), "{}", refused.message);
    // And a new plan sees a change, although the template is the same.
    case.deploy(&parts).await;
    case.script("parameter /image three");
    let plan = case.plan(&parts).await.unwrap();
    case.script("parameter /image two");
    let same = case.plan(&parts).await.unwrap();
    assert_eq!(of(&same, "shop").operation, Operation::Nothing);
    assert_ne!(of(&plan, "shop").operation, Operation::Nothing);
}

/// Fault 31: what was approved late is the template; a late change set of another one is refused.
#[tokio::test(start_paused = true)]
async fn a_late_change_set_of_another_template_is_refused() {
    let mut case = Case::new("");
    let (net, app) = crate::case::pair();
    let plan = case.plan(&[net.clone(), app.clone()]).await.unwrap();
    let mut other = app;
    other.template["Resources"]["More"] = topic("sneaked in");
    let parts = [net, other];
    let journal = Journal::in_memory_of(&plan.run, Default::default());
    let options = formwork_engine::plan::late::LateOptions::default();
    let (assembly, runtime) = (case.assembly(&parts), case.runtime());
    let late = formwork_engine::plan::late::change_set(
        &plan,
        of(&plan, "app"),
        &options,
        &assembly,
        &runtime,
        &journal,
    );
    assert_eq!(late.await.unwrap_err().class, Class::Refused);
}

/// Fault 33: a secret of a provisional stack has to be given again, for no plan keeps it.
#[tokio::test(start_paused = true)]
async fn a_late_change_set_asks_for_a_secret_again() {
    let mut case = Case::new("");
    let (net, mut app) = crate::case::pair();
    app.template["Parameters"] = json!({"Password": {"Type": "String", "NoEcho": true}});
    let given = GivenParameter { stack: None, name: "Password".to_owned(), value: "open-sesame".to_owned() };
    case.request.parameters = vec![given];
    let plan = case.plan(&[net.clone(), app.clone()]).await.unwrap();
    let report = case.apply(&plan, &[net, app]).await;
    let text = format!("{report:?}");
    assert!(text.contains("--parameters app:Password=VALUE"), "{text}");
}

/// Faults 35 and 67: a template above the limit of a call goes to S3, and a plan whose template was deleted there is refused.
#[tokio::test(start_paused = true)]
async fn a_plan_whose_template_is_gone_from_its_bucket_is_refused() {
    let mut case = Case::new("bucket assets exists; parameter /formwork/bootstrap/formwork/bucket assets");
    let padded = |bytes: usize| {
        let template = |text: &str| json!({"Description": "", "Metadata": {"Text": text}, "Resources": {"Topic": topic("x")}});
        let empty = template("").to_string().len();
        part("shop", &[], template(&"x".repeat(bytes - empty)))
    };
    let inline = case.plan(&[padded(51_200)]).await.unwrap();
    assert_eq!(of(&inline, "shop").template.as_ref().unwrap().url, None);
    let parts = [padded(51_201)];
    let plan = case.plan(&parts).await.unwrap();
    let template = of(&plan, "shop").template.as_ref().unwrap();
    assert_eq!(template.bytes, 51_201);
    assert!(
        template.url.as_deref().unwrap().contains("/assets/")
            || template.url.as_deref().unwrap().contains("assets.")
    );
    fresh(&case, &plan, &parts).await.unwrap();
    let object = of(&plan, "shop").assets.iter().find(|asset| asset.id == "template").unwrap();
    case.remove(&object.bucket, std::slice::from_ref(&object.key)).await;
    let refused = fresh(&case, &plan, &parts).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.message.contains("is gone since the plan was made"), "{}", refused.message);
}

/// A plan that only reads makes no change set, tells what is unchanged, and cannot be carried out.
#[tokio::test(start_paused = true)]
async fn a_plan_of_templates_alone_writes_nothing_and_is_not_carried_out() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    case.request.depth = plan::Depth::Templates;
    let before = case.requests();
    let same = case.plan(&[shop("one")]).await.unwrap();
    assert_eq!(of(&same, "shop").operation, plan::Operation::Nothing);
    let changed = case.plan(&[shop("two")]).await.unwrap();
    assert_eq!(of(&changed, "shop").changes.len(), 1);
    assert_eq!(case.writes(before), Vec::<String>::new());
    let assembly = case.assembly(&[shop("two")]);
    let refused = plan::check_fresh(&changed, &assembly, &case.runtime()).await.unwrap_err();
    assert_eq!(refused.class, Class::Refused);
    assert!(refused.hint.unwrap().contains("--no-change-sets"));
}

/// Alarms that are to be watched make a stack a changed one; the same alarms in another order do not.
#[tokio::test(start_paused = true)]
async fn other_rollback_alarms_are_a_change() {
    let mut case = Case::new("");
    let alarm = |name: &str| format!("arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}");
    let watched = |names: &[&str], minutes| {
        Some(RollbackConfiguration {
            alarm_arns: names.iter().map(|name| alarm(name)).collect(),
            monitoring_minutes: minutes,
        })
    };
    case.deploy(&[shop("one")]).await;
    case.request.options.rollback_configuration = watched(&["a", "b"], 5);
    assert_eq!(of(&case.plan(&[shop("one")]).await.unwrap(), "shop").operation, plan::Operation::Update);
    case.deploy(&[shop("one")]).await;
    case.request.options.rollback_configuration = watched(&["b", "a"], 5);
    assert_eq!(of(&case.plan(&[shop("one")]).await.unwrap(), "shop").operation, plan::Operation::Nothing);
    case.request.options.rollback_configuration = watched(&["a", "b"], 6);
    assert_eq!(of(&case.plan(&[shop("one")]).await.unwrap(), "shop").operation, plan::Operation::Update);
}
