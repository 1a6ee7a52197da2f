//! Templates that go to S3.

use formwork_assembly::CloudAssembly;
use formwork_assembly::cloud_assembly::StackArtifact;
use serde_json::json;

use super::support::{BUCKET, Stage, file};
use crate::assets::{GREATEST_INLINE_BYTES, PublishedTemplate};
use crate::error::{Class, EngineError};

async fn put(
    stage: &Stage,
    (assembly, stack): &(CloudAssembly, StackArtifact),
    text: &str,
    force: bool,
) -> Result<Option<PublishedTemplate>, EngineError> {
    stage.publisher().template(text, stack, assembly, &stage.session, &stage.journal, force).await
}

/// Fault 35: 51,200 bytes go with the call, one more does not; letters of two bytes count twice.
#[tokio::test(start_paused = true)]
async fn template_goes_to_s3_from_51201_bytes_on() {
    let stage = Stage::new("bucket assets exists").await;
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let fits = "x".repeat(GREATEST_INLINE_BYTES);
    assert_eq!(put(&stage, &assembly, &fits, false).await.expect("fits"), None);
    let fits = "ü".repeat(GREATEST_INLINE_BYTES / 2);
    assert_eq!(put(&stage, &assembly, &fits, false).await.expect("fits"), None);
    let long = "ü".repeat(GREATEST_INLINE_BYTES / 2) + "x";
    let published = put(&stage, &assembly, &long, false).await.expect("published").expect("not inline");
    assert_eq!(stage.object(&published.key).expect("the object"), long.as_bytes());
}

/// Fault 35: CloudFormation reads 1,048,576 bytes and no more.
#[tokio::test(start_paused = true)]
async fn template_of_more_than_a_mebibyte_is_refused() {
    let stage = Stage::new("bucket assets exists").await;
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    put(&stage, &assembly, &"x".repeat(1_048_576), false).await.expect("published");
    let error = put(&stage, &assembly, &"x".repeat(1_048_577), false).await.expect_err("too large");
    assert_eq!(
        error.message,
        "the template of stack app has 1048577 bytes, and CloudFormation reads 1048576 at most"
    );
    assert_eq!(error.class, Class::Input);
}

/// Fault 12: CloudFormation is told the address of S3 itself, whatever endpoint our own calls go to.
#[tokio::test(start_paused = true)]
async fn url_is_that_of_s3_itself() {
    let stage = Stage::new("").await;
    let storage = stage.session.storage().with_template_endpoint(None);
    assert_eq!(
        storage.template_url("b", "templates/x.json", None),
        "https://s3.us-east-1.amazonaws.com/b/templates/x.json"
    );
    assert_eq!(
        storage.template_url("b", "x", Some("v.1")),
        "https://s3.us-east-1.amazonaws.com/b/x?versionId=v.1"
    );
    let china = stage.session.in_region("cn-north-1").storage().with_template_endpoint(None);
    assert_eq!(china.template_url("b", "x", None), "https://s3.cn-north-1.amazonaws.com.cn/b/x");
    let local = storage.with_template_endpoint(Some("http://127.0.0.1:4566/".to_owned()));
    assert_eq!(local.template_url("b", "x", None), "http://127.0.0.1:4566/b/x");
}

/// The same text is sent once; its URL names the version that was approved.
#[tokio::test(start_paused = true)]
async fn version_of_the_template_is_pinned() {
    let stage = Stage::new("bucket assets versioned").await;
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let one = put(&stage, &assembly, "{}", true).await.expect("published").expect("forced");
    let other = put(&stage, &assembly, "{}", true).await.expect("present").expect("forced");
    assert!(one.url.contains("?versionId="), "{}", one.url);
    assert_eq!(one, other);
    assert_eq!(stage.count("PutObject"), 1);
}

/// Fault 67: a rule of the bucket has deleted the template since the plan; it is put there again.
#[tokio::test(start_paused = true)]
async fn template_that_was_deleted_is_put_again() {
    let stage = Stage::new("bucket assets exists").await;
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let one = put(&stage, &assembly, "{}", true).await.expect("published").expect("forced");
    let ticket = stage.journal.intent(crate::journal::Intent::new("DeleteObjects", "x")).unwrap();
    stage.session.storage().delete(BUCKET, std::slice::from_ref(&one.key), &ticket).await.expect("deleted");
    put(&stage, &assembly, "{}", true).await.expect("published");
    assert_eq!(stage.object(&one.key).expect("the object"), "{}");
}

/// Fault 67: another text of the same size lies under the template's key.
#[tokio::test(start_paused = true)]
async fn template_that_was_replaced_is_put_again() {
    let stage = Stage::new("bucket assets exists").await;
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let one = put(&stage, &assembly, "{}", true).await.expect("published").expect("forced");
    stage.put(&one.key, b"[]");
    put(&stage, &assembly, "{}", true).await.expect("published");
    assert_eq!(stage.object(&one.key).expect("the object"), "{}");
}

/// Without assets the bucket of the bootstrap stack takes templates; without that one the message says so.
#[tokio::test(start_paused = true)]
async fn template_needs_a_bucket() {
    let stage = Stage::new("bucket assets exists").await;
    let assembly = stage.assembly(json!({}), json!({}));
    let long = "x".repeat(GREATEST_INLINE_BYTES + 1);
    let error = put(&stage, &assembly, &long, false).await.expect_err("no bucket");
    assert!(error.message.starts_with("the template of stack app has 51201 bytes"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("formwork bootstrap")));
    stage.script("parameter /formwork/bootstrap/formwork/bucket assets");
    let published = put(&stage, &assembly, &long, false).await.expect("published").expect("not inline");
    assert_eq!(published.bucket, BUCKET);
}

/// The CDK's bootstrap stack serves where ours is not there.
#[tokio::test(start_paused = true)]
async fn bucket_of_the_cdk_takes_templates() {
    let name = "cdk-hnb659fds-assets-123456789012-us-east-1";
    let stage =
        Stage::new(&format!("bucket {name} exists\nparameter /cdk-bootstrap/hnb659fds/version 30")).await;
    let assembly = stage.assembly(json!({}), json!({}));
    let published = put(&stage, &assembly, "{}", true).await.expect("published").expect("forced");
    assert_eq!(published.bucket, name);
}

/// A bucket of the options serves where there is no bootstrap stack at all.
#[tokio::test(start_paused = true)]
async fn given_bucket_takes_templates() {
    let mut stage = Stage::new("bucket assets exists").await;
    stage.options.bucket = Some(BUCKET.to_owned());
    let assembly = stage.assembly(json!({}), json!({}));
    assert!(put(&stage, &assembly, "{}", true).await.expect("published").is_some());
}
