//! What can be wrong with a bucket.

use serde_json::json;

use super::support::{ACCOUNT, BUCKET, Stage, file};
use crate::error::Class;
use crate::error::EngineError;

async fn fails(script: &str) -> (Stage, EngineError) {
    let stage = Stage::new(script).await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let error = stage.publish(&assembly).await.expect_err("it cannot be published");
    (stage, error)
}

/// Fault 57: the bucket is not there. The message asks whether the environment is bootstrapped, and nothing was changed.
#[tokio::test(start_paused = true)]
async fn missing_bucket_names_the_bootstrap_command() {
    let (stage, error) = fails("").await;
    assert_eq!(
        error.message,
        format!("there is no bucket {BUCKET}: is account {ACCOUNT} bootstrapped in us-east-1?")
    );
    assert_eq!(error.hint.as_deref(), Some("run `formwork bootstrap aws://123456789012/us-east-1`"));
    assert_eq!(error.class, Class::Refused);
    assert_eq!(stage.local.simulator.lock().unwrap().log().mutating().count(), 0);
}

/// Fault 57: no bootstrap stack keeps the name of a bucket.
#[tokio::test(start_paused = true)]
async fn missing_bootstrap_parameter_names_the_bootstrap_command() {
    let stage = Stage::new("").await;
    stage.write("a.txt", b"content");
    let mut asset = file("a.txt", "a.txt");
    asset["destinations"]["current"]["bucketName"] =
        json!("{{resolve:ssm:/formwork/bootstrap/formwork/bucket}}");
    let assembly = stage.assembly(json!({ "a": asset }), json!({}));
    let error = stage.publish(&assembly).await.expect_err("there is no parameter");
    assert!(error.message.starts_with("account 123456789012 is not bootstrapped in us-east-1"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("formwork bootstrap aws://123456789012/us-east-1")));
}

/// The name of the bucket stands in an SSM parameter.
#[tokio::test(start_paused = true)]
async fn a_bucket_is_found_by_the_parameter_of_the_bootstrap_stack() {
    let stage =
        Stage::new("bucket assets exists\nparameter /formwork/bootstrap/formwork/bucket assets").await;
    stage.write("a.txt", b"content");
    let mut asset = file("a.txt", "a.txt");
    asset["destinations"]["current"]["bucketName"] =
        json!("{{resolve:ssm:/formwork/bootstrap/formwork/bucket}}");
    let assembly = stage.assembly(json!({ "a": asset }), json!({}));
    let published = stage.publish(&assembly).await.expect("published");
    assert_eq!(published.files["a"].bucket, BUCKET);
    assert_eq!(stage.object("a.txt").expect("the object"), "content");
}

/// Account and region are filled in, as the CDK's manifests want it.
#[tokio::test(start_paused = true)]
async fn placeholders_of_a_manifest_are_filled_in() {
    let name = "cdk-hnb659fds-assets-123456789012-us-east-1";
    let stage = Stage::new(&format!("bucket {name} exists")).await;
    stage.write("a.txt", b"content");
    let mut asset = file("a.txt", "a.txt");
    asset["destinations"]["current"] = json!({
        "bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}",
        "objectKey": "a.txt",
        "assumeRoleArn": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/publish-${AWS::Region}",
    });
    let assembly = stage.assembly(json!({ "a": asset }), json!({}));
    let published = stage.publish(&assembly).await.expect("published");
    assert_eq!(published.files["a"].bucket, name);
    let simulator = stage.local.simulator.lock().unwrap();
    let assumed: Vec<_> = simulator.log().calls("AssumeRole").collect();
    assert_eq!(assumed[0].parameters["RoleArn"], "arn:aws:iam::123456789012:role/publish-us-east-1");
}

/// Fault 58: somebody else had the bucket's name first and opened it to all. Not a byte goes there.
#[tokio::test(start_paused = true)]
async fn squatted_bucket_is_a_hard_stop() {
    let (stage, error) = fails("bucket assets owner 999999999999").await;
    assert!(error.message.starts_with("bucket assets does not belong to account 123456789012"), "{error}");
    assert_eq!(error.class, Class::Refused);
    let simulator = stage.local.simulator.lock().unwrap();
    assert_eq!(simulator.log().mutating().count(), 0);
}

