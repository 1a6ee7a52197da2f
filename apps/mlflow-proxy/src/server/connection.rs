//! One connection from its first byte to its last: TLS, the protocol, requests and answers, and the end in good order.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::guard::{Guard, Limits};
use super::lifecycle::{Lifecycle, Phase};
use super::pace::{Answer, Paced, Traffic};
use super::{Handler, Peer, Settings, Tls};
use crate::body;

/// The most that the head of a request may have, in bytes; above it is answered 431, a target of 64 KiB or more 414. A
/// balancer of AWS sends at most 64 KiB on.
const HEAD_SIZE: usize = 96 * 1024;

/// How much is read or gathered at once.
const BUFFER: usize = 128 * 1024;

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// How many requests may be under way on one connection of HTTP/2. Balancers of AWS use 128.
const STREAMS: u32 = 128;

/// Windows of HTTP/2: what may come of one body, and of all of a connection, before it is read.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// What all connections share.
pub(super) struct Wire<H> {
    settings: Settings,
    tls: Option<Tls>,
    handler: Arc<H>,
    lifecycle: Lifecycle,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl<H: Handler> Wire<H> {
    pub(super) fn new(settings: Settings, tls: Option<Tls>, handler: Arc<H>, lifecycle: Lifecycle) -> Self {
        let mut http1 = http1::Builder::new();
        // Times are the guard's: hyper's own limit would end idle connections too.
        http1.timer(TokioTimer::new()).header_read_timeout(None);
        http1.max_header_size(HEAD_SIZE).max_buf_size(BUFFER);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2.timer(TokioTimer::new()).max_concurrent_streams(STREAMS).max_header_list_size(HEAD_SIZE as u32);
        http2.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
        http2.max_send_buf_size(BUFFER);
        Self { settings, tls, handler, lifecycle, http1, http2 }
    }

    pub(super) fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// Serves a connection to its end. A client that goes away or speaks no HTTP is its own affair: what can be answered
    /// has been.
    ///
    /// The futures of protocols are large and stand apart from this one, which is all that a silent connection costs.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, address: SocketAddr) {
        let _counted = self.lifecycle.connection();
        let _ = stream.set_nodelay(true);
        let traffic = Arc::new(Traffic::new(self.lifecycle.metrics()));
        match &self.tls {
            None => {
                let peer = Peer { address, tls: false };
                self.clone().plain(Guard::new(stream, traffic.clone(), self.limits()), traffic, peer).await;
            }
            Some(tls) => Box::pin(self.clone().secure(tls.acceptor(), stream, traffic, address)).await,
        }
    }

    fn limits(&self) -> Limits {
        let Settings { head_timeout: head, keep_alive: idle, write_limit: write, .. } = self.settings;
        Limits { head, idle, write }
    }

    async fn secure(
        self: Arc<Self>,
        acceptor: TlsAcceptor,
        stream: TcpStream,
        traffic: Arc<Traffic>,
        address: SocketAddr,
    ) {
        match tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let peer = Peer { address, tls: true };
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let guard = Guard::new(stream, traffic.clone(), self.limits());
                if http2 {
                    self.http2(guard, traffic, peer).await;
                } else {
                    self.plain(guard, traffic, peer).await;
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, peer = %address, "a TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %address, "a TLS handshake took too long"),
        }
    }

    /// Waits for the first bytes of what comes next, which tell the protocol, and serves it until the connection is idle
    /// again. In between there is nothing but the socket and a timer, so that idle connections cost little.
    async fn plain<S>(self: Arc<Self>, mut guard: Guard<S>, traffic: Arc<Traffic>, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut phase = self.lifecycle.follow();
        let mut first = true;
        loop {
            let http2 = tokio::select! {
                biased;
                http2 = guard.is_http2() => http2,
                // Nothing was asked.
                _ = phase.wait_for(|phase| *phase == Phase::Draining) => Ok(None),
            };
            match http2 {
                Ok(Some(true)) if first => return Box::pin(self.http2(guard, traffic, peer)).await,
                Ok(Some(_)) => match Box::pin(self.clone().http1(guard, traffic.clone(), peer)).await {
                    Some(idle) => guard = idle,
                    None => return,
                },
                Ok(None) | Err(_) => {
                    let _ = guard.shutdown().await;
                    return;
                }
            }
            first = false;
        }
    }

    /// Serves HTTP/1 until the connection ends, or is idle for a while: then it comes back.
    async fn http1<S>(self: Arc<Self>, guard: Guard<S>, traffic: Arc<Traffic>, peer: Peer) -> Option<Guard<S>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let phase = self.lifecycle.follow();
        let service = self.clone().service(traffic, peer);
        let mut connection = self.http1.serve_connection(TokioIo::new(guard), service);
        let mut leave = pin!(follow(phase, Phase::Draining));
        let mut leaving = false;
        let ended = poll_fn(|context| {
            // While leaving, answers ask for the close; idle connections get a moment to be used a last time.
            if !leaving && leave.as_mut().poll(context).is_ready() {
                leaving = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            connection.poll_without_shutdown(context)
        })
        .await;
        let parts = connection.into_parts();
        let mut guard = parts.io.into_inner();
        let idle = guard.take_idle() && parts.read_buf.is_empty();
        match ended {
            Ok(()) if idle && !leaving => return Some(guard),
            Ok(()) => {}
            Err(error) => tracing::trace!(%error, "a connection ended early"),
        }
        let _ = guard.shutdown().await;
        None
    }

    async fn http2<S>(self: Arc<Self>, mut guard: Guard<S>, traffic: Arc<Traffic>, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        guard.set_multiplexed();
        let phase = self.lifecycle.follow();
        let service = self.clone().service(traffic, peer);
        let mut connection = pin!(self.http2.serve_connection(TokioIo::new(guard), service));
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = follow(phase, Phase::Leaving) => {
                // GOAWAY says which requests are still answered: it can go out at once.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::trace!(%error, "a connection ended early");
        }
    }

    fn service(
        self: Arc<Self>,
        traffic: Arc<Traffic>,
        peer: Peer,
    ) -> impl Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible, Future = Answering>
    + Send
    + Unpin {
        service_fn(move |request: Request<Incoming>| -> Answering {
            let under_way = traffic.begin(self.lifecycle.request());
            let version = request.version();
            let request = request.map(|incoming| {
                if incoming.is_end_stream() {
                    return body::empty();
                }
                Paced::new(incoming, self.settings.body_timeout, traffic.clone()).boxed_unsync()
            });
            let wire = self.clone();
            Box::pin(async move {
                let mut response = wire.handler.answer(request, peer).await;
                if version < Version::HTTP_2 {
                    if wire.lifecycle.phase() != Phase::Serving {
                        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                } else {
                    // A header of one connection; HTTP/2 has none.
                    response.headers_mut().remove(CONNECTION);
                }
                Ok(response.map(|body| Answer::new(body, under_way, version >= Version::HTTP_2)))
            })
        })
    }
}

/// A request being answered. It has its own place in memory, which is free again with the answer's head: a connection
/// would keep it.
type Answering = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

/// Waits for a phase.
async fn follow(mut phase: watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}
