//! Answers of MLflow: passed as they come, and never ended as if they were whole when they are not.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{get, head, read_head};
use crate::under_test::start;
use crate::upstream::{Reply, Upstream, answer};

const NOW: Duration = Duration::ZERO;

fn raw(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

#[tokio::test]
async fn statuses_headers_and_bytes_pass_as_they_are() {
    let upstream = Upstream::start(|seen| match seen.target.as_str() {
        "/cookies" => answer(200, &[("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Path=/")], b""),
        "/gzip" => answer(200, &[("content-encoding", "gzip")], b"\x1f\x8b\x08rest"),
        "/teapot" => answer(418, &[("x-own", "1"), ("keep-alive", "timeout=5"), ("alt-svc", "h3")], b"short"),
        "/throttled" => answer(429, &[("retry-after", "7")], b"{\"error_code\":\"REQUEST_LIMIT_EXCEEDED\"}"),
        "/broken" => answer(500, &[], b"{\"error_code\":\"INTERNAL_ERROR\"}"),
        "/nothing" => Reply::Bytes(raw("HTTP/1.1 204 No Content\n\n")),
        "/unchanged" => Reply::Bytes(raw("HTTP/1.1 304 Not Modified\netag: \"e\"\n\n")),
        "/hops" => answer(200, &[("connection", "X-Hop"), ("x-hop", "1"), ("x-kept", "1")], b""),
        _ => Reply::Pieces(vec![(NOW, raw("HTTP/1.1 200 OK\nconnection: close\n\nuntil the end"))]),
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    let ask = async |target: &str| get(proxy.address, target, &[("Accept-Encoding", "gzip")]).await;

    assert_eq!(ask("/cookies").await.values("set-cookie"), ["a=1; Path=/", "b=2; Path=/"]);
    let answer = ask("/gzip").await;
    assert_eq!(
        (answer.header("content-encoding"), answer.body.as_slice()),
        (Some("gzip"), b"\x1f\x8b\x08rest".as_slice())
    );
    let answer = ask("/teapot").await;
    assert_eq!((answer.status, answer.header("x-own"), answer.text().as_str()), (418, Some("1"), "short"));
    assert_eq!((answer.header("keep-alive"), answer.header("alt-svc")), (None, None));
    let answer = ask("/throttled").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    assert_eq!(ask("/broken").await.text(), "{\"error_code\":\"INTERNAL_ERROR\"}");
    assert_eq!(ask("/nothing").await.status, 204);
    assert_eq!(ask("/unchanged").await.header("etag"), Some("\"e\""));
    let answer = ask("/hops").await;
    assert_eq!((answer.header("x-hop"), answer.header("x-kept")), (None, Some("1")));
    let answer = ask("/close").await;
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("until the end", None));
}

#[tokio::test]
async fn redirections_pass_and_lead_back_through_the_proxy() {
    let upstream = Upstream::start(|seen| {
        let host = seen.header("host").unwrap();
        let location = match seen.target.as_str() {
            "/own" => format!("http://{host}/target%20x?y=1#z"),
            "/bare" => format!("https://{host}"),
            "/slashes" => format!("http://{host}//evil.example/"),
            "/relative" => "/target%20x?y=1".to_owned(),
            "/port" => "http://127.0.0.1:1/other".to_owned(),
            _ => "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=1".to_owned(),
        };
        answer(302, &[("location", &location)], b"")
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    for (target, location) in [
        ("/own", "/target%20x?y=1#z"),
        ("/bare", "/"),
        ("/slashes", "/evil.example/"),
        ("/relative", "/target%20x?y=1"),
        ("/port", "http://127.0.0.1:1/other"),
        ("/other", "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=1"),
    ] {
        let answer = get(proxy.address, target, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (302, Some(location)), "{target}");
    }
    assert_eq!(upstream.seen().len(), 6, "nothing was followed");
}

#[tokio::test]
async fn events_arrive_when_they_are_sent_and_trailers_do_not() {
    let pause = Duration::from_millis(700);
    let upstream = Upstream::start(move |_| {
        let start =
            "HTTP/1.1 200 OK\ntransfer-encoding: chunked\ncontent-type: text/event-stream\n\n6\nfirst\n\n";
        // The text has no carriage return of its own in the chunks.
        let start = [raw(&start[..start.len() - 9]), b"6\r\nfirst\n\r\n".to_vec()].concat();
        Reply::Pieces(vec![
            (NOW, start),
            (pause, b"7\r\nsecond\n\r\n".to_vec()),
            (pause, b"0\r\nx-sum: 1\r\n\r\n".to_vec()),
        ])
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let begin = Instant::now();
    stream.write_all(&head("GET", "/events", &[("TE", "trailers")])).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let mut times = Vec::new();
    let mut all = Vec::new();
    let mut buffer = [0; 1000];
    while !all.ends_with(b"0\r\n\r\n") {
        let count = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await.unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&buffer[..count]);
        times.push(begin.elapsed());
    }
    let text = String::from_utf8(all).unwrap();
    assert!(text.contains("first\n") && text.contains("second\n") && !text.contains("x-sum"), "{text}");
    assert!(times[0] < pause, "{times:?}");
    assert!(*times.last().unwrap() >= pause, "{times:?}");
}

#[tokio::test]
async fn a_truncated_answer_is_truncated_to_the_client_too() {
    let upstream = Upstream::start(|seen| {
        let head = match seen.target.as_str() {
            "/length" => "HTTP/1.1 200 OK\ncontent-length: 100\n\npart",
            _ => "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n4\npart\n",
        };
        Reply::Pieces(vec![(NOW, raw(head)), (Duration::from_millis(100), Vec::new())])
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    for target in ["/length", "/chunked"] {
        let answer = get(proxy.address, target, &[]).await;
        assert!(!answer.whole, "{target}: {answer:?}");
    }
    let text = proxy.operate.metrics_text();
    assert!(text.contains("mlflow_proxy_upstream_errors_total{kind=\"truncated\"} 2"), "{text}");
}

#[tokio::test]
async fn an_answer_that_stalls_is_given_up() {
    let upstream = Upstream::start(|_| {
        let head = raw("HTTP/1.1 200 OK\ncontent-length: 100\n\npart");
        Reply::Pieces(vec![(NOW, head), (Duration::from_secs(20), vec![b'x'; 96])])
    })
    .await;
    let proxy = start(&upstream, &[("MLFLOW_PROXY_ANSWER_TIMEOUT", "0.5")]).await;
    let begin = Instant::now();
    assert!(!get(proxy.address, "/x", &[]).await.whole);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn mlflow_is_told_when_the_client_goes() {
    let upstream = Upstream::start(|seen| match seen.target.as_str() {
        "/hang" => Reply::Hang,
        _ => {
            let mut pieces = vec![(NOW, raw("HTTP/1.1 200 OK\ncontent-length: 100000000\n\n"))];
            pieces.extend((0..1000).map(|_| (Duration::from_millis(5), vec![0; 100_000])));
            Reply::Pieces(pieces)
        }
    })
    .await;
    let proxy = start(&upstream, &[]).await;
    for (target, gone) in [("/download", 1), ("/hang", 2)] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(&head("GET", target, &[])).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(stream);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(upstream.gone(), gone, "{target}");
    }
    assert_eq!(proxy.operate.metrics.in_flight.get(), 0);
}
