//! What a plan makes, what it leaves alone, and what it tells of refusals.

use formwork_engine::Class;
use formwork_engine::aws::cloudformation::{ChangeAction, Replacement};
use formwork_engine::plan::{Busy, GivenParameter, Operation};
use serde_json::json;

use crate::case::{Case, of, part, shop, topic};

#[tokio::test(start_paused = true)]
async fn a_new_stack_gets_a_change_set_with_its_changes() {
    let mut case = Case::new("");
    let plan = case.plan(&[shop("one")]).await.unwrap();
    let stack = of(&plan, "shop");
    assert_eq!(stack.operation, Operation::Create);
    assert_eq!(stack.provisional, None);
    let set = stack.change_set.as_ref().unwrap();
    assert!(set.name.starts_with("fw-20260102-030401-aaaa-"), "{}", set.name);
    assert_eq!(stack.changes.len(), 1);
    assert_eq!(
        (&stack.changes[0].action, stack.changes[0].logical_id.as_str()),
        (&ChangeAction::Add, "Topic")
    );
    assert_eq!(stack.tags["formwork:owner"], "shop");
    assert_eq!(case.writes(0), ["CreateChangeSet"]);
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_stack_is_left_alone_without_any_write() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    let before = case.requests();
    let plan = case.plan(&[shop("one")]).await.unwrap();
    assert_eq!(of(&plan, "shop").operation, Operation::Nothing);
    assert_eq!(case.writes(before), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_changed_property_is_an_update_with_its_values() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    let plan = case.plan(&[shop("two")]).await.unwrap();
    let stack = of(&plan, "shop");
    assert_eq!(stack.operation, Operation::Update);
    assert_eq!(stack.changes[0].replacement, Some(Replacement::False));
    assert_eq!(stack.base.as_ref().unwrap().status.as_str(), "CREATE_COMPLETE");
    let detail = &stack.changes[0].details[0];
    assert_eq!((detail.before.as_deref(), detail.after.as_deref()), (Some("one"), Some("two")));
}

/// Fault 21: a change set that turns out to be empty is no change; it is deleted, and a shell with it.
#[tokio::test(start_paused = true)]
async fn an_empty_change_set_is_nothing_and_is_deleted() {
    let mut case = Case::new("");
    case.deploy(&[shop("one")]).await;
    case.request.options.force = true;
    let plan = case.plan(&[shop("one")]).await.unwrap();
    assert_eq!(of(&plan, "shop").operation, Operation::Nothing);
    assert!(of(&plan, "shop").change_set.is_none());
    assert!(case.change_sets("shop").await.iter().all(|name| !name.contains("030402")), "it is left behind");
}

/// Fault 22: a template that CloudFormation refuses leaves nothing behind, no shell either.
#[tokio::test(start_paused = true)]
async fn a_template_error_leaves_no_shell() {
    let mut case = Case::new("");
    let broken = part(
        "shop",
        &[],
        json!({"Resources": {"Topic": topic("x")}, "Outputs": {"A": {"Value": {"Fn::GetAtt": ["Nobody", "Arn"]}}}}),
    );
    let refused = case.plan(&[broken]).await.unwrap_err();
    assert_eq!(refused.class, Class::Input, "{refused:?}");
    assert!(refused.message.contains("Nobody"), "{}", refused.message);
    assert_eq!(case.status("shop").await, None);
}

/// Fault 22: when one stack is refused, the change sets and shells of the others are deleted as well.
#[tokio::test(start_paused = true)]
async fn a_refused_stack_takes_the_other_change_sets_with_it() {
    let mut case =
        Case::new("validation stall/Topic NAME_CONFLICT_VALIDATION \"the topic exists\" /Resources/Topic");
    let stall = part("stall", &[], json!({"Resources": {"Topic": topic("x")}}));
    case.plan(&[shop("one"), stall]).await.unwrap_err();
    case.runtime().clock.sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(case.status("shop").await, None);
    assert_eq!(case.status("stall").await, None);
}

/// Fault 23: what early validation found is told for each resource, with its place.
#[tokio::test(start_paused = true)]
async fn findings_of_early_validation_are_told() {
    let mut case =
        Case::new("validation shop/Topic NAME_CONFLICT_VALIDATION \"the topic exists\" /Resources/Topic");
    let refused = case.plan(&[shop("one")]).await.unwrap_err();
    assert!(refused.message.contains("Topic (AWS::SNS::Topic)"), "{}", refused.message);
    assert!(refused.message.contains("the topic exists"), "{}", refused.message);
}

/// Fault 23: without the permission to ask for the findings, the message still says what to do.
#[tokio::test(start_paused = true)]
async fn findings_that_may_not_be_read_name_the_permission() {
    let mut case = Case::new(
        "validation shop/Topic NAME_CONFLICT_VALIDATION \"the topic exists\" /Resources/Topic\n\
         on DescribeEvents error 403 AccessDenied \"not authorized to perform: cloudformation:DescribeEvents\"",
    );
    let refused = case.plan(&[shop("one")]).await.unwrap_err();
    assert!(refused.hint.unwrap().contains("cloudformation:DescribeEvents"));
}

/// Fault 28: a change set that never comes ends at the deadline with a message, and is deleted.
#[tokio::test(start_paused = true)]
async fn a_change_set_that_never_comes_ends_at_the_deadline() {
    let mut case = Case::new("change-set of shop never");
    let started = case.runtime().clock.elapsed();
    let refused = case.plan(&[shop("one")]).await.unwrap_err();
    let waited = case.runtime().clock.elapsed() - started;
    assert!(refused.message.contains("CREATE_IN_PROGRESS after"), "{}", refused.message);
    assert!((600..640).contains(&waited.as_secs()), "{waited:?}");
    assert!(case.writes(0).contains(&"DeleteChangeSet".to_owned()));
}

/// Fault 29: a name that is taken gets another ending.
#[tokio::test(start_paused = true)]
async fn a_taken_name_gets_another_ending() {
    let mut case =
        Case::new("on CreateChangeSet#1 error 400 AlreadyExistsException \"ChangeSet already exists\"");
    let plan = case.plan(&[shop("one")]).await.unwrap();
    let name = &of(&plan, "shop").change_set.as_ref().unwrap().name;
    assert!(name.ends_with("-2"), "{name}");
}

/// Fault 32: a capability that the user did not grant is explained.
#[tokio::test(start_paused = true)]
async fn a_missing_capability_is_explained() {
    let mut case = Case::new("");
    case.request.options.capabilities = Some(vec!["CAPABILITY_IAM".to_owned()]);
    let role = json!({"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": "keeper",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    }});
    let parts = [part("shop", &[], json!({"Resources": {"Role": role}}))];
    let refused = case.plan(&parts).await.unwrap_err();
    assert!(refused.message.contains("CAPABILITY_NAMED_IAM"), "{}", refused.message);
    assert!(refused.message.contains("granted: CAPABILITY_IAM"), "{}", refused.message);
    case.request.options.capabilities = None;
    case.plan(&parts).await.unwrap();
}

