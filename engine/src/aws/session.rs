//! Who we are in one account and region, and the clients that act as that.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::calls::RawClient;
use super::cloudformation::Client as CloudFormation;
use super::credentials::{Chain, Renewing, Source};
use super::environment::{self, RegionSource};
use super::error::{Error, ErrorKind};
use super::limiter::Limiter;
use super::retry::{Caller, Patience};
use super::role::{self, Role, RoleOptions};
use crate::clock::Clock;
use crate::event::SharedListener;

/// How to reach AWS, and as whom.
#[derive(Clone)]
pub struct ConnectOptions {
    /// The profile of the AWS configuration files.
    pub profile: Option<String>,
    /// The region of stacks that do not say theirs.
    pub region: Option<String>,
    /// How requests travel.
    pub transport: Transport,
    /// The clock.
    pub clock: Clock,
    /// Who is told of throttling and broken networks.
    pub listener: SharedListener,
}

/// How requests travel.
#[derive(Clone)]
pub enum Transport {
    /// Over the network, by the environment's proxy and certificates.
    Network,
    /// To a simulator in this process, which takes any credentials.
    InProcess(Arc<dyn InProcess>),
}

/// Answers requests in this process.
pub trait InProcess: Send + Sync + fmt::Debug {
    /// Answers one request. An error is a broken connection; its text says how it broke.
    fn call(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>>;
}

/// A caller in one account and region. Cheap to clone; clones share clients, rate and credentials.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    identity: Identity,
    region_source: RegionSource,
    configuration: SdkConfig,
    credentials: Renewing,
    shared: Arc<Shared>,
    region: String,
    cloudformation: CloudFormation,
    raw: RawClient,
}

/// Who the credentials belong to.
#[derive(Clone)]
struct Identity {
    account: String,
    arn: String,
}

/// What all sessions of a run have in common.
pub(crate) struct Shared {
    pub(crate) environment: environment::Environment,
    pub(crate) clock: Clock,
    pub(crate) listener: SharedListener,
    limiters: Mutex<HashMap<(String, String, &'static str), Limiter>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("account", &self.account()).field("region", &self.region()).finish()
    }
}

