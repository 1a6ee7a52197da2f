//! Methods, paths and queries: they arrive as they were sent, but for a plus sign that means a space.

use crate::client::{get, head, read, send};
use crate::under_test::start;
use crate::upstream::{Upstream, answer};

#[tokio::test]
async fn targets_arrive_byte_for_byte() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let long = format!("/x?a={}", "x".repeat(8000));
    for target in [
        "/api/2.0/mlflow/experiments/search",
        "/a%2Fb/c",
        "/a%2fb/c",
        "/a%20b",
        "/%C3%BC%E6%97%A5",
        "/%c3%bc",
        "/a+b",
        "/a;b,c=d@e:f!g$h&i'j(k)*l~",
        "/a%3Fb%23c",
        "/a/",
        "/a/%2e%2e/b",
        "/a/./b",
        "/a//b",
        "/%25",
        "/x?k=2&k=1&a=3",
        "/x?a=1%2B1",
        "/x?a=b=c/d:e?f",
        "/x?%E6%97%A5=1&Z=2&a=3&A=4",
        "/x?a=%c3%bc",
        "/x?a=!*'()",
        "/x?a=%ff%FE",
        "/x?a",
        "/x?=",
        &long,
    ] {
        let answer = get(proxy.address, target, &[]).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(upstream.last().target, target);
    }
    for (target, arrives) in
        [("/x?filter=a+b&c=+", "/x?filter=a%20b&c=%20"), ("/a+b?c+d=1%2B2", "/a+b?c%20d=1%2B2")]
    {
        assert_eq!(get(proxy.address, target, &[]).await.status, 200);
        assert_eq!(upstream.last().target, arrives);
    }
    assert_eq!(get(proxy.address, "/x?", &[]).await.status, 200);
    assert!(matches!(upstream.last().target.as_str(), "/x?" | "/x"), "{}", upstream.last().target);
}

#[tokio::test]
async fn every_method_arrives_with_its_body() {
    let upstream = Upstream::start(|seen| answer(200, &[], &seen.body)).await;
    let proxy = start(&upstream, &[]).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let mut bytes = head(method, "/x", &[("Content-Length", "7")]);
        bytes.extend_from_slice(b"{\"a\":1}");
        let answer = send(proxy.address, &bytes).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "{\"a\":1}"), "{method}");
        assert_eq!(upstream.last().method, method);
    }
}

#[tokio::test]
async fn head_has_a_length_and_no_body_and_the_connection_goes_on() {
    let upstream = Upstream::start(|seen| match seen.method.as_str() {
        "HEAD" => crate::upstream::Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n".to_vec()),
        _ => answer(200, &[], b"second"),
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    let mut stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
    for (method, body, length) in [("HEAD", "", "1234"), ("GET", "second", "6"), ("HEAD", "", "1234")] {
        tokio::io::AsyncWriteExt::write_all(&mut stream, &head(method, "/x", &[])).await.unwrap();
        let answer = read(&mut stream, method == "HEAD").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
        assert_eq!(answer.header("content-length"), Some(length));
    }
}

#[tokio::test]
async fn fifty_requests_share_a_connection_on_both_sides() {
    let upstream = Upstream::start(|_| answer(200, &[], b"x")).await;
    let proxy = start(&upstream, &[]).await;
    let mut stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
    for _ in 0..50 {
        tokio::io::AsyncWriteExt::write_all(&mut stream, &head("GET", "/x", &[])).await.unwrap();
        let answer = read(&mut stream, false).await;
        assert_eq!((answer.status, answer.header("connection")), (200, None));
    }
    // Many on one connection, sent before the first is answered.
    let piped: Vec<u8> = (0..20).flat_map(|number| head("GET", &format!("/{number}"), &[])).collect();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &piped).await.unwrap();
    for _ in 0..20 {
        assert_eq!(read(&mut stream, false).await.status, 200);
    }
    let targets: Vec<_> = upstream.seen().into_iter().skip(50).map(|seen| seen.target).collect();
    assert_eq!(targets, (0..20).map(|number| format!("/{number}")).collect::<Vec<_>>());
}
