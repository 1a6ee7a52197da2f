use std::time::Instant;

use http::StatusCode;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::body;
use crate::problem::Problem;
use crate::settings::Reader;

mod stalled;

/// Answers with what was sent, waits where the path says so, and reads no body on `/early`.
struct Echo {
    arrived: Notify,
    finish: Notify,
}

impl Handler for Echo {
    async fn answer(&self, request: Request<Body>, _peer: Peer) -> Response<Body> {
        match request.uri().path() {
            "/slow" => {
                self.arrived.notify_one();
                self.finish.notified().await;
                Response::new(body::full("slow"))
            }
            "/early" => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BAD_REQUEST", "too much").into_response()
            }
            "/late" => {
                let late = async {
                    tokio::time::sleep(Duration::from_millis(700)).await;
                    Ok(hyper::body::Frame::data(bytes::Bytes::from("late")))
                };
                let late = futures_util::stream::once(late);
                Response::new(http_body_util::StreamBody::new(late).boxed_unsync())
            }
            _ => match request.into_body().collect().await {
                Ok(body) => Response::new(body::full(body.to_bytes())),
                Err(error) => body::problem(&error).into_response(),
            },
        }
    }
}

/// A server on loopback.
struct Server {
    address: SocketAddr,
    echo: Arc<Echo>,
    operate: Arc<Operate>,
    stop: oneshot::Sender<()>,
    end: JoinHandle<()>,
}

fn settings() -> Settings {
    Settings { drain_delay: Duration::from_millis(200), ..Settings::default() }
}

async fn start(settings: Settings) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let operate = Operate::new(&crate::operate::Settings::read(&mut Reader::new(&|_| None)));
    let echo = Arc::new(Echo { arrived: Notify::new(), finish: Notify::new() });
    let (handler, counted) = (echo.clone(), operate.clone());
    let end = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serve(listener, &settings, None, handler, counted, stopped).await;
    });
    Server { address, echo, operate, stop, end }
}

async fn ends(server: JoinHandle<()>) {
    tokio::time::timeout(Duration::from_secs(5), server).await.expect("the drain ends").unwrap();
}

