//! S3 as far as publishing and clearing away files needs it.
//!
//! Every call carries the account that the bucket has to belong to: a bucket of somebody else who guessed its name is
//! refused by S3 itself, before a byte goes there or comes from there. Whether an object is there is asked by a listing,
//! because S3 remembers for a while that a `HeadObject` found nothing, and CloudFormation would then be told so too.
//!
//! No call takes a token; [`super::mutations`] says of each why a repetition does no harm.

mod bucket;
mod emptiness;
mod failure;
mod multipart;
mod objects;
mod removal;

use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;

use super::error::Error;
use super::limiter::Effect;
use super::retry::{Caller, Patience};
use super::session::Session;

pub use bucket::{BucketFacts, Encryption};
pub use failure::explain;
pub use multipart::{Part, Upload};
pub(crate) use objects::hex;
pub use objects::{Head, Listed, NewObject, Stored};
pub use removal::Removal;

/// The environment variable with the endpoint at which CloudFormation reads templates, when that is not S3's.
pub const TEMPLATE_ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION";

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an attempt may take, its body included: a part over a slow line. Where nothing moves at all, the SDK's own
/// watch over stalled streams is sooner.
const ANSWER: Duration = Duration::from_secs(300);

/// S3 in one region, as one caller, for buckets of one account. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Storage {
    client: aws_sdk_s3::Client,
    owner: String,
    region: String,
    caller: Caller,
    template_endpoint: Option<String>,
}

impl Storage {
    /// A client for the buckets of `owner`, a 12-digit account, in the region of the configuration.
    pub(crate) fn new(config: &SdkConfig, owner: &str, caller: Caller) -> Self {
        let endpoint = endpoint(config);
        let settings = aws_sdk_s3::config::Builder::from(config)
            // A name before the endpoint's host would have to be known to the resolver of names.
            .force_path_style(endpoint.is_some())
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .read_timeout(ANSWER)
                    .operation_attempt_timeout(ANSWER)
                    .build(),
            )
            .build();
        Self {
            client: aws_sdk_s3::Client::from_conf(settings),
            owner: owner.to_owned(),
            region: config.region().map(|region| region.as_ref().to_owned()).unwrap_or_default(),
            caller,
            template_endpoint: std::env::var(TEMPLATE_ENDPOINT_VARIABLE).ok().filter(|url| !url.is_empty()),
        }
    }

    /// The account that every bucket has to belong to.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The same with another endpoint at which CloudFormation reads templates.
    #[must_use]
    pub fn with_template_endpoint(mut self, endpoint: Option<String>) -> Self {
        self.template_endpoint = endpoint;
        self
    }

    /// The URL under which CloudFormation reads an object: that of S3 itself in the client's region with the bucket in the
    /// path, whatever endpoint our own calls go to, because the service does not know that one.
    pub fn template_url(&self, bucket: &str, key: &str, version: Option<&str>) -> String {
        let host = match &self.template_endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://s3.{}.{}", self.region, dns_suffix(&self.region)),
        };
        let version = version.map(|version| format!("?versionId={version}")).unwrap_or_default();
        format!("{host}/{bucket}/{key}{version}")
    }

    /// Makes a call that only asks, until it works or it makes no sense to go on.
    async fn read<T, E, F>(&self, operation: &'static str, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.repeated(operation, Effect::Read, call).await
    }

    /// Makes a call that changes something; the table of this module says why it may be repeated.
    async fn change<T, E, F>(&self, operation: &'static str, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.repeated(operation, Effect::Write, call).await
    }

    async fn repeated<T, E, F>(
        &self,
        operation: &'static str,
        effect: Effect,
        call: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let send = |_| {
            let answer = call();
            async move { answer.await.map_err(|error| failure::error(operation, &error)) }
        };
        self.caller.call(operation, effect, Patience::USUAL, send).await
    }
}

impl Session {
    /// S3 for buckets of this account in this region.
    pub fn storage(&self) -> Storage {
        Storage::new(self.sdk_config(), self.account(), self.caller())
    }
}

/// The endpoint that the environment or the profile names instead of S3's own.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let key = aws_types::service_config::ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let special = config.service_config().and_then(|settings| settings.load_config(key));
    special.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// The end of the names of a region's services.
///
/// Source: AWS General Reference, "AWS service endpoints" and the partitions of the SDK's endpoint rules.
pub fn dns_suffix(region: &str) -> &'static str {
    let begins = |prefix: &str| region.starts_with(prefix);
    match () {
        () if begins("cn-") => "amazonaws.com.cn",
        () if begins("us-iso-") => "c2s.ic.gov",
        () if begins("us-isob-") => "sc2s.sgov.gov",
        () if begins("us-isof-") => "csp.hci.ic.gov",
        () if begins("eu-isoe-") => "cloud.adc-e.uk",
        () if begins("eusc-") => "amazonaws.eu",
        () => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests;
