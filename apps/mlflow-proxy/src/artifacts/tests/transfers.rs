//! Uploads in parts, and what happens when something fails on the way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::*;
use crate::artifacts::fake::Fault;
use crate::body::BodyError;

const MIB: usize = 1024 * 1024;

/// A body of so many mebibytes, which may break off at its end.
fn body(mebibytes: usize, breaks: bool) -> Body {
    let chunk = Bytes::from(vec![7; MIB]);
    let chunks = (0..mebibytes).map(move |_| Ok::<_, BodyError>(Frame::data(chunk.clone())));
    let end = breaks.then(|| Err(BodyError::from("the client went away")));
    StreamBody::new(stream::iter(chunks.chain(end))).boxed_unsync()
}

pub(super) fn upload(told: Option<usize>, body: Body) -> Request<Body> {
    let mut request = ask("PUT", "/1/big.bin");
    if let Some(mebibytes) = told {
        request.headers_mut().insert("content-length", (mebibytes * MIB).into());
    }
    *request.body_mut() = body;
    request
}

/// Waits until something is so; the test fails if it never is.
async fn until(so: impl Fn() -> bool) {
    for _ in 0..200 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to be");
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts() {
    for (trusting, told, requests) in
        [(true, Some(70), 5), (false, Some(70), 5), (true, None, 5), (false, None, 5)]
    {
        let (fake, artifacts) = start(trusting).await;
        fake.state().forgets = true;
        let mut request = upload(told, body(70, false));
        request.headers_mut().insert("content-type", HeaderValue::from_static("image/png"));
        assert_eq!(read(artifacts.answer(request).await).await, (200, "{}".to_owned()));
        let object = fake.state().objects["pre/1/big.bin"].clone();
        assert_eq!((object.length, object.kind.as_str()), ((70 * MIB) as u64, "image/png"));
        assert_eq!(fake.count(&Method::PUT, "partNumber"), requests, "{trusting} {told:?}");
        assert_eq!(fake.count(&Method::HEAD, ""), usize::from(trusting && told.is_some()));
        assert_eq!(fake.state().aborted, 0);
    }
}

#[tokio::test]
async fn a_file_below_the_limits_goes_up_as_one() {
    for (trusting, told, mebibytes) in
        [(true, Some(64), 64), (false, Some(16), 16), (true, None, 16), (true, None, 0)]
    {
        let (fake, artifacts) = start(trusting).await;
        fake.state().forgets = true;
        assert_eq!(artifacts.answer(upload(told, body(mebibytes, false))).await.status(), 200);
        assert_eq!(fake.state().objects["pre/1/big.bin"].length, (mebibytes * MIB) as u64);
        assert_eq!(fake.count(&Method::POST, "uploads"), 0);
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    for (trusting, told, sent) in [
        (true, Some(90), 75),
        (true, Some(20), 10),
        (false, Some(90), 75),
        (false, Some(8), 4),
        (true, None, 30),
    ] {
        let (fake, artifacts) = start(trusting).await;
        fake.put("pre/1/big.bin", b"as it was");
        let (status, body) = said(artifacts.answer(upload(told, body(sent, true))).await).await;
        assert_eq!((status, &body["error_code"]), (400, &json!("BAD_REQUEST")), "{trusting} {told:?}");
        until(|| fake.state().uploads.is_empty()).await;
        assert_eq!(fake.state().objects["pre/1/big.bin"].bytes, "as it was");
        assert_eq!(fake.state().aborted, usize::from(sent > 16));
    }
}

#[tokio::test]
async fn an_upload_that_nobody_waits_for_is_aborted() {
    let (fake, artifacts) = start(true).await;
    let chunk = Bytes::from(vec![7; MIB]);
    let endless = stream::unfold(0, move |number| {
        let chunk = chunk.clone();
        async move {
            if number == 40 {
                std::future::pending::<()>().await;
            }
            Some((Ok::<_, BodyError>(Frame::data(chunk)), number + 1))
        }
    });
    let request = upload(Some(100), StreamBody::new(endless).boxed_unsync());
    let answering = tokio::spawn(async move { artifacts.answer(request).await.status() });
    until(|| fake.count(&Method::PUT, "partNumber=3") == 1).await;
    answering.abort();
    until(|| fake.state().aborted == 1).await;
    assert!(fake.keys().is_empty());
}

#[tokio::test]
async fn what_passes_by_is_tried_again_when_the_body_is_at_hand() {
    let (fake, artifacts) = start(false).await;
    fake.fail(Method::PUT, "", 503, "SlowDown");
    fake.fail(Method::PUT, "", 500, "InternalError");
    assert_eq!(artifacts.answer(send("/x", "content")).await.status(), 200);
    fake.fail(Method::GET, "", 503, "");
    assert_eq!(read(artifacts.answer(ask("GET", "/x")).await).await, (200, "content".to_owned()));
    for _ in 0..3 {
        fake.fail(Method::GET, "", 503, "SlowDown");
    }
    let response = artifacts.answer(ask("GET", "/x")).await;
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(said(response).await.1["error_code"], "TEMPORARILY_UNAVAILABLE");
    assert!(fake.state().faults.is_empty());
    assert_eq!((fake.counted(UpstreamError::Status), fake.metrics.retries.get()), (6, 5));
}

#[tokio::test]
async fn what_streams_is_sent_once() {
    let (fake, artifacts) = start(true).await;
    fake.fail(Method::PUT, "", 503, "SlowDown");
    let response = artifacts.answer(send("/x", "content")).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &HeaderValue::from_static("2"))
    );
    assert_eq!(fake.count(&Method::PUT, ""), 1);
    assert_eq!(artifacts.answer(send("/x", "content")).await.status(), 200, "the client's own attempt");
}

