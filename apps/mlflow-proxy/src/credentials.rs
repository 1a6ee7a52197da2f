//! The credentials that requests are signed with: fetched, kept, and renewed in time by one caller for all.

use std::fmt;
use std::time::SystemTime;

/// Credentials of AWS. They are never shown.
#[derive(Clone)]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The token of a session.
    pub session_token: Option<String>,
    /// When they end; without a time they do not.
    pub expires: Option<SystemTime>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}
