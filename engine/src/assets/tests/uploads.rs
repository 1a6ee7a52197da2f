//! Putting things, putting them again, and being cut off in between.

use serde_json::json;

use super::support::{BUCKET, Stage, file, sha256};
use crate::control::Wish;
use crate::error::Class;
use crate::event::What;

/// Two parts and three bytes: what is sent again and again is cheap.
const LARGE: usize = (16 << 20) + 3;

fn large() -> Vec<u8> {
    (0..LARGE).map(|index| (index / 1000 % 251) as u8).collect()
}

/// A second run sends nothing: what is there is found by a listing.
#[tokio::test(start_paused = true)]
async fn what_is_there_is_not_sent_again() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let first = stage.publish(&assembly).await.expect("published");
    let second = stage.publish(&assembly).await.expect("present");
    assert_eq!(stage.count("PutObject"), 1);
    assert_eq!(first.files["a"].sha256, Some(sha256(b"content")));
    assert_eq!(first, second);
    let told = stage.told();
    assert!(told.contains(&What::AssetUploaded { asset: "a".to_owned(), bytes: 7 }));
    assert_eq!(told.last(), Some(&What::AssetPresent { asset: "a".to_owned() }));
}

/// An object that is not there is never asked for by `HeadObject`: S3 would remember that it was missing.
#[tokio::test(start_paused = true)]
async fn missing_object_is_looked_for_by_a_listing_only() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.count("HeadObject"), 0);
}

/// An object whose key merely begins like ours is another object.
#[tokio::test(start_paused = true)]
async fn longer_key_is_not_taken_for_ours() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    stage.put("a.txt.old", b"content");
    assert_eq!(stage.session.storage().find(BUCKET, "a.txt").await.expect("an answer"), None);
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.object("a.txt").expect("the object"), "content");
}

/// Fault 61: an object of the wrong size is replaced.
#[tokio::test(start_paused = true)]
async fn object_of_the_wrong_size_is_replaced() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    stage.put("a.txt", b"cont");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.object("a.txt").expect("the object"), "content");
}

/// Fault 61: an object of the right size with another checksum is replaced.
#[tokio::test(start_paused = true)]
async fn object_with_another_checksum_is_replaced() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"changed");
    let before = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&before).await.expect("published");
    stage.write("a.txt", b"content");
    stage.publish(&before).await.expect("published");
    assert_eq!(stage.object("a.txt").expect("the object"), "content");
}

/// Fault 61: 22 bytes are an archive with nothing in it.
#[tokio::test(start_paused = true)]
async fn empty_archive_counts_as_missing() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("code/main.py", b"print()");
    stage.put("code.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let source = json!({ "path": "code", "packaging": "zip" });
    let assembly = stage.assembly(json!({ "a": super::support::asset(source, "code.zip") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert!(stage.object("code.zip").expect("the object").len() > 22);
}

/// Fault 15: throttled and failing calls are made again.
#[tokio::test(start_paused = true)]
async fn throttled_put_is_made_again() {
    let stage =
        Stage::new("bucket assets exists\non PutObject#1-3 error 503 SlowDown\non ListObjectsV2#1 drop")
            .await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.object("a.txt").expect("the object"), "content");
}

/// Fault 16: the answer to a put is lost; the same put again does no harm.
#[tokio::test(start_paused = true)]
async fn put_whose_answer_is_lost_is_made_again() {
    let stage = Stage::new("bucket assets exists\non PutObject#1 accept-then-drop").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.count("PutObject"), 2);
    assert_eq!(stage.object("a.txt").expect("the object"), "content");
}

/// Bytes that change on the way are refused by S3, because the checksum goes with them.
#[tokio::test(start_paused = true)]
async fn bytes_that_change_on_the_way_are_refused() {
    let stage = Stage::new("bucket assets corrupts").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let error = stage.publish(&assembly).await.expect_err("refused");
    assert!(error.message.contains("fails on bucket assets"), "{error}");
    assert!(stage.object("a.txt").is_none());
}

/// A large file goes in parts and arrives whole.
#[tokio::test(start_paused = true)]
async fn large_file_goes_in_parts() {
    let stage = Stage::new("bucket assets exists").await;
    let bytes = large();
    stage.write("large.bin", &bytes);
    let assembly = stage.assembly(json!({ "a": file("large.bin", "large.bin") }), json!({}));
    let published = stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.count("UploadPart"), 3);
    assert!(stage.object("large.bin").expect("the object") == bytes);
    assert_eq!(published.files["a"].sha256, Some(sha256(&bytes)));
    // The digest of the whole is found again, although S3 itself knows only that of the parts.
    let again = stage.publish(&assembly).await.expect("present");
    assert_eq!(again.files["a"].sha256, Some(sha256(&bytes)));
    assert_eq!(stage.count("CreateMultipartUpload"), 1);
}

