//! The role that uses MLflow, assumed with the base credentials.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_sdk_sts::config::Region;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Uri;

use super::cache::{CredentialCache, Source};
use super::{Credentials, CredentialsError};
use crate::aws::{self, http_client};

/// The name of the sessions, as it stands in CloudTrail.
const SESSION_NAME: &str = "MlflowProxy";

/// How long one attempt may take, and all of them together.
const ATTEMPT: Duration = Duration::from_secs(8);
const LIMIT: Duration = Duration::from_secs(10);

/// A role and who assumes it.
#[derive(Clone)]
pub(super) struct Role {
    settings: aws_sdk_sts::Config,
    arn: String,
    seconds: i32,
    base: CredentialCache,
}

impl Role {
    pub(super) fn new(
        client: &aws::Client,
        endpoint: &Uri,
        region: &str,
        arn: &str,
        session: Duration,
        base: CredentialCache,
    ) -> Self {
        let settings = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http_client(client))
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint.to_string())
            .retry_config(
                RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(250)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(ATTEMPT)
                    .read_timeout(ATTEMPT)
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(LIMIT)
                    .build(),
            )
            .build();
        let seconds = i32::try_from(session.as_secs()).unwrap_or(3600);
        Self { settings, arn: arn.to_owned(), seconds, base }
    }

    async fn assume(self) -> Result<Credentials, CredentialsError> {
        let base = self.base.get().await?;
        match self.once(&base).await {
            Err(error)
                if error.as_service_error().and_then(|error| error.code()).is_some_and(is_base_rejected) =>
            {
                let base = self.base.renew(&base).await?;
                self.once(&base).await
            }
            result => result,
        }
        .map_err(|error| self.explain(error))?
        .checked()
    }

    async fn once(&self, base: &Credentials) -> Result<Credentials, SdkError<AssumeRoleError>> {
        let provided = aws_sdk_sts::config::Credentials::new(
            base.access_key_id.clone(),
            base.secret_access_key.clone(),
            base.session_token.clone(),
            base.expires,
            "mlflow-proxy",
        );
        let settings = self.settings.to_builder().credentials_provider(provided).build();
        let call = aws_sdk_sts::Client::from_conf(settings).assume_role();
        let call = call.role_arn(&self.arn).role_session_name(SESSION_NAME).duration_seconds(self.seconds);
        let answer = call.send().await?;
        let Some(given) = answer.credentials else {
            return Err(SdkError::construction_failure("the answer has no credentials"));
        };
        let expires = SystemTime::try_from(given.expiration).unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(Credentials {
            access_key_id: given.access_key_id,
            secret_access_key: given.secret_access_key,
            session_token: Some(given.session_token),
            expires: Some(expires),
        })
    }

    fn explain(&self, error: SdkError<AssumeRoleError>) -> CredentialsError {
        let Some(refused) = error.as_service_error() else {
            let why = match &error {
                SdkError::TimeoutError(_) => format!("AWS STS gave no answer within {} s", ATTEMPT.as_secs()),
                SdkError::ResponseError(_) => "what answers is not AWS STS".to_owned(),
                error => last_cause(error),
            };
            return CredentialsError::Unreachable { why };
        };
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let Some(code) = refused.code() else {
            let why = format!("what answers with status {status} is not AWS STS");
            return CredentialsError::Unreachable { why };
        };
        let why = match refused.message() {
            Some(message) => format!("{code}: {message}"),
            None => format!("{code} (status {status})"),
        };
        if aws::is_throttling(code) || status == 429 {
            CredentialsError::Throttled { why }
        } else if status >= 500 {
            CredentialsError::Unreachable { why }
        } else if is_base_rejected(code) {
            CredentialsError::NoBase { why }
        } else {
            CredentialsError::Denied { role: self.arn.clone(), why }
        }
    }
}

/// Whether STS rejects who asks, and not what is asked for.
fn is_base_rejected(code: &str) -> bool {
    aws::is_expired_token(code)
}

impl Source for Role {
    fn fetch(&self) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        self.clone().assume().boxed()
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// The innermost cause of an error.
pub(super) fn last_cause(error: &dyn Error) -> String {
    let mut last = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        last = error.to_string();
        next = error.source();
    }
    last
}
