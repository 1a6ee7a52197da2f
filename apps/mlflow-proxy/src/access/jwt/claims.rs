//! What a token says about its bearer, held against the settings.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::token::Token;
use super::{Refusal, Settings};
use crate::access::Identity;
use crate::access::users::EXPIRED;

/// How much clocks may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// The longest name.
const LONGEST: usize = 256;

impl Settings {
    /// Checks issuer, audience and time of a bearer token; gives when it ends.
    pub(super) fn check(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<SystemTime, Refusal> {
        self.check_issuer(claims)?;
        let audience = match claims.get("aud") {
            // Access tokens of Cognito have no audience, but the client that they were made for.
            None => claims.get("client_id"),
            audience => audience,
        };
        let is_ours =
            |name: &Value| name.as_str().is_some_and(|name| self.audiences.iter().any(|it| it == name));
        let for_us = match audience {
            Some(Value::Array(names)) => names.iter().any(is_ours),
            Some(name) => is_ours(name),
            None => false,
        };
        if !for_us {
            return Err(Refusal::Token("the token is for another audience"));
        }
        check_time(claims, None, now)
    }

    /// Checks client, issuer and time of a load balancer's word; gives when it ends.
    pub(super) fn check_balancer(&self, token: &Token<'_>, now: SystemTime) -> Result<SystemTime, Refusal> {
        if self.issuer.is_some() {
            self.check_issuer(&token.claims)?;
        }
        let client = token.client.as_deref();
        if !self.audiences.is_empty() && !self.audiences.iter().any(|it| Some(it.as_str()) == client) {
            return Err(Refusal::Token("the load balancer authenticates for another client"));
        }
        check_time(&token.claims, token.head_expires, now)
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        let wanted = self.issuer.as_deref().unwrap_or_default().trim_end_matches('/');
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/');
        if issuer.is_empty() || issuer != wanted {
            return Err(Refusal::Token("the token is of another issuer"));
        }
        Ok(())
    }

    /// Name and role of the bearer.
    pub(super) fn identity(&self, claims: &Map<String, Value>) -> Result<Identity, Refusal> {
        let name = self.named(claims, &self.name_claim).and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() || name.len() > LONGEST || name.contains(char::is_control) {
            return Err(Refusal::Token("the token has no usable name of its bearer"));
        }
        let groups = self.groups_in(claims);
        let has = |names: &[String]| groups.iter().any(|group| names.iter().any(|name| name == group));
        let role = self.groups.iter().find(|(_, names)| has(names)).map(|(role, _)| *role).or(self.role);
        let role = role.ok_or_else(|| Refusal::NoRole(name.to_owned()))?;
        Ok(Identity { name: Arc::from(name), role, credential: Arc::from("jwt") })
    }

    /// The groups in a claim: those of a list, or a text, which is one group: names of groups may hold spaces and commas. The
    /// claims for scopes are a list with spaces between them. Sources: RFC 8693 section 4.2, and Entra ID's `scp`.
    fn groups_in<'a>(&self, claims: &'a Map<String, Value>) -> Vec<&'a str> {
        match self.named(claims, &self.roles_claim) {
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(scopes)) if matches!(self.roles_claim.as_str(), "scope" | "scp") => {
                scopes.split(' ').collect()
            }
            Some(Value::String(group)) => vec![group],
            _ => Vec::new(),
        }
    }

    /// A claim by its name, or by a way into objects: a name may hold dots itself, as URLs do.
    fn named<'a>(&self, claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
        claims.get(name).or_else(|| {
            let mut parts = name.split('.');
            let first = claims.get(parts.next()?)?;
            parts.try_fold(first, |value, part| value.get(part))
        })
    }
}

fn check_time(
    claims: &Map<String, Value>,
    head: Option<f64>,
    now: SystemTime,
) -> Result<SystemTime, Refusal> {
    let now = now.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let expires = claims.get("exp").and_then(Value::as_f64);
    let ends = match (expires, head) {
        (Some(claim), Some(head)) => claim.min(head),
        (Some(end), None) | (None, Some(end)) => end,
        (None, None) => return Err(Refusal::Token("the token has no end")),
    };
    let leeway = LEEWAY.as_secs_f64();
    if ends + leeway <= now {
        return Err(Refusal::Token(EXPIRED));
    }
    match claims.get("nbf").map(Value::as_f64) {
        Some(Some(begins)) if begins - leeway <= now => {}
        Some(_) => return Err(Refusal::Token("the token is not valid yet")),
        None => {}
    }
    // A time beyond what the clock can hold ends in the far future, which is as good.
    let ends = Duration::try_from_secs_f64((ends + leeway).max(0.0))
        .ok()
        .and_then(|end| UNIX_EPOCH.checked_add(end));
    Ok(ends.unwrap_or(UNIX_EPOCH + Duration::from_secs(32_503_680_000)))
}
