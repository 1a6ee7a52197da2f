//! The signing key, derived once a day for each secret.
//!
//! Four rounds of HMAC are half of a small request's signature. The key changes with the day, and with the credentials
//! about once an hour, so that one is kept and found without a lock.

use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};
use http::HeaderValue;
use ring::hmac::{self, HMAC_SHA256};

use super::TERMINATOR;
use crate::credentials::Credentials;

/// What is derived from the credentials for a day.
pub(super) struct Key {
    day: Vec<u8>,
    secret: String,
    session: Option<String>,
    token: Option<HeaderValue>,
    key: hmac::Key,
}

impl Key {
    fn is_for(&self, day: &[u8], credentials: &Credentials) -> bool {
        // Both sides are ours: nobody can learn anything from how long this takes.
        self.day == day
            && self.secret == credentials.secret_access_key
            && self.session == credentials.session_token
    }
}

/// The key of the day, kept until another is asked for.
pub(super) struct Keys {
    region: String,
    service: String,
    last: ArcSwapOption<Key>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys")
    }
}

/// A key, borrowed if it was there.
pub(super) enum Found {
    Kept(Guard<Option<Arc<Key>>>),
    Made(Arc<Key>),
}

impl Found {
    fn key(&self) -> &Key {
        match self {
            Self::Kept(guard) => guard.as_ref().expect("a guard is kept only around a key"),
            Self::Made(key) => key,
        }
    }

    pub(super) fn hmac(&self) -> &hmac::Key {
        &self.key().key
    }

    pub(super) fn token(&self) -> Option<&HeaderValue> {
        self.key().token.as_ref()
    }
}

impl Keys {
    pub(super) fn new(region: &str, service: &str) -> Self {
        Self { region: region.to_owned(), service: service.to_owned(), last: ArcSwapOption::empty() }
    }

    pub(super) fn get(&self, day: &[u8], credentials: &Credentials) -> Found {
        let kept = self.last.load();
        if kept.as_ref().is_some_and(|key| key.is_for(day, credentials)) {
            return Found::Kept(kept);
        }
        let key = Arc::new(self.derive(day, credentials));
        self.last.store(Some(key.clone()));
        Found::Made(key)
    }

    fn derive(&self, day: &[u8], credentials: &Credentials) -> Key {
        let start = format!("AWS4{}", credentials.secret_access_key);
        let mut key = hmac::Key::new(HMAC_SHA256, start.as_bytes());
        for part in [day, self.region.as_bytes(), self.service.as_bytes(), TERMINATOR.as_bytes()] {
            key = hmac::Key::new(HMAC_SHA256, hmac::sign(&key, part).as_ref());
        }
        let token = credentials.session_token.as_deref().and_then(|token| HeaderValue::from_str(token).ok());
        Key {
            day: day.to_owned(),
            secret: credentials.secret_access_key.clone(),
            session: credentials.session_token.clone(),
            token: token.map(|mut token| {
                token.set_sensitive(true);
                token
            }),
            key,
        }
    }
}
