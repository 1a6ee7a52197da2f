//! MLflow fails: what the client is told, and how often MLflow was asked.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use crate::client::{Answer, get, post};
use crate::under_test::{start, start_at};
use crate::upstream::{Reply, Upstream, answer};

/// The proxy's own words, in MLflow's form, with a time to come back.
fn is_own(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["error_code"], "TEMPORARILY_UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("2"));
}

#[tokio::test]
async fn a_request_that_may_have_worked_is_not_sent_again() {
    for (status, reply) in [
        (502, (|| Reply::Reset) as fn() -> Reply),
        (502, || Reply::Bytes(b"this is no HTTP\r\n\r\n".to_vec())),
        (502, || Reply::Pieces(Vec::new())),
        (502, || Reply::Bytes(b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec())),
        (504, || Reply::Hang),
    ] {
        let upstream = Upstream::start(move |_| reply()).await;
        let proxy = start(&upstream, &[("MLFLOW_PROXY_FIRST_BYTE_TIMEOUT", "0.7")]).await;
        is_own(&post(proxy.address, "/x", &[], b"{}").await, status);
        assert_eq!(upstream.seen().len(), 1);
    }
    let upstream = Upstream::start(|_| answer(503, &[], b"busy")).await;
    let proxy = start(&upstream, &[]).await;
    let answer = post(proxy.address, "/x", &[], b"{}").await;
    assert_eq!((answer.status, answer.text().as_str(), upstream.seen().len()), (503, "busy", 1));
}

#[tokio::test]
async fn a_question_is_asked_twice() {
    for (fault, good) in [(502, 200), (503, 200), (504, 200), (500, 500), (429, 429)] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let upstream = Upstream::start(move |_| {
            let first = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            answer(if first { fault } else { 200 }, &[], b"")
        })
        .await;
        let proxy = start(&upstream, &[]).await;
        assert_eq!(get(proxy.address, "/x", &[]).await.status, good);
        assert_eq!(upstream.seen().len(), if good == 200 { 2 } else { 1 }, "{fault}");
    }
    let upstream = Upstream::start(|_| Reply::Reset).await;
    let proxy = start(&upstream, &[]).await;
    is_own(&get(proxy.address, "/x", &[]).await, 502);
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn nobody_listening_is_503_and_soon_over() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = start_at("127.0.0.1:0", nobody, &[]).await;
    let begin = Instant::now();
    is_own(&post(proxy.address, "/x", &[], b"{}").await, 503);
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_kept_connection_that_mlflow_closed_costs_no_request() {
    let upstream = Upstream::start(|_| {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec();
        // It says nothing of closing, and closes.
        Reply::Pieces(vec![(Duration::ZERO, whole)])
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    for number in 0..20 {
        assert_eq!(post(proxy.address, "/x", &[], b"{}").await.status, 200, "{number}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(upstream.seen().len(), 20);
}

#[tokio::test]
async fn a_refusal_passes_with_its_body_and_a_hint_what_is_missing() {
    let body = br#"{"Message":"User: x is not authorized to perform: sagemaker-mlflow:CreateRun"}"#;
    let upstream = Upstream::start(move |seen| match seen.target.as_str() {
        "/iam" => answer(403, &[("x-amzn-errortype", "AccessDeniedException")], body),
        "/long" => answer(403, &[], &[b'x'; 100_000]),
        _ => answer(403, &[], br#"{"error_code":"PERMISSION_DENIED","message":"no"}"#),
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    let answer = post(proxy.address, "/iam", &[], b"{}").await;
    assert_eq!((answer.status, answer.body.as_slice()), (403, body.as_slice()));
    assert!(answer.header("x-formwork-hint").unwrap().contains("sagemaker-mlflow:*"), "{answer:?}");
    let answer = post(proxy.address, "/mlflow", &[], b"{}").await;
    assert_eq!((answer.status, answer.header("x-formwork-hint")), (403, None), "MLflow's own word");
    let answer = get(proxy.address, "/long", &[]).await;
    assert_eq!((answer.status, answer.body.len(), answer.whole), (403, 100_000, true));
    assert_eq!(upstream.seen().len(), 3);
}