/// Security acceptance 6, and fault 58: every single call of S3 says whose bucket it has to be, whatever it is.
#[tokio::test(start_paused = true)]
async fn every_call_of_s3_names_the_expected_owner() {
    let stage = Stage::new("bucket assets exists\nbucket assets versioned").await;
    stage.write("small.txt", b"content");
    stage.write("large.bin", &vec![7; (16 << 20) + 1]);
    let files = json!({ "small": file("small.txt", "small.txt"), "large": file("large.bin", "large.bin") });
    let template = json!({ "Metadata": { "Formwork::AssetDigests": { "D": "small" } } });
    let assembly = stage.assembly(files, template);
    stage.publish(&assembly).await.expect("published");
    stage.publish(&assembly).await.expect("present");
    let (cloud, stack) = &assembly;
    let publisher = stage.publisher();
    publisher.template("{}", stack, cloud, &stage.session, &stage.journal, true).await.expect("a template");
    let storage = stage.session.storage();
    let ticket = || stage.journal.intent(crate::journal::Intent::new("DeleteObjects", "all")).unwrap();
    storage.list(BUCKET, "").await.expect("a list");
    storage.uploads(BUCKET, "x").await.expect("a list");
    storage.content(BUCKET, "small.txt", |_| ()).await.expect("content");
    storage.delete(BUCKET, &["small.txt".to_owned()], &ticket()).await.expect("deleted");
    let requests = stage.local.requests.lock().unwrap();
    let of_s3: Vec<_> = requests
        .iter()
        .filter(|request| {
            let signed =
                request.headers().get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
            signed.contains("/s3/aws4_request")
        })
        .collect();
    assert!(of_s3.len() > 20, "{}", of_s3.len());
    for request in of_s3 {
        let owner = request.headers().get("x-amz-expected-bucket-owner").and_then(|it| it.to_str().ok());
        assert_eq!(owner, Some(ACCOUNT), "{} {}", request.method(), request.uri());
    }
}

/// Fault 59: the bucket is in another region. S3 answers with a redirect, which is not followed.
#[tokio::test(start_paused = true)]
async fn bucket_in_another_region_is_named_with_its_region() {
    let (stage, error) = fails("bucket assets region eu-west-1").await;
    assert_eq!(error.message, "bucket assets is in eu-west-1, not in us-east-1");
    assert_eq!(error.class, Class::Refused);
    assert_eq!(stage.local.simulator.lock().unwrap().log().mutating().count(), 0);
}

/// Fault 59: the redirect comes at a later call, where nobody was asked for the region.
#[tokio::test(start_paused = true)]
async fn redirect_names_the_region_that_the_answer_names() {
    let stage = Stage::new("bucket assets region eu-west-1").await;
    let error = stage.session.storage().find(BUCKET, "x").await.expect_err("a redirect");
    assert_eq!((error.code.as_deref(), error.message.as_str()), (Some("PermanentRedirect"), "eu-west-1"));
}

/// Fault 60: the key of the bucket does not let us encrypt.
#[tokio::test(start_paused = true)]
async fn denied_key_is_told_from_a_denied_bucket() {
    let (_, error) =
        fails("bucket assets kms-key arn:aws:kms:us-east-1:123456789012:key/k; bucket assets kms-denied")
            .await;
    assert!(error.message.starts_with("the key that encrypts bucket assets refuses"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("kms:GenerateDataKey")));
}

/// Fault 60: a policy refuses puts that do not repeat the bucket's own encryption in their headers.
#[tokio::test(start_paused = true)]
async fn puts_carry_the_encryption_that_the_bucket_has() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/k";
    let stage = Stage::new(&format!("bucket assets kms-key {key}; bucket assets requires-encryption")).await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    let requests = stage.local.requests.lock().unwrap();
    let put = requests.iter().find(|request| request.method() == "PUT").expect("a put");
    assert_eq!(put.headers()["x-amz-server-side-encryption"], "aws:kms");
    assert_eq!(put.headers()["x-amz-server-side-encryption-aws-kms-key-id"], key);
}

/// Fault 60: keys of S3 are said in the header as well.
#[tokio::test(start_paused = true)]
async fn puts_say_aes256_where_the_bucket_does() {
    let stage = Stage::new("bucket assets requires-encryption").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    let requests = stage.local.requests.lock().unwrap();
    let put = requests.iter().find(|request| request.method() == "PUT").expect("a put");
    assert_eq!(put.headers()["x-amz-server-side-encryption"], "AES256");
}

/// Fault 66: buckets with object lock take only puts with a checksum, and replaced objects of versioned ones stay.
#[tokio::test(start_paused = true)]
async fn puts_carry_a_checksum_and_tell_the_version() {
    let stage = Stage::new("bucket assets versioned").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let published = stage.publish(&assembly).await.expect("published");
    assert!(published.files["a"].version.is_some());
    let requests = stage.local.requests.lock().unwrap();
    let put = requests.iter().find(|request| request.method() == "PUT").expect("a put");
    assert!(put.headers().contains_key("x-amz-checksum-sha256"));
}

/// What was learnt of a bucket in one account is not used in another.
#[tokio::test(start_paused = true)]
async fn places_are_known_by_account_and_region() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let (cloud, stack) = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let publisher = stage.publisher();
    publisher.publish(&stack, &cloud, &stage.session, &stage.journal).await.expect("published");
    let elsewhere = stage.session.in_region("eu-west-1");
    let error =
        publisher.publish(&stack, &cloud, &elsewhere, &stage.journal).await.expect_err("another region");
    assert_eq!(error.message, "bucket assets is in us-east-1, not in eu-west-1");
}