/// Fault 62: the network goes half-way. The parts stay, and the next run sends only what is missing.
#[tokio::test(start_paused = true)]
async fn broken_upload_goes_on_with_the_missing_parts() {
    let stage = Stage::new("bucket assets exists\non UploadPart#3+ for 2h drop").await;
    let bytes = large();
    stage.write("large.bin", &bytes);
    let assembly = stage.assembly(json!({ "a": file("large.bin", "large.bin") }), json!({}));
    let error = stage.publish(&assembly).await.expect_err("the network is gone");
    assert_eq!(error.class, Class::NeedsAction);
    assert_eq!(stage.count("AbortMultipartUpload"), 0);
    tokio::time::sleep(std::time::Duration::from_secs(3 * 3600)).await;
    let before = stage.count("UploadPart");
    stage.publish(&assembly).await.expect("published");
    assert_eq!(stage.count("UploadPart") - before, 1);
    assert_eq!(stage.count("CreateMultipartUpload"), 1);
    assert!(stage.object("large.bin").expect("the object") == bytes);
}

/// Fault 62: a part that is refused for good takes the whole upload back.
#[tokio::test(start_paused = true)]
async fn refused_part_takes_the_upload_back() {
    let stage = Stage::new("bucket assets exists\non UploadPart#2 error 403 AccessDenied").await;
    stage.write("large.bin", &large());
    let assembly = stage.assembly(json!({ "a": file("large.bin", "large.bin") }), json!({}));
    stage.publish(&assembly).await.expect_err("refused");
    assert_eq!(stage.count("AbortMultipartUpload"), 1);
    assert!(stage.session.storage().uploads(BUCKET, "large.bin").await.expect("a list").is_empty());
}

