//! The keys of an issuer, found by OpenID Connect discovery and kept.
//!
//! A token may name a key that is new: then the keys are fetched again, but seldom, so that tokens with invented names
//! make no traffic. Keys are also fetched again when they are old, behind the back of requests; what is known serves on
//! when the issuer cannot be reached.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use serde::Deserialize;

use super::Refusal;
use super::keys::{Key, KeySet};
use super::settings::is_safe;
use super::token::Token;
use crate::access::sources::Documents;

/// The greatest documents: of discovery, and of keys.
const DISCOVERY: usize = 64 * 1024;
const KEYS: usize = 256 * 1024;

/// After this time keys are old, and fetched again in passing.
const OLD: Duration = Duration::from_secs(3600);

/// Keys are not fetched more often than this because of a key that is not known, or after a failure.
const PAUSE: Duration = Duration::from_secs(30);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(3);

/// The keys of an issuer.
pub(super) struct IssuerKeys {
    issuer: String,
    documents: Documents,
    keys: ArcSwapOption<(KeySet, Instant)>,
    /// One fetches for all; when that was the last time, and why it failed.
    pub(super) fetching: tokio::sync::Mutex<Option<Instant>>,
    failure: Mutex<Option<String>>,
}

/// The parts of a discovery document that are needed. Source: OpenID Connect Discovery 1.0, section 3.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl IssuerKeys {
    pub(super) fn new(issuer: String, documents: Documents) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            documents,
            keys: ArcSwapOption::empty(),
            fetching: tokio::sync::Mutex::default(),
            failure: Mutex::default(),
        })
    }

    /// The keys that may have signed a token.
    pub(super) async fn keys(self: &Arc<Self>, token: &Token<'_>) -> Result<Vec<Key>, Refusal> {
        if let Some(found) = self.look(token) {
            self.renew_if_old();
            return Ok(found);
        }
        let mut last = self.fetching.lock().await;
        if let Some(found) = self.look(token) {
            return Ok(found);
        }
        let failed = self.failure().is_some();
        let pause = if failed { PAUSE_AFTER_FAILURE } else { PAUSE };
        if last.is_none_or(|last| last.elapsed() >= pause) {
            *last = Some(Instant::now());
            self.fetch().await;
        }
        drop(last);
        match (self.look(token), self.failure()) {
            (Some(found), _) => Ok(found),
            (None, Some(reason)) => Err(Refusal::Unavailable(reason)),
            (None, None) => Err(Refusal::Token("the token is signed by a key that its issuer does not have")),
        }
    }

    fn look(&self, token: &Token<'_>) -> Option<Vec<Key>> {
        let keys = self.keys.load();
        let found = keys.as_ref()?.0.find(token.key_id.as_deref(), token.algorithm);
        (!found.is_empty()).then_some(found)
    }

    fn renew_if_old(self: &Arc<Self>) {
        let old = self.keys.load().as_ref().is_some_and(|keys| keys.1.elapsed() >= OLD);
        if !old {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let Ok(mut last) = this.fetching.try_lock() else { return };
            if last.is_none_or(|last| last.elapsed() >= PAUSE) {
                *last = Some(Instant::now());
                this.fetch().await;
            }
        });
    }

    async fn fetch(&self) {
        let fetched = self.read().await;
        let failure = match fetched {
            Ok(keys) => {
                self.keys.store(Some(Arc::new((keys, Instant::now()))));
                None
            }
            Err(reason) => Some(reason),
        };
        if let Some(reason) = &failure {
            tracing::warn!(target: "access", event = "keys_not_read", "{reason}");
        }
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    async fn read(&self) -> Result<KeySet, String> {
        let issuer = self.issuer.trim_end_matches('/');
        let place = format!("{issuer}/.well-known/openid-configuration");
        let uri = place.parse().map_err(|error| format!("{place}: {error}"))?;
        let document = (self.documents)(uri, DISCOVERY).await.map_err(|error| format!("{place}: {error}"))?;
        let discovery: Discovery = serde_json::from_slice(&document)
            .map_err(|error| format!("{place}: it is no discovery document: {error}"))?;
        if discovery.issuer.trim_end_matches('/') != issuer {
            return Err(format!("{place}: its issuer is {}", discovery.issuer));
        }
        let place = discovery.jwks_uri;
        if place.starts_with("https:") || (issuer.starts_with("http:") && is_safe(&place)) {
            let uri = place.parse().map_err(|error| format!("{place}: {error}"))?;
            let document = (self.documents)(uri, KEYS).await.map_err(|error| format!("{place}: {error}"))?;
            return KeySet::parse(&document).map_err(|error| format!("{place}: {error}"));
        }
        Err(format!("{place}: keys are fetched by HTTPS only"))
    }

    fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
