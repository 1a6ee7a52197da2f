//! What all bodies take together while they are held, and how much of that may be one user's.
//!
//! Memory and disk are bounded over all requests. Without a part for each user, one of them could take all of it by bodies
//! that never come to their end, and nobody else would be served. Where memory is short, bodies go to files earlier:
//! slower, but served.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::{Extensions, StatusCode};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// What all bodies in memory may take before the next ones get less each.
const PLENTY: u64 = 16 << 20;

/// What a body may take even then.
const LEAST: u64 = 16 << 10;

/// What all bodies in memory may take at all, unless single ones may be large.
const MOST: u64 = 64 << 20;

/// How many users are remembered before those are forgotten that hold nothing.
const REMEMBERED: usize = 1024;

/// When a client may come back that found no room.
const COME_BACK: Duration = Duration::from_secs(5);

/// Everybody's share.
pub(crate) struct Shares {
    all: Arc<All>,
    places: usize,
    users: Mutex<HashMap<Arc<str>, Weak<User>>>,
}

struct All {
    memory: AtomicU64,
    most: u64,
}

struct User {
    /// Whether others must be left something.
    one_of_many: bool,
    memory: AtomicU64,
    disk: AtomicU64,
    places: Semaphore,
}

/// What one user may take. It travels with their requests.
#[derive(Clone)]
pub(crate) struct Share {
    all: Arc<All>,
    user: Arc<User>,
}

impl Shares {
    /// Shares where a body may stay in memory up to `memory` bytes and `places` files may be written at once.
    pub(crate) fn new(memory: u64, places: usize) -> Self {
        Self::with_most(MOST.max(memory.saturating_mul(4)), places)
    }

    /// The same with a bound on the memory of all bodies.
    pub(crate) fn with_most(most: u64, places: usize) -> Self {
        let all = Arc::new(All { memory: AtomicU64::new(0), most });
        Self { all, places: places.min(Semaphore::MAX_PERMITS), users: Mutex::default() }
    }

    /// The share of a user among others: the half of everything at most.
    pub(crate) fn of(&self, name: &Arc<str>) -> Share {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let known = users.get(name).and_then(Weak::upgrade);
        let user = known.unwrap_or_else(|| {
            if users.len() >= REMEMBERED {
                users.retain(|_, user| user.strong_count() > 0);
            }
            let user = Arc::new(User::new(true, (self.places / 2).max(1)));
            users.insert(name.clone(), Arc::downgrade(&user));
            user
        });
        Share { all: self.all.clone(), user }
    }

    /// The share of those of whom nobody knows who they are: all there is.
    pub(crate) fn of_anybody(&self) -> Share {
        Share { all: self.all.clone(), user: Arc::new(User::new(false, self.places)) }
    }
}

impl User {
    fn new(one_of_many: bool, places: usize) -> Self {
        let (memory, disk) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { one_of_many, memory, disk, places: Semaphore::new(places) }
    }

    /// Whether `taken` is more than one user may have of `limit`. What is their only body may have all of it.
    fn exceeds(&self, taken: u64, own: u64, limit: u64) -> bool {
        self.one_of_many && taken > limit / 2 && taken != own
    }
}

impl Share {
    /// The share that came with a request.
    pub(crate) fn take(extensions: &mut Extensions) -> Self {
        extensions.remove().unwrap_or_else(Self::lonely)
    }

    /// The same, and it goes on with the request.
    pub(crate) fn find(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_else(Self::lonely)
    }

    fn lonely() -> Self {
        Shares::new(0, Semaphore::MAX_PERMITS).of_anybody()
    }

    /// The places for files that this user may write at once.
    pub(crate) fn places(&self) -> &Semaphore {
        &self.user.places
    }

    /// A body in memory, without a byte yet.
    pub(crate) fn count(&self) -> Counted {
        Counted { share: self.clone(), bytes: 0 }
    }

