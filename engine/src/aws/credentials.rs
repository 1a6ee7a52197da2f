//! Whose credentials sign the calls, and how they are had again when they expire.
//!
//! The SDK caches credentials for as long as they claim to live and never asks again when a service says that they are
//! expired. Here one cache serves all clients of a caller: it renews before the end, and on a service's word, by reading
//! everything again: environment, profile, SSO, a process, or the role.

mod origin;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use tokio::sync::Mutex;

use super::error::{self, Error, ErrorKind};
use super::http::{self, Wire};
use super::messages;
use super::role::Role;
use crate::clock::Clock;

pub(crate) use origin::origin;

/// How long the metadata service of an instance may take in all. Elsewhere nobody answers at its address.
const METADATA: Duration = Duration::from_millis(1_800);
/// How long finding credentials may take in all: a process of the profile may ask its user for something.
const FINDING: Duration = Duration::from_secs(60);
/// Credentials are renewed when this is left of them.
const MARGIN: Duration = Duration::from_secs(300);

/// Credentials that renew themselves. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub(crate) struct Renewing(Arc<Inner>);

struct Inner {
    source: Source,
    clock: Clock,
    time: SharedTimeSource,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    credentials: Option<Credentials>,
    /// Counts what was read, so that many calls that fail together read once.
    generation: u64,
}

/// Where credentials come from.
pub(crate) enum Source {
    /// The environment, the profile, the instance: whatever is found first.
    Chain(Box<Chain>),
    /// A role that other credentials assume.
    Role(Box<Role>),
    /// Made up, for a simulator.
    Fixed(Credentials),
}

/// The places in which credentials are looked for.
pub(crate) struct Chain {
    /// The profile that was asked for; nothing else is looked at then.
    pub(crate) profile: Option<String>,
    pub(crate) region: String,
    pub(crate) wire: Wire,
    pub(crate) sleep: SharedAsyncSleep,
}

impl fmt::Debug for Renewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewing")
    }
}

impl Renewing {
    pub(crate) fn new(source: Source, clock: Clock, time: SharedTimeSource) -> Self {
        Self(Arc::new(Inner { source, clock, time, cache: Mutex::default() }))
    }

    /// The credentials, read if they have to be, and their generation for [`Self::renew`].
    pub(crate) async fn current(&self) -> Result<(Credentials, u64), Error> {
        let mut cache = self.0.cache.lock().await;
        if let Some(credentials) =
            cache.credentials.clone().filter(|credentials| self.left(credentials) > MARGIN)
        {
            return Ok((credentials, cache.generation));
        }
        match self.read(&mut cache).await {
            Ok(credentials) => Ok((credentials, cache.generation)),
            // What is left of the old ones is better than nothing.
            Err(error) => match cache.credentials.clone().filter(|old| !self.left(old).is_zero()) {
                Some(old) => Ok((old, cache.generation)),
                None if cache.credentials.is_some() && !error.is_transient() => {
                    Err(Error { kind: ErrorKind::ExpiredCredentials, ..error })
                }
                None => Err(error),
            },
        }
    }

    /// Reads the credentials again because a service says that those of `generation` are expired. Whether there are others
    /// now.
    pub(crate) async fn renew(&self, generation: u64) -> Result<bool, Error> {
        let mut cache = self.0.cache.lock().await;
        if cache.generation != generation {
            return Ok(true);
        }
        if let Source::Role(role) = &self.0.source {
            // Role credentials fail, too, when the credentials that assumed the role did.
            Box::pin(role.renew_base()).await?;
        }
        let old = cache.credentials.clone();
        let new = self.read(&mut cache).await?;
        Ok(old.is_none_or(|old| {
            old.access_key_id() != new.access_key_id() || old.session_token() != new.session_token()
        }))
    }

