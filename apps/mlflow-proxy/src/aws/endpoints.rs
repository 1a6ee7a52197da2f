//! Where the services of AWS answer, in both partitions that have managed MLflow.

use http::Uri;

use crate::settings::{Reader, Variable};
use crate::target::origin;

pub(super) const ALL: Variable = Variable {
    name: "AWS_ENDPOINT_URL",
    default: "",
    about: "An address that takes the place of every service of AWS, as in AWS's SDKs.",
};

pub(super) const STS: Variable = Variable {
    name: "AWS_ENDPOINT_URL_STS",
    default: "",
    about: "An address that takes the place of AWS STS.",
};

pub(super) const SECRETS_MANAGER: Variable = Variable {
    name: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    default: "",
    about: "An address that takes the place of AWS Secrets Manager.",
};

pub(super) const SAGEMAKER: Variable = Variable {
    name: "AWS_ENDPOINT_URL_SAGEMAKER",
    default: "",
    about: "An address that takes the place of SageMaker's control plane.",
};

pub(super) const LOGS: Variable = Variable {
    name: "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    default: "",
    about: "An address that takes the place of CloudWatch Logs.",
};

pub(super) const S3: Variable = Variable {
    name: "AWS_ENDPOINT_URL_S3",
    default: "",
    about: "An address that takes the place of Amazon S3; the bucket then stands in the path.",
};

/// A service of AWS that the proxy itself calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Assumes the role.
    Sts,
    /// Has the users.
    SecretsManager,
    /// Makes links to MLflow's user interface.
    SageMaker,
    /// Takes the log.
    Logs,
    /// Has the artifacts. It speaks another protocol than the others; see [`crate::artifacts`].
    S3,
}

impl Service {
    pub(super) const ALL: [Self; 5] =
        [Self::Sts, Self::SecretsManager, Self::SageMaker, Self::Logs, Self::S3];

    /// The name in the signature's scope.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::SecretsManager => "secretsmanager",
            Self::SageMaker => "sagemaker",
            Self::Logs => "logs",
            Self::S3 => "s3",
        }
    }

    /// What stands before the operation in `x-amz-target`. Source: the services' models in botocore.
    pub(super) fn target_prefix(self) -> &'static str {
        match self {
            Self::Sts | Self::S3 => "",
            Self::SecretsManager => "secretsmanager",
            Self::SageMaker => "SageMaker",
            Self::Logs => "Logs_20140328",
        }
    }

    fn variable(self) -> &'static Variable {
        match self {
            Self::Sts => &STS,
            Self::SecretsManager => &SECRETS_MANAGER,
            Self::SageMaker => &SAGEMAKER,
            Self::Logs => &LOGS,
            Self::S3 => &S3,
        }
    }
}

/// Addresses that take the place of AWS's, as the SDKs name them.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    all: Option<Uri>,
    single: [Option<Uri>; Service::ALL.len()],
}

impl Endpoints {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut read = |variable: &Variable| {
            let text = reader.given(variable)?;
            match origin(&text) {
                Ok(uri) => Some(uri),
                Err(error) => {
                    let hint = "give scheme, host and port, such as http://127.0.0.1:4566";
                    reader.mistake(variable, format!("cannot be used: {error}"), hint);
                    None
                }
            }
        };
        Self { all: read(&ALL), single: Service::ALL.map(|service| read(service.variable())) }
    }

    /// With another address for one service.
    #[must_use]
    pub fn with(mut self, service: Service, endpoint: Uri) -> Self {
        self.single[service as usize] = Some(endpoint);
        self
    }

    /// The address that takes the place of the service's own, if there is one.
    pub fn instead(&self, service: Service) -> Option<&Uri> {
        self.single[service as usize].as_ref().or(self.all.as_ref())
    }

    /// Where a service answers in a region. Both partitions end their hosts alike.
    pub fn of(&self, service: Service, region: &str) -> Uri {
        if let Some(uri) = self.instead(service) {
            return uri.clone();
        }
        let host = match service {
            Service::SageMaker => "api.sagemaker",
            other => other.signing_name(),
        };
        let text = format!("https://{host}.{region}.amazonaws.com/");
        text.parse().expect("a target's region has letters, digits and hyphens")
    }
}
