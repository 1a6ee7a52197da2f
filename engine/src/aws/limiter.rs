//! How fast calls may leave: one rate for each account and region, found by trying.
//!
//! AWS publishes no rates for CloudFormation. The rate starts at 10 calls a second, grows a little with each call that
//! works and is halved when the service throttles, between 1 and 15 a second. All clients of an account and region share
//! it, so that hundreds of stacks together stay under what the service takes. Calls that change something go first, and
//! calls that only ask never fill a second by themselves.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;

/// What a call does, which decides who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only asks.
    Read,
    /// It changes something.
    Write,
}

const START: f64 = 10.0;
const LEAST: f64 = 1.0;
const MOST: f64 = 15.0;
/// Calls that may leave at once after a quiet time.
const BURST: f64 = 8.0;
/// The most calls that only ask, in any second, for one caller in one account and region. AWS publishes no number; what is
/// known to be throttled are about ten a second.
pub(crate) const READS_A_SECOND: usize = 8;
/// A second, and a little more: what leaves within a second does not arrive within a second.
const SECOND: Duration = Duration::from_millis(1_050);
/// Calls that may be on their way at the same time.
const IN_FLIGHT: usize = 16;
/// One throttling hits many calls that are on their way; only the first of them halves the rate.
const SETTLE: Duration = Duration::from_secs(1);

/// The rate of one account and region. Cheap to clone; clones share the rate.
#[derive(Clone, Debug)]
pub(crate) struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    bucket: Mutex<Bucket>,
    readers: Turn<()>,
    writers: Turn<()>,
    writers_waiting: AtomicUsize,
    in_flight: Arc<Semaphore>,
}

#[derive(Debug)]
struct Bucket {
    rate: f64,
    tokens: f64,
    filled: Duration,
    halved: Option<Duration>,
    /// When the latest reads left.
    reads: VecDeque<Duration>,
}

/// Leave to make one call; it is on its way until this is dropped.
#[derive(Debug)]
pub(crate) struct Leave {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Limiter {
    pub(crate) fn new(clock: Clock) -> Self {
        let bucket = Bucket {
            rate: START,
            tokens: BURST,
            filled: clock.elapsed(),
            halved: None,
            reads: VecDeque::new(),
        };
        Self(Arc::new(Inner {
            clock,
            bucket: Mutex::new(bucket),
            readers: Turn::default(),
            writers: Turn::default(),
            writers_waiting: AtomicUsize::new(0),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
        }))
    }

    /// Waits until a call may leave.
    pub(crate) async fn admit(&self, effect: Effect) -> Leave {
        let inner = &self.0;
        let waiting = (effect == Effect::Write).then(|| Waiting::new(&inner.writers_waiting));
        let turn = match effect {
            Effect::Read => inner.readers.lock().await,
            Effect::Write => inner.writers.lock().await,
        };
        // The semaphore is never closed.
        let permit = inner.in_flight.clone().acquire_owned().await.ok();
        while let Err(wait) = self.take(effect) {
            inner.clock.sleep(wait).await;
        }
        drop(turn);
        drop(waiting);
        Leave { _permit: permit }
    }

    /// Takes a token, or says when to ask again.
    fn take(&self, effect: Effect) -> Result<(), Duration> {
        let mut bucket = self.bucket();
        let now = self.0.clock.elapsed();
        let passed = now.saturating_sub(bucket.filled).as_secs_f64();
        bucket.filled = now;
        bucket.tokens = (bucket.tokens + passed * bucket.rate).min(BURST);
        let ahead = match effect {
            Effect::Read => self.0.writers_waiting.load(Ordering::SeqCst),
            Effect::Write => 0,
        };
        if effect == Effect::Read
            && let Some(free) = bucket.next_read().filter(|free| *free > now)
        {
            return Err((free - now).max(Duration::from_millis(1)));
        }
        // Small counts: nothing is lost.
        #[expect(clippy::cast_precision_loss, reason = "a few waiting calls")]
        let wanted = 1.0 + ahead as f64;
        if bucket.tokens >= wanted {
            bucket.tokens -= 1.0;
            if effect == Effect::Read {
                bucket.read_left(now);
            }
            return Ok(());
        }
        let wait = (wanted - bucket.tokens) / bucket.rate;
        // Timers have milliseconds: never less than one, or a waiter would turn in place.
        Err(Duration::from_secs_f64(wait).max(Duration::from_millis(1)))
    }

