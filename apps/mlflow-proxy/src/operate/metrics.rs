//! What is counted while the proxy works.
//!
//! Every counter exists from the start and stands at a fixed place: counting is an atomic addition, never a look-up by
//! text, an allocation or a lock. Names and meanings are part of the documentation (docs/proxy.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use crate::aws::SendError;

use super::histogram::{Histogram, Snapshot};
use super::labels::{METHODS, STATUSES, method_place, status_place};

pub use super::labels::{AuthenticationFailure, Class, CredentialKind, UpstreamError};

/// Counters and gauges of one proxy. Parts hold it in an [`Arc`].
#[derive(Debug)]
pub struct Metrics {
    /// Answers by class, method and status: one place for each.
    requests: Box<[AtomicU64]>,
    durations: Box<[Histogram]>,
    upstream_errors: Box<[AtomicU64]>,
    authentication_failures: Box<[AtomicU64]>,
    /// Requests under way.
    pub in_flight: Gauge,
    /// Bytes of bodies from clients.
    pub bytes_in: Counter,
    /// Bytes of bodies to clients.
    pub bytes_out: Counter,
    /// Connections of clients that are open.
    pub connections: Gauge,
    /// Connections that were closed at once because there were too many.
    pub connections_refused: Counter,
    /// Bytes of bodies that lie in temporary files now.
    pub spooled_bytes: Gauge,
    /// Requests that somebody made faster than they may.
    pub rate_limited: Counter,
    /// Requests that were sent again, to MLflow or the bucket.
    pub retries: Counter,
    /// Lines that were sent to the log group.
    pub log_events_shipped: Counter,
    /// Lines that were lost: too many at once, or the log group did not take them.
    pub log_events_dropped: Counter,
}

/// The sums that alarms stand on, at a moment. Health checks are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) upstream_errors: u64,
    pub(super) authentication_failures: u64,
    pub(super) durations: Snapshot,
}

