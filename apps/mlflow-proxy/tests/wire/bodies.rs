//! Bodies of requests: held in memory or in a file, bounded, and never half sent.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{chunked, head, post, read, read_head, send};
use crate::under_test::start;
use crate::upstream::{Upstream, answer};

/// Bytes that are different everywhere.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 31 + place / 251) as u8).collect()
}

#[tokio::test]
async fn empty_bodies_are_empty_with_and_without_a_length() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let no_chunks = [head("POST", "/x", &[("Transfer-Encoding", "chunked")]), chunked(&[])].concat();
    for request in [head("POST", "/x", &[("Content-Length", "0")]), head("POST", "/x", &[]), no_chunks] {
        assert_eq!(send(proxy.address, &request).await.status, 200);
        let seen = upstream.last();
        assert!(seen.body.is_empty());
        assert_eq!(seen.header("transfer-encoding"), None);
        // Servers may ask for a length where a body is usual, as RFC 9110 (section 8.6) wants it told.
        assert_eq!(seen.header("content-length"), Some("0"));
        assert!(seen.header("x-amz-content-sha256").unwrap().starts_with("e3b0c442"));
    }
    for method in ["GET", "DELETE"] {
        assert_eq!(send(proxy.address, &head(method, "/x", &[])).await.status, 200);
        assert_eq!(upstream.last().header("content-length"), None, "{method}");
    }
}

#[tokio::test]
async fn bodies_of_every_size_arrive_whole_with_their_length() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[("MLFLOW_PROXY_BODY_MEMORY", "64 KiB")]).await;
    for length in [1, 4095, 65_536, 65_537, 3_000_000] {
        let body = bytes(length);
        assert_eq!(post(proxy.address, "/x", &[], &body).await.status, 200);
        assert!(upstream.last().body == body, "{length} bytes");

        let pieces: Vec<&[u8]> = body.chunks(length.div_ceil(7).max(1)).collect();
        let request = [head("PUT", "/x", &[("Transfer-Encoding", "chunked")]), chunked(&pieces)].concat();
        assert_eq!(send(proxy.address, &request).await.status, 200);
        let seen = upstream.last();
        assert!(seen.body == body, "{length} bytes in chunks");
        assert_eq!(seen.header("content-length"), Some(length.to_string().as_str()));
        assert_eq!(seen.header("transfer-encoding"), None);
    }
    assert!(proxy.is_clean());
    // A byte a chunk.
    let body = bytes(20_000);
    let pieces: Vec<&[u8]> = body.chunks(1).collect();
    let request = [head("PUT", "/x", &[("Transfer-Encoding", "chunked")]), chunked(&pieces)].concat();
    assert_eq!(send(proxy.address, &request).await.status, 200);
    assert!(upstream.last().body == body);
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(&head("PUT", "/x", &[("Content-Length", "5"), ("Expect", "100-continue")]))
        .await
        .unwrap();
    assert_eq!(read_head(&mut stream).await.status, 100);
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(read(&mut stream, false).await.status, 200);
    let seen = upstream.last();
    assert_eq!((seen.body.as_slice(), seen.header("expect")), (b"hello".as_slice(), None));
}

#[tokio::test]
async fn what_is_too_large_is_refused_if_possible_before_it_is_sent() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let settings = [("MLFLOW_PROXY_MAX_BODY", "100 KiB"), ("MLFLOW_PROXY_BODY_MEMORY", "10 KiB")];
    let proxy = start(&upstream, &settings).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let waits = [("Content-Length", "102401"), ("Expect", "100-continue")];
    stream.write_all(&head("PUT", "/x", &waits)).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));

    let body = bytes(200_000);
    let pieces: Vec<&[u8]> = body.chunks(8192).collect();
    let request = [head("PUT", "/x", &[("Transfer-Encoding", "chunked")]), chunked(&pieces)].concat();
    let answer = send(proxy.address, &request).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.text().contains("larger than 100 KiB"), "{}", answer.text());
    assert_eq!(post(proxy.address, "/x", &[], &body[..102_400]).await.status, 200);
    assert_eq!(upstream.seen().len(), 1);
    assert!(proxy.is_clean());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_sent_and_leaves_nothing() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[("MLFLOW_PROXY_BODY_MEMORY", "10 KiB")]).await;
    for (headers, sent) in [
        (("Content-Length", "100"), bytes(3)),
        (("Content-Length", "1000000"), bytes(500_000)),
        (("Transfer-Encoding", "chunked"), chunked(&[&bytes(400_000)])[..300_000].to_vec()),
    ] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(&[head("PUT", "/x", &[headers]), sent].concat()).await.unwrap();
        // It is being received when the client goes.
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(upstream.seen().len(), 0);
    assert!(proxy.is_clean());
    assert_eq!(proxy.operate.metrics.in_flight.get(), 0);
}

