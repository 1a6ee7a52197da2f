//! Passwords, checked without becoming a way to wear the proxy out.
//!
//! A check takes tens of milliseconds and megabytes, by design. So one runs at a time, a few may wait, pairs that were right
//! lately are known by a keyed hash, and failures are rationed, for each name and for all. Who was let in before is shut out
//! by nobody's flood of other names.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use http::StatusCode;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;

use super::limits::{Bucket, Buckets};
use super::users::User;
use crate::problem::{LoginFailure, Problem};

/// How long a pair that was right stays known after its last use. The hash of the password is part of the pair, so that a
/// change counts at once.
const KNOWN_FOR: Duration = Duration::from_secs(60 * 60);

/// How long a name is known under which somebody was let in.
const NAMES_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The greatest number of pairs, and of names, that are known.
const KNOWN: usize = 4096;

/// Checks at the same time: each holds the memory that its hash asks for.
const CHECKS: usize = 1;

/// Requests that may wait for a check, and for how long.
const WAITING: usize = 32;
const WAIT: Duration = Duration::from_secs(5);

/// The longest password that is checked, in bytes.
const LONGEST: usize = 1024;

/// What a hash may ask for: KiB of memory, passes, lanes.
const GREATEST: (u32, u32, u32) = (64 * 1024, 10, 4);

/// Failures of one name: 10 at once, then one in 6 s. Failures of all: 100 at once, then 5 a second.
const OF_ONE: Bucket = Bucket::new(Duration::from_secs(6), 10);
const OF_ALL: Bucket = Bucket::new(Duration::from_millis(200), 100);

/// Work as for a user's password when there is none of that name: a hash that nobody's password has.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a hash is one that this proxy checks.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn acceptable(hash: &str) -> Result<(), String> {
    let parsed = PasswordHash::new(hash).map_err(|_| "its argon2 is no hash in PHC's form".to_owned())?;
    if parsed.algorithm.as_str() != "argon2id" || parsed.salt.is_none() || parsed.hash.is_none() {
        return Err("its argon2 is no complete argon2id hash".to_owned());
    }
    let params = Params::try_from(&parsed).map_err(|_| "its argon2 has wrong parameters".to_owned())?;
    let (memory, passes, lanes) = GREATEST;
    if params.m_cost() > memory || params.t_cost() > passes || params.p_cost() > lanes {
        return Err(format!("its argon2 asks for more than m={memory}, t={passes}, p={lanes}"));
    }
    Ok(())
}

/// Keyed hashes, and until when each is known.
type Known = Mutex<HashMap<[u8; 32], Instant>>;

/// Checks passwords.
pub(super) struct Passwords {
    /// Made at start, so that what is known means nothing to anybody else.
    key: hmac::Key,
    known: Known,
    names: Known,
    checks: Arc<Semaphore>,
    waiting: AtomicUsize,
    failures: Buckets,
    all_failures: Buckets,
}

impl Default for Passwords {
    fn default() -> Self {
        let random = SystemRandom::new();
        let mut salt = [0; 8];
        // Without randomness no key could be made either, and TLS and signing would have failed before.
        random.fill(&mut salt).expect("the system has random bytes");
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).expect("the system has random bytes");
        Self {
            key,
            known: Known::default(),
            names: Known::default(),
            checks: Arc::new(Semaphore::new(CHECKS)),
            waiting: AtomicUsize::new(0),
            failures: Buckets::new(OF_ONE, 1024, u64::from_le_bytes(salt)),
            all_failures: Buckets::new(OF_ALL, 1, 0),
        }
    }
}

impl Passwords {
    /// Whether the password is the user's. For no user it takes as long and is false.
    ///
    /// # Errors
    ///
    /// 429 after too many failures, 503 when too many wait.
    pub(super) async fn check(
        &self,
        user: Option<&User>,
        name: &str,
        password: &Arc<str>,
    ) -> Result<bool, Problem> {
        let hash = user.and_then(User::password_hash);
        let pair = self.pair(name, hash.map_or(DECOY, |hash| hash), password);
        if hash.is_some() && self.is_known(&pair, Instant::now()) {
            return Ok(true);
        }
        if password.len() > LONGEST {
            return Ok(false);
        }
        self.may_fail(name)?;
        // Whoever was let in under this name is not to wait for those who fail under others.
        let name_id = self.hash(&[name]);
        let of_all = self.all_failures.wait("", Instant::now());
        let came_before = hash.is_some() && is_known(&self.names, &name_id, Instant::now());
        if !of_all.is_zero() && !came_before {
            return Err(too_many(of_all));
        }
        let permit = self.permit().await?;
        if hash.is_some() && self.is_known(&pair, Instant::now()) {
            return Ok(true);
        }
        let (password, hash) = (password.clone(), hash.cloned());
        let checked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(DECOY));
            let good = parsed
                .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
            good && hash.is_some()
        });
        let good = checked.await.unwrap_or(false);
        let now = Instant::now();
        if good {
            learn(&self.known, pair, now, KNOWN_FOR);
            learn(&self.names, name_id, now, NAMES_FOR);
            return Ok(true);
        }
        // Both are counted; whether they are empty was asked before.
        let _ = (self.failures.take(name, now), self.all_failures.take("", now));
        // The answer does not tell whether the name is one that was let in.
        if of_all.is_zero() { Ok(false) } else { Err(too_many(of_all)) }
    }

    /// What a pair is known by. The hash is part of it: a new password makes the old pair unknown at once.
    fn pair(&self, name: &str, hash: &str, password: &str) -> [u8; 32] {
        self.hash(&[name, hash, password])
    }

    fn hash(&self, parts: &[&str]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }

    /// Whether a pair is known; then it stays so.
    fn is_known(&self, pair: &[u8; 32], now: Instant) -> bool {
        is_known(&self.known, pair, now) && {
            learn(&self.known, *pair, now, KNOWN_FOR);
            true
        }
    }

    fn may_fail(&self, name: &str) -> Result<(), Problem> {
        let wait = self.failures.wait(name, Instant::now());
        if wait.is_zero() { Ok(()) } else { Err(too_many(wait)) }
    }

    async fn permit(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Problem> {
        let busy = || {
            let message = "too many logins are being checked";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", message);
            problem.retry_after(Duration::from_secs(1)).login(LoginFailure::Unavailable)
        };
        let _place = Place::take(&self.waiting).ok_or_else(busy)?;
        match tokio::time::timeout(WAIT, self.checks.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(busy()),
        }
    }
}

fn is_known(known: &Known, hash: &[u8; 32], now: Instant) -> bool {
    let known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(hash).is_some_and(|until| *until > now)
}

/// Where there is no place, the one that would be forgotten first gives way.
fn learn(known: &Known, hash: [u8; 32], now: Instant, time: Duration) {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(until) = known.get_mut(&hash) {
        *until = now + time;
        return;
    }
    if known.len() >= KNOWN {
        known.retain(|_, until| *until > now);
    }
    if known.len() >= KNOWN
        && let Some(first) = known.iter().min_by_key(|(_, until)| **until).map(|(hash, _)| *hash)
    {
        known.remove(&first);
    }
    known.insert(hash, now + time);
}

fn too_many(wait: Duration) -> Problem {
    let message = "too many logins failed; passwords are not checked for a while";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED", message)
        .hint("wait, and look at the name and the password")
        .login(LoginFailure::Limited)
        .retry_after(wait)
}

/// A place among those who wait, given back when it is dropped: also when the client goes away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
