//! What can be copied from and to: a server by its URL, managed MLflow by its ARN, a backup by its directory or bucket.

use std::fmt;
use std::path::PathBuf;

use crate::error::{Class, EngineError};

/// A place that holds what MLflow holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A server that speaks MLflow's API: a tracking server of one's own, or our proxy.
    Server {
        /// Scheme, host, port and path, without a slash at the end.
        url: String,
    },
    /// A tracking server or an app of SageMaker.
    Managed(Managed),
    /// A backup in a directory.
    Directory(PathBuf),
    /// A backup in a bucket.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// The beginning of its keys, without a slash at either end; empty for the whole bucket.
        prefix: String,
    },
}

/// Managed MLflow: where it is reached, and how requests to it are signed.
///
/// Source of endpoints, service names and headers: `sagemaker-mlflow` 0.5.0. The proxy has the same table for itself; a
/// test holds them together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// The ARN.
    pub arn: String,
    /// Its region.
    pub region: String,
    /// Scheme and host.
    pub endpoint: String,
    /// The service in the signature.
    pub service: &'static str,
    /// The header that says which resource is meant; its value is the ARN.
    pub header: &'static str,
}

/// Who a plain server is told we are. Never shown.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The name that goes with the password.
    pub username: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// A bearer token, which comes before name and password.
    pub token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("given", &self.header().is_some()).finish()
    }
}

impl Credentials {
    /// The header `Authorization`; nothing when nothing is known.
    pub(crate) fn header(&self) -> Option<String> {
        use base64::Engine as _;
        if let Some(token) = &self.token {
            return Some(format!("Bearer {token}"));
        }
        let username = self.username.as_deref()?;
        let pair = format!("{username}:{}", self.password.as_deref().unwrap_or_default());
        Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
    }
}

impl Address {
    /// Reads what the user names.
    ///
    /// # Errors
    /// When it is none of the forms, or carries a password.
    pub fn read(text: &str) -> Result<Self, EngineError> {
        if text.starts_with("arn:") {
            return Managed::of(text).map(Self::Managed);
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(unusable(text, "it names no bucket", "give s3://BUCKET/PREFIX"));
            }
            let prefix = prefix.trim_matches('/').to_owned();
            return Ok(Self::Bucket { bucket: bucket.to_owned(), prefix });
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return match scheme {
                "http" | "https" => server(text, rest),
                "file" => Ok(Self::Directory(PathBuf::from(rest))),
                _ => Err(unusable(
                    text,
                    &format!("`{scheme}` is no way to MLflow"),
                    "serve a database or a directory of runs first: `mlflow server --backend-store-uri URI`",
                )),
            };
        }
        if text.is_empty() {
            return Err(unusable(
                text,
                "it is empty",
                "give a URL, an ARN, s3://BUCKET/PREFIX or a directory",
            ));
        }
        Ok(Self::Directory(PathBuf::from(text)))
    }

    /// Whether it is a backup.
    pub fn is_backup(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::Bucket { .. })
    }

    /// Whether what goes there could be read on its way: HTTP without TLS to another machine.
    pub fn is_open_to_readers(&self) -> bool {
        match self {
            Self::Server { url } => url.starts_with("http://") && !is_loopback(url),
            _ => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server { url } => f.write_str(url),
            Self::Managed(managed) => f.write_str(&managed.arn),
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl Managed {
    /// Reads an ARN.
    ///
    /// # Errors
    /// When it is not that of a tracking server or an app.
    pub fn of(arn: &str) -> Result<Self, EngineError> {
        let hint = "give the ARN of a tracking server or an app, such as \
                    arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/NAME";
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, "sagemaker", region, account, resource] = parts.as_slice() else {
            return Err(unusable(arn, "it is no ARN of SageMaker", hint));
        };
        if !matches!(*partition, "aws" | "aws-us-gov") {
            let why = format!("managed MLflow is not known in the partition {partition}");
            return Err(unusable(arn, &why, hint));
        }
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        if !plain(region) || !digits || !plain(name) {
            return Err(unusable(arn, "region, account or name are not what they should be", hint));
        }
        let (endpoint, service, header) = match kind {
            "mlflow-tracking-server" => (
                format!("https://{region}.experiments.sagemaker.aws"),
                "sagemaker-mlflow",
                "x-mlflow-sm-tracking-server-arn",
            ),
            "mlflow-app" => {
                (format!("https://mlflow.sagemaker.{region}.app.aws"), "sagemaker", "x-sm-mlflow-app-arn")
            }
            other => return Err(unusable(arn, &format!("it names `{other}` and no MLflow"), hint)),
        };
        Ok(Self { arn: arn.to_owned(), region: (*region).to_owned(), endpoint, service, header })
    }
}

fn server(text: &str, rest: &str) -> Result<Address, EngineError> {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        // Not repeated: it is a secret, and it stands in the list of processes as it is.
        return Err(EngineError::new(Class::Usage, "a URL carries a name or a password").with_hint(
            "put them into FORMWORK_FROM_USERNAME and FORMWORK_FROM_PASSWORD, or the same with TO",
        ));
    }
    if host.is_empty() || rest.contains(['?', '#']) {
        return Err(unusable(text, "it is no address of a server", "give scheme, host and port"));
    }
    Ok(Address::Server { url: text.trim_end_matches('/').to_owned() })
}

