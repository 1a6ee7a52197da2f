//! Serves a simulator over HTTP on a loopback port, for clients that are not in this process.
//!
//! This is the one place of the crate that has a clock: the machine's, which can be made to run faster.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::api::Reply;
use crate::simulator::Simulator;

/// How a simulator is served.
#[derive(Debug)]
pub struct ServeOptions {
    /// When it is when the server starts.
    pub origin: Timestamp,
    /// How many seconds of the simulator pass in one of the machine; more than nought.
    pub speed: f64,
    /// Where every request is written to, as a line of JSON.
    pub request_log: Option<File>,
}

impl Default for ServeOptions {
    /// The machine's time, as fast as it passes.
    fn default() -> Self {
        Self { origin: Timestamp::now(), speed: 1.0, request_log: None }
    }
}

/// Time as the server's clients see it.
#[derive(Clone, Copy, Debug)]
struct Time {
    started: Instant,
    origin: Timestamp,
    speed: f64,
}

impl Time {
    fn now(&self) -> Timestamp {
        self.origin + self.started.elapsed().mul_f64(self.speed)
    }

    async fn sleep(&self, duration: Duration) {
        if !duration.is_zero() {
            tokio::time::sleep(duration.div_f64(self.speed)).await;
        }
    }
}

/// Serves a simulator until the future is dropped.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    simulator: Arc<Mutex<Simulator>>,
    options: ServeOptions,
) -> std::io::Result<()> {
    let time = Time { started: Instant::now(), origin: options.origin, speed: options.speed };
    let log = Arc::new(Mutex::new(options.request_log));
    // The connections end with the server: whoever drops it wants the port closed.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        connections.spawn(connection(stream, Arc::clone(&simulator), time, Arc::clone(&log)));
        while connections.try_join_next().is_some() {}
    }
}

/// A simulator that is served by a thread of its own until this is dropped.
#[derive(Debug)]
pub struct Served {
    endpoint: String,
    simulator: Arc<Mutex<Simulator>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    /// Serves a simulator on a free loopback port.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(simulator: Simulator, options: ServeOptions) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let simulator = Arc::new(Mutex::new(simulator));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let served = Arc::clone(&simulator);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = serve(listener, served, options) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { endpoint, simulator, stop: Some(stop), thread: Some(thread) })
    }

    /// What clients have to know: `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Looks into the simulator, or changes it, between two requests.
    pub fn with<T>(&self, look: impl FnOnce(&mut Simulator) -> T) -> T {
        look(&mut self.simulator.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn connection(
    stream: TcpStream,
    simulator: Arc<Mutex<Simulator>>,
    time: Time,
    log: Arc<Mutex<Option<File>>>,
) {
    let service = service_fn(|request| answer(request, &simulator, time, &log));
    // A connection that breaks is the client's to notice, and sometimes what the script wants.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The error that makes the server close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose")]
struct Closed;

async fn answer(
    request: http::Request<Incoming>,
    simulator: &Mutex<Simulator>,
    time: Time,
    log: &Mutex<Option<File>>,
) -> Result<http::Response<Full<bytes::Bytes>>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let request = http::Request::from_parts(head, body);
    let reply = {
        // A panic in one request leaves the state as it was; the next one may still be answered.
        let mut simulator = simulator.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = simulator.respond_by(time.now(), Timestamp::now(), &request);
        write_log(log, &simulator);
        reply
    };
    match reply {
        Reply::Answer { response, after } => {
            time.sleep(after).await;
            Ok(response.map(Full::new))
        }
        Reply::Broken { after } => {
            time.sleep(after).await;
            Err(Closed)
        }
        Reply::Silent => match std::future::pending::<Infallible>().await {},
    }
}

fn write_log(log: &Mutex<Option<File>>, simulator: &Simulator) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(file), Some(entry)) = (log.as_mut(), simulator.log().entries().last())
        && let Ok(line) = serde_json::to_string(entry)
    {
        // A log that cannot be written must not change what clients see.
        let _ = writeln!(file, "{line}");
    }
}
