//! Takes connections, answers requests and stops without cutting anybody off.
//!
//! After a stop signal nothing new is accepted, requests under way are answered, idle connections are closed, and what is
//! left after [`DRAIN_LIMIT`] is given up, so that a restart always comes to an end.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::settings::{Reader, Variable};

/// The settings of the server.
pub const VARIABLES: &[Variable] = &[LISTEN];

const LISTEN: Variable = Variable {
    name: "MLFLOW_PROXY_LISTEN",
    default: "127.0.0.1:5000",
    about: "The address and port to listen on; port 0 lets the system choose one.",
};

/// Where and how the server listens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
}

impl Settings {
    /// Reads the server's settings.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let hint = "give IP:port, such as 127.0.0.1:5000 or [::]:5000";
        let listen = reader.parsed(&LISTEN, "an address", hint);
        Self { listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 5000))) }
    }
}

/// How long requests under way may take after a stop signal. Load balancers wait longer (300 s by default).
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// How long a client may take for the head of a request, so that silent connections do not pile up.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait after a failed accept: such as out of file descriptors, which does not end at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Waits for SIGTERM (service managers) or SIGINT (Ctrl-C). The signals are caught from this call on.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Serves until `stop` is ready, then drains.
pub async fn serve(listener: TcpListener, stop: impl Future<Output = ()>) {
    serve_with(listener, stop, service_fn(async |request| Ok(answer(&request)))).await;
}

async fn serve_with<S>(listener: TcpListener, stop: impl Future<Output = ()>, service: S)
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(error = %error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            // A client that goes away or speaks no HTTP is its own affair: hyper has answered what can be answered.
            let _ = connection.await;
        });
    }
    drop(listener);
    tracing::info!(connections = connections.count() as u64, "stopping");
    if tokio::time::timeout(DRAIN_LIMIT, connections.shutdown()).await.is_err() {
        tracing::warn!(seconds = DRAIN_LIMIT.as_secs(), "gave up requests that were still running");
    }
}

/// The answer to a request. The error bodies have the form that MLflow clients show to their users.
fn answer<Body>(request: &Request<Body>) -> Response<Full<Bytes>> {
    match (request.uri().path(), request.method()) {
        ("/healthz", &Method::GET | &Method::HEAD) => {
            json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
        }
        ("/healthz", method) => {
            let message = format!("{method} is not possible on /healthz; use GET or HEAD");
            let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", &message);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        (path, _) => {
            let message = format!("there is nothing at {path}; this proxy answers /healthz only");
            error(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", &message)
        }
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response<Full<Bytes>> {
    json(status, &serde_json::json!({ "error_code": code, "message": message }))
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::{Notify, oneshot};
    use tokio::task::JoinHandle;

    use super::*;

    /// A server on loopback, the trigger that stops it and its end.
    async fn start() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, async {
            let _ = stopped.await;
        }));
        (address, stop, server)
    }

    /// Sends bytes on a connection of their own and gives all that comes back.
    async fn talk(address: SocketAddr, bytes: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    fn request(method: &str, path: &str) -> String {
        format!("{method} {path} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn health_is_answered() {
        let (address, _stop, _server) = start().await;
        let answer = talk(address, &request("GET", "/healthz?from=balancer")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{\"status\":\"ok\"}"), "{answer}");
    }

    #[tokio::test]
    async fn head_has_the_length_and_no_body() {
        let (address, _stop, _server) = start().await;
        let answer = talk(address, &request("HEAD", "/healthz")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("content-length: 15\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[tokio::test]
    async fn other_methods_are_refused_with_what_is_allowed() {
        let (address, _stop, _server) = start().await;
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = talk(address, &request(method, "/healthz")).await;
            assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
            assert!(answer.contains("allow: GET, HEAD\r\n"), "{answer}");
            assert!(answer.contains(&format!("{method} is not possible on /healthz")), "{answer}");
        }
    }

    #[tokio::test]
    async fn other_paths_are_refused_by_name() {
        let (address, _stop, _server) = start().await;
        for path in ["/", "/healthz/", "/HEALTHZ", "/api/2.0/mlflow/experiments/search"] {
            let answer = talk(address, &request("GET", path)).await;
            assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
            let body = answer.split("\r\n\r\n").nth(1).unwrap();
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["error_code"], "ENDPOINT_NOT_FOUND");
            assert!(body["message"].as_str().unwrap().contains(&format!("nothing at {path};")), "{body}");
        }
    }

    #[tokio::test]
    async fn two_requests_share_a_connection() {
        let (address, _stop, _server) = start().await;
        let first = "GET /healthz HTTP/1.1\r\nHost: proxy\r\n\r\n";
        let answer = talk(address, &format!("{first}{}", request("GET", "/healthz"))).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    }

    #[tokio::test]
    async fn what_is_not_http_is_refused_and_the_next_is_served() {
        let (address, _stop, _server) = start().await;
        assert!(talk(address, "this is not HTTP\r\n\r\n").await.starts_with("HTTP/1.1 400 Bad Request"));
        assert!(talk(address, &request("GET", "/healthz")).await.starts_with("HTTP/1.1 200 OK"));
    }

    #[tokio::test]
    async fn a_stop_closes_idle_connections_and_refuses_new_ones() {
        let (address, stop, server) = start().await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: proxy\r\n\r\n").await.unwrap();
        let mut start_of_answer = [0; 15];
        idle.read_exact(&mut start_of_answer).await.unwrap();
        assert_eq!(&start_of_answer, b"HTTP/1.1 200 OK");

        stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), server).await.expect("the drain ends").unwrap();
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_after_a_stop() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (arrived, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = service_fn({
            let (arrived, finish) = (arrived.clone(), finish.clone());
            move |request: Request<Incoming>| {
                let (arrived, finish) = (arrived.clone(), finish.clone());
                async move {
                    arrived.notify_one();
                    finish.notified().await;
                    Ok(answer(&request))
                }
            }
        });
        let stop_now = async {
            let _ = stopped.await;
        };
        let server = tokio::spawn(serve_with(listener, stop_now, slow));

        let client =
            tokio::spawn(async move { talk(address, "GET /healthz HTTP/1.1\r\nHost: proxy\r\n\r\n").await });
        arrived.notified().await;
        stop.send(()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!server.is_finished(), "the server waits for the request");
        finish.notify_one();
        let answer = client.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
        tokio::time::timeout(Duration::from_secs(5), server).await.expect("the drain ends").unwrap();
    }
}