/// A request that counts as under way until this is dropped.
#[derive(Debug)]
pub struct UnderWay {
    in_flight: Gauge,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

impl Metrics {
    /// All counters at zero.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            requests: zeros(Class::ALL.len() * METHODS.len() * STATUSES.len()),
            durations: Class::ALL.iter().map(|_| Histogram::default()).collect(),
            upstream_errors: zeros(UpstreamError::ALL.len()),
            authentication_failures: zeros(AuthenticationFailure::ALL.len()),
            in_flight: Gauge::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            spooled_bytes: Gauge::default(),
            rate_limited: Counter::default(),
            retries: Counter::default(),
            log_events_shipped: Counter::default(),
            log_events_dropped: Counter::default(),
        })
    }

    /// Counts a request as under way.
    pub fn begin(&self) -> UnderWay {
        self.in_flight.inc();
        UnderWay { in_flight: self.in_flight.clone() }
    }

    /// Counts an answer with the time from the request's head to the answer's head.
    pub fn answered(&self, class: Class, method: &Method, status: StatusCode, duration: Duration) {
        let place =
            (class as usize * METHODS.len() + method_place(method)) * STATUSES.len() + status_place(status);
        self.requests[place].fetch_add(1, Ordering::Relaxed);
        self.durations[class as usize].observe(duration);
    }

    /// Counts a failure of what stands behind the proxy.
    pub fn upstream_error(&self, kind: UpstreamError) {
        self.upstream_errors[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that what stands behind the proxy gave no answer to. A body that its sender broke off is no failure
    /// of theirs.
    pub fn no_answer(&self, error: &SendError) {
        match error {
            SendError::NotSent { .. } => self.upstream_error(UpstreamError::Connect),
            SendError::NoAnswer { .. } => self.upstream_error(UpstreamError::Broken),
            SendError::Timeout { .. } => self.upstream_error(UpstreamError::Timeout),
            SendError::Body { .. } => {}
        }
    }

    /// Counts somebody who was not let in.
    pub fn authentication_failed(&self, reason: AuthenticationFailure) {
        self.authentication_failures[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Answers that were given at least once.
    pub(super) fn requests(&self) -> impl Iterator<Item = (Class, &'static str, u16, u64)> {
        self.requests.iter().enumerate().filter_map(|(place, counter)| {
            let count = counter.load(Ordering::Relaxed);
            let class = Class::ALL[place / (METHODS.len() * STATUSES.len())];
            let method = METHODS[place / STATUSES.len() % METHODS.len()];
            (count > 0).then(|| (class, method, STATUSES[place % STATUSES.len()], count))
        })
    }

    pub(super) fn durations(&self) -> impl Iterator<Item = (Class, Snapshot)> {
        Class::ALL.iter().map(|class| (*class, self.durations[*class as usize].snapshot()))
    }

    /// Failures of what stands behind the proxy, by kind.
    pub(crate) fn upstream_errors(&self) -> impl Iterator<Item = (UpstreamError, u64)> {
        let count = |kind: UpstreamError| self.upstream_errors[kind as usize].load(Ordering::Relaxed);
        UpstreamError::ALL.iter().map(move |kind| (*kind, count(*kind)))
    }

    pub(super) fn authentication_failures(&self) -> impl Iterator<Item = (AuthenticationFailure, u64)> {
        let count =
            |kind: AuthenticationFailure| self.authentication_failures[kind as usize].load(Ordering::Relaxed);
        AuthenticationFailure::ALL.iter().map(move |kind| (*kind, count(*kind)))
    }

    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for (class, _, status, count) in self.requests() {
            if class != Class::Health {
                sums.requests += count;
                sums.errors += if status >= 500 { count } else { 0 };
            }
        }
        for (class, durations) in self.durations() {
            if class != Class::Health {
                sums.durations.add(&durations);
            }
        }
        sums.upstream_errors = self.upstream_errors().map(|(_, count)| count).sum();
        sums.authentication_failures = self.authentication_failures().map(|(_, count)| count).sum();
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_at_its_place_only() {
        let metrics = Metrics::new();
        let millisecond = Duration::from_millis(1);
        metrics.answered(Class::Artifacts, &Method::PUT, StatusCode::INSUFFICIENT_STORAGE, millisecond);
        metrics.answered(Class::Artifacts, &Method::PUT, StatusCode::INSUFFICIENT_STORAGE, millisecond);
        metrics.answered(Class::Refused, &Method::TRACE, StatusCode::IM_A_TEAPOT, millisecond);
        let counts: Vec<_> = metrics.requests().collect();
        assert_eq!(counts, [(Class::Artifacts, "PUT", 507, 2), (Class::Refused, "other", 0, 1)]);
    }

    #[test]
    fn alarms_do_not_see_health_checks() {
        let metrics = Metrics::new();
        metrics.answered(
            Class::Health,
            &Method::GET,
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(9),
        );
        metrics.answered(Class::Mlflow, &Method::GET, StatusCode::BAD_GATEWAY, Duration::from_millis(3));
        metrics.answered(Class::Mlflow, &Method::GET, StatusCode::OK, Duration::from_millis(3));
        metrics.upstream_error(UpstreamError::Broken);
        metrics.authentication_failed(AuthenticationFailure::Expired);
        let sums = metrics.sums();
        assert_eq!((sums.requests, sums.errors, sums.durations.count()), (2, 1, 2));
        assert_eq!((sums.upstream_errors, sums.authentication_failures), (1, 1));
    }

    #[test]
    fn a_request_is_under_way_until_it_is_dropped() {
        let metrics = Metrics::new();
        let first = metrics.begin();
        let second = metrics.begin();
        assert_eq!(metrics.in_flight.get(), 2);
        drop((first, second));
        assert_eq!(metrics.in_flight.get(), 0);
    }
}
