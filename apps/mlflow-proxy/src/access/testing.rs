//! Users and keys that tests make up.

use std::sync::{Arc, Mutex};

use argon2::password_hash::{CustomizedPasswordHasher, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use http::Method;
use ring::digest;
use serde_json::{Value, json};

use super::routes::{Route, look_up};
use super::sources::Secret;

/// The row of a request.
pub(super) fn find(method: &Method, path: &str) -> Option<&'static Route> {
    look_up(method, path).ok()
}

/// A token with an id, the same for the same id.
pub(super) fn token(id: &str) -> String {
    format!(
        "fwp_{id}_{}",
        format!("{id}-random-text-of-a-test-").repeat(2).chars().take(43).collect::<String>()
    )
}

/// The entry of a token's user.
pub(super) fn with_token(name: &str, role: &str, id: &str) -> Value {
    let hash = digest::digest(&digest::SHA256, token(id).as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "name": name, "role": role, "kind": "token", "id": id, "sha256": hex, "created": "2026-01-01T00:00:00Z",
    })
}

/// The entry of a user with a password, hashed as cheaply as possible.
pub(super) fn with_password(name: &str, role: &str, password: &str) -> Value {
    let params = Params::new(8, 1, 1, None).unwrap();
    let hash: phc::PasswordHash = Argon2::default()
        .hash_password_customized(
            password.as_bytes(),
            b"salt-of-a-test",
            Some(Algorithm::Argon2id.as_str()),
            Some(Version::V0x13.into()),
            params,
        )
        .unwrap();
    json!({
        "name": name, "role": role, "kind": "password", "argon2": hash.to_string(), "created": "2026-01-01T00:00:00Z",
    })
}

/// The document of some users.
pub(super) fn document(users: &[Value]) -> String {
    json!({ "version": 1, "users": users }).to_string()
}

/// A secret whose content a test changes, and which counts how often it was read.
#[derive(Clone, Default)]
pub(super) struct Source {
    content: Arc<Mutex<Content>>,
}

#[derive(Default)]
struct Content {
    answer: Option<Result<Option<String>, String>>,
    reads: u32,
}

impl Source {
    pub(super) fn with(users: &[Value]) -> Self {
        let source = Self::default();
        source.set(Ok(Some(document(users))));
        source
    }

    pub(super) fn set(&self, content: Result<Option<String>, String>) {
        self.content.lock().unwrap().answer = Some(content);
    }

    pub(super) fn reads(&self) -> u32 {
        self.content.lock().unwrap().reads
    }

    pub(super) fn secret(&self) -> Secret {
        let source = self.clone();
        Arc::new(move || {
            let mut content = source.content.lock().unwrap();
            content.reads += 1;
            let answer = content.answer.clone().unwrap_or(Ok(None));
            Box::pin(async move { answer })
        })
    }
}
