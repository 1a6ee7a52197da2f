//! The document in the secret, version 1.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Class, EngineError};

/// The version of the document's form.
const VERSION: u32 = 1;
/// The longest value that Secrets Manager keeps, in bytes. Source: its user guide, "AWS Secrets Manager quotas".
const GREATEST_BYTES: usize = 65_536;
/// The longest name: it stands in every audit line.
const LONGEST_NAME: usize = 64;

/// What a user may do. A proxy may be deployed to let nobody do more than one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read and search everything.
    Reader,
    /// Also create, log, change and restore.
    Writer,
    /// Also delete.
    Admin,
}

impl Role {
    /// The name, as the document has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Admin => "admin",
        }
    }
}

/// How a user shows who it is. Only hashes are kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Credential {
    /// A token that the proxy's clients send.
    Token {
        /// Eight hex digits, which are part of the token: they tell tokens of one name apart.
        id: String,
        /// The SHA-256 of the whole token, 64 hex digits.
        sha256: String,
    },
    /// A password, for clients that send name and password.
    Password {
        /// The Argon2id hash in PHC form.
        argon2: String,
    },
}

impl Credential {
    /// The name of the kind, as the document has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Token { .. } => "token",
            Self::Password { .. } => "password",
        }
    }

    /// The id of a token.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Token { id, .. } => Some(id),
            Self::Password { .. } => None,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.kind()).field("id", &self.id()).finish_non_exhaustive()
    }
}

/// One way in: a name, what it may do, and how it shows who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name, which stands in the proxy's audit lines.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How it shows who it is.
    #[serde(flatten)]
    pub credential: Credential,
    /// When it was added.
    pub created: Timestamp,
    /// When it stops being let in; never without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl User {
    /// Whether it is not let in any more.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The whole document. A secret without a value is one without users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    version: u32,
    /// The users, in the order in which they were added. A name may have several tokens.
    pub users: Vec<User>,
}

impl Default for Users {
    fn default() -> Self {
        Self { version: VERSION, users: Vec::new() }
    }
}

impl Users {
    /// Reads the document.
    ///
    /// # Errors
    /// When it is none of ours, or of a later version. The error does not repeat what stands in it.
    pub fn read(text: &str) -> Result<Self, EngineError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let version = serde_json::from_str::<Version>(text).map(|it| it.version);
        if let Ok(version) = version
            && version > VERSION
        {
            let message = format!(
                "the secret with the proxy's users has version {version}, and this program knows {VERSION}"
            );
            return Err(EngineError::new(Class::Refused, message).with_hint("use a newer formwork"));
        }
        serde_json::from_str(text).map_err(|error| {
            // The words of the error may have a part of the secret in them; its place has not.
            let message = format!(
                "the secret with the proxy's users is not a document of users: line {}, column {}",
                error.line(),
                error.column()
            );
            EngineError::new(Class::Input, message).with_hint(
                "it was written by something else; the version before is kept under the label AWSPREVIOUS",
            )
        })
    }

    /// The document as text.
    ///
    /// # Errors
    /// When it is larger than a secret may be.
    pub fn to_text(&self) -> Result<String, EngineError> {
        let text = serde_json::to_string(self).expect("texts and numbers are written without fail");
        if text.len() > GREATEST_BYTES {
            let message = format!(
                "{} users take {} bytes, and a secret has room for {GREATEST_BYTES}",
                self.users.len(),
                text.len()
            );
            return Err(EngineError::new(Class::Refused, message).with_hint(
                "revoke those that are not needed: `formwork proxy user list` shows which are expired",
            ));
        }
        Ok(text)
    }

    /// All ways in that a name has.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a User> {
        self.users.iter().filter(move |user| user.name == name)
    }

    /// How many are let in at a time.
    pub fn valid(&self, now: Timestamp) -> usize {
        self.users.iter().filter(|user| !user.is_expired(now)).count()
    }
}

/// Whether a name can be one of a user: it stands in headers, logs and command lines.
///
/// # Errors
/// When it cannot.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_inner = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_' | '-' | '@' | '+');
    let begins_well = name.starts_with(|sign: char| sign.is_ascii_alphanumeric());
    if begins_well && name.len() <= LONGEST_NAME && name.chars().all(is_inner) {
        return Ok(());
    }
    Err(format!(
        "{name:?} is not a name of a user: it has 1 to {LONGEST_NAME} letters, digits and `.`, `_`, `-`, `@` or `+`, and \
         begins with a letter or digit"
    ))
}
