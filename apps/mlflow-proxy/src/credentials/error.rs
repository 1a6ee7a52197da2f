//! Why there are no credentials, in words for whoever runs the proxy.

use std::time::Duration;

use http::StatusCode;

use crate::problem::Problem;

/// Why there are no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The machine has none, or has some that cannot be used.
    #[error("there are no AWS credentials to start from: {why}")]
    NoBase {
        /// What was tried or found.
        why: String,
    },
    /// AWS does not let the role be assumed.
    #[error("AWS STS refuses the role {role}: {why}")]
    Denied {
        /// The role's ARN.
        role: String,
        /// AWS's code and words.
        why: String,
    },
    /// AWS says that it is asked too often.
    #[error("AWS STS is asked too often: {why}")]
    Throttled {
        /// AWS's code and words.
        why: String,
    },
    /// Nobody answers, or not in time, or with an error of their own.
    #[error("the source of AWS credentials cannot be reached: {why}")]
    Unreachable {
        /// What happened.
        why: String,
    },
}

impl CredentialsError {
    /// One word for metrics and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoBase { .. } => "no-base",
            Self::Denied { .. } => "denied",
            Self::Throttled { .. } => "throttled",
            Self::Unreachable { .. } => "unreachable",
        }
    }

    /// What to change.
    pub fn hint(&self) -> String {
        match self {
            Self::NoBase { .. } => "give the instance a role, or name a profile by AWS_PROFILE; `aws sts \
                 get-caller-identity` shows whether there are any"
                .to_owned(),
            // Source: "Roles terms and concepts", role chaining, in the IAM User Guide.
            Self::Denied { why, .. } if why.contains("DurationSeconds") => {
                "set MLFLOW_PROXY_SESSION_SECONDS to what the role allows; an instance's role that assumes \
                 another one gets 3600 at most"
                    .to_owned()
            }
            Self::Denied { role, .. } => format!(
                "let the trust policy of {role} name the proxy's own role, and let that role have \
                 sts:AssumeRole on it"
            ),
            Self::Throttled { .. } => "wait; the proxy tries again by itself".to_owned(),
            Self::Unreachable { .. } => {
                "see that the proxy reaches AWS STS, such as by a VPC endpoint for sts, and the metadata service"
                    .to_owned()
            }
        }
    }
}

impl From<CredentialsError> for Problem {
    /// The answer to a client whose request cannot be signed. It is for later: the proxy tries again by itself.
    ///
    /// Names of roles and AWS's words are for the log; a client learns the kind.
    fn from(error: CredentialsError) -> Self {
        let what = match &error {
            CredentialsError::NoBase { .. } => "the proxy has no AWS credentials",
            CredentialsError::Denied { .. } => "AWS does not let the proxy assume its role for MLflow",
            CredentialsError::Throttled { .. } => "AWS STS answers the proxy that it is asked too often",
            CredentialsError::Unreachable { .. } => "the proxy does not reach AWS for its credentials",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", what)
            .hint("try again; if it stays, whoever runs the proxy finds the cause in its log and at /readyz")
            .retry_after(Duration::from_secs(5))
    }
}