/// Fault 62: the answer to the last call is lost; the object that stands there is found.
#[tokio::test(start_paused = true)]
async fn completed_upload_whose_answer_is_lost_is_done() {
    let stage = Stage::new("bucket assets exists\non CompleteMultipartUpload#1 accept-then-drop").await;
    let bytes = large();
    stage.write("large.bin", &bytes);
    let assembly = stage.assembly(json!({ "a": file("large.bin", "large.bin") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    assert!(stage.object("large.bin").expect("the object") == bytes);
}

/// Fault 68: after the wish to stop nothing is started.
#[tokio::test(start_paused = true)]
async fn nothing_is_started_after_the_wish_to_stop() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.runtime.control.raise(Wish::Detach);
    let error = stage.publish(&assembly).await.expect_err("stopped");
    assert_eq!(error.class, Class::Detached);
    assert!(stage.operations().is_empty());
}

/// Every put stands in the journal before it leaves, and its outcome after.
#[tokio::test(start_paused = true)]
async fn puts_stand_in_the_journal() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    let history = format!("{:?}", stage.journal.history());
    assert!(history.contains("PutObject") && history.contains("s3://assets/a.txt"), "{history}");
}

/// Two stacks with the same file ask for it once; files of one stack go in parallel, eight at a time.
#[tokio::test(start_paused = true)]
async fn files_are_shared_and_go_in_parallel() {
    let stage = Stage::new("bucket assets exists\non PutObject latency 10s").await;
    let files: serde_json::Map<_, _> = (0..16)
        .map(|number| {
            stage.write(&format!("{number}.txt"), format!("content {number}").as_bytes());
            (format!("a{number}"), file(&format!("{number}.txt"), &format!("{number}.txt")))
        })
        .collect();
    let (cloud, stack) = stage.assembly(files.into(), json!({}));
    let publisher = stage.publisher();
    let started = tokio::time::Instant::now();
    let publish = || publisher.publish(&stack, &cloud, &stage.session, &stage.journal);
    let (one, other) = tokio::join!(publish(), publish());
    assert_eq!(one.expect("published"), other.expect("published"));
    assert_eq!(stage.count("PutObject"), 16);
    assert_eq!(stage.count("GetBucketLocation"), 1);
    let seconds = started.elapsed().as_secs();
    assert!((20..30).contains(&seconds), "{seconds}");
}

/// Faults 31, 67: what a plan found in S3 is gone or another when it is to be applied.
#[tokio::test(start_paused = true)]
async fn asset_that_is_gone_since_the_plan_is_named() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let planned = stage.publish(&assembly).await.expect("published").planned();
    let publisher = stage.publisher();
    publisher.verify(&planned, &stage.session).await.expect("as it was");
    stage.put("a.txt", b"CONTENT");
    let mut other = planned.clone();
    other[0].bytes = Some(6);
    let error = publisher.verify(&other, &stage.session).await.expect_err("another size");
    assert_eq!(error.message, "the asset s3://assets/a.txt is another since the plan was made");
    let ticket = stage.journal.intent(crate::journal::Intent::new("DeleteObjects", "a.txt")).unwrap();
    stage.session.storage().delete(BUCKET, &["a.txt".to_owned()], &ticket).await.expect("deleted");
    let error = publisher.verify(&planned, &stage.session).await.expect_err("gone");
    assert_eq!(error.message, "the asset s3://assets/a.txt is gone since the plan was made");
    assert_eq!(error.class, Class::Refused);
}

/// A bucket is emptied with all that it keeps: versions, marks of deletions, broken uploads.
#[tokio::test(start_paused = true)]
async fn bucket_is_emptied_for_good() {
    let stage =
        Stage::new("bucket assets versioned\non CompleteMultipartUpload error 403 AccessDenied").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    stage.publish(&assembly).await.expect("published");
    stage.write("a.txt", b"changed!");
    stage.publish(&assembly).await.expect("published");
    let storage = stage.session.storage();
    let ticket = |operation| stage.journal.intent(crate::journal::Intent::new(operation, "x")).unwrap();
    storage.delete(BUCKET, &["a.txt".to_owned()], &ticket("DeleteObjects")).await.expect("deleted");
    let object = crate::aws::storage::NewObject {
        bucket: BUCKET,
        key: "part",
        sha256: &[0; 32],
        content_type: None,
        encryption: &crate::aws::storage::Encryption::Unknown,
    };
    storage.begin(&object, &ticket("CreateMultipartUpload")).await.expect("an upload");
    assert!(!storage.is_empty(BUCKET).await.expect("an answer"));
    let removal = storage.remove_all(BUCKET, &ticket("DeleteObjectVersions")).await.expect("emptied");
    assert_eq!((removal.removed, removal.kept.len()), (3, 0));
    assert!(storage.is_empty(BUCKET).await.expect("an answer"));
    assert!(storage.uploads(BUCKET, "part").await.expect("a list").is_empty());
}

/// Fault 67: a role that may not read the bucket leaves the check to the caller itself.
#[tokio::test(start_paused = true)]
async fn caller_looks_where_the_role_may_not() {
    let stage = Stage::new("bucket assets exists").await;
    stage.write("a.txt", b"content");
    let assembly = stage.assembly(json!({ "a": file("a.txt", "a.txt") }), json!({}));
    let planned = stage.publish(&assembly).await.expect("published").planned();
    let role = stage.session.assuming("arn:aws:iam::123456789012:role/deploy", None).await.expect("the role");
    stage.script("on ListObjectsV2#1 error 403 AccessDenied");
    stage.publisher().verify(&planned, &role).await.expect("as it was");
    stage.script("on ListObjectsV2 error 403 AccessDenied");
    let error = stage.publisher().verify(&planned, &role).await.expect_err("nobody may look");
    assert_eq!(error.class, Class::Refused);
}