    /// A call worked: a little faster, about half a call a second more with each second.
    pub(crate) fn succeeded(&self) {
        let mut bucket = self.bucket();
        bucket.rate = (bucket.rate + 0.5 / bucket.rate).min(MOST);
    }

    /// The service throttles: half as fast. Says after how many seconds the next call leaves, once for each halving.
    pub(crate) fn throttled(&self) -> Option<f64> {
        let now = self.0.clock.elapsed();
        let mut bucket = self.bucket();
        if bucket.halved.is_some_and(|halved| now.saturating_sub(halved) < SETTLE) {
            return None;
        }
        bucket.halved = Some(now);
        bucket.rate = (bucket.rate / 2.0).max(LEAST);
        bucket.tokens = bucket.tokens.min(0.0);
        Some(1.0 / bucket.rate)
    }

    /// Calls a second, now.
    #[cfg(test)]
    pub(crate) fn rate(&self) -> f64 {
        self.bucket().rate
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.0.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// When the next read may leave, if not at once.
    fn next_read(&self) -> Option<Duration> {
        (self.reads.len() >= READS_A_SECOND)
            .then(|| self.reads.front().map_or(Duration::ZERO, |first| *first + SECOND))
    }

    fn read_left(&mut self, now: Duration) {
        self.reads.push_back(now);
        if self.reads.len() > READS_A_SECOND {
            self.reads.pop_front();
        }
    }
}

/// Counts a waiting writer for as long as it waits, also when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn calls(limiter: &Limiter, effect: Effect, count: usize) -> Duration {
        let started = limiter.0.clock.elapsed();
        for _ in 0..count {
            limiter.admit(effect).await;
        }
        limiter.0.clock.elapsed() - started
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_leaves_at_once_and_the_rest_at_the_rate() {
        let limiter = Limiter::new(Clock::real());
        assert!(calls(&limiter, Effect::Read, 8).await < Duration::from_millis(5));
        let ten = calls(&limiter, Effect::Read, 10).await.as_secs_f64();
        assert!((1.9..2.2).contains(&ten), "{ten}");
    }

    #[tokio::test(start_paused = true)]
    async fn reads_never_fill_a_second_by_themselves() {
        let limiter = Limiter::new(Clock::real());
        for _ in 0..1_000 {
            limiter.succeeded();
        }
        let fifty = calls(&limiter, Effect::Read, 50).await.as_secs_f64();
        assert!((6.3..6.5).contains(&fifty), "{fifty} s for 50 reads, 8 of them at once");
        let writes = calls(&limiter, Effect::Write, 30).await.as_secs_f64();
        assert!(writes < 2.1, "{writes} s for 30 writes at 15 a second");
    }

    /// Fault 13: throttling makes calls slower, down to one a second; success makes them faster, up to fifteen.
    #[tokio::test(start_paused = true)]
    async fn throttling_halves_the_rate_once_a_second_and_success_raises_it() {
        let limiter = Limiter::new(Clock::real());
        assert_eq!(limiter.throttled(), Some(0.2));
        assert_eq!(limiter.throttled(), None);
        for _ in 0..5 {
            tokio::time::advance(Duration::from_secs(2)).await;
            limiter.throttled();
        }
        assert!((limiter.rate() - LEAST).abs() < 1e-9);
        for _ in 0..1_000 {
            limiter.succeeded();
        }
        assert!((limiter.rate() - MOST).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_change_something_go_first() {
        let limiter = Limiter::new(Clock::real());
        calls(&limiter, Effect::Read, 8).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for index in 0..6 {
            let effect = if index < 3 { Effect::Read } else { Effect::Write };
            let (limiter, order) = (limiter.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                limiter.admit(effect).await;
                order.lock().expect("no panic").push(effect);
            }));
        }
        for task in tasks {
            task.await.expect("joins");
        }
        let order = order.lock().expect("no panic").clone();
        assert_eq!(order[..3], [Effect::Write; 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bounded_number_is_on_its_way_and_a_dropped_waiter_holds_nobody_up() {
        let limiter = Limiter::new(Clock::real());
        let mut leaves = Vec::new();
        for _ in 0..IN_FLIGHT {
            leaves.push(limiter.admit(Effect::Read).await);
        }
        let limit = Duration::from_secs(60);
        assert!(tokio::time::timeout(limit, limiter.admit(Effect::Write)).await.is_err());
        leaves.pop();
        assert!(tokio::time::timeout(limit, limiter.admit(Effect::Read)).await.is_ok());
    }
}
