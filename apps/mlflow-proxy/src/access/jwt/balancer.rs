//! The keys of Application Load Balancers, which sign what they say about a browser's user.
//!
//! Anybody may set up a balancer whose keys lie in the same place: what counts is the signer, which is compared before
//! anything is fetched. Source: "Authenticate users using an Application Load Balancer", AWS documentation.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::Refusal;
use super::keys::Key;
use super::token::{Algorithm, Token};
use crate::access::limits::{Bucket, Buckets};
use crate::access::sources::Documents;

/// The greatest document with a key.
const GREATEST: usize = 8 * 1024;

/// Keys that are kept; a balancer has one or two.
const KEPT: usize = 16;

/// Fetches: a key falls into one of some places by a hash that nobody can foretell, and each place has 3 at once, then one in
/// 5 s. Whoever invents keys has to fill every place before a real one, which is fetched once, has to wait.
const FETCHES: Bucket = Bucket::new(Duration::from_secs(5), 3);
const PLACES: usize = 64;

/// How long is known what came of a fetch whose key has signed nothing.
const REMEMBERED: Duration = Duration::from_secs(10);

/// A fetch on its way or done: one for all who wait for it.
type Fetch = Shared<BoxFuture<'static, (Result<Key, String>, Instant)>>;

/// The keys of one load balancer.
pub(super) struct BalancerKeys {
    arn: String,
    place: String,
    documents: Documents,
    known: Mutex<Known>,
    fetches: Buckets,
}

#[derive(Default)]
struct Known {
    /// Keys that have signed a word of the balancer: nobody else's get here.
    proven: HashMap<String, Key>,
    /// Fetches of late, bounded by how many there may be.
    fetched: HashMap<String, Fetch>,
}

/// The region of an Application Load Balancer, or none when the ARN is not one's.
pub(super) fn region(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "elasticloadbalancing", region, _, resource]
            if resource.starts_with("loadbalancer/app/")
                && !region.is_empty()
                && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            Some(region)
        }
        _ => None,
    }
}

/// Where the keys of a region lie; GovCloud has buckets for them.
fn place(region: &str) -> String {
    if region.starts_with("us-gov-") {
        format!("https://s3-{region}.amazonaws.com/aws-elb-public-keys-prod-{region}")
    } else {
        format!("https://public-keys.auth.elb.{region}.amazonaws.com")
    }
}

impl BalancerKeys {
    pub(super) fn new(arn: &str, documents: Documents) -> Self {
        Self {
            arn: arn.to_owned(),
            place: place(region(arn).unwrap_or_default()),
            documents,
            known: Mutex::default(),
            fetches: Buckets::new(FETCHES, PLACES, RandomState::new().hash_one(arn)),
        }
    }

    /// Checks that the load balancer has signed a token.
    pub(super) async fn check(&self, token: &Token<'_>) -> Result<(), Refusal> {
        if token.signer.as_deref() != Some(&self.arn) {
            return Err(Refusal::Token("the token was not signed by the load balancer of this proxy"));
        }
        if token.algorithm != Algorithm::Es256 {
            return Err(Refusal::Token("load balancers sign by ES256 only"));
        }
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let valid = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(is_part);
        let id = token.key_id.as_deref().filter(valid);
        let id = id.ok_or(Refusal::Token("the token names no key of a load balancer"))?;
        let wrong = Refusal::Token("the signature of the load balancer is wrong");
        let proven = self.known().proven.get(id).cloned();
        if let Some(key) = proven {
            return if token.is_signed_by(&key) { Ok(()) } else { Err(wrong) };
        }
        let fetch = self.fetch(id)?;
        let (key, _) = fetch.await;
        let key = key.map_err(|error| Refusal::Unavailable(format!("{}/{id}: {error}", self.place)))?;
        if !token.is_signed_by(&key) {
            return Err(wrong);
        }
        let mut known = self.known();
        if known.proven.len() >= KEPT {
            known.proven.clear();
        }
        known.proven.insert(id.to_owned(), key);
        Ok(())
    }

    /// The fetch of a key: the one that is on its way or was done lately, else a new one. It goes on when whoever asked for it
    /// goes away.
    fn fetch(&self, id: &str) -> Result<Fetch, Refusal> {
        let mut known = self.known();
        let is_new = |fetch: &Fetch| fetch.peek().is_none_or(|(_, when)| when.elapsed() < REMEMBERED);
        if let Some(fetch) = known.fetched.get(id).filter(|fetch| is_new(fetch)) {
            return Ok(fetch.clone());
        }
        if self.fetches.take(id, Instant::now()).is_err() {
            return Err(Refusal::Unavailable("too many keys of load balancers were asked for".to_owned()));
        }
        known.fetched.retain(|_, fetch| is_new(fetch));
        let (documents, place) = (self.documents.clone(), format!("{}/{id}", self.place));
        let read = async move {
            let uri = place.parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
            let document = documents(uri, GREATEST).await?;
            Key::from_pem(&document).ok_or_else(|| "it is no public key on the curve P-256".to_owned())
        };
        let fetch = read.map(|key| (key, Instant::now())).boxed().shared();
        tokio::spawn(fetch.clone());
        known.fetched.insert(id.to_owned(), fetch.clone());
        Ok(fetch)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_where_the_documentation_says() {
        let arn =
            "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/proxy/0123456789abcdef";
        assert_eq!(region(arn), Some("eu-central-1"));
        assert_eq!(place("eu-central-1"), "https://public-keys.auth.elb.eu-central-1.amazonaws.com");
        let govcloud = "https://s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1";
        assert_eq!(place("us-gov-west-1"), govcloud);
        for wrong in [
            "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/proxy/0",
            "arn:aws:elasticloadbalancing:evil.example/:123456789012:loadbalancer/app/proxy/0",
            "arn:aws:s3:::bucket",
            "",
        ] {
            assert_eq!(region(wrong), None, "{wrong}");
        }
    }
}