/// Fault 33: wrong values are found before the first request.
#[tokio::test(start_paused = true)]
async fn wrong_values_are_found_before_any_call() {
    let mut case = Case::new("");
    let template = json!({
        "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["dev"]}},
        "Resources": {"Topic": topic("x")}
    });
    let value = |name: &str| GivenParameter { stack: None, name: name.to_owned(), value: "no".to_owned() };
    case.request.parameters = vec![value("Stage"), value("Other")];
    let refused = case.plan(&[part("shop", &[], template)]).await.unwrap_err();
    assert!(refused.message.starts_with("2 problems"), "{}", refused.message);
    assert_eq!(case.requests(), 0);
}

/// Fault 33: a value that must not be shown stands neither in the plan nor in the requests' log.
#[tokio::test(start_paused = true)]
async fn a_secret_stands_in_no_plan() {
    let mut case = Case::new("");
    let template = json!({
        "Parameters": {"Password": {"Type": "String", "NoEcho": true}},
        "Resources": {"Topic": topic("x")}
    });
    let parts = [part("shop", &[], template)];
    case.request.parameters =
        vec![GivenParameter { stack: None, name: "Password".to_owned(), value: "open-sesame".to_owned() }];
    let plan = case.plan(&parts).await.unwrap();
    assert!(!formwork_engine::plan::file::text(&plan).contains("open-sesame"));
    case.apply(&plan, &parts).await;
    case.request.parameters.clear();
    let before = case.requests();
    let plan = case.plan(&parts).await.unwrap();
    assert_eq!(of(&plan, "shop").operation, Operation::Nothing, "the value is kept");
    assert_eq!(case.writes(before), Vec::<String>::new());
}

/// Fault 55: a bucket that is replaced is a loss, in plain words.
#[tokio::test(start_paused = true)]
async fn replacement_of_a_bucket_is_a_loss() {
    let bucket = |name: &str| {
        part(
            "shop",
            &[],
            json!({"Resources": {"Data": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}}}),
        )
    };
    let mut case = Case::new("");
    case.deploy(&[bucket("data-one")]).await;
    let plan = case.plan(&[bucket("data-two")]).await.unwrap();
    let losses = &of(&plan, "shop").losses;
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert!(losses[0].words.starts_with("Data (AWS::S3::Bucket) is replaced:"), "{}", losses[0].words);
    let needs = formwork_engine::plan::approval::needs(&plan, Default::default(), &Default::default());
    assert_eq!(needs.refuse_losses().unwrap_err().class, Class::Refused);
}

