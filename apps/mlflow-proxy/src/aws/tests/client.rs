use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::super::{Client, SendError, Settings};
use super::certificate::Own;
use crate::body::{Body, BodyError, empty, full};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Hands each connection to `serve` with its number.
async fn listen<S, F>(serve: S) -> SocketAddr
where
    S: Fn(usize, TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(number, stream));
        }
    });
    address
}

/// Reads up to the end of a head, or of the connection.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(text).unwrap()
}

fn client() -> Client {
    let settings = Settings { connect: Duration::from_millis(500), ..Settings::default() };
    Client::new(&settings).with_first_byte(Duration::from_millis(300))
}

fn request(method: Method, address: SocketAddr, body: Body) -> Request<Body> {
    Request::builder().method(method).uri(format!("http://{address}/x")).body(body).unwrap()
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client().send(request(Method::POST, address, full("x"))).await.unwrap_err();
    assert!(error.is_unsent(), "{error:?}");
    assert!(error.to_string().starts_with(&format!("no connection to {address}: ")), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told() {
    let request = Request::get("http://no-such-host.invalid/").body(empty()).unwrap();
    let settings = Settings { connect: Duration::from_secs(5), ..Settings::default() };
    let error = Client::new(&settings).send(request).await.unwrap_err();
    assert!(error.is_unsent() && error.to_string().contains("no-such-host.invalid"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_hangs_counts_as_connecting() {
    let address = listen(async |_, stream| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let request = Request::get(format!("https://localhost:{}/", address.port())).body(empty()).unwrap();
    let start = Instant::now();
    let error = client().with_first_byte(Duration::from_secs(60)).send(request).await.unwrap_err();
    assert!(error.is_unsent() && error.to_string().contains("no connection within 0.5 s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_may_have_done_something() {
    let address = listen(async |_, mut stream| {
        head(&mut stream).await;
    })
    .await;
    for method in [Method::GET, Method::POST] {
        let error = client().send(request(method, address, empty())).await.unwrap_err();
        assert!(matches!(error, SendError::NoAnswer { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    let address = listen(async |_, mut stream| {
        head(&mut stream).await;
        let _ = stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").await;
    })
    .await;
    let error = client().send(request(Method::GET, address, empty())).await.unwrap_err();
    assert!(matches!(error, SendError::NoAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let address = listen(async |_, mut stream| {
        head(&mut stream).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let start = Instant::now();
    let error = client().send(request(Method::GET, address, empty())).await.unwrap_err();
    assert!(matches!(error, SendError::Timeout { .. }), "{error:?}");
    assert!(error.to_string().ends_with("gave no answer within 0.3 s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(3));
}

/// A body of pieces that come one by one.
fn slow(pieces: usize, pause: Duration) -> Body {
    let pieces = stream::unfold(0, move |number| async move {
        if number == pieces {
            return None;
        }
        tokio::time::sleep(pause).await;
        Some((Ok::<_, BodyError>(Frame::data(Bytes::from_static(&[b'x'; 1000]))), number + 1))
    });
    StreamBody::new(pieces).boxed_unsync()
}

#[tokio::test]
async fn a_slow_upload_is_not_taken_for_a_silent_answer() {
    let address = listen(async |_, mut stream| {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"0\r\n\r\n") {
            bytes.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(OK).await.unwrap();
    })
    .await;
    // Eight pieces, one each 0.1 s: longer than the 0.3 s that an answer may take.
    let body = slow(8, Duration::from_millis(100));
    let answer = client().send(request(Method::PUT, address, body)).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn an_upload_that_hangs_is_a_timeout() {
    let address = listen(async |_, mut stream| {
        head(&mut stream).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let body = slow(1, Duration::from_secs(60));
    let error = client().send(request(Method::PUT, address, body)).await.unwrap_err();
    assert!(matches!(error, SendError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_the_senders_fault() {
    let address = listen(async |_, mut stream| {
        head(&mut stream).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let pieces: Vec<Result<Frame<Bytes>, BodyError>> =
        vec![Ok(Frame::data(Bytes::from_static(b"x"))), Err("the client went away".into())];
    let body = StreamBody::new(stream::iter(pieces)).boxed_unsync();
    let error = client().send(request(Method::PUT, address, body)).await.unwrap_err();
    assert!(
        matches!(&error, SendError::Body { why, .. } if why.contains("the client went away")),
        "{error:?}"
    );
}

/// A server that answers on a connection once and closes it a moment later. It tells each request's head, and nothing when
/// it has closed.
async fn closes_after_one(told: mpsc::UnboundedSender<String>) -> SocketAddr {
    listen(move |_, mut stream| {
        let told = told.clone();
        async move {
            told.send(head(&mut stream).await).unwrap();
            stream.write_all(OK).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(stream);
            told.send(String::new()).unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_no_request() {
    let (told, mut requests) = mpsc::unbounded_channel();
    let address = closes_after_one(told).await;
    let client = client();
    for _ in 0..5 {
        let answer = client.send(request(Method::POST, address, empty())).await.unwrap();
        answer.into_body().collect().await.unwrap();
        assert!(requests.recv().await.unwrap().starts_with("POST"));
        assert_eq!(requests.recv().await.unwrap(), "", "each went once");
        // The client hears of the end by its socket.
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert!(requests.try_recv().is_err(), "there were no others");
}

#[tokio::test]
async fn connections_are_kept() {
    let (told, mut connections) = mpsc::unbounded_channel();
    let address = listen(move |number, mut stream| {
        told.send(number).unwrap();
        async move {
            while !head(&mut stream).await.is_empty() {
                stream.write_all(OK).await.unwrap();
            }
        }
    })
    .await;
    let client = client();
    for _ in 0..20 {
        let answer = client.send(request(Method::GET, address, empty())).await.unwrap();
        answer.into_body().collect().await.unwrap();
        tokio::task::yield_now().await;
    }
    connections.close();
    let mut count = 0;
    while connections.recv().await.is_some() {
        count += 1;
    }
    assert!(count <= 2, "{count} connections for 20 requests in a row");
}

#[tokio::test]
async fn a_missing_host_is_added_and_a_given_one_stays() {
    let (told, mut requests) = mpsc::unbounded_channel();
    let address = closes_after_one(told).await;
    client().send(request(Method::GET, address, empty())).await.unwrap();
    assert!(requests.recv().await.unwrap().contains(&format!("host: {address}\r\n")));
    let mut given = request(Method::GET, address, empty());
    given.headers_mut().insert("host", "mlflow.example.com".parse().unwrap());
    client().send(given).await.unwrap();
    let mut head = requests.recv().await.unwrap();
    if head.is_empty() {
        // The first connection has closed meanwhile.
        head = requests.recv().await.unwrap();
    }
    assert!(head.contains("host: mlflow.example.com\r\n") && !head.contains(&address.to_string()), "{head}");
}

#[tokio::test]
async fn only_certificates_of_known_issuers_are_taken() {
    let own = Own::new("localhost");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.clone()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(own.certificate.clone())], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let address = listen(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _ = stream.read(&mut [0; 1000]).await;
            let _ = stream.write_all(OK).await;
        }
    })
    .await;
    let request = || Request::get(format!("https://localhost:{}/", address.port())).body(empty()).unwrap();
    let settings = Settings::default();
    let error = Client::new(&settings).send(request()).await.unwrap_err();
    assert!(error.is_unsent(), "{error:?}");
    assert!(
        error.to_string().contains("\nhint: ") && error.to_string().contains("MLFLOW_PROXY_CA_BUNDLE"),
        "{error}"
    );

    let trusting = Settings { roots: vec![CertificateDer::from(own.certificate)], ..settings };
    assert_eq!(Client::new(&trusting).send(request()).await.unwrap().status(), 200);
}
