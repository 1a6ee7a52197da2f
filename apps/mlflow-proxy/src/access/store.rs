//! The users as they were read last, and when to read them again.
//!
//! What was read stays until something better is read: a secret that cannot be reached or understood locks nobody out. It does
//! not stay for ever, or whoever was revoked could come in for as long as the secret is gone. A secret without a version is
//! an answer, too: nobody may come in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::sources::Secret;
use super::users::Users;

/// How long reading the secret may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// After a failed login the users are read again, but not more often than this.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How a client that was refused waits for that.
const REFUSED_WAITS: Duration = Duration::from_secs(3);

/// What is known about the users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Whether they are known: they were read, and not too long ago.
    pub loaded: bool,
    /// Whether they were known once and could not be read for too long.
    pub outdated: bool,
    /// How many credentials there are.
    pub users: usize,
    /// What is wrong with single entries.
    pub left_out: Vec<String>,
    /// Why the last reading failed; what was read before is still in use.
    pub error: Option<String>,
    /// How often reading failed since the start.
    pub failures: u64,
}

/// The users, read anew from their source.
pub struct UserStore {
    secret: Secret,
    interval: Duration,
    max_age: Duration,
    users: ArcSwap<Users>,
    state: Mutex<State>,
    /// The text that was read last, to see whether another one is there; and when.
    reading: tokio::sync::Mutex<Option<(Option<String>, Instant)>>,
    /// When they were last read well.
    good: Mutex<Option<Instant>>,
}

impl UserStore {
    /// A store that reads from a source every `interval`, and forgets what it could not read again for `max_age`.
    pub fn new(secret: Secret, interval: Duration, max_age: Duration) -> Arc<Self> {
        Arc::new(Self {
            secret,
            interval,
            max_age,
            users: ArcSwap::default(),
            state: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            good: Mutex::default(),
        })
    }

    /// Reads the users now and goes on reading them until the store is dropped. A first failure is no end: it is told by
    /// [`State`], and requests are answered by 503 until it has passed.
    pub async fn start(self: &Arc<Self>) {
        self.refresh().await;
        let (store, interval) = (Arc::downgrade(self), self.interval);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                let Some(store) = store.upgrade() else { return };
                store.refresh().await;
            }
        });
    }

    /// Reads the users now.
    pub async fn refresh(&self) {
        let mut last = self.reading.lock().await;
        self.read(&mut last).await;
    }

    /// Reads the users because somebody was refused by those `seen`, unless that was done a moment ago; true when there are
    /// others now.
    pub(super) async fn refresh_after_failure(&self, seen: &Arc<Users>) -> bool {
        let refresh = async {
            let mut last = self.reading.lock().await;
            if last.as_ref().is_none_or(|(_, when)| when.elapsed() >= AFTER_FAILURE) {
                self.read(&mut last).await;
            }
        };
        let _ = tokio::time::timeout(REFUSED_WAITS, refresh).await;
        !Arc::ptr_eq(seen, &self.users.load())
    }

    /// The users as they are known.
    pub(super) fn users(&self) -> Arc<Users> {
        self.users.load_full()
    }

    /// What is known about them.
    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, last: &mut Option<(Option<String>, Instant)>) {
        let read = match tokio::time::timeout(PATIENCE, (self.secret)()).await {
            Ok(read) => read,
            Err(_) => Err(format!("the users could not be read within {} s", PATIENCE.as_secs())),
        };
        let now = Instant::now();
        let text = match read {
            Ok(text) => text,
            Err(error) => {
                // The time counts, so that failed logins do not ask a source that is in trouble all the time.
                let text = last.take().and_then(|(text, _)| text);
                *last = Some((text, now));
                return self.failed(error);
            }
        };
        let same = last.as_ref().is_some_and(|(before, _)| *before == text) && self.state().error.is_none();
        if same && self.state().loaded {
            *last = Some((text, now));
            self.note_good(now);
            return;
        }
        let parsed = text.as_deref().map_or_else(|| Ok(Users::default()), Users::parse);
        *last = Some((text, now));
        match parsed {
            Ok(mut users) => {
                users.take_over(&self.users.load());
                self.note_good(now);
                self.loaded(&users);
                self.users.store(Arc::new(users));
            }
            Err(error) => self.failed(error),
        }
    }

    fn note_good(&self, now: Instant) {
        *self.good.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    fn is_too_old(&self) -> bool {
        let good = *self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.is_some_and(|good| good.elapsed() >= self.max_age)
    }

    fn loaded(&self, users: &Users) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let news = !state.loaded || state.users != users.len() || state.left_out != users.left_out();
        *state = State {
            loaded: true,
            outdated: false,
            users: users.len(),
            left_out: users.left_out().to_vec(),
            error: None,
            failures: state.failures,
        };
        drop(state);
        if news {
            tracing::info!(target: "access", event = "users_read", users = users.len(), "the users were read");
            for wrong in users.left_out() {
                tracing::warn!(target: "access", event = "user_left_out", "{wrong}");
            }
        }
    }

    fn failed(&self, error: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures += 1;
        if state.loaded && self.is_too_old() {
            (state.loaded, state.outdated, state.users) = (false, true, 0);
            state.left_out.clear();
            self.users.store(Arc::default());
            let hours = self.max_age.as_secs() / 3600;
            tracing::error!(target: "access", event = "users_forgotten", hours, "{error}; nobody can come in now");
        }
        let news = state.error.as_ref() != Some(&error);
        let kept = if state.loaded { "those read before stay" } else { "nobody can come in" };
        if news {
            tracing::warn!(target: "access", event = "users_not_read", "{error}; {kept}");
        }
        state.error = Some(error);
    }
}

#[cfg(test)]
mod tests;
