//! Who asks, and what they may do.
//!
//! A request passes in this order: [`Access::authenticate`] says who asks, [`routes::look_up`] what they ask for,
//! [`Access::permit`] whether their role is enough, [`Access::admit`] whether it is not too much at once, and
//! [`Access::inspect`] looks into the few bodies that decide what a request is. [`audit::Entry`] tells what came of it.
//! Whatever is not plainly allowed is refused.

pub mod audit;
mod authorization;
mod graphql;
mod inspect;
pub mod jwt;
pub mod limits;
mod passwords;
mod permit;
pub mod routes;
mod settings;
pub mod sources;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tokens;
mod users;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::aws::{Calls, Client};
use crate::problem::{LoginFailure, Problem};
use authorization::Offer;

pub use inspect::Inspected;
pub use limits::Admission;
pub use settings::{Methods, Settings, VARIABLES};
pub use store::{State, UserStore};
pub use users::Users;

/// What somebody may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and writes, but deletes nothing for good.
    Writer,
    /// Everything.
    Admin,
}

impl Role {
    /// The name in settings, in the users' secret and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of reader, writer, admin")]
pub struct NoRole;

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        [Self::Reader, Self::Writer, Self::Admin].into_iter().find(|role| role.as_str() == text).ok_or(NoRole)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name, for the audit log and for limits.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// What they showed: `token` with its id, `password`, `jwt`, or `none`.
    pub credential: Arc<str>,
}

impl Identity {
    /// Somebody with a name, a role, and what they showed.
    pub fn new(name: &str, role: Role, credential: &str) -> Self {
        Self { name: Arc::from(name), role, credential: Arc::from(credential) }
    }
}

/// Where the parts that authentication needs from outside come from.
pub struct Sources {
    /// The users, for tokens and passwords.
    pub users: Option<Arc<UserStore>>,
    /// Fetches a public document by its address, for JSON Web Tokens.
    pub documents: sources::Documents,
}

impl Sources {
    /// The sources that the settings name: calls to AWS are signed by the proxy's own credentials, not by MLflow's.
    pub fn new(settings: &Settings, calls: Calls, client: Client) -> Self {
        let secret = match (&settings.secret_file, &settings.secret_arn) {
            _ if !settings.methods.tokens => None,
            (Some(file), _) => Some(sources::file(file.clone())),
            (None, Some(arn)) => Some(sources::secret(calls, arn.clone())),
            (None, None) => None,
        };
        let users =
            secret.map(|secret| UserStore::new(secret, settings.secret_interval, settings.secret_max_age));
        Self { users, documents: sources::documents(client) }
    }
}

/// Says who asks and what they may do.
pub struct Access {
    settings: Settings,
    users: Option<Arc<UserStore>>,
    passwords: Option<passwords::Passwords>,
    jwt: Option<jwt::Verifier>,
    rates: limits::Rates,
    anonymous: Identity,
}

impl Access {
    /// Reads the users and goes on doing so; returns after the first attempt, whatever came of it.
    pub async fn start(&self) {
        if let Some(users) = &self.users {
            users.start().await;
        }
    }

    /// The checks that the settings ask for. Nothing is fetched before [`Access::start`].
    pub fn new(settings: Settings, sources: Sources) -> Self {
        let passwords = settings.methods.passwords.then(passwords::Passwords::default);
        let jwt = settings.jwt.clone().map(|jwt| jwt::Verifier::new(jwt, sources.documents));
        let anonymous =
            Identity { name: Arc::from("anonymous"), role: settings.greatest, credential: Arc::from("none") };
        let rates = limits::Rates::new(settings.rate, settings.burst);
        Self { users: sources.users, passwords, jwt, rates, anonymous, settings }
    }

    /// Whether users are told from each other.
    pub fn knows_users(&self) -> bool {
        !self.settings.methods.is_none()
    }

