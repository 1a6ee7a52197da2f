//! The users, as the secret tells them.
//!
//! An entry that cannot be used is left out and told, since the others must go on working; a document that is no document
//! of users is refused as a whole, and what was read before stays.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::{Identity, Role, passwords, tokens};

/// The longest document that is read. A secret holds 64 KiB at most.
const LONGEST: usize = 1024 * 1024;

/// How often the use of a credential is told: the time of its last use is known this closely.
const USE_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// A user: one name with one credential.
#[derive(Debug)]
pub(super) struct User {
    name: Arc<str>,
    role: Role,
    credential: Arc<str>,
    secret: Secret,
    expires: Option<SystemTime>,
    /// Seconds since 1970 of the last use that was told; 0 is never.
    used: Arc<AtomicU64>,
}

/// What a credential is checked against.
#[derive(Debug)]
enum Secret {
    Token([u8; 32]),
    Password(Arc<str>),
}

impl User {
    pub(super) fn identity(&self) -> Identity {
        Identity { name: self.name.clone(), role: self.role, credential: self.credential.clone() }
    }

    /// The hash of the password, in PHC's form.
    pub(super) fn password_hash(&self) -> Option<&Arc<str>> {
        match &self.secret {
            Secret::Password(hash) => Some(hash),
            Secret::Token(_) => None,
        }
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Tells the use of the credential, the first time and then now and then.
    pub(super) fn note_use(&self, now: SystemTime) {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let told = self.used.load(Ordering::Relaxed);
        let due = told == 0 || now.saturating_sub(told) >= USE_INTERVAL.as_secs();
        if due && self.used.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::info!(
                target: "access",
                event = "credential_used",
                user = &*self.name,
                role = self.role.as_str(),
                credential = &*self.credential,
                "a credential was used"
            );
        }
    }
}

/// What is wrong with a token that was good once.
pub(super) const EXPIRED: &str = "the token has expired";

/// Everybody who may come in.
#[derive(Debug, Default)]
pub struct Users {
    tokens: HashMap<Box<str>, Arc<User>>,
    passwords: HashMap<Arc<str>, Arc<User>>,
    left_out: Vec<String>,
}

/// The document, version 1.
#[derive(Deserialize)]
struct Document {
    version: u32,
    users: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    role: String,
    kind: String,
    id: Option<String>,
    sha256: Option<String>,
    argon2: Option<String>,
    expires: Option<String>,
}

impl Users {
    /// Reads the document that `formwork proxy user` writes.
    ///
    /// # Errors
    ///
    /// It is no document of users. No part of it is in the message.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the users are {} bytes long, more than {LONGEST}", text.len()));
        }
        let document: Document = serde_json::from_str(text).map_err(|error| {
            format!("the users are no document of users (line {}, column {})", error.line(), error.column())
        })?;
        if document.version != 1 {
            return Err(format!(
                "the users are in version {}, and this proxy knows version 1",
                document.version
            ));
        }
        let mut users = Self::default();
        for (index, value) in document.users.into_iter().enumerate() {
            let entry: Result<Entry, _> = serde_json::from_value(value);
            let entry = entry.map_err(|_| "it is not in the form of a user".to_owned());
            if let Err(wrong) = entry.and_then(|entry| users.add(entry)) {
                users.left_out.push(format!("user {} is left out: {wrong}", index + 1));
            }
        }
        Ok(users)
    }

    fn add(&mut self, entry: Entry) -> Result<(), String> {
        let valid =
            !entry.name.is_empty() && entry.name.len() <= 128 && !entry.name.contains(char::is_control);
        if !valid {
            return Err("its name is empty, too long or has control characters".to_owned());
        }
        let role = entry.role.parse().map_err(|error| format!("its role is {error}"))?;
        let expires = entry.expires.as_deref().map(time).transpose()?;
        let name: Arc<str> = Arc::from(entry.name);
        let user = |credential: String, secret| {
            let used = Arc::default();
            Arc::new(User {
                name: name.clone(),
                role,
                credential: Arc::from(credential),
                secret,
                expires,
                used,
            })
        };
        match entry.kind.as_str() {
            "token" => {
                let id = entry.id.filter(|id| tokens::is_id(id)).ok_or("its id is not 8 hex digits")?;
                let hash = entry.sha256.as_deref().and_then(tokens::hash_from_hex);
                let hash = hash.ok_or("its sha256 is not 64 hex digits")?;
                if self.tokens.contains_key(id.as_str()) {
                    return Err(format!("another one has the id {id}"));
                }
                let user = user(format!("token {id}"), Secret::Token(hash));
                self.tokens.insert(id.into_boxed_str(), user);
            }
            "password" => {
                let hash = entry.argon2.ok_or("it has no argon2")?;
                passwords::acceptable(&hash)?;
                if self.passwords.contains_key(&name) {
                    return Err("another one has the same name and a password".to_owned());
                }
                let user = user("password".to_owned(), Secret::Password(Arc::from(hash)));
                self.passwords.insert(name.clone(), user);
            }
            _ => return Err("its kind is neither token nor password".to_owned()),
        }
        Ok(())
    }

    /// Keeps the times of last use of those who stay.
    pub(super) fn take_over(&mut self, before: &Self) {
        fn keep<K: std::hash::Hash + Eq>(now: &mut HashMap<K, Arc<User>>, before: &HashMap<K, Arc<User>>) {
            for (key, user) in now {
                if let (Some(old), Some(user)) = (before.get(key), Arc::get_mut(user)) {
                    user.used = old.used.clone();
                }
            }
        }
        keep(&mut self.tokens, &before.tokens);
        keep(&mut self.passwords, &before.passwords);
    }

    /// The user of a token.
    ///
    /// # Errors
    ///
    /// Why it is of no use, without telling more than its bearer knows.
    pub(super) fn token(&self, token: &str, now: SystemTime) -> Result<Arc<User>, &'static str> {
        let unknown = "the token is not known; it may have been revoked";
        let id = tokens::id(token).ok_or(unknown)?;
        let user = self.tokens.get(id);
        let expected = match user.map(|user| &user.secret) {
            Some(Secret::Token(hash)) => *hash,
            _ => [0; 32],
        };
        // The hash is made and compared for ids that nobody has, too.
        let good = tokens::matches(token, &expected);
        match user {
            Some(user) if good && user.is_expired(now) => Err(EXPIRED),
            Some(user) if good => Ok(user.clone()),
            _ => Err(unknown),
        }
    }

    /// The user of this name who has a password.
    pub(super) fn password(&self, name: &str) -> Option<Arc<User>> {
        self.passwords.get(name).cloned()
    }

    /// How many credentials there are.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.passwords.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was left out, and why.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

fn time(text: &str) -> Result<SystemTime, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| format!("its expiry `{text}` is no time in RFC 3339"))?;
    Ok(time.into())
}

#[cfg(test)]
mod tests;