#[tokio::test]
async fn all_large_bodies_together_have_a_bound() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let settings = [("MLFLOW_PROXY_BODY_MEMORY", "10 KiB"), ("MLFLOW_PROXY_MAX_SPOOL", "1 MiB")];
    let proxy = start(&upstream, &settings).await;
    let mut first = TcpStream::connect(proxy.address).await.unwrap();
    first.write_all(&head("PUT", "/first", &[("Content-Length", "700000")])).await.unwrap();
    first.write_all(&bytes(600_000)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;

    let refused = post(proxy.address, "/second", &[], &bytes(700_000)).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(post(proxy.address, "/small", &[], &bytes(5000)).await.status, 200, "small ones need no file");

    first.write_all(&bytes(100_000)).await.unwrap();
    assert_eq!(read(&mut first, false).await.status, 200);
    assert_eq!(post(proxy.address, "/second", &[], &bytes(700_000)).await.status, 200);
    assert!(proxy.is_clean());
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_told_and_small_bodies_go_on() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[("MLFLOW_PROXY_BODY_MEMORY", "10 KiB")]).await;
    let path = proxy.spool.path().to_owned();
    std::fs::remove_dir(&path).unwrap();
    let refused = post(proxy.address, "/x", &[], &bytes(100_000)).await;
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert!(refused.text().contains("MLFLOW_PROXY_SPOOL_DIRECTORY"), "{}", refused.text());
    assert_eq!(post(proxy.address, "/x", &[], &bytes(1000)).await.status, 200);
    std::fs::create_dir(&path).unwrap();
    assert_eq!(post(proxy.address, "/x", &[], &bytes(100_000)).await.status, 200);
}

#[tokio::test]
async fn many_bodies_in_memory_make_the_next_ones_go_to_files() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[("MLFLOW_PROXY_FIRST_BYTE_TIMEOUT", "60")]).await;
    // Forty halves of 1 MiB that never come to their end.
    let mut waiting = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(&head("PUT", "/x", &[("Content-Length", "1000000")])).await.unwrap();
        stream.write_all(&bytes(600_000)).await.unwrap();
        waiting.push(stream);
    }
    proxy.has_spooled(0).await;
    for stream in &mut waiting {
        stream.write_all(&bytes(400_000)).await.unwrap();
    }
    for stream in &mut waiting {
        assert_eq!(read(stream, false).await.status, 200);
    }
    assert!(proxy.is_clean());
}

#[tokio::test]
async fn bodies_that_began_at_once_share_what_memory_there_is() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let proxy = start(&upstream, &[("MLFLOW_PROXY_FIRST_BYTE_TIMEOUT", "60")]).await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(&head("PUT", "/x", &[("Content-Length", "1048576")])).await.unwrap();
        waiting.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Each was told that there is plenty when it began; all but a byte of each comes now.
    for stream in &mut waiting {
        stream.write_all(&bytes(1_048_575)).await.unwrap();
    }
    proxy.has_spooled(20 << 20).await;
    for stream in &mut waiting {
        stream.write_all(b"x").await.unwrap();
    }
    for stream in &mut waiting {
        assert_eq!(read(stream, false).await.status, 200);
    }
    assert!(proxy.is_clean());
}

#[tokio::test]
async fn what_is_only_announced_takes_no_room() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let settings = [("MLFLOW_PROXY_BODY_MEMORY", "10 KiB"), ("MLFLOW_PROXY_MAX_SPOOL", "1 MiB")];
    let proxy = start(&upstream, &settings).await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(&head("PUT", "/x", &[("Content-Length", "1000000")])).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        waiting.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(post(proxy.address, "/x", &[], &bytes(700_000)).await.status, 200);
}

#[tokio::test]
async fn unsigned_bodies_are_sent_while_they_come() {
    let upstream = Upstream::start(|_| answer(200, &[], b"")).await;
    let settings = [("MLFLOW_PROXY_PAYLOAD_SIGNING", "unsigned"), ("MLFLOW_PROXY_MAX_BODY", "1 MiB")];
    let proxy = start(&upstream, &settings).await;
    let body = bytes(500_000);
    assert_eq!(post(proxy.address, "/x", &[], &body).await.status, 200);
    let seen = upstream.last();
    assert_eq!(seen.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
    assert!(seen.body == body && seen.header("content-length") == Some("500000"));

    let request = [head("PUT", "/x", &[("Transfer-Encoding", "chunked")]), chunked(&[&body])].concat();
    assert_eq!(send(proxy.address, &request).await.status, 200);
    assert!(upstream.last().body == body);

    let large = bytes(1_100_000);
    let request = [head("PUT", "/x", &[("Transfer-Encoding", "chunked")]), chunked(&[&large])].concat();
    assert_eq!(send(proxy.address, &request).await.status, 413);
    assert_eq!(upstream.seen().len(), 2);

    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(&head("PUT", "/x", &[("Content-Length", "100")])).await.unwrap();
    stream.write_all(b"abc").await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = stream.read(&mut [0; 100]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(upstream.seen().len(), 2);
}