    /// Says who asks.
    ///
    /// # Errors
    ///
    /// 401 when nobody that is known asks, 429 after too many failures, 503 when it cannot be told at present.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, Problem> {
        if self.settings.methods.is_none() {
            return Ok(self.anonymous.clone());
        }
        let identity = match authorization::read(headers)
            .map_err(|wrong| self.refused(wrong).login(LoginFailure::Malformed))?
        {
            Some(Offer::Token(token)) if self.settings.methods.tokens => self.by_token(&token).await?,
            Some(Offer::Bearer(token)) if self.jwt.is_some() => self.by_jwt(&token).await?,
            Some(Offer::Password { name, password }) if self.passwords.is_some() => {
                self.by_password(&name, password).await?
            }
            Some(other) => return Err(self.refused(other.not_taken())),
            None => match (&self.jwt, jwt::balancer_header(headers)) {
                (Some(jwt), Some(token)) => {
                    jwt.balancer(token, SystemTime::now()).await.map_err(|error| self.no_jwt(error))?
                }
                _ => {
                    let failure = if Self::is_offered(headers) {
                        LoginFailure::Malformed
                    } else {
                        LoginFailure::Missing
                    };
                    return Err(self.refused("the request does not say who asks").login(failure));
                }
            },
        };
        Ok(Identity { role: identity.role.min(self.settings.greatest), ..identity })
    }

    /// Whether a request offers anything to show who asks.
    pub fn is_offered(headers: &HeaderMap) -> bool {
        headers.contains_key(AUTHORIZATION) || headers.contains_key(jwt::BALANCER_HEADER)
    }

    /// Lets a request in, or asks its sender to slow down. `length` is the body's, when it was told.
    ///
    /// # Errors
    ///
    /// 429 with the time to wait, 413 when the body is longer than users may send.
    pub fn admit(&self, identity: &Identity, length: Option<u64>) -> Result<Admission, Problem> {
        // Without authentication all share a name: a limit of each would be one of all.
        if !self.settings.methods.is_none()
            && let Err(wait) = self.rates.take(&identity.name, Instant::now())
        {
            return Err(limits::too_many(&identity.name, wait));
        }
        Admission::new(self.settings.body_limit, length)
    }

    /// What is known about the users, for readiness and metrics; none when nobody is kept by the proxy itself.
    pub fn state(&self) -> Option<State> {
        self.users.as_ref().map(|users| users.state())
    }

    async fn by_token(&self, token: &str) -> Result<Identity, Problem> {
        let store = self.store()?;
        let now = SystemTime::now();
        let users = store.users();
        let found = match users.token(token, now) {
            // A token that was made a moment ago may not have been read yet.
            Err(_) if store.refresh_after_failure(&users).await => store.users().token(token, now),
            other => other,
        };
        match found {
            Ok(user) => {
                user.note_use(now);
                Ok(user.identity())
            }
            Err(reason) => Err(self.unless_unread(store, reason)),
        }
    }

    async fn by_password(&self, name: &str, password: String) -> Result<Identity, Problem> {
        let (store, checker) = (self.store()?, self.passwords.as_ref().ok_or_else(|| self.refused(""))?);
        let now = SystemTime::now();
        let password = Arc::from(password);
        let users = store.users();
        let mut user = users.password(name);
        let mut good = checker.check(user.as_deref(), name, &password).await?;
        if !good && store.refresh_after_failure(&users).await {
            user = store.users().password(name);
            good = user.is_some() && checker.check(user.as_deref(), name, &password).await?;
        }
        match user {
            Some(user) if good && !user.is_expired(now) => {
                user.note_use(now);
                Ok(user.identity())
            }
            Some(_) if good => Err(self.refused("the password has expired").login(LoginFailure::Expired)),
            _ => Err(self.unless_unread(store, "the name or the password is wrong")),
        }
    }

    async fn by_jwt(&self, token: &str) -> Result<Identity, Problem> {
        let jwt = self.jwt.as_ref().ok_or_else(|| self.refused(""))?;
        jwt.bearer(token, SystemTime::now()).await.map_err(|error| self.no_jwt(error))
    }

    fn store(&self) -> Result<&Arc<UserStore>, Problem> {
        self.users.as_ref().ok_or_else(|| self.refused("this proxy keeps no users"))
    }
}
