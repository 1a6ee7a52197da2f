//! Where artifacts are, and who serves them.

use std::sync::Arc;

use http::HeaderValue;

use super::root::Root;
use crate::settings::{Reader, Variable};

/// The settings of artifacts.
pub const VARIABLES: &[Variable] = &[ARTIFACT_URI, ARTIFACTS, LINKS, BUCKET_OWNER];

const ARTIFACT_URI: Variable = Variable {
    name: "SM_MLFLOW_ARTIFACT_URI",
    default: "",
    about: "The root of MLflow's artifacts, s3://BUCKET/PREFIX; without it clients are sent to S3 themselves.",
};

const ARTIFACTS: Variable = Variable {
    name: "MLFLOW_PROXY_ARTIFACTS",
    default: "on",
    about: "Whether the proxy serves artifacts from SM_MLFLOW_ARTIFACT_URI (on) or sends clients to S3 (off).",
};

const LINKS: Variable = Variable {
    name: "MLFLOW_PROXY_ARTIFACT_LINKS",
    default: "false",
    about: "Whether clients that ask for presigned links to large files get them (true); they must reach S3 for that.",
};

const BUCKET_OWNER: Variable = Variable {
    name: "MLFLOW_PROXY_BUCKET_OWNER",
    default: "",
    about: "The account that has to own the bucket, or any; without it that of SM_MLFLOW_RESOURCE_ARN.",
};

/// Who has to own the bucket, so that a name that somebody else took is not written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The account of the resource's ARN.
    OfTarget,
    /// This account.
    Account(HeaderValue),
    /// Whoever it is.
    Anybody,
}

/// Where artifacts are, and who serves them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root; `None` when the proxy does not serve artifacts.
    pub root: Option<Arc<Root>>,
    /// Who has to own the bucket.
    pub owner: Owner,
    /// Whether clients get presigned links to S3.
    pub links: bool,
}

impl Settings {
    /// Reads the settings of artifacts.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let root = reader.given(&ARTIFACT_URI).and_then(|text| {
            Root::parse(&text)
                .map_err(|what| {
                    let wrong = format!("is `{text}`, which is not {what}");
                    reader.mistake(
                        &ARTIFACT_URI,
                        wrong,
                        "give s3://BUCKET/PREFIX, as MLflow's artifact store has it",
                    );
                })
                .ok()
        });
        let on = match reader.text(&ARTIFACTS).as_deref() {
            Some("off") => false,
            Some("on") | None => true,
            Some(other) => {
                let wrong = format!("is `{other}`, which is neither on nor off");
                reader.mistake(&ARTIFACTS, wrong, "give on or off");
                true
            }
        };
        let owner = match reader.given(&BUCKET_OWNER).as_deref() {
            None => Owner::OfTarget,
            Some("any") => Owner::Anybody,
            Some(account) if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
                Owner::Account(HeaderValue::from_str(account).expect("digits can stand in a header"))
            }
            Some(other) => {
                let wrong = format!("is `{other}`, which is no account");
                reader.mistake(&BUCKET_OWNER, wrong, "give the 12 digits of an account, or any");
                Owner::OfTarget
            }
        };
        let links = reader.switch(&LINKS);
        Self { root: root.filter(|_| on).map(Arc::new), owner, links }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::testing::read_and_tell;

    fn read(given: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let (settings, mistakes) = read_and_tell(given, Settings::read);
        if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
    }

    #[test]
    fn a_root_turns_the_serving_on_and_off_turns_it_off() {
        let uri = ("SM_MLFLOW_ARTIFACT_URI", "s3://bucket/pre");
        assert!(read(&[]).unwrap().root.is_none());
        assert_eq!(read(&[uri]).unwrap().root.unwrap().uri(), "s3://bucket/pre");
        assert!(read(&[uri, ("MLFLOW_PROXY_ARTIFACTS", "off")]).unwrap().root.is_none());
    }

    #[test]
    fn the_owner_is_an_account_or_anybody() {
        assert_eq!(read(&[]).unwrap().owner, Owner::OfTarget);
        assert_eq!(read(&[("MLFLOW_PROXY_BUCKET_OWNER", "any")]).unwrap().owner, Owner::Anybody);
        let owner = read(&[("MLFLOW_PROXY_BUCKET_OWNER", "111122223333")]).unwrap().owner;
        assert_eq!(owner, Owner::Account(HeaderValue::from_static("111122223333")));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let mistakes = read(&[
            ("SM_MLFLOW_ARTIFACT_URI", "https://bucket/x"),
            ("MLFLOW_PROXY_ARTIFACTS", "maybe"),
            ("MLFLOW_PROXY_BUCKET_OWNER", "me"),
        ])
        .unwrap_err();
        assert_eq!(mistakes.len(), 3);
        assert!(
            mistakes[0].starts_with("SM_MLFLOW_ARTIFACT_URI is `https://bucket/x`, which is not a URI that")
        );
        assert!(mistakes[1].contains("hint: give on or off"));
        assert!(mistakes[2].contains("is `me`, which is no account"));
    }
}
