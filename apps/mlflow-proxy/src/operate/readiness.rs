//! Whether requests can be answered now, told from what is known: a probe never causes a request.
//!
//! Parts that can fail say how they are when they are asked. Health is something else: a process that answers at all is
//! healthy, and starting it anew would not help what readiness is about.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::body::{Body, full};

/// After so long without a good answer, failures count as more than bad luck.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a part is. The detail is shown to anybody who asks, so it names no resource and no person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether requests that need it can be answered.
    pub ready: bool,
    /// Why, in a few words.
    pub detail: String,
}

impl State {
    /// A part that does its work.
    pub fn ready(detail: impl Into<String>) -> Self {
        Self { ready: true, detail: detail.into() }
    }

    /// A part that does not.
    pub fn not_ready(detail: impl Into<String>) -> Self {
        Self { ready: false, detail: detail.into() }
    }
}

type Ask = Box<dyn Fn() -> State + Send + Sync>;

/// What readiness is told from.
pub struct Readiness {
    draining: AtomicBool,
    parts: RwLock<Vec<(&'static str, Ask)>>,
    /// When MLflow was last reached.
    pub upstream: Contact,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Readiness").field("draining", &self.draining).finish_non_exhaustive()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self { draining: AtomicBool::new(false), parts: RwLock::default(), upstream: Contact::new() }
    }
}

impl Readiness {
    /// Adds a part that is asked at every probe: it has to answer from memory.
    pub fn watch(&self, name: &'static str, ask: impl Fn() -> State + Send + Sync + 'static) {
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|(known, _)| *known != name);
        parts.push((name, Box::new(ask)));
    }

    /// From now on the proxy is not ready: it is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the proxy is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The answer to `GET /readyz`: 200, or 503 with what is missing.
    pub fn answer(&self) -> Response<Body> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        let mut ready = true;
        let mut checks = Map::new();
        for (name, ask) in parts.iter() {
            let state = ask();
            ready &= state.ready;
            checks.insert((*name).to_owned(), json!({ "ready": state.ready, "detail": state.detail }));
        }
        let status = match (self.is_draining(), ready) {
            (true, _) => "draining",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        let code = if status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        json_answer(code, &json!({ "status": status, "checks": checks }))
    }
}

/// The answer to `GET /healthz`.
pub(super) fn health() -> Response<Body> {
    json_answer(StatusCode::OK, &json!({ "status": "ok" }))
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(full(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// When somebody on the other side was last heard of. Noting it is an atomic store.
#[derive(Debug)]
pub struct Contact {
    start: Instant,
    /// Milliseconds after `start`, plus one; 0 is never.
    success: AtomicU64,
    failure: AtomicU64,
}

impl Contact {
    fn new() -> Self {
        Self { start: Instant::now(), success: AtomicU64::new(0), failure: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// An answer came. Who refuses, or fails at one request, is there; those who stand before it say when it is not.
    pub fn heard(&self, status: StatusCode) {
        match status {
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                self.failed()
            }
            _ => self.succeeded(),
        }
    }

    fn succeeded(&self) {
        self.success.store(self.now(), Ordering::Relaxed);
    }

    /// No answer came.
    pub fn failed(&self) {
        self.failure.store(self.now(), Ordering::Relaxed);
    }

    /// How long ago anything was heard or tried.
    pub(super) fn idle(&self) -> Duration {
        let latest = self.success.load(Ordering::Relaxed).max(self.failure.load(Ordering::Relaxed));
        Duration::from_millis(self.now().saturating_sub(latest))
    }

    /// Whether the last that was heard was good.
    pub(super) fn is_good(&self) -> bool {
        let success = self.success.load(Ordering::Relaxed);
        success > 0 && success >= self.failure.load(Ordering::Relaxed)
    }

    /// Whether it was ever heard of.
    pub(super) fn is_known(&self) -> bool {
        self.success.load(Ordering::Relaxed) > 0
    }

    /// How it is.
    pub(super) fn state(&self) -> State {
        let (success, failure) = (self.success.load(Ordering::Relaxed), self.failure.load(Ordering::Relaxed));
        let ago = Duration::from_millis(self.now().saturating_sub(success));
        match (success, failure) {
            (0, 0) => State::not_ready("not asked yet"),
            (0, _) => State::not_ready("no answer yet"),
            _ if failure > success && ago > PATIENCE => {
                State::not_ready(format!("no good answer for {} s", ago.as_secs()))
            }
            _ => State::ready(format!("answered {} s ago", ago.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use std::sync::Arc;

    use super::*;

    async fn told(readiness: &Readiness) -> (u16, Value) {
        let response = readiness.answer();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn it_is_ready_when_every_part_is() {
        let readiness = Readiness::default();
        let loaded = Arc::new(AtomicBool::new(false));
        let asked = loaded.clone();
        readiness.watch("credentials", || State::ready("valid"));
        readiness.watch("users", move || match asked.load(Ordering::Relaxed) {
            true => State::ready("loaded"),
            false => State::not_ready("not loaded yet"),
        });
        let (status, body) = told(&readiness).await;
        assert_eq!((status, &body["status"]), (503, &json!("not ready")));
        assert_eq!(body["checks"]["users"], json!({ "ready": false, "detail": "not loaded yet" }));
        assert_eq!(body["checks"]["credentials"]["ready"], true);

        loaded.store(true, Ordering::Relaxed);
        let (status, body) = told(&readiness).await;
        assert_eq!((status, &body["status"]), (200, &json!("ready")));
    }

    #[tokio::test]
    async fn a_draining_proxy_is_not_ready_whatever_its_parts_say() {
        let readiness = Readiness::default();
        readiness.watch("credentials", || State::ready("valid"));
        readiness.drain();
        let (status, body) = told(&readiness).await;
        assert_eq!((status, &body["status"]), (503, &json!("draining")));
    }

    #[test]
    fn contact_forgives_failures_that_follow_a_good_answer() {
        let mut contact = Contact::new();
        assert!(!contact.state().ready, "nothing is known yet");
        contact.failed();
        assert!(!contact.state().ready, "never reached");
        contact.succeeded();
        std::thread::sleep(Duration::from_millis(5));
        contact.failed();
        assert!(contact.state().ready, "one failure after a good answer");
        // As if the good answer had been a minute ago.
        contact.start -= Duration::from_secs(60);
        contact.success.store(1, Ordering::Relaxed);
        contact.failed();
        assert_eq!(contact.state(), State::not_ready("no good answer for 60 s"));
        contact.succeeded();
        assert!(contact.state().ready, "it is back");
    }
}
