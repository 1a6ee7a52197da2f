//! Which MLflow stands behind the proxy, read from the resource's ARN.
//!
//! Mode, region, partition, endpoint, the service name of the signature and the routing header all follow from the ARN,
//! as in AWS's own plugin (`sagemaker-mlflow`).

use http::uri::PathAndQuery;
use http::{HeaderName, Uri};

use crate::settings::{Reader, Variable};

#[cfg(test)]
mod tests;

/// The settings that say which MLflow is meant.
pub const VARIABLES: &[Variable] = &[RESOURCE, REGION, ENDPOINT, PLUGIN_ENDPOINT];

const RESOURCE: Variable = Variable {
    name: "SM_MLFLOW_RESOURCE_ARN",
    default: "",
    about: "The ARN of the tracking server or of the serverless app.",
};

const REGION: Variable = Variable {
    name: "SM_MLFLOW_AWS_REGION",
    default: "",
    about: "The region of the resource; it has to be that of the ARN, which is taken when this is not set.",
};

const ENDPOINT: Variable = Variable {
    name: "SM_MLFLOW_ENDPOINT",
    default: "",
    about: "Another address for MLflow than the one that follows from the ARN: scheme, host and port.",
};

const PLUGIN_ENDPOINT: Variable = Variable {
    name: "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT",
    default: "",
    about: "The same as SM_MLFLOW_ENDPOINT, by the name that AWS's own plugin knows.",
};

const ARN_HINT: &str = "give the ARN of a tracking server or an app, such as \
     arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/NAME";

/// Reads the target. Without a usable ARN there is a mistake and no target.
pub fn read(reader: &mut Reader<'_>) -> Option<Target> {
    let region = reader.given(&REGION);
    let plugin = reader.given(&PLUGIN_ENDPOINT);
    let (variable, endpoint) = match reader.given(&ENDPOINT) {
        Some(endpoint) => (&ENDPOINT, Some(endpoint)),
        None => (&PLUGIN_ENDPOINT, plugin),
    };
    let Some(arn) = reader.given(&RESOURCE) else {
        reader.mistake(&RESOURCE, "is not set", ARN_HINT);
        return None;
    };
    let target = match Target::from_arn(&arn, endpoint.as_deref()) {
        Ok(target) => target,
        Err(error @ TargetError::Endpoint { .. }) => {
            reader.mistake(
                variable,
                error.wrong(),
                "give scheme, host and port, such as https://mlflow.example.com",
            );
            return None;
        }
        Err(error) => {
            reader.mistake(&RESOURCE, error.wrong(), error.hint());
            return None;
        }
    };
    if let Some(region) = region.filter(|region| *region != target.region) {
        let wrong = format!("is `{region}`, but the resource is in `{}` by its ARN", target.region);
        reader.mistake(&REGION, wrong, "give the region of SM_MLFLOW_RESOURCE_ARN or leave this out");
        return None;
    }
    Some(target)
}

/// Why an ARN or an endpoint names no MLflow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The text has not the form of an ARN.
    #[error("`{arn}` is no ARN: {why}")]
    Malformed {
        /// The text.
        arn: String,
        /// What is wrong with it.
        why: String,
    },
    /// Managed MLflow has no known endpoint in the partition. Source: `sagemaker-mlflow`, which knows the same two.
    #[error("`{arn}` is in the partition `{partition}`, in which managed MLflow is not known")]
    Partition {
        /// The ARN.
        arn: String,
        /// Its partition.
        partition: String,
    },
    /// The ARN is of something else.
    #[error("`{arn}` is no MLflow: it names `{found}`")]
    Kind {
        /// The ARN.
        arn: String,
        /// The service and the type of the resource.
        found: String,
    },
    /// The endpoint cannot be used.
    #[error("`{endpoint}` is no endpoint: {why}")]
    Endpoint {
        /// The text.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
}

impl TargetError {
    /// The error as the rest of the sentence that begins with the name of a setting.
    fn wrong(&self) -> String {
        match self {
            Self::Malformed { arn, why } => format!("is `{arn}`, which is no ARN: {why}"),
            Self::Partition { arn, partition } => {
                format!("is `{arn}`; managed MLflow is not known in the partition `{partition}`")
            }
            Self::Kind { arn, found } => format!("is `{arn}`, which names `{found}` and no MLflow"),
            Self::Endpoint { endpoint, why } => format!("is `{endpoint}`, which is no endpoint: {why}"),
        }
    }

    /// What to change.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Partition { .. } => "use a resource in the partition aws or aws-us-gov",
            Self::Endpoint { .. } => "give scheme, host and port, such as https://mlflow.example.com",
            Self::Malformed { .. } | Self::Kind { .. } => ARN_HINT,
        }
    }
}

/// The two forms of SageMaker's managed MLflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A tracking server: `mlflow-tracking-server/NAME`.
    TrackingServer,
    /// A serverless app: `mlflow-app/ID`.
    App,
}

