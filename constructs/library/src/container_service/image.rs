//! The image of a container, by a name that means the same image tomorrow.

use formwork::{Diagnostic, Scope, Value, pseudo, text};

/// An image.
#[derive(Clone, Debug, PartialEq)]
pub enum ContainerImage {
    /// An image of a registry: with the tag of a version, as in `netflixoss/metaflow_metadata_service:v2.5.1`, or better
    /// with a digest behind it.
    Pinned(String),
    /// An image of an ECR repository of this app, by digest.
    Repository {
        /// The URI of the repository.
        uri: Value<String>,
        /// The ARN of the repository.
        arn: Value<String>,
        /// The digest: `sha256:` and 64 hex digits.
        digest: String,
    },
}

impl ContainerImage {
    /// The name by which ECS fetches it.
    pub fn name(&self) -> Value<String> {
        match self {
            Self::Pinned(name) => formwork::IntoValue::into_value(name.as_str()),
            Self::Repository { uri, digest, .. } => text!("{}@{}", uri, digest.as_str()),
        }
    }

    /// The ARN of the ECR repository that it comes from, if it is one of somebody's own.
    pub(super) fn repository(&self) -> Option<Value<String>> {
        match self {
            Self::Repository { arn, .. } => Some(arn.clone()),
            Self::Pinned(name) => {
                let (host, path) = name.split_once('/')?;
                let (account, rest) = host.split_once(".dkr.ecr.")?;
                let region = rest.split('.').next()?;
                let path = path.split(['@', ':']).next()?;
                Some(text!("arn:{}:ecr:{}:{}:repository/{}", pseudo::partition(), region, account, path))
            }
        }
    }

    /// Reports a name that may mean another image tomorrow.
    pub(super) fn check(&self, scope: Scope<'_>) {
        let (shown, is_pinned) = match self {
            Self::Pinned(name) => (name, is_pinned(name)),
            Self::Repository { digest, .. } => (digest, is_digest(digest)),
        };
        if !is_pinned {
            let message = format!("the image `{shown}` may be another one tomorrow");
            let hint =
                "name a version, as in example/server:v1.2.3, or a digest, as in example/server@sha256:...";
            scope.report(Diagnostic::error("image", message).with_hint(hint));
        }
    }
}

/// Whether a name has a digest, or the tag of one version.
fn is_pinned(name: &str) -> bool {
    if let Some((_, digest)) = name.split_once('@') {
        return is_digest(digest);
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    // Two numbers at least: the tag `3` moves with every release.
    last.split_once(':').is_some_and(|(_, tag)| {
        tag.split(['.', '-', '_', 'v']).filter(|part| part.parse::<u64>().is_ok()).count() >= 2
    })
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::is_pinned;

    #[test]
    fn a_version_or_a_digest_pins_an_image() {
        let digest = format!("python@sha256:{}", "a1".repeat(32));
        for name in ["netflixoss/metaflow_metadata_service:v2.5.1", "postgres:18.1-alpine", digest.as_str()] {
            assert!(is_pinned(name), "{name}");
        }
        for name in ["mlflow", "mlflow:latest", "localhost:5000/mlflow", "python:3", "python@sha256:12", ""] {
            assert!(!is_pinned(name), "{name}");
        }
    }
}
