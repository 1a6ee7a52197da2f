//! The secret, read and changed.

use serde_json::{Value, json};

use super::document::Users;
use crate::aws::{Error, ErrorKind, Session};
use crate::error::{Class, EngineError, Moment};
use crate::journal::{Intent, Journal};

const SERVICE: &str = "secretsmanager";
/// The label of a version on its way to being the current one. It moves from version to version, so that those which
/// lost a race are left without a label and go by themselves.
const NEXT: &str = "FORMWORK_NEXT";
const CURRENT: &str = "AWSCURRENT";
/// How often a change is made anew because somebody else was faster.
const ATTEMPTS: usize = 8;

/// The secret with the users of one proxy.
#[derive(Clone, Debug)]
pub struct UserStore {
    session: Session,
    secret: String,
}

/// What the secret says, and the version that says it; none when there never was a value.
struct Stored {
    users: Users,
    version: Option<String>,
}

impl UserStore {
    /// The secret of an ARN, in the account and region of the session.
    pub fn new(session: Session, secret: impl Into<String>) -> Self {
        Self { session, secret: secret.into() }
    }

    /// The users.
    ///
    /// # Errors
    /// When the secret cannot be read or is not a document of users.
    pub async fn read(&self) -> Result<Users, EngineError> {
        Ok(self.stored().await?.users)
    }

    /// Changes the users: reads them, has `change` made, and makes the new document the current one only if the one that
    /// was read still is; else reads again and has it made anew. Nobody sees half a change, and nobody's is lost.
    ///
    /// # Errors
    /// When `change` refuses, or the secret cannot be read or written.
    pub async fn change<T>(
        &self,
        journal: &Journal,
        mut change: impl FnMut(&mut Users) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        for _ in 0..ATTEMPTS {
            let mut stored = self.stored().await?;
            let outcome = change(&mut stored.users)?;
            if self.replace(&stored, journal).await? {
                return Ok(outcome);
            }
        }
        let message = format!("others changed the users {ATTEMPTS} times while this change was made");
        Err(EngineError::new(Class::NeedsAction, message).with_hint("repeat the command"))
    }

    async fn stored(&self) -> Result<Stored, EngineError> {
        let call = self.session.call();
        let body = json!({ "SecretId": self.secret, "VersionStage": CURRENT });
        match call.json(SERVICE, "secretsmanager.GetSecretValue", &body).await {
            Ok(answer) => {
                let text = answer["SecretString"].as_str().unwrap_or_default();
                let version = answer["VersionId"].as_str().map(str::to_owned);
                Ok(Stored { users: Users::read(text)?, version })
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                // Either there is no value yet, or no secret.
                let body = json!({ "SecretId": self.secret });
                let described = call.json(SERVICE, "secretsmanager.DescribeSecret", &body).await;
                described.map_err(|error| self.failed("read", &error))?;
                Ok(Stored { users: Users::default(), version: None })
            }
            Err(error) => Err(self.failed("read", &error)),
        }
    }

    /// Writes a new version and makes it the current one in place of the one that was read. False when that one is not
    /// the current one any more.
    async fn replace(&self, stored: &Stored, journal: &Journal) -> Result<bool, EngineError> {
        let text = stored.users.to_text()?;
        let ticket = journal.intent(Intent::new("PutSecretValue", &self.secret))?;
        let body = json!({
            "SecretId": self.secret,
            "ClientRequestToken": ticket.token(),
            "SecretString": text,
            "VersionStages": [NEXT],
        });
        let call = self.session.call().writing(&ticket);
        let put = call.json(SERVICE, "secretsmanager.PutSecretValue", &body).await;
        journal.outcome(&ticket, put.as_ref().map(|_| Default::default()));
        let put = put.map_err(|error| self.failed("write", &error))?;
        // The first version of a secret gets the label by itself.
        if put["VersionStages"].as_array().is_some_and(|labels| labels.iter().any(|it| it == CURRENT)) {
            return Ok(true);
        }
        let version = put["VersionId"].as_str().unwrap_or(ticket.token()).to_owned();
        self.promote(&version, stored.version.as_deref(), journal).await
    }

    async fn promote(
        &self,
        version: &str,
        before: Option<&str>,
        journal: &Journal,
    ) -> Result<bool, EngineError> {
        let ticket = journal.intent(Intent::new("UpdateSecretVersionStage", &self.secret))?;
        let mut body: Value = json!({
            "SecretId": self.secret,
            "VersionStage": CURRENT,
            "MoveToVersionId": version,
        });
        if let Some(before) = before {
            body["RemoveFromVersionId"] = json!(before);
        }
        let call = self.session.call().writing(&ticket);
        let moved = call.json(SERVICE, "secretsmanager.UpdateSecretVersionStage", &body).await;
        journal.outcome(&ticket, moved.as_ref().map(|_| Default::default()));
        match moved {
            Ok(_) => Ok(true),
            // The label is not where it was: somebody else was faster, or an answer to this very call was lost.
            Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound) => {
                match self.stored().await?.version {
                    Some(current) if current == version => Ok(true),
                    current if current.as_deref() != before => Ok(false),
                    _ => Err(self.failed("write", &error)),
                }
            }
            Err(error) => Err(self.failed("write", &error)),
        }
    }

    fn failed(&self, what: &str, error: &Error) -> EngineError {
        let message = format!("cannot {what} the users of the proxy in {}: {}", self.secret, error.message);
        let told = EngineError::of_call(message, error, Moment::Before);
        match (&error.kind, error.operation) {
            (ErrorKind::Denied, operation) => {
                let rights = "`formwork proxy user` needs secretsmanager:DescribeSecret, GetSecretValue, \
                              PutSecretValue and UpdateSecretVersionStage on the secret, and with a key of \
                              your own kms:Decrypt and kms:GenerateDataKey on it";
                told.with_hint(format!("allow secretsmanager:{operation} to the caller; {rights}"))
            }
            _ => told,
        }
    }
}
