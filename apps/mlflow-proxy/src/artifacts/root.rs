//! The root of the artifacts: a bucket and a prefix, and the two ways to write a place below it.
//!
//! MLflow writes `s3://bucket/prefix/1/abc`, which only somebody with an identity with AWS can use; a client is told
//! `mlflow-artifacts:/1/abc`, which leads it to this proxy.

use std::fmt::Write;

use super::path::{RelativePath, decode};

/// The scheme that leads a client to its tracking server. Source: MLflow, `mlflow_artifacts_repo.py`.
const SCHEME: &str = "mlflow-artifacts:/";

/// The bucket and the prefix below which all artifacts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    bucket: String,
    prefix: String,
    /// `s3://bucket/prefix`, without a slash at the end.
    uri: String,
}

impl Root {
    /// Reads `s3://bucket/prefix`. The prefix may be missing; slashes at the end do not count.
    ///
    /// # Errors
    /// What ends the sentence "NAME is `VALUE`, which is not ..." is given back.
    pub fn parse(uri: &str) -> Result<Self, &'static str> {
        let rest = uri.strip_prefix("s3://").ok_or("a URI that begins with s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let letters =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(letters) || bucket.contains("..") {
            return Err(
                "a URI with the name of a bucket (3 to 63 lower-case letters, digits, dots, hyphens)",
            );
        }
        let prefix = prefix.trim_end_matches('/');
        RelativePath::from_text(prefix)
            .map_err(|_| "a URI with a plain prefix (names between single slashes)")?;
        let uri =
            if prefix.is_empty() { format!("s3://{bucket}") } else { format!("s3://{bucket}/{prefix}") };
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), uri })
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The prefix, without slashes around it; empty when the root is the whole bucket.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `s3://bucket/prefix`.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The key of a path.
    pub fn key(&self, path: &RelativePath) -> String {
        match (self.prefix.as_str(), path.as_str()) {
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}/{path}"),
        }
    }

    /// What all keys below a path begin with: the path as a directory.
    pub fn directory(&self, path: &RelativePath) -> String {
        let mut key = self.key(path);
        if !key.is_empty() {
            key.push('/');
        }
        key
    }

    /// A location as a client is told it; `None` when it is not below this root, or could not be asked for here.
    ///
    /// What would end a path in a URI is encoded, because clients read the location as one.
    pub fn to_client(&self, location: &str) -> Option<String> {
        let rest = location.strip_prefix(&self.uri)?;
        let path = match rest.strip_prefix('/') {
            Some(path) => path,
            None if rest.is_empty() => "",
            None => return None,
        };
        check(path)?;
        let mut told = String::with_capacity(SCHEME.len() + path.len());
        told.push_str(SCHEME);
        for letter in path.chars() {
            match letter {
                '%' | '#' | '?' => write!(told, "%{:02X}", u32::from(letter)).ok()?,
                other => told.push(other),
            }
        }
        Some(told)
    }

    /// What a client was told, as MLflow knows it; `None` when it is another kind of location, names a host of its own,
    /// or is no path below the root.
    pub fn to_bucket(&self, location: &str) -> Option<String> {
        let rest = location.strip_prefix(SCHEME)?;
        let path = match rest.strip_prefix('/') {
            // Two slashes begin a host, three do not.
            Some(after) => after.strip_prefix('/')?,
            None => rest,
        };
        let path = decode(path)?;
        check(&path)?;
        Some(if path.is_empty() { self.uri.clone() } else { format!("{}/{path}", self.uri) })
    }
}