/// The MLflow behind the proxy.
#[derive(Clone, Debug)]
pub struct Target {
    /// Tracking server or app.
    pub mode: Mode,
    /// The ARN, as it was given.
    pub arn: String,
    /// Its partition: `aws` or `aws-us-gov`.
    pub partition: String,
    /// Its region.
    pub region: String,
    /// Its account, 12 digits.
    pub account: String,
    /// The name of the tracking server or the id of the app.
    pub name: String,
    /// Scheme and authority of the data plane.
    pub endpoint: Uri,
    /// The service name in the signature's scope.
    pub service: &'static str,
    /// The header that routes a request to the resource.
    pub header: HeaderName,
}

impl Target {
    /// The target that an ARN names. With `endpoint` (scheme, host and port) requests go there instead; all else stays.
    ///
    /// Source of endpoints, service names and headers: `sagemaker-mlflow` 0.5.0.
    pub fn from_arn(arn: &str, endpoint: Option<&str>) -> Result<Self, TargetError> {
        let malformed = |why: &str| TargetError::Malformed { arn: arn.to_owned(), why: why.to_owned() };
        let mut parts = arn.splitn(6, ':');
        let mut part = || parts.next().ok_or_else(|| malformed("it has fewer than six parts between colons"));
        let (prefix, partition, service) = (part()?, part()?, part()?);
        let (region, account, resource) = (part()?, part()?, part()?);
        if prefix != "arn" {
            return Err(malformed("it does not begin with `arn:`"));
        }
        if !matches!(partition, "aws" | "aws-us-gov") {
            let partition = partition.to_owned();
            return Err(TargetError::Partition { arn: arn.to_owned(), partition });
        }
        let kind = |found: String| TargetError::Kind { arn: arn.to_owned(), found };
        if service != "sagemaker" {
            return Err(kind(format!("{service}:{resource}")));
        }
        let (what, name) = resource.split_once('/').unwrap_or((resource, ""));
        let mode = match what {
            "mlflow-tracking-server" => Mode::TrackingServer,
            "mlflow-app" => Mode::App,
            other => return Err(kind(other.to_owned())),
        };
        if !is_region(region) {
            return Err(malformed(&format!("`{region}` is no region")));
        }
        if (partition == "aws-us-gov") != region.starts_with("us-gov-") {
            return Err(malformed(&format!("the region `{region}` is not in the partition `{partition}`")));
        }
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed(&format!("the account `{account}` has not 12 digits")));
        }
        if name.is_empty() {
            return Err(malformed(&format!("there is no name after `{what}/`")));
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(malformed(&format!("`{name}` is no name of letters, digits and hyphens")));
        }
        let own = match mode {
            Mode::TrackingServer => format!("https://{region}.experiments.sagemaker.aws"),
            Mode::App => format!("https://mlflow.sagemaker.{region}.app.aws"),
        };
        Ok(Self {
            mode,
            arn: arn.to_owned(),
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            name: name.to_owned(),
            endpoint: origin(endpoint.unwrap_or(&own))?,
            service: match mode {
                Mode::TrackingServer => "sagemaker-mlflow",
                Mode::App => "sagemaker",
            },
            header: HeaderName::from_static(match mode {
                Mode::TrackingServer => TRACKING_SERVER_HEADER,
                Mode::App => APP_HEADER,
            }),
        })
    }
}

/// The header that routes a request to a tracking server.
pub const TRACKING_SERVER_HEADER: &str = "x-mlflow-sm-tracking-server-arn";

/// The header that routes a request to an app.
pub const APP_HEADER: &str = "x-sm-mlflow-app-arn";

/// Such as `us-east-1`: it becomes part of a host name.
fn is_region(region: &str) -> bool {
    let words = region.split('-').collect::<Vec<_>>();
    let word = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let [names @ .., number] = words.as_slice() else { return false };
    names.len() >= 2
        && names.iter().all(word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads scheme and authority; a path of `/` is as good as none.
pub(crate) fn origin(text: &str) -> Result<Uri, TargetError> {
    let wrong = |why: &str| TargetError::Endpoint { endpoint: text.to_owned(), why: why.to_owned() };
    let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
    let mut parts = uri.into_parts();
    match parts.scheme.as_ref().map(|scheme| scheme.as_str()) {
        Some("http" | "https") => {}
        Some(other) => return Err(wrong(&format!("its scheme is `{other}`, not http or https"))),
        None => return Err(wrong("it has no scheme")),
    }
    match &parts.authority {
        Some(authority) if authority.as_str().contains('@') => {
            return Err(TargetError::Endpoint {
                endpoint: "...".to_owned(),
                why: "it has a user's name in it".to_owned(),
            });
        }
        Some(authority) if !authority.host().is_empty() => {}
        _ => return Err(wrong("it has no host")),
    }
    if parts.path_and_query.as_ref().is_some_and(|path| path.as_str() != "/") {
        return Err(wrong("it has a path"));
    }
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|error| wrong(&error.to_string()))
}