    /// Takes `bytes` of the disk into account for a body that takes `own` with them; whether there was room.
    pub(crate) fn take_disk(&self, bytes: u64, own: u64, limit: u64) -> bool {
        let taken = self.user.disk.fetch_add(bytes, Ordering::AcqRel) + bytes;
        !self.user.exceeds(taken, own, limit)
    }

    /// Gives them back.
    pub(crate) fn return_disk(&self, bytes: u64) {
        self.user.disk.fetch_sub(bytes, Ordering::AcqRel);
    }
}

/// The bytes of a body in memory, which count until this is dropped.
pub(crate) struct Counted {
    share: Share,
    bytes: u64,
}

impl Counted {
    /// What this body may take in memory as things are now, of `wanted`.
    pub(crate) fn allowance(&self, wanted: u64) -> u64 {
        let others = self.share.all.memory.load(Ordering::Relaxed) - self.bytes;
        let user = &self.share.user;
        let same = user.memory.load(Ordering::Relaxed) - self.bytes;
        let short = others >= PLENTY || (user.one_of_many && same >= PLENTY / 2);
        if short { wanted.min(LEAST) } else { wanted }
    }

    /// Counts further bytes.
    ///
    /// # Errors
    ///
    /// 503 when there is no room for them.
    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), Problem> {
        self.bytes += bytes;
        let (all, user) = (&self.share.all, &self.share.user);
        let taken = all.memory.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let of_user = user.memory.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if taken <= all.most && !user.exceeds(of_user, self.bytes, all.most) {
            return Ok(());
        }
        Err(busy("bodies on their way take all of the memory that they may", "try again later"))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.share.user.memory.fetch_sub(self.bytes, Ordering::Relaxed);
        self.share.all.memory.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The answer to a body for which there is no room.
pub(crate) fn busy(message: &str, hint: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", message)
        .hint(hint)
        .retry_after(COME_BACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_may_take_half_and_a_single_body_all() {
        let shares = Shares::with_most(100, 8);
        let (ann, bob) = (Arc::from("ann"), Arc::from("bob"));
        let mut first = shares.of(&ann).count();
        assert!(first.add(40).is_ok());
        assert!(shares.of(&ann).count().add(11).is_err(), "a second body of the same user");
        assert!(shares.of(&bob).count().add(60).is_ok());
        assert!(first.add(60).is_ok(), "the only one");
        assert!(shares.of(&bob).count().add(1).is_err(), "there is no more");
        drop(first);
        assert!(shares.of(&bob).count().add(100).is_ok());
        assert_eq!(shares.of(&ann).places().available_permits(), 4);
    }

    #[test]
    fn what_may_stay_in_memory_follows_what_all_take() {
        let shares = Shares::new(1 << 20, 8);
        let asked = shares.of_anybody().count();
        assert_eq!(asked.allowance(1 << 20), 1 << 20);
        let mut others = shares.of_anybody().count();
        others.add(PLENTY).map_err(|_| ()).unwrap();
        assert_eq!(asked.allowance(1 << 20), LEAST);
        assert_eq!(others.allowance(1 << 20), 1 << 20, "its own bytes are no others'");
        drop(others);
        let ann = Arc::from("ann");
        let mut same = shares.of(&ann).count();
        same.add(PLENTY / 2).map_err(|_| ()).unwrap();
        assert_eq!(shares.of(&ann).count().allowance(1 << 20), LEAST);
        assert_eq!(asked.allowance(1 << 20), 1 << 20, "others have their own half");
    }

    #[test]
    fn users_without_a_body_are_forgotten() {
        let shares = Shares::new(0, 1);
        let held = shares.of(&Arc::from("held"));
        for number in 0..2 * REMEMBERED {
            shares.of(&Arc::from(number.to_string()));
        }
        assert!(shares.users.lock().unwrap().len() <= REMEMBERED);
        assert!(Arc::ptr_eq(&held.user, &shares.of(&Arc::from("held")).user));
    }
}