/// Whether it is a path below the root, or the root; one slash may end it.
fn check(path: &str) -> Option<()> {
    let names = match path.strip_suffix('/') {
        Some("") => return None,
        Some(names) => names,
        None => path,
    };
    RelativePath::from_text(names).ok().map(|_| ())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root() -> Root {
        Root::parse("s3://bucket/pre/fix").unwrap()
    }

    #[test]
    fn a_root_is_a_bucket_and_a_prefix() {
        assert_eq!((root().bucket(), root().prefix()), ("bucket", "pre/fix"));
        assert_eq!(Root::parse("s3://bucket/pre/fix//").unwrap(), root());
        assert_eq!(Root::parse("s3://bucket").unwrap().key(&RelativePath::from_text("a").unwrap()), "a");
        assert_eq!(Root::parse("s3://bucket/").unwrap().directory(&RelativePath::from_text("").unwrap()), "");
        for wrong in [
            "",
            "bucket",
            "s3://",
            "s3:///x",
            "s3://UP/x",
            "s3://a/b",
            "s3://bucket/../x",
            "s3://bucket//x",
            "https://b/x",
        ] {
            assert!(Root::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn locations_below_the_root_are_told_as_the_proxys() {
        let told = |location: &str| root().to_client(location);
        assert_eq!(told("s3://bucket/pre/fix/1/abc/artifacts").unwrap(), "mlflow-artifacts:/1/abc/artifacts");
        assert_eq!(told("s3://bucket/pre/fix").unwrap(), "mlflow-artifacts:/");
        assert_eq!(told("s3://bucket/pre/fix/").unwrap(), "mlflow-artifacts:/");
        assert_eq!(told("s3://bucket/pre/fix/a b/ü").unwrap(), "mlflow-artifacts:/a b/ü");
        assert_eq!(told("s3://bucket/pre/fix/a%20b#c?d").unwrap(), "mlflow-artifacts:/a%2520b%23c%3Fd");
        for other in [
            "s3://bucket/pre/fixed/1",
            "s3://bucket/pre",
            "s3://other/pre/fix/1",
            "s3://bucket/pre/fix/../x",
            "s3://bucket/pre/fix//x",
            "runs:/1/x",
            "models:/m/1",
            "mlflow-artifacts:/1",
            "/pre/fix",
            "S3://bucket/pre/fix/1",
            "",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn what_a_client_was_told_leads_back() {
        let back = |location: &str| root().to_bucket(location);
        assert_eq!(back("mlflow-artifacts:/1/abc").unwrap(), "s3://bucket/pre/fix/1/abc");
        assert_eq!(back("mlflow-artifacts:///1/abc").unwrap(), "s3://bucket/pre/fix/1/abc");
        assert_eq!(back("mlflow-artifacts:/").unwrap(), "s3://bucket/pre/fix");
        assert_eq!(back("mlflow-artifacts:/my%20place").unwrap(), "s3://bucket/pre/fix/my place");
        for other in [
            "mlflow-artifacts://host/1",
            "mlflow-artifacts:/../x",
            "mlflow-artifacts:/%2e%2e/x",
            "s3://bucket/pre/fix/1",
            "runs:/1",
        ] {
            assert_eq!(back(other), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(crate::fuzzing::inputs())]

        /// Whatever a client asks for, the key is below the prefix, or it is refused.
        #[test]
        fn keys_stay_below_the_prefix(encoded in "([a./%\\\\ ]|%2e|%2f|%5c|%25|%00|é){0,24}") {
            if let Ok(path) = RelativePath::from_url(&encoded) {
                let key = root().key(&path);
                let below = key.strip_prefix("pre/fix/");
                prop_assert!(below == Some(path.as_str()) || path.is_root() && key == "pre/fix", "{}", key);
                prop_assert!(key.split('/').all(|name| !name.is_empty() && name != "." && name != ".."));
                prop_assert!(root().directory(&path).starts_with("pre/fix/"));
            }
        }

        #[test]
        fn there_and_back(path in "[a-c%#? ü.+/]{0,20}") {
            let location = format!("s3://bucket/pre/fix/{path}");
            if let Some(told) = root().to_client(&location) {
                let back = root().to_bucket(&told).unwrap();
                prop_assert_eq!(back.trim_end_matches('/'), location.trim_end_matches('/'));
            }
        }
    }
}
