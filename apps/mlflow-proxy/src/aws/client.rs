//! The one HTTP client. It sends a request once, and says of a failure whether anything can have arrived.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::connector::Timed;
use super::progress::Outgoing;
use super::{Clock, Settings};
use crate::body::{self, Body};
use crate::problem::Problem;

/// How long a connection is kept without a request. Shorter than what servers keep, so that few requests meet a closed one.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// Sends requests over connections that it keeps. Cheap to clone; clones share the connections.
///
/// There is no limit on how long an answer takes in all, and none on its size: that is for the caller to say.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<Timed, Outgoing>,
    first_byte: Duration,
    clock: Clock,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Client")
    }
}

/// Why a request has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// Nothing of the request left: it may be sent again, whatever it does.
    #[error("no connection to {host}: {why}{}", hint(why))]
    NotSent {
        /// The host and port.
        host: String,
        /// The cause.
        why: String,
    },
    /// The connection ended before an answer began. The other side may have done what was asked.
    #[error("{host} closed the connection without an answer: {why}")]
    NoAnswer {
        /// The host and port.
        host: String,
        /// The cause.
        why: String,
    },
    /// No answer began in time. The other side may do what was asked.
    #[error("{host} gave no answer within {} s", after.as_secs_f64())]
    Timeout {
        /// The host and port.
        host: String,
        /// How long was waited.
        after: Duration,
    },
    /// The body that was to be sent broke off: the caller's side is to blame.
    #[error("the request's body ended early: {why}")]
    Body {
        /// The cause.
        why: String,
        /// What to answer to whom the body came from.
        problem: Box<Problem>,
    },
}

impl SendError {
    /// Whether nothing can have reached the other side.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::NotSent { .. })
    }
}

fn hint(why: &str) -> &'static str {
    if why.contains("UnknownIssuer") {
        "\nhint: name the file of the issuer's certificate in MLFLOW_PROXY_CA_BUNDLE"
    } else {
        ""
    }
}

impl Client {
    /// A client without connections.
    pub fn new(settings: &Settings) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            // What it sends again is a request of which no byte was written, because a kept connection turned out to be
            // closed: hyper gives such a request back as a whole.
            .retry_canceled_requests(true)
            .set_host(false)
            .build(Timed::new(settings));
        Self { http, first_byte: settings.first_byte, clock: Clock::default() }
    }

    /// With another limit for the time until an answer begins. The connections are shared all the same.
    #[must_use]
    pub fn with_first_byte(&self, limit: Duration) -> Self {
        Self { http: self.http.clone(), first_byte: limit, clock: self.clock.clone() }
    }

    /// The time to sign with, for all who send by this client.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Sends a request and waits for the head of its answer. The URI has scheme and authority; a missing `host` is added.
    ///
    /// The time limit begins anew with every piece of the body that leaves.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, SendError> {
        let (mut parts, body) = request.into_parts();
        parts.version = Version::HTTP_11;
        let authority = parts.uri.authority().cloned();
        let host = || authority.as_ref().map(ToString::to_string).unwrap_or_default();
        if let Some(authority) = &authority
            && !parts.headers.contains_key(HOST)
        {
            let value = HeaderValue::from_str(authority.as_str());
            parts.headers.insert(HOST, value.expect("an authority can stand in a header"));
        }
        let (body, progress) = Outgoing::new(body);
        let mut sending = self.http.request(Request::from_parts(parts, body));
        let mut deadline = Instant::now() + self.first_byte;
        loop {
            match timeout_at(deadline, &mut sending).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => return Err(explain(&error, host())),
                Err(_) => {
                    let moved = progress.as_ref().map(|progress| progress.last() + self.first_byte);
                    match moved.filter(|moved| *moved > deadline) {
                        Some(moved) => deadline = moved,
                        None => return Err(SendError::Timeout { host: host(), after: self.first_byte }),
                    }
                }
            }
        }
    }
}

/// What the client's error means for who sent the request.
fn explain(error: &legacy::Error, host: String) -> SendError {
    let why = chain(error);
    if error.is_connect() {
        return SendError::NotSent { host, why };
    }
    let hyper = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    match hyper {
        Some(error) if error.is_canceled() => SendError::NotSent { host, why },
        Some(error) if error.is_user() => {
            let cause = error.source().unwrap_or(error);
            SendError::Body { why: chain(cause), problem: Box::new(body::problem_of(cause)) }
        }
        _ => SendError::NoAnswer { host, why },
    }
}

/// The last two causes of an error: what is above them says only that something failed.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.ends_with(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.split_off(texts.len().saturating_sub(2)).join(": ")
}
