//! Assuming a role, and doing without it where that is safe.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sts::types::Tag;

use super::error::{Error, ErrorKind};
use super::retry::{Caller, Patience};

/// A role to assume.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleOptions {
    /// The role's ARN; `${AWS::Partition}`, `${AWS::AccountId}` and `${AWS::Region}` are filled in.
    pub arn: String,
    /// The external id that the role's trust asks for.
    pub external_id: Option<String>,
    /// The name that the session has in CloudTrail; one with the time if none is given.
    pub session_name: Option<String>,
    /// Tags of the session.
    pub tags: BTreeMap<String, String>,
}

impl RoleOptions {
    /// A role without anything else.
    pub fn of(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), ..Self::default() }
    }
}

/// A role that a caller assumes as often as it has to.
pub(crate) struct Role {
    pub(crate) options: RoleOptions,
    pub(crate) session_name: String,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) base: Caller,
}

/// Chained roles live an hour at most, so that asking for more would fail.
const LIFE: Duration = Duration::from_secs(3_600);
const OPERATION: &str = "AssumeRole";

impl Role {
    pub(crate) async fn assume(&self) -> Result<Credentials, Error> {
        match self.ask(true).await {
            // sts:TagSession is a permission of its own, in the role's trust as well.
            Err(denied)
                if denied.kind == ErrorKind::Denied
                    && !self.options.tags.is_empty()
                    && denied.message.contains("TagSession") =>
            {
                self.ask(false).await
            }
            answer => answer,
        }
    }

    /// Reads the credentials again that assume the role.
    pub(crate) async fn renew_base(&self) -> Result<(), Error> {
        let (_, generation) = self.base.credentials().current().await?;
        self.base.credentials().renew(generation).await.map(drop)
    }

    async fn ask(&self, with_tags: bool) -> Result<Credentials, Error> {
        let tags = self.options.tags.iter().filter(|_| with_tags);
        let tags: Vec<_> =
            tags.filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect();
        let request = self
            .sts
            .assume_role()
            .role_arn(&self.options.arn)
            .role_session_name(&self.session_name)
            .set_external_id(self.options.external_id.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .duration_seconds(i32::try_from(LIFE.as_secs()).unwrap_or(3_600));
        let answer = self.base.read(OPERATION, Patience::SHORT, || async {
            request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))
        });
        let answer = answer.await?;
        let made = answer
            .credentials
            .ok_or_else(|| Error::new(OPERATION, ErrorKind::Protocol, "the answer has no credentials"))?;
        let end = std::time::SystemTime::try_from(made.expiration).ok();
        Ok(Credentials::new(
            made.access_key_id,
            made.secret_access_key,
            Some(made.session_token),
            end,
            "AssumeRole",
        ))
    }
}

/// The account of an ARN.
pub(crate) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

/// A session name as STS takes it: 2 to 64 letters, digits and `=,.@-_`.
pub(crate) fn session_name(wanted: &str) -> String {
    let name: String = wanted
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "=,.@-_".contains(letter) { letter } else { '-' })
        .take(64)
        .collect();
    if name.len() < 2 { "formwork".to_owned() } else { name }
}
