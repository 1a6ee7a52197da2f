//! What the gate refuses before MLflow sees it, and what it adds to every answer.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::client::{get, head, post, send};
use crate::under_test::{start, start_at};
use crate::upstream::{Upstream, answer};

#[tokio::test]
async fn requests_that_two_could_read_in_two_ways_are_refused() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    for (request, status) in [
        ("GET http://169.254.169.254/latest HTTP/1.1\r\nHost: proxy.test\r\n\r\n", 400),
        ("GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", 403),
        ("GET ftp://proxy.test/x HTTP/1.1\r\nHost: proxy.test\r\n\r\n", 400),
        ("GET http://user@proxy.test/x HTTP/1.1\r\nHost: proxy.test\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: proxy.test\r\nHost: evil\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: proxy.test\r\nHost: proxy.test\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: user@proxy.test\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        ("OPTIONS * HTTP/1.1\r\nHost: proxy.test\r\n\r\n", 400),
        ("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", 405),
        ("TRACE /x HTTP/1.1\r\nHost: proxy.test\r\n\r\n", 405),
        ("GET /\u{fc} HTTP/1.1\r\nHost: proxy.test\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: proxy.test\r\nX-A: 1\r\n folded\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: proxy.test\r\nX-A : 1\r\n\r\n", 400),
        ("POST /x HTTP/1.1\r\nHost: proxy.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("POST /x HTTP/1.1\r\nHost: proxy.test\r\nContent-Length: +1\r\n\r\na", 400),
        ("POST /x HTTP/1.1\r\nHost: proxy.test\r\nTransfer-Encoding: gzip\r\n\r\na", 400),
    ] {
        assert_eq!(send(proxy.address, request.as_bytes()).await.status, status, "{request}");
    }
    assert_eq!(upstream.seen().len(), 0);

    for request in [
        "GET http://proxy.test/x HTTP/1.1\r\nHost: proxy.test\r\n\r\n",
        "GET http://proxy.test:5000/x HTTP/1.1\r\nHost: proxy.test:5000\r\n\r\n",
        "GET /x HTTP/1.0\r\nHost: proxy.test\r\n\r\n",
    ] {
        assert_eq!(send(proxy.address, request.as_bytes()).await.status, 200, "{request}");
        assert_eq!(upstream.last().target, "/x");
    }
}

#[tokio::test]
async fn a_request_hidden_in_a_body_is_a_request_of_its_own() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let both = "POST /x HTTP/1.1\r\nHost: proxy.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
        0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    send(proxy.address, both.as_bytes()).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let seen = upstream.seen();
    assert!(seen.iter().all(|seen| seen.target == "/x" && seen.body.is_empty()), "{seen:?}");
}

#[tokio::test]
async fn no_other_protocol_is_switched_to() {
    let upstream = Upstream::start(|_| answer(200, &[], b"plain")).await;
    let proxy = start(&upstream, &[]).await;
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "eA=="),
    ];
    let answer = get(proxy.address, "/x", &upgrade).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "plain"));
    assert_eq!(upstream.last().header("upgrade"), None);
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    for (name, value, status) in [
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Origin", "https://proxy.test", 200),
        ("Sec-Fetch-Site", "same-origin", 200),
    ] {
        let answer = post(proxy.address, "/x", &[(name, value)], b"{}").await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    assert_eq!(get(proxy.address, "/x", &[("Origin", "https://evil.example")]).await.status, 200);
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_headers_against_misuse() {
    let upstream = Upstream::start(|_| answer(200, &[("x-request-id", "theirs")], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let given = get(proxy.address, "/x", &[("X-Request-Id", "mine-1")]).await;
    assert_eq!(given.values("x-request-id"), ["mine-1"]);
    assert_eq!(upstream.last().values("x-request-id"), ["mine-1"]);
    let made = get(proxy.address, "/x", &[("X-Request-Id", "not sane")]).await;
    assert_eq!(made.values("x-request-id"), upstream.last().values("x-request-id"));
    assert_eq!(made.header("x-request-id").unwrap().len(), 36);
    let refused = send(proxy.address, b"GET /x HTTP/1.1\r\nHost: evil\r\n\r\n").await;
    for answer in [given, made, refused] {
        assert_eq!(answer.values("x-content-type-options"), ["nosniff"]);
        assert_eq!(answer.values("x-frame-options"), ["SAMEORIGIN"]);
        assert_eq!(answer.values("strict-transport-security"), [""; 0], "not without TLS");
        assert_eq!(answer.values("x-request-id").len(), 1);
    }
}

#[tokio::test]
async fn health_is_answered_to_whoever_asks_by_whatever_name() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let health =
        send(proxy.address, b"GET /healthz?from=balancer HTTP/1.1\r\nHost: 10.1.2.3:5000\r\n\r\n").await;
    assert_eq!((health.status, health.text().as_str()), (200, "{\"status\":\"ok\"}"));
    assert_eq!(
        send(proxy.address, &head("HEAD", "/healthz", &[])).await.header("content-length"),
        Some("15")
    );
    assert!(matches!(get(proxy.address, "/readyz", &[]).await.status, 200 | 503));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = send(proxy.address, &head(method, "/healthz", &[])).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    // MLflow's own stays MLflow's.
    assert_eq!(get(proxy.address, "/health", &[]).await.status, 200);
    assert_eq!(upstream.last().target, "/health");
}

#[tokio::test]
async fn http2_and_ipv6_are_served_too() {
    let upstream = Upstream::start(|seen| answer(200, &[("connection", "keep-alive")], &seen.body)).await;
    let proxy = start_at("[::1]:0", upstream.address, &[]).await;
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut ask = async |uri: &str, body: Vec<u8>| {
        let request =
            Request::post(uri).header("te", "trailers").header("cookie", "a=1").header("cookie", "b=2");
        let answer = client.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
        (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes())
    };
    let large = vec![b'x'; 3_000_000];
    assert_eq!(ask("http://proxy.test/a%2Fb?c+d=1", b"two".to_vec()).await, (200, Bytes::from("two")));
    let seen = upstream.last();
    assert_eq!(
        (seen.target.as_str(), seen.header("cookie"), seen.header("te")),
        ("/a%2Fb?c%20d=1", Some("a=1; b=2"), None)
    );
    assert_eq!(ask("http://evil.example/x", Vec::new()).await.0, 403);
    let (status, body) = ask("http://proxy.test/large", large.clone()).await;
    assert!(status == 200 && body == large);
}
