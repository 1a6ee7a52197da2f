//! Credentials that are kept, and when to look for others.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Credentials;
use crate::aws::jitter;

/// New credentials are fetched when this is left of the old ones, or a third where they live shortly.
const AHEAD: Duration = Duration::from_secs(300);

/// Credentials and when to look for others.
pub(super) struct Kept {
    pub(super) credentials: Arc<Credentials>,
    /// Never where they do not end.
    pub(super) refresh: Option<SystemTime>,
}

impl Kept {
    /// Credentials that came at `now`.
    pub(super) fn new(credentials: Arc<Credentials>, now: SystemTime) -> Self {
        let refresh = credentials.expires.map(|end| end - ahead(end.duration_since(now).unwrap_or_default()));
        Self { credentials, refresh }
    }

    pub(super) fn is_fresh(&self, now: SystemTime) -> bool {
        self.refresh.is_none_or(|refresh| now < refresh)
    }

    pub(super) fn is_alive(&self, now: SystemTime) -> bool {
        self.credentials.expires.is_none_or(|end| now < end)
    }
}

/// How long before the end of a life of this length to look for others: not all proxies at the same moment.
fn ahead(life: Duration) -> Duration {
    AHEAD.min(life / 3).mul_f64(1.0 - jitter() / 10.0)
}
