//! Takes connections, answers requests and stops without cutting anybody off.
//!
//! After a stop signal readiness goes first, so that a balancer sends no more; for a short time everything is still
//! accepted, and each answer asks its client to close. Then nothing new is accepted, requests under way are answered, idle
//! connections are closed, and what is left after the drain limit is given up, so that a restart always comes to an end.

mod connection;
mod guard;
mod lifecycle;
mod pace;
mod settings;
mod tls;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use crate::body::Body;
use crate::operate::Operate;
use connection::Wire;
use lifecycle::{Lifecycle, Phase};
pub use settings::{Settings, VARIABLES};
pub use tls::{Tls, TlsError};

/// How long to wait after a failed accept: such as out of file descriptors, which does not end at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a client gets for whom there is no place. Written as it is: there is no HTTP machinery for that connection.
const NO_PLACE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 2\r\n\
    connection: close\r\ncontent-length: 93\r\n\r\n\
    {\"error_code\":\"TEMPORARILY_UNAVAILABLE\",\"message\":\"too many connections are open; try again\"}";

/// Who answers requests.
pub trait Handler: Send + Sync + 'static {
    /// The answer to a request. It never fails: what goes wrong is an answer too.
    fn answer(&self, request: Request<Body>, peer: Peer) -> impl Future<Output = Response<Body>> + Send;
}

/// The other side of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its address, which may be a balancer's.
    pub address: SocketAddr,
    /// Whether it speaks TLS with us.
    pub tls: bool,
}

/// The threads that do the work. One alone needs nothing to share it with others, and does more for it.
///
/// # Errors
///
/// When the system gives no threads.
pub fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = match workers {
        Some(1) => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}

/// Waits for so many times SIGTERM (service managers) or SIGINT (Ctrl-C). The signals are caught from this call on.
///
/// # Errors
///
/// When the system lets no signal be caught.
pub fn stop_signal(times: u32) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for _ in 0..times {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    })
}

/// Serves until `stop` is ready, then drains. `tls` is for connections that begin with a TLS handshake.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    settings: &Settings,
    tls: Option<Tls>,
    handler: Arc<H>,
    operate: Arc<Operate>,
    stop: impl Future<Output = ()>,
) {
    raise_file_limit(settings.max_connections);
    let places = Arc::new(Semaphore::new(settings.max_connections));
    let wire = Arc::new(Wire::new(settings.clone(), tls, handler, Lifecycle::new(operate)));
    let lifecycle = wire.lifecycle();
    let mut stop = pin!(stop);
    while let Some(accepted) = until(&mut stop, listener.accept()).await {
        take(accepted, &places, &wire).await;
    }
    lifecycle.enter(Phase::Leaving);
    let (connections, requests) = lifecycle.load();
    tracing::info!(connections, requests, "stopping");
    let mut delay = pin!(tokio::time::sleep(settings.drain_delay));
    while let Some(accepted) = until(&mut delay, listener.accept()).await {
        take(accepted, &places, &wire).await;
    }
    // Who is connected already, as far as the kernel is concerned, gets an answer too.
    while let Ok(accepted) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
        take(accepted, &places, &wire).await;
    }
    drop(listener);
    lifecycle.enter(Phase::Draining);
    let all = u32::try_from(settings.max_connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(settings.drain_limit, places.acquire_many(all)).await.is_err() {
        let (connections, requests) = lifecycle.load();
        let seconds = settings.drain_limit.as_secs();
        tracing::warn!(seconds, connections, requests, "gave up requests that were still running");
    }
}

/// What comes of `next`, unless `end` is ready before.
async fn until<T>(end: &mut (impl Future<Output = ()> + Unpin), next: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = end => None,
        value = next => Some(value),
    }
}

async fn take<H: Handler>(
    accepted: io::Result<(TcpStream, SocketAddr)>,
    places: &Arc<Semaphore>,
    wire: &Arc<Wire<H>>,
) {
    let (stream, address) = match accepted {
        Ok(accepted) => accepted,
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            return;
        }
    };
    match places.clone().try_acquire_owned() {
        Ok(place) => {
            let wire = wire.clone();
            tokio::spawn(async move {
                wire.serve(stream, address).await;
                drop(place);
            });
        }
        Err(_) => {
            // One attempt: a fresh connection has room for it, and a client with TLS does not understand it anyway.
            let _ = stream.try_write(NO_PLACE);
            wire.lifecycle().refused();
        }
    }
}

/// A connection is a file, and so is the one to MLflow behind it: the usual soft limit of 1024 is too low for a proxy.
fn raise_file_limit(connections: usize) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(256);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    } else if limit.current.is_some_and(|current| current < wanted) {
        tracing::warn!(
            "only {} files may be open, {wanted} are needed for {connections} connections; raise LimitNOFILE",
            limit.current.unwrap_or_default()
        );
    }
}
