//! Keeps credentials, and fetches new ones once for all who ask.
//!
//! Whoever asks gets what is kept without a lock. When less than five minutes are left, the first who asks sets off a
//! fetch in the background and all go on with what is kept; only when nothing usable is left does anybody wait, and then
//! all wait for the same fetch. A fetch belongs to nobody: it goes on when those who wait go away. After a failure there
//! is a pause, so that a source in trouble is not asked by every request.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;

use super::kept::Kept;
use super::{Credentials, CredentialsError};
use crate::aws::{self, jitter};

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How often credentials may be renewed in a row on a service's word, and how long until one more may.
const RENEWALS: u32 = 5;
const RENEWAL_EVERY: Duration = Duration::from_secs(10);

/// Where credentials come from.
pub trait Source: Send + Sync + 'static {
    /// Fetches them. May be asked again and again; never twice at once.
    fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>>;

    /// How long that may take.
    fn limit(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// What a cache has done and has, for readiness and metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialState {
    /// Whether there are credentials that have not ended.
    pub valid: bool,
    /// When they end; `None` if they do not, or if there are none.
    pub expires: Option<SystemTime>,
    /// How often credentials were fetched.
    pub refreshes: u64,
    /// How often that failed.
    pub failures: u64,
    /// When they were fetched last.
    pub last_success: Option<SystemTime>,
    /// Why the last attempt failed; `None` after a success.
    pub error: Option<CredentialsError>,
}

type Outcome = Result<Arc<Credentials>, CredentialsError>;
type Flight = Shared<BoxFuture<'static, Outcome>>;
type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A cache over a source. Cheap to clone; clones share what is kept.
#[derive(Clone)]
pub struct CredentialCache(Arc<Inner>);

struct Inner {
    source: Box<dyn Source>,
    clock: Clock,
    kept: ArcSwapOption<Kept>,
    refreshes: AtomicU64,
    failures: AtomicU64,
    fetching: Mutex<Fetching>,
}

struct Fetching {
    flight: Option<Flight>,
    /// Not before this, after a failure.
    pause: Option<Instant>,
    failures_in_a_row: u32,
    last_success: Option<SystemTime>,
    error: Option<CredentialsError>,
    renewals: u32,
    renewals_since: Instant,
}

impl fmt::Debug for CredentialCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CredentialCache").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl CredentialCache {
    /// An empty cache.
    pub fn new(source: impl Source) -> Self {
        Self::with_clock(source, Arc::new(SystemTime::now))
    }

    /// An empty cache that compares the end of credentials with the time of AWS.
    pub(super) fn by(clock: aws::Clock, source: impl Source) -> Self {
        Self::with_clock(source, Arc::new(move || clock.now()))
    }

    pub(super) fn with_clock(source: impl Source, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            clock,
            kept: ArcSwapOption::empty(),
            refreshes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            fetching: Mutex::new(Fetching {
                flight: None,
                pause: None,
                failures_in_a_row: 0,
                last_success: None,
                error: None,
                renewals: 0,
                renewals_since: Instant::now(),
            }),
        }))
    }

    /// A cache of credentials that are given and stay as they are.
    pub fn fixed(credentials: Credentials) -> Self {
        struct Fixed(Credentials);
        impl Source for Fixed {
            fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
                std::future::ready(Ok(self.0.clone())).boxed()
            }
        }
        Self::new(Fixed(credentials))
    }

    /// Credentials that have not ended.
    ///
    /// Those at hand at once; without any after one fetch, which all who wait share. Fails with the reason of the last
    /// failure while the pause after it lasts.
    pub async fn get(&self) -> Result<Arc<Credentials>, CredentialsError> {
        let now = (self.0.clock)();
        if let Some(kept) = &*self.0.kept.load() {
            if kept.is_fresh(now) {
                return Ok(kept.credentials.clone());
            }
            if kept.is_alive(now) {
                // It goes on by itself; a failure is for those who come when nothing is left.
                let _ = self.0.flight();
                return Ok(kept.credentials.clone());
            }
        }
        let flight = self.0.flight()?;
        flight.await
    }

    /// Others than `stale`, which a service says it does not know or no longer knows.
    ///
    /// What another caller has renewed in the meantime is taken as it is. `stale` itself comes back where the source has
    /// nothing else, and where renewals come so often that they cannot be the cure; the service's answer stands then.
    pub async fn renew(&self, stale: &Arc<Credentials>) -> Result<Arc<Credentials>, CredentialsError> {
        let now = (self.0.clock)();
        if let Some(kept) = &*self.0.kept.load()
            && kept.credentials != *stale
            && kept.is_alive(now)
        {
            return Ok(kept.credentials.clone());
        }
        let Some(flight) = self.0.renewal(stale)? else { return Ok(stale.clone()) };
        flight.await
    }

    /// Renews in time for ever, also when nobody asks, so that no request has to wait and readiness tells the truth.
    pub async fn keep(&self) {
        loop {
            let now = (self.0.clock)();
            let refresh = self.0.kept.load().as_ref().map(|kept| kept.refresh);
            let wait = match refresh {
                // These do not end.
                Some(None) => Duration::from_secs(3600),
                Some(Some(refresh)) => refresh.duration_since(now).unwrap_or_default(),
                None => Duration::ZERO,
            };
            if wait.is_zero() {
                let flight = self.0.flight();
                let failed = match flight {
                    Ok(flight) => flight.await.is_err(),
                    Err(_) => true,
                };
                if failed {
                    tokio::time::sleep(self.0.pause()).await;
                }
            } else {
                // Clocks are set and machines sleep: no long wait for a moment of the wall clock.
                tokio::time::sleep(wait.min(Duration::from_secs(30))).await;
            }
        }
    }

    /// What there is and how it came about.
    pub fn state(&self) -> CredentialState {
        let now = (self.0.clock)();
        let kept = self.0.kept.load();
        let alive = kept.as_ref().filter(|kept| kept.is_alive(now));
        let fetching = self.0.fetching();
        CredentialState {
            valid: alive.is_some(),
            expires: alive.and_then(|kept| kept.credentials.expires),
            refreshes: self.0.refreshes.load(Ordering::Relaxed),
            failures: self.0.failures.load(Ordering::Relaxed),
            last_success: fetching.last_success,
            error: fetching.error.clone(),
        }
    }
}

