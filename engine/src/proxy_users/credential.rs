//! Making tokens and hashing passwords.

use std::fmt;

use argon2::{Argon2, PasswordHasher};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

use super::document::Credential;
use crate::error::{Class, EngineError};

/// What every token of the proxy begins with, so that scanners for leaked secrets can find them.
const PREFIX: &str = "fwp_";
/// The random bytes of a token.
const SECRET_BYTES: usize = 32;
/// The random bytes of its id.
const ID_BYTES: usize = 4;
/// The least and the greatest length of a password, in bytes. The upper one bounds what hashing costs the proxy.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 12..=256;

/// A token and what is kept of it.
pub struct NewToken {
    /// The whole token, which is kept nowhere.
    pub token: String,
    /// What is kept.
    pub credential: Credential,
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").field("credential", &self.credential).finish_non_exhaustive()
    }
}

/// A token of 32 random bytes: `fwp_<id>_<the bytes in URL-safe base64>`.
///
/// # Errors
/// When the operating system has no random numbers.
pub fn new_token() -> Result<NewToken, EngineError> {
    let mut random = [0; ID_BYTES + SECRET_BYTES];
    SystemRandom::new().fill(&mut random).map_err(|_| no_randomness())?;
    let (id, secret) = random.split_at(ID_BYTES);
    let id = hex(id);
    let token = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    let sha256 = hex(&Sha256::digest(&token));
    Ok(NewToken { token, credential: Credential::Token { id, sha256 } })
}

/// A password's Argon2id hash, with the parameters that OWASP recommends first: 19 MiB, two passes, one lane.
///
/// # Errors
/// When the password is too short, too long, or has a character that clients cannot send.
pub fn hash_password(password: &str) -> Result<Credential, EngineError> {
    let refused = |message: String| EngineError::new(Class::Usage, message);
    if !PASSWORD_BYTES.contains(&password.len()) {
        let (least, greatest) = (PASSWORD_BYTES.start(), PASSWORD_BYTES.end());
        return Err(refused(format!("the password has {} bytes", password.len()))
            .with_hint(format!("choose one of {least} to {greatest} bytes")));
    }
    if password.chars().any(char::is_control) {
        return Err(refused("the password has a control character in it".to_owned()));
    }
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| no_randomness())?;
    Ok(Credential::Password { argon2: hash.to_string() })
}

fn no_randomness() -> EngineError {
    EngineError::new(Class::NeedsAction, "the operating system gives no random numbers")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
