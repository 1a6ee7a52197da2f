//! Clients that keep something open by doing hardly anything.

use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

type Client = http2::SendRequest<Full<bytes::Bytes>>;

/// A client of HTTP/2 that takes so many bytes of an answer before it says that it takes more.
async fn client(address: SocketAddr, window: u32) -> (Client, JoinHandle<hyper::Result<()>>) {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(window);
    let (client, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    (client, tokio::spawn(connection))
}

fn post(path: &str) -> Request<Full<bytes::Bytes>> {
    Request::post(format!("http://proxy{path}")).body(Full::new(bytes::Bytes::from("hello two"))).unwrap()
}

async fn is_left(server: &Server) {
    let metrics = &server.operate.metrics;
    for _ in 0..40 {
        if metrics.in_flight.get() == 0 && metrics.connections.get() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} requests, {} connections", metrics.in_flight.get(), metrics.connections.get());
}

#[tokio::test]
async fn an_answer_that_http2_does_not_take_ends_the_connection() {
    let (short, long) = (Duration::from_millis(300), Duration::from_secs(75));
    // With a window of some bytes all of the answer leaves our hands, and the connection counts as idle.
    for (window, write_limit, keep_alive) in [(0, short, long), (4, long, short)] {
        let server = start(Settings { write_limit, keep_alive, ..settings() }).await;
        let (mut client, _connection) = client(server.address, window).await;
        let answer = client.send_request(post("/")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        is_left(&server).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_slow_to_come_does_not_end_its_connection() {
    let server = start(Settings { write_limit: Duration::from_millis(200), ..settings() }).await;
    let (mut client, _connection) = client(server.address, 1 << 16).await;
    for _ in 0..2 {
        let answer = client.send_request(post("/late")).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "late");
    }
}

#[tokio::test]
async fn a_drip_of_a_body_is_cut() {
    let server = start(Settings { body_timeout: Duration::from_millis(500), ..settings() }).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let request = b"PUT / HTTP/1.1\r\nHost: proxy\r\nContent-Length: 10000\r\n\r\n";
    to.write_all(request).await.unwrap();
    let dripping = tokio::spawn(async move {
        while to.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(3), from.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    dripping.abort();
}

#[tokio::test]
async fn a_body_that_comes_at_a_fair_rate_may_take_long() {
    let server = start(Settings { body_timeout: Duration::from_millis(400), ..settings() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = b"PUT / HTTP/1.1\r\nHost: proxy\r\nContent-Length: 10000\r\n\r\n";
    stream.write_all(request).await.unwrap();
    for _ in 0..10 {
        stream.write_all(&[b'x'; 1000]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
}