    async fn read(&self, cache: &mut Cache) -> Result<Credentials, Error> {
        let credentials = match &self.0.source {
            Source::Chain(chain) => chain.read(self.0.clock, &self.0.time).await?,
            Source::Role(role) => Box::pin(role.assume()).await?,
            Source::Fixed(credentials) => credentials.clone(),
        };
        cache.credentials = Some(credentials.clone());
        cache.generation += 1;
        Ok(credentials)
    }

    fn left(&self, credentials: &Credentials) -> Duration {
        let end = credentials.expiry();
        end.map_or(Duration::MAX, |end| end.duration_since(self.0.time.now()).unwrap_or_default())
    }
}

impl ProvideCredentials for Renewing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.current().await.map(|(credentials, _)| credentials).map_err(CredentialsError::provider_error)
        })
    }
}

impl Chain {
    async fn read(&self, clock: Clock, time: &SharedTimeSource) -> Result<Credentials, Error> {
        let found = clock.timeout(FINDING, self.find(time)).await;
        let failed = match found {
            Some(Ok(credentials)) => return Ok(credentials),
            Some(Err(failed)) => failed,
            None => CredentialsError::provider_timed_out(FINDING),
        };
        Err(self.explain(&failed))
    }

    /// A new chain each time: the SDK's providers keep the profile that they read first.
    async fn find(&self, time: &SharedTimeSource) -> Result<Credentials, CredentialsError> {
        let configuration = |client| {
            ProviderConfig::default()
                .with_behavior_version(Some(BehaviorVersion::latest()))
                .with_time_source(time.clone())
                .with_sleep_impl(self.sleep.clone())
                .with_http_client(client)
                .with_retry_config(RetryConfig::disabled())
                .with_timeout_config(timeouts())
                .with_region(Some(Region::new(self.region.clone())))
        };
        let through_proxy = configuration(self.wire.client());
        if let Some(profile) = &self.profile {
            let provider = ProfileFileCredentialsProvider::builder().configure(&through_proxy);
            return provider.profile_name(profile).build().provide_credentials().await;
        }
        let metadata = imds::Client::builder()
            .configure(&configuration(self.wire.direct_client()))
            .connect_timeout(METADATA / 2)
            .read_timeout(METADATA / 2)
            .operation_attempt_timeout(METADATA)
            .operation_timeout(METADATA)
            .max_attempts(1)
            .build();
        let chain = DefaultCredentialsChain::builder()
            .configure(through_proxy)
            .region(Region::new(self.region.clone()))
            .imds_client(metadata);
        chain.build().await.provide_credentials().await
    }

    fn explain(&self, failed: &CredentialsError) -> Error {
        let tried = match &self.profile {
            Some(profile) => format!("profile {profile:?} of the AWS configuration files"),
            None => "the environment (AWS_ACCESS_KEY_ID), the profile of the AWS configuration files \
                     (AWS_PROFILE), web identity, the container and the instance"
                .to_owned(),
        };
        let (kind, message) = match failed {
            CredentialsError::CredentialsNotLoaded(_) => {
                (ErrorKind::Credentials, format!("no credentials are found; tried {tried}"))
            }
            CredentialsError::ProviderTimedOut(_) => {
                let seconds = FINDING.as_secs();
                (
                    ErrorKind::Credentials,
                    format!(
                        "no credentials came within {seconds} s; tried {tried}: does a credential_process wait for something?"
                    ),
                )
            }
            _ => {
                let broken = error::find::<ConnectorError>(failed);
                let offline = broken.is_some_and(|broken| broken.is_io() || broken.is_timeout());
                let kind = if offline { ErrorKind::Unreachable } else { ErrorKind::Credentials };
                let why = error::chain(failed);
                let hint = if messages::is_sso(&why) { "; does `aws sso login` help?" } else { "" };
                (kind, format!("the credentials cannot be read; tried {tried}: {why}{hint}"))
            }
        };
        Error::new("credentials", kind, message)
    }
}

/// The limits of one attempt of a call.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(http::CONNECT)
        .read_timeout(http::READ)
        .operation_attempt_timeout(http::ATTEMPT)
        .build()
}
