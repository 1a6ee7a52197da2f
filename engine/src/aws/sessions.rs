//! The sessions of a run, and doing without a role where that is safe.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::environment::Environment;
use super::error::{Error, ErrorKind};
use super::messages;
use super::role::{self, RoleOptions};
use super::session::{ConnectOptions, Session};
use crate::event::What;

/// The sessions of a run: one for each account, region and role, made when it is first asked for. Clones share them.
#[derive(Clone)]
pub struct Sessions {
    options: ConnectOptions,
    base: Arc<OnceCell<Session>>,
    made: Arc<Mutex<Made>>,
}

/// The sessions by region and role; a cell is filled once, by whoever asks first.
type Made = BTreeMap<(Option<String>, Option<RoleOptions>), Arc<OnceCell<Session>>>;

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("region", &self.options.region).finish_non_exhaustive()
    }
}

impl Sessions {
    /// No session yet; nothing is read or sent.
    pub fn new(options: ConnectOptions) -> Self {
        Self { options, base: Arc::default(), made: Arc::default() }
    }

    /// How requests travel, for servers that ask for no credentials of AWS.
    ///
    /// # Errors
    /// When the certificates that the environment names cannot be read.
    pub(crate) fn environment(&self) -> Result<Environment, Error> {
        Environment::new(&self.options)
    }

    /// The caller as the credentials say, in the region of the options.
    ///
    /// # Errors
    /// When there are no credentials, or STS refuses them.
    pub async fn base(&self) -> Result<Session, Error> {
        self.base.get_or_try_init(|| Session::connect(&self.options)).await.cloned()
    }

    /// The caller in a region, after assuming a role if one is named. A role that cannot be assumed falls back to the
    /// base credentials when those are of the role's account, with a warning to the listener.
    ///
    /// # Errors
    /// When the credentials or the role cannot be had.
    pub async fn session(&self, region: Option<&str>, role_arn: Option<&str>) -> Result<Session, Error> {
        self.session_with(region, role_arn.map(RoleOptions::of).as_ref()).await
    }

    /// The same with everything that can be said about a role.
    ///
    /// # Errors
    /// When the credentials or the role cannot be had.
    pub async fn session_with(
        &self,
        region: Option<&str>,
        role: Option<&RoleOptions>,
    ) -> Result<Session, Error> {
        let base = self.base().await?;
        if region.is_none() && role.is_none() {
            return Ok(base);
        }
        let key = (region.map(str::to_owned), role.cloned());
        let cell = self.made.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_try_init(|| self.make(base, region, role)).await.cloned()
    }

    async fn make(
        &self,
        base: Session,
        region: Option<&str>,
        role: Option<&RoleOptions>,
    ) -> Result<Session, Error> {
        let base = region.map_or_else(|| base.clone(), |region| base.in_region(region));
        let Some(role) = role else { return Ok(base) };
        let failed = match base.assuming_role(role).await {
            Ok(session) => return Ok(session),
            Err(failed) => failed,
        };
        let arn = base.fill_in(&role.arn);
        let ours = role::account_of(&arn) == Some(base.account());
        if !ours || failed.is_transient() || failed.kind == ErrorKind::ExpiredCredentials {
            let hint = messages::role_hint(&failed.message, role.external_id.is_some());
            let message = format!("{arn} cannot be assumed: {}{hint}", failed.message);
            return Err(Error { message, ..failed });
        }
        base.caller().tell(What::Warning {
            message: format!("{arn} cannot be assumed ({}); {} acts itself", failed.message, base.identity()),
            hint: Some(
                "this works because both are of the same account; let the role trust the caller".to_owned(),
            ),
        });
        Ok(base)
    }
}
