//! The keys of Application Load Balancers, which sign what they say about a browser's user.
//!
//! Anybody may set up a balancer whose keys lie in the same place: what counts is the signer, which is compared before
//! anything is fetched. Source: "Authenticate users using an Application Load Balancer", AWS documentation.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Refusal;
use super::keys::Key;
use super::token::{Algorithm, Token};
use crate::access::limits::{Bucket, Buckets};
use crate::access::sources::Documents;

/// The greatest document with a key.
const GREATEST: usize = 8 * 1024;

/// Keys that are kept; a balancer has one or two.
const KEPT: usize = 16;

/// Fetches: 5 at once, then one in 5 s.
const FETCHES: Bucket = Bucket::new(Duration::from_secs(5), 5);

/// The keys of one load balancer.
pub(super) struct BalancerKeys {
    arn: String,
    place: String,
    documents: Documents,
    keys: tokio::sync::Mutex<HashMap<String, Key>>,
    fetches: Buckets,
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
            keys: tokio::sync::Mutex::default(),
            fetches: Buckets::new(FETCHES, 1, 0),
        }
    }

    /// The key that a token says to be signed by.
    pub(super) async fn key(&self, token: &Token<'_>) -> Result<Key, Refusal> {
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
        let mut keys = self.keys.lock().await;
        if let Some(key) = keys.get(id) {
            return Ok(key.clone());
        }
        if self.fetches.take("", Instant::now()).is_err() {
            return Err(Refusal::Unavailable("too many keys of load balancers were asked for".to_owned()));
        }
        let place = format!("{}/{id}", self.place);
        let unavailable = |error: String| Refusal::Unavailable(format!("{place}: {error}"));
        let uri = place.parse().map_err(|error: http::uri::InvalidUri| unavailable(error.to_string()))?;
        let document = (self.documents)(uri, GREATEST).await.map_err(unavailable)?;
        let key = Key::from_pem(&document);
        let key = key.ok_or_else(|| unavailable("it is no public key on the curve P-256".to_owned()))?;
        if keys.len() >= KEPT {
            keys.clear();
        }
        keys.insert(id.to_owned(), key.clone());
        Ok(key)
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