impl Session {
    /// Finds credentials and asks STS who they belong to.
    ///
    /// # Errors
    /// When there are no credentials, or STS refuses them.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        let environment = environment::Environment::new(options)?;
        let (region, region_source) = environment.region(options).await;
        let source = match &options.transport {
            Transport::Network => Source::Chain(Box::new(Chain {
                profile: options.profile.clone(),
                region: region.clone(),
                wire: environment.wire.clone(),
                sleep: environment.sleep.clone(),
            })),
            Transport::InProcess(_) => Source::Fixed(environment::made_up_credentials()),
        };
        let credentials = Renewing::new(source, options.clock, environment.time.clone());
        let configuration = environment.configuration(options, &region, &credentials).await;
        let shared = Shared {
            environment,
            clock: options.clock,
            listener: options.listener.clone(),
            limiters: Mutex::default(),
        };
        let identify = identify(&configuration, &credentials, &shared, &region).await;
        let identity = identify.map_err(|error| environment::explain_refusal(error, &region))?;
        Ok(Self::new(identity, region, region_source, configuration, credentials, Arc::new(shared)))
    }

    fn new(
        identity: Identity,
        region: String,
        region_source: RegionSource,
        configuration: SdkConfig,
        credentials: Renewing,
        shared: Arc<Shared>,
    ) -> Self {
        let caller = |rate| {
            let limiter = shared.limiter(&identity.account, &region, rate);
            Caller::new(shared.clock, shared.listener.clone(), credentials.clone(), Some(limiter))
        };
        let checked =
            configuration.to_builder().http_client(shared.environment.wire.checked_client()).build();
        let cloudformation =
            CloudFormation::new(aws_sdk_cloudformation::Client::new(&checked), caller("cloudformation"));
        let raw =
            RawClient::new(&configuration, &shared, caller("other"), &region, partition_of(&identity.arn));
        Self(Arc::new(Inner {
            identity,
            region_source,
            configuration,
            credentials,
            shared,
            region,
            cloudformation,
            raw,
        }))
    }

    /// The account, 12 digits.
    pub fn account(&self) -> &str {
        &self.0.identity.account
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// Who chose the region.
    pub fn region_source(&self) -> &RegionSource {
        &self.0.region_source
    }

    /// The caller's ARN.
    pub fn identity(&self) -> &str {
        &self.0.identity.arn
    }

    /// The partition: `aws`, `aws-cn`, `aws-us-gov` ...
    pub fn partition(&self) -> &str {
        partition_of(&self.0.identity.arn)
    }

    /// Where the credentials came from, in words: `the environment`, `single sign-on`.
    pub async fn credentials_from(&self) -> &'static str {
        match self.0.credentials.current().await {
            Ok((credentials, _)) => super::credentials::origin(&credentials),
            Err(_) => "nowhere any more",
        }
    }

    /// CloudFormation in this account and region.
    pub fn cloudformation(&self) -> &CloudFormation {
        &self.0.cloudformation
    }

    /// Signed calls of services that have no client here.
    pub fn call(&self) -> &RawClient {
        &self.0.raw
    }

    /// The value of a parameter of Systems Manager; `None` when there is no such parameter.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn parameter(&self, name: &str) -> Result<Option<String>, Error> {
        let body = serde_json::json!({ "Name": name, "WithDecryption": false });
        match self.0.raw.json("ssm", "AmazonSSM.GetParameter", &body).await {
            Ok(answer) => Ok(answer["Parameter"]["Value"].as_str().map(str::to_owned)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What an encoded authorization message says, as JSON.
    ///
    /// # Errors
    /// When the answer cannot be had; `Denied` where the caller lacks sts:DecodeAuthorizationMessage.
    pub async fn decode_authorization_message(&self, text: &str) -> Result<String, Error> {
        const OPERATION: &str = "DecodeAuthorizationMessage";
        let sts = self.0.shared.sts(&self.0.configuration);
        let request = sts.decode_authorization_message().encoded_message(text);
        let caller = self.caller();
        let answer = caller.read(OPERATION, Patience::SHORT, || async {
            request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))
        });
        let nothing = || Error::new(OPERATION, ErrorKind::Protocol, "the answer has no message");
        answer.await?.decoded_message.ok_or_else(nothing)
    }

    /// What clients of other services in this room are made of: credentials, endpoints, limits of time. Without retries:
    /// [`Self::caller`] makes the calls.
    pub(crate) fn sdk_config(&self) -> &SdkConfig {
        &self.0.configuration
    }

    /// What makes calls without a limit on their rate, for services that take as many as come.
    pub(crate) fn caller(&self) -> Caller {
        Caller::new(self.0.shared.clock, self.0.shared.listener.clone(), self.0.credentials.clone(), None)
    }

    /// The same caller in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        if region == self.region() {
            return self.clone();
        }
        let configuration = self.0.configuration.to_builder().region(Region::new(region.to_owned())).build();
        Self::new(
            self.0.identity.clone(),
            region.to_owned(),
            RegionSource::Given,
            configuration,
            self.0.credentials.clone(),
            self.0.shared.clone(),
        )
    }

    /// The caller after assuming a role, in this region.
    ///
    /// # Errors
    /// When the role cannot be assumed.
    pub async fn assuming(&self, role_arn: &str, external_id: Option<&str>) -> Result<Self, Error> {
        let external_id = external_id.map(str::to_owned);
        self.assuming_role(&RoleOptions { external_id, ..RoleOptions::of(role_arn) }).await
    }

    /// The caller after assuming a role with everything that can be said about it, in this region.
    ///
    /// # Errors
    /// When the role cannot be assumed.
    pub async fn assuming_role(&self, options: &RoleOptions) -> Result<Self, Error> {
        let mut options = options.clone();
        options.arn = self.fill_in(&options.arn);
        let now = self.0.shared.clock.now().strftime("%Y%m%d-%H%M%S").to_string();
        let name = options.session_name.clone().unwrap_or_else(|| format!("formwork-{now}"));
        let role = Role {
            session_name: role::session_name(&name),
            sts: self.0.shared.sts(&self.0.configuration),
            base: self.caller(),
            options,
        };
        let time = self.0.shared.environment.time.clone();
        let credentials = Renewing::new(Source::Role(Box::new(role)), self.0.shared.clock, time);
        let provider = SharedCredentialsProvider::new(credentials.clone());
        let configuration = self.0.configuration.to_builder().credentials_provider(provider).build();
        let identity = identify(&configuration, &credentials, &self.0.shared, self.region()).await?;
        Ok(Self::new(
            identity,
            self.region().to_owned(),
            self.0.region_source.clone(),
            configuration,
            credentials,
            self.0.shared.clone(),
        ))
    }

    /// Fills in what CDK's manifests leave open in an ARN.
    pub fn fill_in(&self, text: &str) -> String {
        text.replace("${AWS::Partition}", self.partition())
            .replace("${AWS::AccountId}", self.account())
            .replace("${AWS::Region}", self.region())
    }
}

impl Shared {
    fn limiter(&self, account: &str, region: &str, rate: &'static str) -> Limiter {
        let key = (account.to_owned(), region.to_owned(), rate);
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.entry(key).or_insert_with(|| Limiter::new(self.clock)).clone()
    }

    fn sts(&self, configuration: &SdkConfig) -> aws_sdk_sts::Client {
        let checked = configuration.to_builder().http_client(self.environment.wire.checked_client()).build();
        aws_sdk_sts::Client::new(&checked)
    }
}

async fn identify(
    configuration: &SdkConfig,
    credentials: &Renewing,
    shared: &Shared,
    region: &str,
) -> Result<Identity, Error> {
    const OPERATION: &str = "GetCallerIdentity";
    let request = shared.sts(configuration).get_caller_identity();
    let caller = Caller::new(shared.clock, shared.listener.clone(), credentials.clone(), None);
    let answer = caller.read(OPERATION, Patience::SHORT, || async {
        let answer = request.clone().send().await.map_err(|error| Error::of(OPERATION, &error))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => {
                let message = format!("the answer of region {region} names no account");
                Err(Error::new(OPERATION, ErrorKind::Protocol, message))
            }
        }
    });
    answer.await
}

fn partition_of(arn: &str) -> &str {
    arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws")
}

#[cfg(test)]
mod tests;
