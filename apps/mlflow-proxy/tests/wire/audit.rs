//! What is written down about requests that may change something, also when they do not end well.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::access::{ask, bearer, with_users};
use crate::client::{head, read_head, send};
use crate::lines::Lines;
use crate::upstream::{Reply, Upstream, answer};

const CREATE: &str = "/api/2.0/mlflow/runs/create";

/// Whether each part is in the line.
fn holds(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} is missing: {line}");
    }
}

#[tokio::test]
async fn a_client_that_goes_during_the_answer_leaves_its_status() {
    let (lines, _guard) = Lines::of("audit");
    let upstream = Upstream::start(|_| {
        let start = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
        Reply::Pieces(vec![(Duration::ZERO, start), (Duration::from_secs(30), b"defghij".to_vec())])
    })
    .await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let authorization = bearer("0000000b");
    let mut request = head("POST", CREATE, &[("Authorization", &authorization), ("Content-Length", "2")]);
    request.extend_from_slice(b"{}");
    stream.write_all(&request).await.unwrap();
    assert_eq!(read_head(&mut stream).await.status, 200);
    stream.set_zero_linger().unwrap();
    drop(stream);
    let lines = lines.take(1).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    holds(&lines[0], &["status=200 ", "bytes_in=2 ", "bytes_out=3 ", "outcome=\"answer cut\""]);
}

#[tokio::test]
async fn an_answer_that_mlflow_breaks_off_is_told_as_such() {
    let (lines, _guard) = Lines::of("audit");
    let upstream = Upstream::start(|_| {
        let start = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
        Reply::Pieces(vec![(Duration::ZERO, start)])
    })
    .await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    assert!(!ask(&proxy, "POST", CREATE, &bearer("0000000b"), "{}").await.whole);
    let lines = lines.take(1).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    holds(&lines[0], &["status=200 ", "bytes_out=3 ", "outcome=\"answer cut\""]);
}

#[tokio::test]
async fn a_whole_answer_is_no_cut_one() {
    let (lines, _guard) = Lines::of("audit");
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let upstream = Upstream::start(move |seen| match seen.body.len() {
        2 => answer(200, &[], b"abc"),
        3 => answer(204, &[], b""),
        _ => Reply::Bytes(chunks.as_bytes().to_vec()),
    })
    .await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    for (body, sent) in [("{}", "bytes_out=3 "), ("{ }", "bytes_out=0 "), ("{  }", "bytes_out=3 ")] {
        ask(&proxy, "POST", CREATE, &bearer("0000000b"), body).await;
        let lines = lines.take(1).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        holds(&lines[0], &[sent, "outcome=\"answered\""]);
    }
}

