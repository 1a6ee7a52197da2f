//! What the machine is given: environment, profile, web identity, container, instance, in the order of AWS's tools.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError as Failed;
use aws_types::region::Region;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::cache::Source;
use super::{Credentials, CredentialsError};
use crate::aws::{self, http_client};

/// How long finding credentials may take: a process that a profile names may be slow.
const LIMIT: Duration = Duration::from_secs(20);

/// How long one attempt at the metadata service of an instance may take. Elsewhere nobody answers at its address.
const METADATA: Duration = Duration::from_secs(1);

/// The chain of places.
pub(super) struct Base {
    client: aws::Client,
    region: Region,
    profile: Option<String>,
}

impl Base {
    pub(super) fn new(client: &aws::Client, region: &str, profile: Option<String>) -> Self {
        Self { client: client.clone(), region: Region::new(region.to_owned()), profile }
    }
}

impl Source for Base {
    /// A new chain each time: the SDK's providers keep the profile that they read first.
    fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        let settings = ProviderConfig::default()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(http_client(&self.client))
            .with_region(Some(self.region.clone()));
        let (region, profile) = (self.region.clone(), self.profile.clone());
        async move {
            let found = match &profile {
                Some(name) => {
                    let provider = ProfileFileCredentialsProvider::builder().configure(&settings);
                    provider.profile_name(name).build().provide_credentials().await
                }
                None => {
                    let metadata = imds::Client::builder()
                        .configure(&settings)
                        .connect_timeout(METADATA)
                        .read_timeout(METADATA)
                        .max_attempts(3)
                        .build();
                    let chain = DefaultCredentialsChain::builder().configure(settings).region(region);
                    let chain = chain.imds_client(metadata);
                    chain.build().await.provide_credentials().await
                }
            };
            found.map_err(|error| explain(&error, profile.as_deref())).and_then(|found| {
                let expires = found.expiry();
                let credentials = Credentials {
                    access_key_id: found.access_key_id().to_owned(),
                    secret_access_key: found.secret_access_key().to_owned(),
                    session_token: found.session_token().map(str::to_owned),
                    expires,
                };
                credentials.checked()
            })
        }
        .boxed()
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

fn explain(error: &Failed, profile: Option<&str>) -> CredentialsError {
    let tried = match profile {
        Some(profile) => format!("the profile {profile} of the AWS configuration files"),
        None => "the environment, the profile of AWS_PROFILE, web identity, the container and the instance"
            .to_owned(),
    };
    match error {
        Failed::CredentialsNotLoaded(_) => CredentialsError::NoBase { why: format!("looked at {tried}") },
        Failed::ProviderTimedOut(_) => {
            CredentialsError::Unreachable { why: format!("{tried} took too long") }
        }
        error => {
            let why = format!("{tried}: {}", super::role::last_cause(error));
            CredentialsError::NoBase { why }
        }
    }
}
