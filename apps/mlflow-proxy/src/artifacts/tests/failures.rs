//! Bodies that come to no good end, and an S3 that does not come to its own.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{Limited, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::transfers::upload;
use super::*;
use crate::body::{BodyError, Stalled};

const MIB: usize = 1024 * 1024;

/// So many mebibytes, and then nothing for too long.
fn stalling(mebibytes: usize) -> Body {
    let chunk = Bytes::from(vec![7; MIB]);
    let chunks = (0..mebibytes).map(move |_| Ok::<_, BodyError>(Frame::data(chunk.clone())));
    let end = std::iter::once(Err(BodyError::from(Stalled(Duration::from_secs(30)))));
    StreamBody::new(stream::iter(chunks.chain(end))).boxed_unsync()
}

#[tokio::test]
async fn an_upload_that_stalls_is_told_so() {
    for (trusting, told, sent) in [
        (true, Some(90), 75),
        (true, Some(90), 65),
        (true, Some(20), 10),
        (true, Some(20), 0),
        (false, Some(8), 4),
        (true, None, 30),
    ] {
        let (_fake, artifacts) = start(trusting).await;
        let response = artifacts.answer(upload(told, stalling(sent))).await;
        assert_eq!(response.status(), 408, "{trusting} {told:?} {sent}");
        assert_eq!(response.headers()["connection"], "close");
    }
}

#[tokio::test]
async fn an_upload_beyond_what_a_user_may_send_is_told_so() {
    for told in [None, Some(30)] {
        let (fake, artifacts) = start(true).await;
        let body = Limited::new(stalling(30), 20 * MIB).boxed_unsync();
        let (status, said) = said(artifacts.answer(upload(told, body)).await).await;
        assert_eq!((status, &said["error_code"]), (413, &json!("MAX_READ_SIZE_EXCEEDED")));
        assert!(fake.keys().is_empty());
    }
}

#[tokio::test]
async fn a_step_that_stalls_is_told_so() {
    let (_fake, mut artifacts) = start(true).await;
    artifacts.links = true;
    for (body, status) in [(stalling(0), 408), (stalling(1), 408), (stalling(33), 413)] {
        let request = Request::post("/api/2.0/mlflow-artifacts/mpu/create/1").body(body).unwrap();
        let response = artifacts.answer(request).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["connection"]),
            (status, &HeaderValue::from_static("close"))
        );
    }
}

/// The artifacts of a bucket that answers the first request so, and then goes or falls silent.
async fn answering(bytes: &'static [u8], goes: bool) -> (Fake, Artifacts) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut fake, _) = start(true).await;
    fake.address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(bytes).await.unwrap();
        if !goes {
            std::future::pending::<()>().await;
        }
    });
    let bucket = fake.bucket(CredentialCache::fixed(credentials("FIRST")));
    (fake, serving(bucket))
}

#[tokio::test]
async fn a_file_that_breaks_off_breaks_off_for_the_client_and_is_counted() {
    let (fake, artifacts) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart", true).await;
    let response = artifacts.answer(ask("GET", "/x")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], "100");
    assert!(response.into_body().collect().await.is_err());
    assert_eq!(fake.counted(UpstreamError::Truncated), 1);
    // It is no longer there.
    assert_eq!(artifacts.answer(ask("GET", "/x")).await.status(), 503);
    assert!(fake.counted(UpstreamError::Connect) >= 1);
}

#[tokio::test]
async fn a_refusal_whose_words_do_not_come_is_one_by_its_status() {
    let (_fake, artifacts) =
        answering(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 100\r\n\r\n<Error>", false).await;
    let start = Instant::now();
    let answer = tokio::time::timeout(Duration::from_secs(10), artifacts.answer(ask("GET", "/x"))).await;
    assert_eq!(answer.expect("an answer in time").status(), 403);
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn names_that_no_document_can_carry_are_deleted_too() {
    let (fake, artifacts) = start(true).await;
    for key in ["pre/d/a\u{1}b", "pre/d/plain", "pre/d/line\r\n\tend", "pre/d/\u{ffff}", "pre/kept"] {
        fake.put(key, b"x");
    }
    assert_eq!(artifacts.answer(ask("DELETE", "/d")).await.status(), 200);
    assert_eq!(fake.keys(), ["pre/kept"]);
}
