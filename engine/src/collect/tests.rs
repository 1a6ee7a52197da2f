//! What may go, against the simulator's stacks and buckets.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::assets::stage::{BUCKET, Stage};
use crate::aws::cloudformation::{ChangeSetType, Execution, NewChangeSet, ParameterValue, TemplateSource};
use crate::journal::Intent;

fn hash(letter: char) -> String {
    letter.to_string().repeat(64)
}

fn options(days: u16) -> CollectOptions {
    CollectOptions { bucket: BUCKET.to_owned(), days, needed: Needed::default() }
}

async fn days(number: u64) {
    tokio::time::sleep(Duration::from_secs(number * 86_400)).await;
}

/// Makes a change set of a stack with one topic whose name is this text.
async fn change_set(stage: &Stage, stack: &str, name: &str, kind: ChangeSetType, text: &str) -> String {
    let template = json!({
        "Parameters": { "Digest": { "Type": "String", "Default": "none" } },
        "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "DisplayName": text } } },
    });
    let new = NewChangeSet {
        stack: stack.to_owned(),
        name: name.to_owned(),
        kind,
        template: TemplateSource::Body(template.to_string()),
        parameters: BTreeMap::from([("Digest".to_owned(), ParameterValue::Value(hash('d')))]),
        tags: BTreeMap::new(),
        capabilities: Vec::new(),
        notification_arns: Vec::new(),
        role_arn: None,
        description: None,
        resources_to_import: Vec::new(),
        import_existing: false,
        include_nested: false,
        revert_drift: false,
        rollback: None,
    };
    let ticket =
        stage.journal.intent(Intent::new("CreateChangeSet", format!("{stack}/{name}"))).expect("a ticket");
    let (arn, _) =
        stage.session.cloudformation().create_change_set(&new, &ticket).await.expect("a change set");
    tokio::time::sleep(Duration::from_secs(60)).await;
    arn
}

async fn deploy(stage: &Stage, stack: &str, text: &str) {
    let arn = change_set(stage, stack, "fw-1", ChangeSetType::Create, text).await;
    let ticket = stage.journal.intent(Intent::new("ExecuteChangeSet", &*arn)).expect("a ticket");
    stage
        .session
        .cloudformation()
        .execute_change_set(&arn, Execution::default(), &ticket)
        .await
        .expect("executed");
    tokio::time::sleep(Duration::from_secs(600)).await;
}

async fn put(stage: &Stage, key: &str) {
    let storage = stage.session.storage();
    let ticket = stage.journal.intent(Intent::new("PutObject", key)).expect("a ticket");
    let object = crate::aws::storage::NewObject {
        bucket: BUCKET,
        key,
        sha256: &sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new()).into(),
        content_type: None,
        encryption: &crate::aws::storage::Encryption::Unknown,
    };
    storage.put(&object, bytes::Bytes::new(), &ticket).await.expect("put");
}

/// What a stack names in its template or its parameters stays, as do young objects, foreign ones, and what is needed.
#[tokio::test(start_paused = true)]
async fn unused_assets_are_those_that_nothing_names() {
    let stage = Stage::new("bucket assets exists").await;
    let key = |letter: char| format!("{}.zip", hash(letter));
    let template = format!("templates/{}.json", hash('f'));
    for key in [key('a'), key('b'), key('c'), hash('d'), "data.csv".to_owned(), template.clone()] {
        put(&stage, &key).await;
    }
    deploy(&stage, "app", &format!("s3://assets/{}.zip", hash('a'))).await;
    days(8).await;
    put(&stage, &key('e')).await;
    let mut options = options(7);
    options.needed.keys.insert(key('b'));
    let unused = unused_assets(&options, &stage.session, &stage.runtime).await.expect("a list");
    let keys: Vec<_> = unused.iter().map(|asset| asset.key.clone()).collect();
    assert_eq!(keys, [key('c'), template]);
    assert!(stage.object(&key('c')).is_some(), "nothing is deleted by looking");
    let kept = delete_assets(&unused, BUCKET, &stage.session, &stage.journal).await.expect("deleted");
    assert!(kept.is_empty());
    assert!(stage.object(&key('c')).is_none());
    assert!(stage.object(&key('a')).is_some());
}

