//! AWS refuses the proxy's credentials or its clock: it mends that itself, once, without the client seeing it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::client::{get, post};
use crate::under_test::{now, start};
use crate::upstream::{Reply, Seen, Upstream, answer};

fn expired() -> Reply {
    let body = br#"{"message":"The security token included in the request is expired"}"#;
    answer(403, &[("x-amzn-errortype", "ExpiredTokenException")], body)
}

#[tokio::test]
async fn expired_credentials_are_renewed_and_the_body_is_sent_again() {
    // Only the second credentials are known.
    let known = |seen: &Seen| if seen.signer == Ok(1) { answer(200, &[], &seen.body) } else { expired() };
    for length in [0, 100, 200_000] {
        let upstream = Upstream::start(known).await;
        let proxy = start(&upstream, &[("MLFLOW_PROXY_BODY_MEMORY", "10 KiB")]).await;
        let body = vec![b'x'; length];
        let answer = post(proxy.address, "/x", &[], &body).await;
        assert!(answer.status == 200 && answer.body == body, "{length}: {}", answer.status);
        assert_eq!((upstream.seen().len(), proxy.fetched.load(Ordering::SeqCst)), (2, 2));
        assert!(proxy.is_clean());
    }
}

#[tokio::test]
async fn many_at_once_renew_once() {
    let upstream =
        Upstream::start(|seen| if seen.signer == Ok(1) { answer(200, &[], b"") } else { expired() }).await;
    let proxy = start(&upstream, &[]).await;
    let mut tasks = Vec::new();
    for _ in 0..30 {
        let address = proxy.address;
        tasks.push(tokio::spawn(async move { get(address, "/x", &[]).await.status }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(proxy.fetched.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_renewal_does_not_mend_passes_as_it_is() {
    let upstream = Upstream::start(|_| expired()).await;
    let proxy = start(&upstream, &[]).await;
    for _ in 0..20 {
        let answer = post(proxy.address, "/x", &[], b"{}").await;
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("security token"), "{}", answer.text());
    }
    let fetched = proxy.fetched.load(Ordering::SeqCst);
    assert!(fetched <= 7, "AWS is not asked for each of them: {fetched}");
    assert!(upstream.seen().len() < 40, "nor is MLflow asked twice each time");
}

#[tokio::test]
async fn a_wrong_clock_follows_that_of_mlflow() {
    // MLflow's clock is so far from that of this machine.
    let offset = Arc::new(AtomicI64::new(600));
    let theirs = offset.clone();
    let upstream = Upstream::start(move |seen| {
        let theirs = now() + theirs.load(Ordering::SeqCst);
        let time = jiff::Timestamp::from_second(theirs).unwrap();
        let date = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", seen.header("x-amz-date").unwrap());
        let signed = signed.unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
        if (signed - theirs).abs() < 300 {
            return answer(200, &[("date", &date)], &seen.body);
        }
        let body = br#"{"message":"Signature expired: x is now earlier than y"}"#;
        answer(403, &[("date", &date), ("x-amzn-errortype", "InvalidSignatureException")], body)
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    for (apart, requests) in [(600, 2), (600, 1), (-3600, 2), (-3600, 1), (0, 2), (0, 1)] {
        offset.store(apart, Ordering::SeqCst);
        let before = upstream.seen().len();
        let answer = post(proxy.address, "/x", &[], b"once").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "once"), "{apart}");
        assert_eq!(upstream.seen().len() - before, requests, "{apart}");
    }
    assert_eq!(proxy.fetched.load(Ordering::SeqCst), 1, "the credentials were good");
}
