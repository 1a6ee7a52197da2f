//! Makes calls until they work, or until it makes no sense to go on.
//!
//! The SDK gives up after seconds, never renews credentials and cannot say that it waits. So its retries are off, and
//! every call goes through a `Caller`: it waits for its turn, repeats what may be repeated with the time between
//! repeats growing, has the credentials read again when they expire, and tells the listener what stands in the way.
//! Calls that change something are repeated with the same token, or because the table of [`super::mutations`] says that a
//! repeat is harmless.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::credentials::Renewing;
use super::error::{Error, ErrorKind};
use super::limiter::{Effect, Limiter};
use super::messages;
use crate::clock::Clock;
use crate::event::{Event, SharedListener, What};

/// For how long a call is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// While the service throttles.
    pub throttled: Duration,
    /// While the network or the service is down, or answers nonsense.
    pub unreachable: Duration,
}

impl Patience {
    /// What calls have unless they ask for something else: a quarter of an hour of throttling, five minutes without a
    /// network.
    pub const USUAL: Self = Self::new(900, 300);
    /// For the first calls of a command, which should rather fail than seem to hang.
    pub const SHORT: Self = Self::new(60, 8);
    /// No repeats at all.
    pub const NONE: Self = Self::new(0, 0);

    /// Both limits in seconds.
    pub const fn new(throttled: u64, unreachable: u64) -> Self {
        Self { throttled: Duration::from_secs(throttled), unreachable: Duration::from_secs(unreachable) }
    }
}

/// Makes the calls of one caller in one account and region. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Arc<Inner>);

struct Inner {
    clock: Clock,
    listener: SharedListener,
    credentials: Renewing,
    limiter: Option<Limiter>,
    dice: AtomicU64,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

/// The shortest and the longest wait between two attempts.
const FIRST: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_secs(20);
/// Nobody is told of what is over sooner.
const QUIET: Duration = Duration::from_secs(2);

impl Caller {
    pub(crate) fn new(
        clock: Clock,
        listener: SharedListener,
        credentials: Renewing,
        limiter: Option<Limiter>,
    ) -> Self {
        // Spreads the waits of processes that started at the same time.
        let seed =
            u64::from(std::process::id()) << 32 | u64::from(clock.now().subsec_nanosecond().unsigned_abs());
        Self(Arc::new(Inner { clock, listener, credentials, limiter, dice: AtomicU64::new(seed) }))
    }

    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }

    pub(crate) fn credentials(&self) -> &Renewing {
        &self.0.credentials
    }

    pub(crate) fn tell(&self, what: What) {
        self.0.listener.tell(Event { time: self.0.clock.now(), stack: None, environment: None, what });
    }

    /// Makes a call that only asks.
    pub(crate) async fn read<T, F>(
        &self,
        operation: &'static str,
        patience: Patience,
        send: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.call(operation, Effect::Read, patience, |_| send()).await
    }

    /// Makes a call; `send` is told how many of the attempts before may have been carried out although no answer came.
    pub(crate) async fn call<T, F>(
        &self,
        operation: &'static str,
        effect: Effect,
        patience: Patience,
        send: impl Fn(u32) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let started = self.0.clock.elapsed();
        let mut wait = FIRST;
        let (mut renewed, mut corrected) = (false, false);
        let mut lost = 0;
        // Patience is with the service: waiting for our own turn uses none of it up.
        let mut queued = Duration::ZERO;
        loop {
            let failed = match self.attempt(operation, effect, &mut queued, || send(lost)).await {
                Ok(answer) => return Ok(answer),
                Err((failed, generation)) => {
                    if failed.kind == ErrorKind::ExpiredCredentials {
                        if !renewed && self.renew(generation).await {
                            renewed = true;
                            continue;
                        }
                        return Err(failed);
                    }
                    failed
                }
            };
            // The SDK signs the next request by the service's clock, whose time came with the refusal.
            if messages::is_signature_refused(failed.code.as_deref()) && !corrected {
                corrected = true;
                continue;
            }
            let passed = self.0.clock.elapsed().saturating_sub(started).saturating_sub(queued);
            let throttled = matches!(failed.kind, ErrorKind::Throttled { .. });
            let limit = if throttled { patience.throttled } else { patience.unreachable };
            lost += u32::from(!throttled);
            wait = self.next_wait(wait, &failed);
            if !failed.is_transient() || passed + wait > limit {
                return Err(failed);
            }
            if !throttled && passed + wait >= QUIET {
                self.tell(What::Unreachable { reason: failed.to_string(), seconds: passed.as_secs_f64() });
            }
            self.0.clock.sleep(wait).await;
        }
    }

    /// Sends once, and adds the time for which the call waited for its turn. The credentials are had first, so that what
    /// is wrong with them is no error of the call.
    async fn attempt<T, F>(
        &self,
        operation: &'static str,
        effect: Effect,
        queued: &mut Duration,
        send: impl FnOnce() -> F,
    ) -> Result<T, (Error, Option<u64>)>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let current = self.0.credentials.current().await;
        let (_, generation) = current.map_err(|error| (Error { operation, ..error }, None))?;
        let leave = match &self.0.limiter {
            Some(limiter) => {
                let asked = self.0.clock.elapsed();
                let leave = limiter.admit(effect).await;
                *queued += self.0.clock.elapsed().saturating_sub(asked);
                Some(leave)
            }
            None => None,
        };
        let answer = Box::pin(send()).await;
        drop(leave);
        if let Some(limiter) = &self.0.limiter {
            match &answer {
                Err(Error { kind: ErrorKind::Throttled { .. }, .. }) => {
                    if let Some(next_seconds) = limiter.throttled() {
                        self.tell(What::Throttled { next_seconds });
                    }
                }
                Ok(_) => limiter.succeeded(),
                Err(_) => {}
            }
        }
        answer.map_err(|error| (error, Some(generation)))
    }

    /// Has the credentials read again; whether that brought others.
    async fn renew(&self, generation: Option<u64>) -> bool {
        match generation {
            Some(generation) => self.0.credentials.renew(generation).await.unwrap_or(false),
            None => false,
        }
    }

    /// Anything between the shortest wait and three times the last one, so that callers do not come in step.
    fn next_wait(&self, last: Duration, failed: &Error) -> Duration {
        if let ErrorKind::Throttled { retry_after: Some(asked) } = failed.kind {
            return asked.clamp(FIRST, LONGEST * 3);
        }
        let most = (last * 3).min(LONGEST);
        FIRST + (most.saturating_sub(FIRST)).mul_f64(self.roll())
    }

    /// A number from 0 to 1. Nothing secret hangs on it.
    fn roll(&self) -> f64 {
        let mut bits = self.0.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from((bits >> 40) as u32) / f64::from(1_u32 << 24)
    }
}

#[cfg(test)]
mod tests;
