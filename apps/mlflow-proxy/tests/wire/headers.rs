//! Which headers arrive and which end at the proxy.

use crate::client::{get, post};
use crate::under_test::start;
use crate::upstream::{ARN, ARN_HEADER, Upstream, answer};

#[tokio::test]
async fn what_belongs_to_a_connection_ends_at_the_proxy() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let sent = [
        ("Connection", "keep-alive, X-Secret-Hop"),
        ("Connection", "x-another , Content-Type"),
        ("X-Secret-Hop", "1"),
        ("X-Another", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("TE", "trailers"),
        ("Trailer", "X-Sum"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "Basic x"),
        ("X-Keep", "1"),
        ("Content-Type", "application/json"),
    ];
    assert_eq!(post(proxy.address, "/x", &sent, b"{}").await.status, 200);
    let seen = upstream.last();
    for name in ["x-secret-hop", "x-another", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("proxy-authorization"), None);
    assert_eq!(seen.header("x-keep"), Some("1"));
    assert_eq!(seen.header("content-type"), Some("application/json"), "nobody can declare that away");
}

#[tokio::test]
async fn who_asks_and_what_signs_is_replaced() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let sent = [
        ("Authorization", "Bearer secret"),
        ("X-Mlflow-Sm-Tracking-Server-Arn", "arn:evil"),
        ("x-sm-mlflow-app-arn", "arn:evil"),
        ("X-Amz-Evil", "1"),
        ("X-Amz-Date", "20200101T000000Z"),
        ("X-Amz-Security-Token", "zz"),
        ("X-Amz-Content-Sha256", "zz"),
        ("X-Amzn-Oidc-Data", "jwt"),
        ("X-Amzn-Trace-Id", "Root=1-2-3"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil"),
        ("Forwarded", "for=10.0.0.1"),
        ("X-Real-Ip", "10.0.0.1"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Via", "1.1 other"),
        ("Origin", "http://proxy.test"),
        ("Referer", "http://proxy.test/page"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Cookie", "AWSELBAuthSessionCookie-0=abc; own=1; AWSALB=x"),
        ("Cookie", "AWSALBCORS=y"),
    ];
    assert_eq!(post(proxy.address, "/x", &sent, b"{}").await.status, 200);
    let seen = upstream.last();
    let authorization = seen.values("authorization");
    assert!(
        authorization.len() == 1 && authorization[0].starts_with("AWS4-HMAC-SHA256 "),
        "{authorization:?}"
    );
    assert_eq!(seen.values(ARN_HEADER), [ARN]);
    assert_eq!(seen.values("x-amz-date").len(), 1);
    assert_ne!(seen.values("x-amz-date"), ["20200101T000000Z"]);
    for name in [
        "x-sm-mlflow-app-arn",
        "x-amz-evil",
        "x-amzn-oidc-data",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "forwarded",
        "x-real-ip",
        "x-http-method-override",
        "via",
        "origin",
        "referer",
        "sec-fetch-site",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.values("cookie"), ["own=1"]);
    assert_eq!(seen.values("host"), [upstream.address.to_string()]);
    // Followed through AWS by it, but it is no part of the signature: others on the way may change it.
    assert_eq!(seen.header("x-amzn-trace-id"), Some("Root=1-2-3"));
    assert!(!authorization[0].contains("x-amzn-trace-id"));

    get(proxy.address, "/x", &[("Cookie", "AWSELBAuthSessionCookie-0=abc")]).await;
    assert_eq!(upstream.last().header("cookie"), None);
}

#[tokio::test]
async fn what_is_for_mlflow_arrives() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let sent = [
        ("X-MLFLOW-WORKSPACE", "w1"),
        ("x-mlflow-experiment-id", "7"),
        ("User-Agent", "mlflow-python-client/3"),
        ("Accept-Language", "a"),
        ("Accept-Language", "b"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Range", "bytes=0-5"),
        ("If-None-Match", "\"e\""),
        ("Content-Type", "a/b;  c=\"d  e\""),
        ("X-Latin", "caf\u{e9}"),
        ("X-Empty", ""),
    ];
    assert_eq!(get(proxy.address, "/x", &sent).await.status, 200);
    let seen = upstream.last();
    for (name, value) in sent {
        assert!(seen.values(name).contains(&value), "{name}: {:?}", seen.values(name));
    }
    assert_eq!(seen.values("accept-language"), ["a", "b"]);
}
