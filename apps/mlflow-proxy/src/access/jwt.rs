//! JSON Web Tokens: of an OpenID Connect issuer, and of a load balancer that has authenticated a browser.
//!
//! Signatures are checked by `ring`; the parsing around them is ours, so that only what is needed is accepted: asymmetric
//! algorithms, a key that fits the algorithm, the issuer, the audience and the time. Sources: RFC 7515, 7517, 7518, 7519,
//! and "Authenticate users using an Application Load Balancer" in AWS's documentation.

mod balancer;
mod claims;
mod discovery;
mod keys;
pub(super) mod settings;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::HeaderMap;
use ring::digest;

use super::Identity;
use super::sources::Documents;
use balancer::BalancerKeys;
use discovery::IssuerKeys;
use token::Token;

pub use settings::Settings;

/// The header in which a load balancer passes on who it has authenticated.
pub(super) const BALANCER_HEADER: &str = "x-amzn-oidc-data";

/// How long a token that was good is known, so that not every request costs a signature; and how many are known.
const KNOWN_FOR: Duration = Duration::from_secs(60);
const KNOWN: usize = 4096;

/// Why a token lets nobody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is of no use, with what is wrong.
    Token(&'static str),
    /// It is good, and its bearer, of this name, has no role here.
    NoRole(String),
    /// It cannot be told at present, with the reason for the log.
    Unavailable(String),
}

/// What the load balancer says about who asks; none when there is no such header, or more than one.
pub(super) fn balancer_header(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(BALANCER_HEADER).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Checks JSON Web Tokens.
pub(super) struct Verifier {
    settings: Settings,
    issuer: Option<Arc<IssuerKeys>>,
    balancer: Option<BalancerKeys>,
    known: Mutex<HashMap<[u8; 32], Known>>,
}

struct Known {
    identity: Identity,
    /// Until when nothing is checked again.
    until: Instant,
    /// When the token itself ends.
    ends: SystemTime,
}

impl Verifier {
    pub(super) fn new(settings: Settings, documents: Documents) -> Self {
        let issuer = settings.issuer.clone().map(|issuer| IssuerKeys::new(issuer, documents.clone()));
        let balancer = settings.balancer.as_ref().map(|arn| BalancerKeys::new(arn, documents));
        Self { issuer, balancer, known: Mutex::default(), settings }
    }

    pub(super) fn roles_claim(&self) -> &str {
        &self.settings.roles_claim
    }

    pub(super) fn takes_bearer(&self) -> bool {
        self.issuer.is_some()
    }

    /// The bearer of a token of the issuer.
    pub(super) async fn bearer(&self, text: &str, now: SystemTime) -> Result<Identity, Refusal> {
        let Some(issuer) = &self.issuer else {
            return Err(Refusal::Token("tokens of an issuer are not taken here"));
        };
        let hash = hash(b"bearer", text);
        if let Some(identity) = self.known(&hash, now) {
            return Ok(identity);
        }
        let token = Token::parse(text)?;
        let keys = issuer.keys(&token).await?;
        if !keys.iter().any(|key| token.is_signed_by(key)) {
            return Err(Refusal::Token("the signature of the token is wrong"));
        }
        let ends = self.settings.check(&token.claims, now)?;
        let identity = self.settings.identity(&token.claims)?;
        self.learn(hash, &identity, ends);
        Ok(identity)
    }

    /// Whom the load balancer has authenticated.
    pub(super) async fn balancer(&self, text: &str, now: SystemTime) -> Result<Identity, Refusal> {
        let Some(balancer) = &self.balancer else {
            return Err(Refusal::Token("a load balancer's word is not taken here"));
        };
        let hash = hash(b"balancer", text);
        if let Some(identity) = self.known(&hash, now) {
            return Ok(identity);
        }
        let token = Token::parse(text)?;
        balancer.check(&token).await?;
        let ends = self.settings.check_balancer(&token, now)?;
        let identity = self.settings.identity(&token.claims)?;
        self.learn(hash, &identity, ends);
        Ok(identity)
    }

    fn known(&self, hash: &[u8; 32], now: SystemTime) -> Option<Identity> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(hash)?;
        (known.until > Instant::now() && known.ends > now).then(|| known.identity.clone())
    }

    fn learn(&self, hash: [u8; 32], identity: &Identity, ends: SystemTime) {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN {
            known.retain(|_, known| known.until > now);
        }
        if known.len() < KNOWN {
            known.insert(hash, Known { identity: identity.clone(), until: now + KNOWN_FOR, ends });
        }
    }
}

/// A token of one sort is not known as one of the other.
fn hash(sort: &[u8], text: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(sort);
    context.update(b" ");
    context.update(text.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod balancer_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