/// A template that cannot be read might name anything: nothing may go.
#[tokio::test(start_paused = true)]
async fn template_that_cannot_be_read_keeps_everything() {
    let stage = Stage::new("bucket assets exists\non GetTemplate error 403 AccessDenied").await;
    put(&stage, &hash('c')).await;
    deploy(&stage, "app", "x").await;
    days(8).await;
    let error = unused_assets(&options(7), &stage.session, &stage.runtime).await.expect_err("unknown");
    assert!(error.message.starts_with("cannot read stack app in us-east-1"), "{error}");
}

/// While a stack is being changed it may go back to what its template no longer names.
#[tokio::test(start_paused = true)]
async fn running_operation_keeps_everything() {
    let stage = Stage::new("bucket assets exists\nresource Topic slow 1h").await;
    put(&stage, &hash('c')).await;
    days(8).await;
    deploy(&stage, "app", "x").await;
    let error = unused_assets(&options(7), &stage.session, &stage.runtime).await.expect_err("busy");
    assert!(error.message.starts_with("stack app is CREATE_IN_PROGRESS"), "{error}");
    assert_eq!(error.class, Class::Refused);
}

/// Old change sets of ours go, with the empty stacks that were made for them; those of others stay.
#[tokio::test(start_paused = true)]
async fn stale_change_sets_are_ours_and_old() {
    let stage = Stage::new("bucket assets exists").await;
    deploy(&stage, "app", "x").await;
    change_set(&stage, "app", "fw-2", ChangeSetType::Update, "y").await;
    change_set(&stage, "app", "by-hand", ChangeSetType::Update, "z").await;
    change_set(&stage, "empty", "fw-3", ChangeSetType::Create, "x").await;
    change_set(&stage, "shared", "fw-4", ChangeSetType::Create, "x").await;
    change_set(&stage, "shared", "by-hand", ChangeSetType::Create, "x").await;
    let none = stale_change_sets(&options(7), &stage.session, &stage.runtime).await.expect("a list");
    assert_eq!(none, []);
    days(8).await;
    change_set(&stage, "app", "fw-5", ChangeSetType::Update, "young").await;
    let mut stale = stale_change_sets(&options(7), &stage.session, &stage.runtime).await.expect("a list");
    stale.sort_by(|one, other| one.name.cmp(&other.name));
    let shown: Vec<_> = stale.iter().map(|it| (it.name.as_str(), it.stack.as_str(), it.with_stack)).collect();
    assert_eq!(shown, [("fw-2", "app", false), ("fw-3", "empty", true), ("fw-4", "shared", false)]);
    assert!(stale[0].reason.starts_with("it was made on "), "{}", stale[0].reason);
    let kept =
        delete_change_sets(&stale, &stage.session, &stage.runtime, &stage.journal).await.expect("deleted");
    assert!(kept.is_empty(), "{kept:?}");
    tokio::time::sleep(Duration::from_secs(600)).await;
    let cloudformation = stage.session.cloudformation();
    assert!(cloudformation.stack("empty").await.expect("an answer").is_none());
    assert!(cloudformation.stack("shared").await.expect("an answer").is_some());
    assert!(stale_change_sets(&options(7), &stage.session, &stage.runtime).await.expect("a list").is_empty());
}