#[tokio::test]
async fn a_part_that_is_refused_ends_the_upload() {
    for early in [false, true] {
        let (fake, artifacts) = start(true).await;
        let document = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>".to_owned();
        fake.state().faults.push_back(Fault {
            method: Method::PUT,
            query: "partNumber=2",
            status: 403,
            document,
            early,
        });
        let (status, body) = said(artifacts.answer(upload(Some(70), body(70, false))).await).await;
        assert!(status == 403 || early && status == 503, "{status} {body}");
        until(|| fake.state().aborted == 1).await;
        assert!(fake.keys().is_empty() && fake.state().uploads.is_empty());
    }
}

#[tokio::test]
async fn a_failure_inside_of_a_success_is_a_failure() {
    let (fake, artifacts) = start(true).await;
    fake.state().faults.push_back(Fault {
        method: Method::POST,
        query: "uploadId",
        status: 200,
        document: "<Error><Code>InternalError</Code><Message>again</Message></Error>".to_owned(),
        early: false,
    });
    let (status, _) = said(artifacts.answer(upload(Some(70), body(70, false))).await).await;
    assert_eq!(status, 503);
    until(|| fake.state().aborted == 1).await;
}

#[tokio::test]
async fn credentials_that_were_revoked_are_renewed_once() {
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

    use crate::credentials::{Credentials, CredentialsError};

    struct Counting(Arc<AtomicUsize>);
    impl crate::credentials::Source for Counting {
        fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
            let names = ["FIRST", "SECOND", "THIRD"];
            let name = names[self.0.fetch_add(1, Ordering::SeqCst).min(2)];
            std::future::ready(Ok(credentials(name))).boxed()
        }
    }
    let fetched = Arc::new(AtomicUsize::new(0));
    let fake = Fake::start().await;
    let bucket = fake.bucket(CredentialCache::new(Counting(Arc::clone(&fetched))));
    let artifacts = serving(bucket);
    fake.put("pre/x", b"content");
    fake.state().revoked = "FIRST".to_owned();
    assert_eq!(read(artifacts.answer(ask("GET", "/x")).await).await, (200, "content".to_owned()));
    assert_eq!(artifacts.answer(send("/y", "content")).await.status(), 200);
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_bucket_elsewhere_is_found_once() {
    let (fake, artifacts) = start(true).await;
    fake.state().region = "us-west-2".to_owned();
    assert_eq!(artifacts.answer(send("/x", "content")).await.status(), 200, "a body that comes once arrives");
    assert_eq!(read(artifacts.answer(ask("GET", "/x")).await).await, (200, "content".to_owned()));
    // Asked for once in the wrong region and once in the right one, then the file up and down.
    assert_eq!(fake.state().seen.len(), 4);
}

#[tokio::test]
async fn refusals_name_what_is_missing() {
    let (fake, artifacts) = start(true).await;
    fake.put("pre/x", b"x");
    for (method, rest, query, code, status, word) in [
        ("GET", "/x", "", "AccessDenied", 403, "s3:GetObject"),
        ("PUT", "/x", "", "AccessDenied", 403, "s3:PutObject"),
        ("GET", "?path=x", "encoding", "AccessDenied", 403, "s3:ListBucket"),
        ("DELETE", "/x", "", "AccessDenied", 403, "s3:DeleteObject"),
        ("GET", "/x", "", "NoSuchBucket", 404, "SM_MLFLOW_ARTIFACT_URI"),
        ("GET", "/x", "", "Strange", 400, "Strange"),
    ] {
        let sent = Method::from_bytes(method.as_bytes()).unwrap();
        fake.fail(sent, query, status, code);
        let request = if method == "PUT" { send(rest, "x") } else { ask(method, rest) };
        let (answered, body) = said(artifacts.answer(request).await).await;
        assert_eq!(answered, if code == "Strange" { 502 } else { status }, "{code}");
        assert!(body["message"].as_str().unwrap().contains(word), "{body}");
        assert!(!body["message"].as_str().unwrap().contains("said"), "S3's own words are for the log");
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_reached_is_unavailable() {
    let (fake, _) = start(true).await;
    let mut nowhere = fake.clone();
    nowhere.address = "127.0.0.1:9".parse().unwrap();
    let bucket = nowhere.bucket(CredentialCache::fixed(credentials("FIRST")));
    let artifacts = serving(bucket);
    let response = artifacts.answer(ask("GET", "/x")).await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(said(response).await.1["error_code"], "TEMPORARILY_UNAVAILABLE");
}

#[tokio::test]
async fn a_disk_without_room_is_told() {
    let (_fake, mut artifacts) = start(false).await;
    artifacts.disk = disk(PathBuf::from("/proc/no/such/directory"), 8 << 30);
    let (status, body) = said(artifacts.answer(upload(Some(8), body(8, false))).await).await;
    assert_eq!(status, 507);
    assert!(body["message"].as_str().unwrap().contains("MLFLOW_PROXY_SPOOL_DIRECTORY"));
}
