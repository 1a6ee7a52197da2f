//! Broken and twisted requests for some seconds: the proxy lives on, and whatever MLflow sees is signed and in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{get, read};
use crate::under_test::start;
use crate::upstream::{Upstream, answer};

const BEGINNINGS: [&str; 6] = [
    "GET /api/2.0/mlflow/experiments/search?max_results=10&filter=a%20b+c HTTP/1.1\r\nHost: proxy.test\r\nAccept: */*\r\n\r\n",
    "POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nHost: proxy.test\r\nContent-Length: 8\r\nContent-Type: application/json\r\n\r\n{\"a\": 1}",
    "PUT /x/%2e%2e/y;z HTTP/1.1\r\nHost: proxy.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
    "GET http://proxy.test/a%ff?b=%C3%BC HTTP/1.1\r\nHost: proxy.test\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nCookie: a=b; AWSALB=c\r\n\r\n",
    "DELETE /a/b HTTP/1.1\r\nHost: proxy.test\r\nOrigin: http://proxy.test\r\nX-Request-Id: abc\r\nX-Amz-Date: 1\r\nAuthorization: Basic YTpi\r\n\r\n",
    "HEAD /a//b/./c?&&=&a HTTP/1.0\r\nHost: proxy.test\r\nExpect: 100-continue\r\nTE: trailers\r\nUpgrade: h2c\r\nX-Latin: \u{e9}\r\n\r\n",
];

/// What twists meanings rather than being random.
const PIECES: [&[u8]; 22] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"%",
    b"%00",
    b"%0d%0a",
    b"%2e%2e/",
    b"//",
    b"#",
    b"?",
    b"@",
    b"\\",
    b"Host: evil\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\xff\xfe",
    b"HTTP/1.1",
    b"+",
];

/// A small generator whose whole course follows from its beginning.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn request(&mut self) -> Vec<u8> {
        let text = BEGINNINGS[self.below(BEGINNINGS.len())];
        let mut bytes: Vec<u8> = text.chars().map(|character| character as u8).collect();
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[place] = u8::try_from(self.below(256)).unwrap(),
                1 => {
                    let end = (place + self.below(8)).min(bytes.len());
                    bytes.drain(place..end);
                }
                2 => {
                    let end = (place + self.below(40)).min(bytes.len());
                    let again = bytes[place..end].to_vec();
                    let place = self.below(bytes.len());
                    bytes.splice(place..place, again);
                }
                _ => {
                    let piece = PIECES[self.below(PIECES.len())];
                    bytes.splice(place..place, piece.iter().copied());
                }
            }
            if bytes.is_empty() {
                bytes.push(b'x');
            }
        }
        bytes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twisted_requests_do_no_harm() {
    let upstream = Upstream::start(|seen| {
        assert!(seen.target.starts_with('/') && seen.target.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(seen.values("host").len(), 1);
        assert_ne!(seen.values("host"), ["evil"]);
        assert_eq!(seen.values("x-request-id").len(), 1);
        answer(200, &[], b"fine")
    })
    .await;
    let settings = [("MLFLOW_PROXY_HEAD_TIMEOUT", "0.3"), ("MLFLOW_PROXY_BODY_TIMEOUT", "0.3")];
    let proxy = start(&upstream, &settings).await;
    let seconds = if std::env::var_os("FORMWORK_SLOW").is_some() { 60 } else { 5 };
    let end = Instant::now() + Duration::from_secs(seconds);
    let count = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for number in 1..=24 {
        let (address, count) = (proxy.address, count.clone());
        tasks.push(tokio::spawn(async move {
            let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number));
            while Instant::now() < end {
                let bytes = random.request();
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
                let head_only = bytes.starts_with(b"HEAD ");
                let answer =
                    tokio::time::timeout(Duration::from_secs(20), read(&mut stream, head_only)).await;
                let answer = answer.unwrap_or_else(|_| panic!("nothing came for {}", bytes.escape_ascii()));
                // 500 would be the proxy's own fault; 502 says that MLflow's part of this test did not like something.
                assert!(
                    !matches!(answer.status, 500 | 502),
                    "{} for {}",
                    answer.text(),
                    bytes.escape_ascii()
                );
                count.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let count = count.load(Ordering::Relaxed);
    println!("{count} twisted requests in {seconds} s");
    assert!(count > 100);
    let seen = upstream.seen();
    assert!(!seen.is_empty(), "some were in order all the same");
    assert_eq!(get(proxy.address, "/x", &[]).await.status, 200);
    assert!(proxy.is_clean());
}