/// Sends bytes on a connection of their own and gives all that comes back.
async fn talk(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Reads the head of an answer.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: proxy\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn two_requests_share_a_connection() {
    let server = start(settings()).await;
    let answer = talk(server.address, &format!("{GET}{LAST}")).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_the_next_is_served() {
    let server = start(settings()).await;
    let answer = talk(server.address, "this is not HTTP\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request"), "{answer}");
    assert!(talk(server.address, LAST).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn heads_and_targets_have_a_size() {
    let server = start(settings()).await;
    let long = "x".repeat(300_000);
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nHost: proxy\r\nX-Long: {long}\r\n\r\n"), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: proxy\r\n\r\n", &long[..65_600]), "414"),
        (format!("GET / HTTP/1.1\r\nHost: proxy\r\n{}\r\n", "X-Many: 1\r\n".repeat(200)), "431"),
    ] {
        let answer = talk(server.address, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    // What a balancer may send on is taken.
    let large = format!("GET /{} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n", &long[..16_000]);
    assert!(talk(server.address, &large).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_slow_head_is_answered_408_and_silence_is_closed_later() {
    let times = Settings {
        head_timeout: Duration::from_millis(300),
        keep_alive: Duration::from_millis(900),
        ..settings()
    };
    let server = start(times).await;
    let begin = Instant::now();
    let (slow, silent) = tokio::join!(talk(server.address, "GET / HT"), async {
        let answer = talk(server.address, "").await;
        (answer, begin.elapsed())
    });
    assert!(slow.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{slow}");
    let other = talk(server.address, "P").await;
    assert_eq!(other.matches("HTTP/1.1 408").count(), 1, "{other}");
    assert_eq!(silent.0, "");
    assert!(silent.1 >= Duration::from_millis(900), "closed after {:?}", silent.1);

    // Between requests the longer limit holds again.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    head(&mut stream).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    head(&mut stream).await;
    let begin = Instant::now();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    assert!(begin.elapsed() >= Duration::from_millis(800), "closed after {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_connection_that_was_put_away_serves_again() {
    let server = start(settings()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"PUT / HTTP/1.1\r\nHost: proxy\r\nContent-Length: 5\r\n\r\nhello").await.unwrap();
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"hello");
        tokio::time::sleep(Duration::from_millis(2300)).await;
        // A head in pieces, with the pause where it was put away.
        stream.write_all(b"GE").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.write_all(&GET.as_bytes()[2..]).await.unwrap();
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    }
    assert_eq!(server.operate.metrics.connections.get(), 1);
    tokio::time::sleep(Duration::from_millis(2300)).await;
    server.stop.send(()).unwrap();
    ends(server.end).await;
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_drip_of_a_head_is_cut_at_the_limit() {
    let server = start(Settings { head_timeout: Duration::from_millis(500), ..settings() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let begin = Instant::now();
    let mut answer = [0; 12];
    loop {
        let dripped = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.write_all(b"G").await
        };
        if dripped.await.is_err() || begin.elapsed() > Duration::from_millis(600) {
            break;
        }
    }
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_stalled_body_is_answered_408_and_closed() {
    let server = start(Settings { body_timeout: Duration::from_millis(300), ..settings() }).await;
    let request = "PUT / HTTP/1.1\r\nHost: proxy\r\nContent-Length: 10\r\n\r\nabc";
    let answer = talk(server.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn an_early_answer_arrives_while_the_client_still_sends() {
    let server = start(settings()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"PUT /early HTTP/1.1\r\nHost: proxy\r\nContent-Length: 9000000\r\n\r\n").await.unwrap();
    // More than the buffers of both sockets hold: closing at once would make this fail and lose the answer.
    for _ in 0..90 {
        stream.write_all(&[b'x'; 100_000]).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn above_the_limit_connections_are_told_so() {
    let server = start(Settings { max_connections: 1, ..settings() }).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(GET.as_bytes()).await.unwrap();
    head(&mut first).await;
    let answer = talk(server.address, "").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
    serde_json::from_str::<serde_json::Value>(body).unwrap();
    assert_eq!(server.operate.metrics.connections_refused.get(), 1);
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(talk(server.address, LAST).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn http2_is_spoken_to_who_begins_so() {
    let server = start(settings()).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = || {
        Request::post("http://proxy/")
            .body(http_body_util::Full::new(bytes::Bytes::from("hello two")))
            .unwrap()
    };
    let answer = client.send_request(request()).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello two");

    // GOAWAY comes at once, and what is under way is answered.
    let slow =
        Request::get("http://proxy/slow").body(http_body_util::Full::new(bytes::Bytes::new())).unwrap();
    let slow = tokio::spawn(client.send_request(slow));
    server.echo.arrived.notified().await;
    server.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(client.send_request(request()).await.is_err(), "nothing new on that connection");
    server.echo.finish.notify_one();
    let answer = slow.await.unwrap().unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "slow");
    connection.await.unwrap().unwrap();
    ends(server.end).await;
}

#[tokio::test]
async fn a_stop_closes_idle_connections_and_refuses_new_ones() {
    let server = start(settings()).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(GET.as_bytes()).await.unwrap();
    head(&mut idle).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();

    server.stop.send(()).unwrap();
    ends(server.end).await;
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn while_leaving_everybody_is_still_served_and_asked_to_go() {
    let server = start(Settings { drain_delay: Duration::from_millis(500), ..settings() }).await;
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(GET.as_bytes()).await.unwrap();
    assert!(!head(&mut kept).await.contains("connection: close"));

    server.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(server.operate.readiness.is_draining());
    kept.write_all(GET.as_bytes()).await.unwrap();
    let answer = head(&mut kept).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("connection: close"), "{answer}");
    let answer = talk(server.address, GET).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("connection: close"), "{answer}");
    ends(server.end).await;
}

#[tokio::test]
async fn a_request_under_way_is_answered_after_a_stop() {
    let server = start(settings()).await;
    let address = server.address;
    let client =
        tokio::spawn(async move { talk(address, "GET /slow HTTP/1.1\r\nHost: proxy\r\n\r\n").await });
    server.echo.arrived.notified().await;
    server.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!server.end.is_finished(), "the server waits for the request");
    server.echo.finish.notify_one();
    let answer = client.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("slow"), "{answer}");
    ends(server.end).await;
}

#[tokio::test]
async fn an_upload_survives_a_stop_and_what_never_ends_is_given_up() {
    let server = start(Settings { drain_limit: Duration::from_millis(1500), ..settings() }).await;
    let mut upload = TcpStream::connect(server.address).await.unwrap();
    upload.write_all(b"PUT / HTTP/1.1\r\nHost: proxy\r\nContent-Length: 10\r\n\r\n").await.unwrap();
    let mut endless = TcpStream::connect(server.address).await.unwrap();
    endless.write_all(b"GET /slow HTTP/1.1\r\nHost: proxy\r\n\r\n").await.unwrap();
    server.echo.arrived.notified().await;
    server.stop.send(()).unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(80)).await;
        upload.write_all(b"x").await.unwrap();
    }
    let answer = head(&mut upload).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    ends(server.end).await;
}
