//! The credentials that requests are signed with: fetched, kept, and renewed in time by one caller for all.
//!
//! There are two caches. `base` has what the machine itself is given (an instance's role, a profile); it reads the users'
//! secret, writes the log and assumes the other one. `mlflow` has the assumed role, which may use MLflow and the bucket.
//! The SDK's own cache is not used: it does not renew on a service's word, and each of its clients has another one.

mod base;
mod cache;
mod error;
mod kept;
mod role;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::aws;
use crate::settings::{Reader, Variable};

pub use cache::{CredentialCache, CredentialState, Source};
pub use error::CredentialsError;

/// The settings of credentials.
pub const VARIABLES: &[Variable] = &[ROLE, SESSION_SECONDS];

const ROLE: Variable = Variable {
    name: "SM_MLFLOW_ROLE_ARN",
    default: "",
    about: "The role that signs requests to MLflow and to the bucket; without it the machine's own credentials do.",
};

const SESSION_SECONDS: Variable = Variable {
    name: "MLFLOW_PROXY_SESSION_SECONDS",
    default: "3600",
    about: "Seconds that a session of the role lasts, from 900 up to what the role allows.",
};

/// Credentials of AWS. They are never shown.
#[derive(Clone, PartialEq, Eq)]
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

impl Credentials {
    /// Whether these can stand in the headers of a request.
    fn checked(self) -> Result<Self, CredentialsError> {
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let why = if !visible(&self.access_key_id) || self.secret_access_key.is_empty() {
            "the access key is empty or has characters that no access key has"
        } else if !self.session_token.as_deref().is_none_or(visible) {
            "the session token is empty or has characters that no token has"
        } else {
            return Ok(self);
        };
        Err(CredentialsError::NoBase { why: why.to_owned() })
    }
}

/// Whose credentials to use.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The role to assume.
    pub role: Option<String>,
    /// How long a session of the role lasts.
    pub session: Duration,
    /// The profile of the AWS configuration files, and nothing else, for the base credentials.
    pub profile: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { role: None, session: Duration::from_secs(3600), profile: None }
    }
}

impl Settings {
    /// Reads the settings of credentials.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let role = reader.given(&ROLE);
        if let Some(role) = role.as_deref().filter(|role| !is_role(role)) {
            let hint = "give a role, such as arn:aws:iam::111122223333:role/NAME";
            reader.mistake(&ROLE, format!("is `{role}`, which is no ARN of a role"), hint);
        }
        let session = reader.seconds(&SESSION_SECONDS).unwrap_or(default.session);
        // Source: AssumeRole in the AWS STS API Reference.
        if !(900.0..=43_200.0).contains(&session.as_secs_f64()) {
            let wrong = format!("is `{}`, which is no length of a session", session.as_secs_f64());
            reader.mistake(&SESSION_SECONDS, wrong, "give 900 to 43200 seconds");
        }
        Self { role, session, profile: None }
    }
}

fn is_role(text: &str) -> bool {
    let parts = text.splitn(6, ':').collect::<Vec<_>>();
    let ["arn", partition, "iam", "", account, resource] = parts.as_slice() else { return false };
    partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) && !name.ends_with('/')
        })
}

/// The caches of a proxy.
#[derive(Clone, Debug)]
pub struct Caches {
    /// What the machine is given.
    pub base: CredentialCache,
    /// What uses MLflow and the bucket; the same as `base` where no role is set.
    pub mlflow: CredentialCache,
}

impl Caches {
    /// Empty caches. Nothing is fetched before somebody asks, or [`CredentialCache::keep`] runs.
    pub fn new(settings: &Settings, client: &aws::Client, endpoints: &aws::Endpoints, region: &str) -> Self {
        let clock = || client.clock().clone();
        let base = CredentialCache::by(clock(), base::Base::new(client, region, settings.profile.clone()));
        let mlflow = match &settings.role {
            None => base.clone(),
            Some(role) => {
                let endpoint = endpoints.of(aws::Service::Sts, region);
                let role = role::Role::new(client, &endpoint, region, role, settings.session, base.clone());
                CredentialCache::by(clock(), role)
            }
        };
        Self { base, mlflow }
    }
}
