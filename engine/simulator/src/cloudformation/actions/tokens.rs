//! Tokens: the same token with the same content is the same call, answered again and not done again.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Answer, Call};
use crate::api::{ApiError, Element};

impl Call<'_, '_> {
    /// The place of the call's token, if it has one.
    pub(super) fn token_key(&self) -> Option<String> {
        let token = self.token()?;
        // A detection or a read takes none; those that do share one space of tokens.
        Some(format!("{}/{}/{token}", self.context.account, self.context.region))
    }

    /// The token that the events of the operation carry.
    pub(super) fn token(&self) -> Option<&str> {
        let name = if self.action == "CreateChangeSet" { "ClientToken" } else { "ClientRequestToken" };
        self.parameters.get(name)
    }

    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.action.as_bytes());
        hash.update(format!("{:?}", self.parameters).as_bytes());
        let mut text = String::new();
        for byte in hash.finalize() {
            // Writing into a text cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The answer that the same call got before, or the refusal of a token that another call had.
    pub(super) fn repeated(&self, key: &str) -> Option<Answer> {
        let (digest, answer) = self.engine.world.tokens.get(key)?;
        if *digest == self.digest() {
            return Some(Ok(answer.clone()));
        }
        let token = self.token().unwrap_or_default();
        Some(Err(ApiError::new(
            "TokenAlreadyExistsException",
            format!("Client request token {token} already exists"),
        )))
    }

    pub(super) fn remember(&mut self, key: String, answer: &[Element]) {
        let digest = self.digest();
        self.engine.world.tokens.insert(key, (digest, answer.to_vec()));
    }
}