/// A change set that cannot be executed any more goes whatever its age.
#[tokio::test(start_paused = true)]
async fn obsolete_change_set_goes_at_once() {
    let stage = Stage::new("bucket assets exists").await;
    deploy(&stage, "app", "x").await;
    let first = change_set(&stage, "app", "fw-2", ChangeSetType::Update, "y").await;
    change_set(&stage, "app", "fw-3", ChangeSetType::Update, "z").await;
    let ticket = stage.journal.intent(Intent::new("ExecuteChangeSet", &*first)).expect("a ticket");
    let cloudformation = stage.session.cloudformation();
    cloudformation.execute_change_set(&first, Execution::default(), &ticket).await.expect("executed");
    tokio::time::sleep(Duration::from_secs(600)).await;
    let stale = stale_change_sets(&options(7), &stage.session, &stage.runtime).await.expect("a list");
    let shown: Vec<_> = stale.iter().map(|it| (it.name.as_str(), it.reason.as_str())).collect();
    assert_eq!(shown, [("fw-3", "the stack has changed since it was made")]);
}

/// A plan that is still to be applied keeps its change sets, and the empty stacks that were made for them.
#[tokio::test(start_paused = true)]
async fn change_set_of_a_plan_stays() {
    let stage = Stage::new("bucket assets exists").await;
    let arn = change_set(&stage, "empty", "fw-1", ChangeSetType::Create, "x").await;
    days(8).await;
    let mut options = options(7);
    options.needed.change_sets.insert(arn.clone());
    assert_eq!(stale_change_sets(&options, &stage.session, &stage.runtime).await.expect("a list"), []);
    options.needed.change_sets.clear();
    let stale = stale_change_sets(&options, &stage.session, &stage.runtime).await.expect("a list");
    assert_eq!(stale.iter().map(|it| &it.arn).collect::<Vec<_>>(), [&arn]);
}

/// What the assembly would publish stays, deployed or not: its files, and its templates should they be large.
#[tokio::test(start_paused = true)]
async fn what_an_assembly_would_publish_is_needed() {
    let stage = Stage::new("bucket assets exists").await;
    let file = json!({
        "source": { "path": "x.zip", "packaging": "file" },
        "destinations": { "d": { "bucketName": BUCKET, "objectKey": format!("{}.zip", hash('a')) } },
    });
    let (assembly, _) = stage.assembly(json!({ hash('a'): file }), json!({ "Resources": {} }));
    let mut needed = Needed::default();
    needed.add_assembly(&assembly).expect("can be read");
    assert!(needed.keys.contains(&format!("{}.zip", hash('a'))), "{needed:?}");
    assert!(needed.keys.iter().any(|key| key.starts_with("templates/")), "{needed:?}");
}

/// Somebody made a change set for the empty stack after the list was made: the stack stays for it.
#[tokio::test(start_paused = true)]
async fn empty_stack_that_is_wanted_meanwhile_stays() {
    let stage = Stage::new("bucket assets exists").await;
    change_set(&stage, "empty", "fw-1", ChangeSetType::Create, "x").await;
    days(8).await;
    let stale = stale_change_sets(&options(7), &stage.session, &stage.runtime).await.expect("a list");
    assert!(stale[0].with_stack);
    change_set(&stage, "empty", "fw-2", ChangeSetType::Create, "y").await;
    let kept = delete_change_sets(&stale, &stage.session, &stage.runtime, &stage.journal).await;
    assert_eq!(kept.expect("deleted"), []);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let left = stage.session.cloudformation().change_sets("empty").await.expect("a list");
    assert_eq!(left.iter().map(|set| set.name.as_str()).collect::<Vec<_>>(), ["fw-2"]);
}

/// Whoever asks to stop keeps what is not deleted yet.
#[tokio::test(start_paused = true)]
async fn deleting_stops_when_it_is_asked_to() {
    let stage = Stage::new("bucket assets exists").await;
    change_set(&stage, "empty", "fw-1", ChangeSetType::Create, "x").await;
    days(8).await;
    let stale = stale_change_sets(&options(7), &stage.session, &stage.runtime).await.expect("a list");
    stage.runtime.control.raise(crate::control::Wish::Detach);
    let stopped = delete_change_sets(&stale, &stage.session, &stage.runtime, &stage.journal).await;
    assert_eq!(stopped.expect_err("stopped").class, Class::Interrupted);
    let left = stage.session.cloudformation().change_sets("empty").await.expect("a list");
    assert_eq!(left.len(), 1);
}