#[tokio::test]
async fn a_change_that_is_too_much_leaves_a_line() {
    let (lines, _guard) = Lines::of("audit");
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let limits =
        [("MLFLOW_PROXY_RATE", "1"), ("MLFLOW_PROXY_RATE_BURST", "1"), ("MLFLOW_PROXY_USER_MAX_BODY", "4")];
    let (proxy, _folder) = with_users(&upstream, &limits).await;
    for (id, body, status) in [("0000000b", "{    }", 413), ("0000000b", "{}", 429)] {
        assert_eq!(ask(&proxy, "POST", CREATE, &bearer(id), body).await.status, status);
        let lines = lines.take(1).await;
        assert_eq!(lines.len(), 1, "{status}: {lines:?}");
        holds(&lines[0], &["route=\"createRun\"", "outcome=\"answered\"", &format!("status={status} ")]);
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn to_open_the_user_interface_counts_and_leaves_a_line() {
    let (lines, _guard) = Lines::of("audit");
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let limits = [("MLFLOW_PROXY_RATE", "1"), ("MLFLOW_PROXY_RATE_BURST", "1")];
    let (proxy, _folder) = with_users(&upstream, &limits).await;
    for status in [403, 429] {
        assert_eq!(ask(&proxy, "GET", "/ui", &bearer("0000000a"), "").await.status, status);
        let lines = lines.take(1).await;
        assert_eq!(lines.len(), 1, "{status}: {lines:?}");
        let status = format!("status={status} ");
        holds(
            &lines[0],
            &["user=\"the-reader\"", "route=\"openUi\"", "pattern=\"/ui\"", "method=\"GET\"", &status],
        );
    }
    assert_eq!(proxy.operate.metrics.rate_limited.get(), 1);
}

#[tokio::test]
async fn failed_logins_are_counted_and_told_with_the_client_also_at_the_first_page() {
    let (lines, _guard) = Lines::of("access");
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let (proxy, _folder) = with_users(&upstream, &[]).await;
    lines.take(1).await;
    let failures = || {
        let text = proxy.operate.metrics_text();
        let counts = text.lines().filter(|line| line.starts_with("mlflow_proxy_authentication_failures"));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u32>().ok()).sum::<u32>()
    };
    for (number, path) in ["/", "/version"].into_iter().enumerate() {
        ask(&proxy, "GET", path, "Bearer fwp_0000000a_guess", "").await;
        let lines = lines.take(1).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        holds(&lines[0], &["event=\"login_failed\"", "client=127.0.0.1 ", "status=401 "]);
        assert!(!lines[0].contains("guess"), "{lines:?}");
        assert_eq!(failures() as usize, number + 1);
    }
    assert_eq!(ask(&proxy, "GET", "/", "", "").await.status, 200);
    assert_eq!(failures(), 2, "to look at the first page is no failure");
    assert_eq!(ask(&proxy, "GET", "/version", "", "").await.status, 401);
    assert_eq!(failures(), 3);
    assert_eq!(lines.take(0).await, [""; 0], "browsers begin by showing nothing");
}

#[tokio::test]
async fn a_change_is_told_with_the_client_that_the_balancer_names() {
    let (lines, _guard) = Lines::of("audit");
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    for (behind, client) in [("false", "client=127.0.0.1 "), ("true", "client=198.51.100.1 ")] {
        let (proxy, _folder) = with_users(&upstream, &[("MLFLOW_PROXY_BEHIND_BALANCER", behind)]).await;
        let headers = [
            ("Authorization", bearer("0000000b")),
            ("X-Forwarded-For", "203.0.113.9, 198.51.100.1".to_owned()),
            ("Content-Length", "2".to_owned()),
        ];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut request = head("POST", CREATE, &headers);
        request.extend_from_slice(b"{}");
        assert_eq!(send(proxy.address, &request).await.status, 200);
        let lines = lines.take(1).await;
        holds(&lines[0], &[client, "status=200 "]);
    }
}

#[tokio::test]
async fn failed_logins_are_counted_by_their_reason() {
    let upstream = Upstream::start(|_| answer(200, &[], b"{}")).await;
    let (proxy, folder) = with_users(&upstream, &[("MLFLOW_PROXY_AUTH", "basic")]).await;
    let file = folder.path().join("users.json");
    let expired = std::fs::read_to_string(&file).unwrap().replacen(
        "\"created\"",
        "\"expires\":\"2020-01-01T00:00:00Z\",\"created\"",
        1,
    );
    std::fs::write(&file, expired).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    for (authorization, reason) in [
        ("", "missing"),
        ("Digest x", "malformed"),
        ("Basic ?", "malformed"),
        ("Bearer fwp_0000000c_guess", "unknown"),
        (&bearer("0000000a"), "expired"),
    ] {
        let count = || {
            let text = proxy.operate.metrics_text();
            let row = format!("mlflow_proxy_authentication_failures_total{{reason=\"{reason}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&row)?.parse::<u32>().ok()).unwrap_or_default()
        };
        let before = count();
        assert_eq!(ask(&proxy, "GET", "/version", authorization, "").await.status, 401, "{reason}");
        assert_eq!(count(), before + 1, "{reason}");
    }
}
