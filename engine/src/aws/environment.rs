//! What the surroundings decide: region, endpoints, time, and how requests travel.

use std::fmt;
use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudformation::config::{IdentityCache, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource, TimeSource};
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::credentials::{Renewing, timeouts};
use super::error::{Error, ErrorKind};
use super::http::Wire;
use super::session::{ConnectOptions, Transport};
use crate::clock::Clock;

/// The region when nobody names one.
pub const DEFAULT_REGION: &str = "us-east-1";

/// Who chose the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionSource {
    /// The command line, the assembly or whoever asked for the session.
    Given,
    /// A variable of the environment.
    Variable(&'static str),
    /// A profile of the AWS configuration files.
    Profile(String),
    /// Nobody.
    Default,
}

impl fmt::Display for RegionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("as given"),
            Self::Variable(name) => write!(f, "from {name}"),
            Self::Profile(name) => write!(f, "from profile {name}"),
            Self::Default => f.write_str("because none is given"),
        }
    }
}

/// What all clients of a run are made with.
pub(crate) struct Environment {
    pub(crate) wire: Wire,
    pub(crate) sleep: SharedAsyncSleep,
    pub(crate) time: SharedTimeSource,
}

impl Environment {
    pub(crate) fn new(options: &ConnectOptions) -> Result<Self, Error> {
        let sleep = SharedAsyncSleep::new(ClockSleep(options.clock));
        Ok(match &options.transport {
            // Signatures need the time of the world, which the engine's clock leaves while the machine sleeps.
            Transport::Network => Self {
                wire: Wire::network(sleep.clone())?,
                sleep,
                time: SharedTimeSource::new(SystemTimeSource::new()),
            },
            Transport::InProcess(simulator) => Self {
                wire: Wire::InProcess(simulator.clone()),
                sleep,
                time: SharedTimeSource::new(ClockTime(options.clock)),
            },
        })
    }

    /// The region, in the order in which the AWS CLI looks for it, but never from an instance's metadata: a stack is not
    /// to land somewhere because of where the command ran.
    pub(crate) async fn region(&self, options: &ConnectOptions) -> (String, RegionSource) {
        if let Some(region) = options.region.clone().filter(|region| !region.is_empty()) {
            return (region, RegionSource::Given);
        }
        if matches!(options.transport, Transport::InProcess(_)) {
            return (DEFAULT_REGION.to_owned(), RegionSource::Default);
        }
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let Some(region) = std::env::var(name).ok().filter(|region| !region.is_empty()) {
                return (region, RegionSource::Variable(name));
            }
        }
        let mut provider = ProfileFileRegionProvider::builder().configure(&ProviderConfig::default());
        if let Some(profile) = &options.profile {
            provider = provider.profile_name(profile);
        }
        match provider.build().region().await {
            Some(region) => {
                let named = options.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok());
                (region.to_string(), RegionSource::Profile(named.unwrap_or_else(|| "default".to_owned())))
            }
            None => (DEFAULT_REGION.to_owned(), RegionSource::Default),
        }
    }

    /// The settings that all clients share. Endpoints come from `AWS_ENDPOINT_URL` and its relatives.
    pub(crate) async fn configuration(
        &self,
        options: &ConnectOptions,
        region: &str,
        credentials: &Renewing,
    ) -> SdkConfig {
        let loaded = match &options.transport {
            Transport::Network => {
                let mut loader = aws_config::defaults(BehaviorVersion::latest())
                    .http_client(self.wire.client())
                    .sleep_impl(self.sleep.clone())
                    .time_source(self.time.clone())
                    .timeout_config(timeouts())
                    .credentials_provider(credentials.clone())
                    .region(Region::new(region.to_owned()));
                if let Some(profile) = &options.profile {
                    loader = loader.profile_name(profile);
                }
                loader.load().await
            }
            Transport::InProcess(_) => SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .http_client(self.wire.client())
                .sleep_impl(self.sleep.clone())
                .time_source(self.time.clone())
                .timeout_config(timeouts())
                .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
                .region(Region::new(region.to_owned()))
                .build(),
        };
        loaded
            .into_builder()
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }
}

/// Credentials for a simulator, which takes any.
pub(crate) fn made_up_credentials() -> Credentials {
    Credentials::new("AKIDSIMULATED", "simulated", None, None, "simulated")
}

/// Says what a refusal of the first call may come from. Keys that are valid are unknown in regions that the account has
/// not opted into.
pub(crate) fn explain_refusal(error: Error, region: &str) -> Error {
    let unknown = matches!(
        error.code.as_deref(),
        Some("InvalidClientTokenId" | "UnrecognizedClientException" | "AuthFailure" | "OptInRequired")
    );
    if !unknown {
        return error;
    }
    let advice = if ALWAYS_ON.contains(&region) {
        format!("the credentials are not known in {region}: are they deleted, or of another partition?")
    } else {
        format!(
            "region {region} has to be enabled for the account first (Account settings, opt-in regions), or the credentials are not known"
        )
    };
    Error { kind: ErrorKind::Credentials, message: format!("{}; {advice}", error.message), ..error }
}

/// The regions that every account has from the start, by AWS's page on regions; all others are opted into.
const ALWAYS_ON: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The SDK sleeps by the engine's clock.
#[derive(Clone, Copy, Debug)]
struct ClockSleep(Clock);

impl AsyncSleep for ClockSleep {
    fn sleep(&self, duration: std::time::Duration) -> Sleep {
        let clock = self.0;
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

/// The SDK's time where the world's does not matter.
#[derive(Clone, Copy, Debug)]
struct ClockTime(Clock);

impl TimeSource for ClockTime {
    fn now(&self) -> SystemTime {
        SystemTime::from(self.0.now())
    }
}

#[cfg(test)]
mod tests;
