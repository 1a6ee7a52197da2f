//! How much a user may ask for: requests a second, and bytes a request.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use ring::digest;

use crate::body::Body;
use crate::problem::Problem;

/// A bucket that fills by one each `interval` and holds `size`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    interval: Duration,
    size: u32,
}

impl Bucket {
    pub(super) const fn new(interval: Duration, size: u32) -> Self {
        Self { interval, size }
    }

    /// How long to wait until one can be taken, when the bucket is full again at `full`.
    fn wait(self, full: Option<Instant>, now: Instant) -> Duration {
        let missing = full.map_or(Duration::ZERO, |full| full.saturating_duration_since(now));
        (missing + self.interval).saturating_sub(self.interval * self.size)
    }

    /// When the bucket is full again after one was taken.
    fn taken(self, full: Option<Instant>, now: Instant) -> Instant {
        full.map_or(now, |full| full.max(now)) + self.interval
    }
}

/// A fixed number of buckets, in which names fall by a keyed hash: bounded, and nobody can tell which names exist.
pub(super) struct Buckets {
    bucket: Bucket,
    salt: u64,
    full: Mutex<Vec<Option<Instant>>>,
}

impl Buckets {
    pub(super) fn new(bucket: Bucket, count: usize, salt: u64) -> Self {
        Self { bucket, salt, full: Mutex::new(vec![None; count]) }
    }

    /// How long to wait until one can be taken; zero is now.
    pub(super) fn wait(&self, name: &str, now: Instant) -> Duration {
        let full = self.full();
        self.bucket.wait(full[self.place(name, full.len())], now)
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// The time to wait.
    pub(super) fn take(&self, name: &str, now: Instant) -> Result<(), Duration> {
        let mut full = self.full();
        let place = self.place(name, full.len());
        let wait = self.bucket.wait(full[place], now);
        if !wait.is_zero() {
            return Err(wait);
        }
        full[place] = Some(self.bucket.taken(full[place], now));
        Ok(())
    }

    fn place(&self, name: &str, count: usize) -> usize {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.salt.to_le_bytes());
        context.update(name.as_bytes());
        let hash = context.finish();
        let start = hash.as_ref().first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        start as usize % count
    }

    fn full(&self) -> MutexGuard<'_, Vec<Option<Instant>>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names that are kept account of, at most, in each of the shards. Beyond them newcomers share one account.
const NAMES: usize = 1024;

/// So that users seldom wait for each other.
const SHARDS: usize = 16;

/// Requests a second of each user.
pub(super) struct Rates {
    bucket: Option<Bucket>,
    hasher: RandomState,
    shards: [Mutex<HashMap<Arc<str>, Instant>>; SHARDS],
}

impl Rates {
    /// Without a rate there is no limit.
    pub(super) fn new(rate: Option<NonZeroU32>, burst: NonZeroU32) -> Self {
        let bucket = rate.map(|rate| Bucket::new(Duration::from_secs(1) / rate.get(), burst.get()));
        Self { bucket, hasher: RandomState::new(), shards: Default::default() }
    }

    /// Takes a request of this user into account.
    ///
    /// # Errors
    ///
    /// The time to wait.
    pub(super) fn take(&self, name: &Arc<str>, now: Instant) -> Result<(), Duration> {
        let Some(bucket) = self.bucket else { return Ok(()) };
        #[allow(clippy::cast_possible_truncation, reason = "any part of a hash is as good as another")]
        let shard = self.hasher.hash_one(name) as usize % SHARDS;
        let mut names = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full) = names.get_mut(name) {
            let wait = bucket.wait(Some(*full), now);
            if !wait.is_zero() {
                return Err(wait);
            }
            *full = bucket.taken(Some(*full), now);
            return Ok(());
        }
        if names.len() >= NAMES {
            names.retain(|_, full| *full > now);
        }
        let name = if names.len() >= NAMES { Arc::from("") } else { name.clone() };
        let full = names.get(&name).copied();
        let wait = bucket.wait(full, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        names.insert(name, bucket.taken(full, now));
        Ok(())
    }
}

/// The answer to who asks too much.
pub(super) fn too_many(name: &str, wait: Duration) -> Problem {
    let message = format!("{name} sends more requests than MLFLOW_PROXY_RATE allows");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED", message)
        .hint("send fewer requests at once, such as by log_batch, or have the rate raised")
        .retry_after(wait)
}

/// A request that was let in, with what its body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The greatest body, in bytes, that this user may send; none leaves it to the proxy's own limit.
    pub body_limit: Option<u64>,
}

impl Admission {
    pub(super) fn new(body_limit: Option<u64>, length: Option<u64>) -> Result<Self, Problem> {
        match (body_limit, length) {
            (Some(limit), Some(length)) if length > limit => Err(too_long(length, limit)),
            _ => Ok(Self { body_limit }),
        }
    }

    /// The body, ending in an error past the limit; for those of which no length was told.
    pub fn limit(&self, body: Body) -> Body {
        match self.body_limit.and_then(|limit| usize::try_from(limit).ok()) {
            Some(limit) => Limited::new(body, limit).boxed_unsync(),
            None => body,
        }
    }
}

fn too_long(length: u64, limit: u64) -> Problem {
    let message = format!("the body has {length} bytes, more than the {limit} that a user may send");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "MAX_READ_SIZE_EXCEEDED", message)
        .hint("send less at once, or have MLFLOW_PROXY_USER_MAX_BODY raised")
}

#[cfg(test)]
mod tests;