/// Fault 37, planned: what is left of a stack that never came to be is deleted first, and its plan comes from the template.
#[tokio::test(start_paused = true)]
async fn a_stack_that_never_came_to_be_is_made_anew() {
    let mut case = Case::new("resource shop/Topic#1 fail \"no\"");
    case.deploy(&[shop("one")]).await;
    assert_eq!(case.status("shop").await.as_deref(), Some("ROLLBACK_COMPLETE"));
    let plan = case.plan(&[shop("one")]).await.unwrap();
    let stack = of(&plan, "shop");
    assert_eq!(stack.operation, Operation::Recreate);
    assert!(stack.provisional.is_some());
    assert_eq!(stack.changes[0].action, ChangeAction::Add);
    case.apply(&plan, &[shop("one")]).await;
    assert_eq!(case.status("shop").await.as_deref(), Some("CREATE_COMPLETE"));
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_works_on_is_waited_for() {
    let mut case = Case::new("resource shop/Topic slow 300s");
    let plan = case.plan(&[shop("one")]).await.unwrap();
    let session = case.runtime().sessions.base().await.unwrap();
    let journal = formwork_engine::journal::Journal::in_memory();
    let ticket = journal.intent(formwork_engine::journal::Intent::new("ExecuteChangeSet", "shop")).unwrap();
    let arn = &of(&plan, "shop").change_set.as_ref().unwrap().arn;
    session.cloudformation().execute_change_set(arn, Default::default(), &ticket).await.unwrap();
    case.request.busy = Busy::Fail;
    let refused = case.plan(&[shop("two")]).await.unwrap_err();
    assert!(refused.message.contains("CREATE_IN_PROGRESS: somebody works on it"), "{}", refused.message);
    case.request.busy = Busy::Wait;
    let plan = case.plan(&[shop("two")]).await.unwrap();
    assert_eq!(of(&plan, "shop").operation, Operation::Update);
    let told = case
        .account
        .events()
        .iter()
        .any(|event| matches!(event.what, formwork_engine::event::What::StackWaiting { .. }));
    assert!(told, "nobody was told of the wait");
}

/// Fault 24: the reason of a nested stack's change set is found, not only that there is one.
#[tokio::test(start_paused = true)]
async fn the_reason_of_a_nested_failure_is_found() {
    let mut case = Case::new("bucket assets exists");
    let inner = json!({
        "Resources": {"Topic": topic("x")},
        "Outputs": {"A": {"Value": {"Fn::GetAtt": ["Nobody", "Arn"]}}}
    });
    let outer = |key: &str| {
        let url = format!("https://s3.us-east-1.amazonaws.com/assets/{key}");
        part(
            "shop",
            &[],
            json!({"Resources": {"Inner": {
            "Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}}),
        )
    };
    case.put("assets", "good.json", &json!({"Resources": {"Topic": topic("x")}}).to_string()).await;
    case.put("assets", "bad.json", &inner.to_string()).await;
    case.deploy(&[outer("good.json")]).await;
    let refused = case.plan(&[outer("bad.json")]).await.unwrap_err();
    assert!(refused.message.contains("Inner"), "{}", refused.message);
    assert!(refused.message.contains("Nobody"), "{}", refused.message);
}

#[tokio::test(start_paused = true)]
async fn the_changes_of_nested_stacks_are_shown_and_judged() {
    let mut case = Case::new("bucket assets exists");
    let inner = |name: &str| json!({"Resources": {"Data": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}}});
    let outer = |key: &str| {
        let url = format!("https://s3.us-east-1.amazonaws.com/assets/{key}");
        part(
            "shop",
            &[],
            json!({"Resources": {"Inner": {
            "Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}}),
        )
    };
    case.put("assets", "one.json", &inner("data-one").to_string()).await;
    case.put("assets", "two.json", &inner("data-two").to_string()).await;
    case.deploy(&[outer("one.json")]).await;
    let plan = case.plan(&[outer("two.json")]).await.unwrap();
    let stack = of(&plan, "shop");
    assert!(stack.changes.iter().any(|change| change.logical_id == "Inner.Data"), "{:?}", stack.changes);
    assert_eq!(stack.losses.len(), 1);
    assert_eq!(stack.losses[0].logical_id, "Inner.Data");
}

/// Fault 25: an existing resource that may not be taken in is named with what it lacks.
#[tokio::test(start_paused = true)]
async fn an_existing_resource_without_a_policy_is_not_taken_in() {
    let mut case = Case::new("");
    case.account.simulator().world_mut().put_existing("123456789012", "AWS::S3::Bucket", "news");
    case.request.options.import_existing = true;
    let mut news = json!({"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "news"}});
    let refused =
        case.plan(&[part("shop", &[], json!({"Resources": {"News": news.clone()}}))]).await.unwrap_err();
    assert!(refused.message.contains("News"), "{}", refused.message);
    assert!(refused.hint.as_deref().unwrap_or_default().contains("DeletionPolicy Retain"), "{refused:?}");
    news["DeletionPolicy"] = json!("Retain");
    let plan = case.plan(&[part("shop", &[], json!({"Resources": {"News": news}}))]).await.unwrap();
    assert_eq!(of(&plan, "shop").changes[0].action, ChangeAction::Import);
}