/// Whether a URL names this machine.
pub(crate) fn is_loopback(url: &str) -> bool {
    let host = crate::aws::http::host_of(url);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn unusable(text: &str, why: &str, hint: &str) -> EngineError {
    EngineError::new(Class::Usage, format!("`{text}` cannot be copied from or to: {why}")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_known() {
        let read = |text| Address::read(text).unwrap().to_string();
        assert_eq!(read("https://mlflow.example.com/team/"), "https://mlflow.example.com/team");
        assert_eq!(read("s3://bucket/a/b/"), "s3://bucket/a/b");
        assert_eq!(read("backups/monday"), "backups/monday");
        let arn = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-1";
        let Address::Managed(app) = Address::read(arn).unwrap() else { panic!("no ARN") };
        assert_eq!(
            (app.endpoint.as_str(), app.service, app.header),
            ("https://mlflow.sagemaker.eu-west-1.app.aws", "sagemaker", "x-sm-mlflow-app-arn")
        );
        for wrong in ["", "s3://", "sqlite:///mlflow.db", "https://", "arn:aws:s3:::bucket", "http://h/?a=b"]
        {
            let error = Address::read(wrong).unwrap_err();
            assert!(error.hint.is_some() && error.class == Class::Usage, "{wrong}: {error}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = Address::read("https://ann:secret@mlflow.example.com").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        let credentials = Credentials { token: Some("hidden".to_owned()), ..Credentials::default() };
        assert!(!format!("{credentials:?}").contains("hidden"));
    }

    #[test]
    fn only_this_machine_is_reached_without_tls() {
        let open = |text| Address::read(text).unwrap().is_open_to_readers();
        assert!(open("http://mlflow.internal:5000") && open("http://10.0.0.1"));
        assert!(!open("http://127.0.0.1:5000") && !open("http://localhost") && !open("http://[::1]:5000"));
        assert!(!open("https://mlflow.internal"));
    }

    /// The proxy cannot be asked, since nothing depends on it; its source can.
    #[test]
    fn the_proxy_has_the_same_table() {
        let proxy = include_str!("../../../apps/mlflow-proxy/src/target.rs");
        for kind in ["mlflow-tracking-server", "mlflow-app"] {
            let managed = Managed::of(&format!("arn:aws:sagemaker:eu-west-1:111122223333:{kind}/x")).unwrap();
            let endpoint = managed.endpoint.replace("eu-west-1", "{region}");
            for text in [&endpoint, managed.service, managed.header] {
                assert!(proxy.contains(&format!("\"{text}\"")), "the proxy does not know {text}");
            }
        }
    }
}