impl Inner {
    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the pause after the last failure lasts yet.
    fn pause(&self) -> Duration {
        let pause = self.fetching().pause;
        pause.map_or(FIRST_PAUSE, |pause| pause.saturating_duration_since(Instant::now()).max(FIRST_PAUSE))
    }

    /// The fetch that is under way, or a new one unless there is a pause.
    fn flight(self: &Arc<Self>) -> Result<Flight, CredentialsError> {
        self.join(&mut self.fetching())
    }

    fn join(self: &Arc<Self>, fetching: &mut Fetching) -> Result<Flight, CredentialsError> {
        if let Some(flight) = &fetching.flight {
            return Ok(flight.clone());
        }
        if let (Some(pause), Some(error)) = (fetching.pause, &fetching.error)
            && Instant::now() < pause
        {
            return Err(error.clone());
        }
        let inner = self.clone();
        let task = tokio::spawn(async move {
            let limit = inner.source.limit();
            // Whatever happens in there, the flight has to come to its end.
            let fetch = AssertUnwindSafe(async { inner.source.fetch().await }).catch_unwind();
            let unreachable = |why: String| Err(CredentialsError::Unreachable { why });
            let fetched = match tokio::time::timeout(limit, fetch).await {
                Ok(Ok(fetched)) => fetched,
                Ok(Err(_)) => unreachable("the fetch broke off".to_owned()),
                Err(_) => unreachable(format!("no credentials came within {} s", limit.as_secs())),
            };
            inner.land(fetched)
        });
        let flight = async move {
            let stopped = |_| Err(CredentialsError::Unreachable { why: "the proxy stops".to_owned() });
            task.await.unwrap_or_else(stopped)
        };
        let flight = flight.boxed().shared();
        fetching.flight = Some(flight.clone());
        Ok(flight)
    }

    /// A fetch because of `stale`, or `None` if there were too many.
    fn renewal(self: &Arc<Self>, stale: &Arc<Credentials>) -> Result<Option<Flight>, CredentialsError> {
        let mut fetching = self.fetching();
        // Between the look without the lock and this one another fetch may have come to its end.
        if let Some(kept) = &*self.kept.load()
            && kept.credentials != *stale
            && kept.is_alive((self.clock)())
        {
            return Ok(Some(std::future::ready(Ok(kept.credentials.clone())).boxed().shared()));
        }
        if fetching.flight.is_none() {
            let passed = fetching.renewals_since.elapsed();
            let back = u32::try_from(passed.as_millis() / RENEWAL_EVERY.as_millis()).unwrap_or(u32::MAX);
            if back > 0 {
                fetching.renewals = fetching.renewals.saturating_sub(back);
                fetching.renewals_since = Instant::now();
            }
            if fetching.renewals >= RENEWALS {
                return Ok(None);
            }
            fetching.renewals += 1;
        }
        self.join(&mut fetching).map(Some)
    }

    /// Takes in what a fetch brought.
    fn land(&self, fetched: Result<Credentials, CredentialsError>) -> Outcome {
        let now = (self.clock)();
        let fetched = fetched.and_then(|credentials| match credentials.expires {
            Some(end) if end <= now => {
                let why = "the credentials that came have ended already; is the clock right?".to_owned();
                Err(CredentialsError::Unreachable { why })
            }
            _ => Ok(credentials),
        });
        let mut fetching = self.fetching();
        fetching.flight = None;
        match fetched {
            Ok(credentials) => {
                self.refreshes.fetch_add(1, Ordering::Relaxed);
                fetching.pause = None;
                fetching.failures_in_a_row = 0;
                fetching.last_success = Some(now);
                fetching.error = None;
                // The same ones again stay the same to those who compare.
                let same = self.kept.load().as_ref().map(|kept| kept.credentials.clone());
                let credentials = match same {
                    Some(same) if *same == credentials => same,
                    _ => Arc::new(credentials),
                };
                self.kept.store(Some(Arc::new(Kept::new(credentials.clone(), now))));
                Ok(credentials)
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                let pause = FIRST_PAUSE * 2u32.saturating_pow(fetching.failures_in_a_row.min(10));
                let pause = pause.min(LONGEST_PAUSE).mul_f64(0.75 + jitter() / 2.0);
                fetching.pause = Some(Instant::now() + pause);
                fetching.failures_in_a_row += 1;
                let (kind, hint) = (error.kind(), error.hint());
                tracing::warn!(target: "credentials", kind, "{error}\nhint: {hint}");
                fetching.error = Some(error.clone());
                Err(error)
            }
        }
    }
}
