//! The image of MLflow and the configuration of nginx, which the kits for Compose and Heroku share.

use serde::Serialize;
use serde_json::json;

use crate::error::KitError;
use crate::kit::KitFile;
use crate::template::render;

/// The version of MLflow that the image holds, as `requirements.txt` pins it.
pub(crate) const MLFLOW_VERSION: &str = "3.17.2";

/// How nginx stands in front of MLflow.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Nginx {
    /// What it listens on, such as `8080`.
    pub(crate) listen: String,
    /// The host and port of MLflow.
    pub(crate) mlflow: String,
    /// Who knows MLflow's name; empty when it is an address.
    pub(crate) resolver: String,
    /// A folder for its own files.
    pub(crate) scratch: String,
    /// The file of users.
    pub(crate) users: String,
    /// The path below which MLflow is; empty for none.
    pub(crate) prefix: String,
    /// Whether it speaks TLS, with the files of the Compose kit.
    pub(crate) tls: bool,
    /// Whether it answers on the port without TLS as well, to send people to the other.
    pub(crate) redirect: bool,
    /// The host and port of a store that clients reach through it; empty for none.
    pub(crate) store: String,
    /// Whether clients are kept from asking MLflow for links into its store.
    pub(crate) hide_links: bool,
    /// Whether a router that speaks TLS stands in front.
    pub(crate) behind_router: bool,
}

/// The configuration of nginx.
pub(crate) fn nginx(values: &Nginx) -> Result<String, KitError> {
    render("image/nginx.conf", include_str!("../image/nginx.conf.jinja"), values)
}

/// What the image is built from, for a kit of this name.
pub(crate) fn files(kit: &str) -> Result<Vec<KitFile>, KitError> {
    let dockerfile =
        render("image/Dockerfile", include_str!("../image/Dockerfile.jinja"), json!({ "kit": kit }))?;
    Ok(vec![
        KitFile::plain("Dockerfile", dockerfile),
        KitFile::plain(".dockerignore", include_str!("../image/dockerignore")),
        KitFile::plain("requirements.txt", include_str!("../image/requirements.txt")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_installed() {
        let lock = include_str!("../image/requirements.txt");
        let pinned = |package: &str| {
            lock.lines().find_map(|line| line.strip_prefix(&format!("{package}=="))).map(str::to_owned)
        };
        assert_eq!(pinned("mlflow").as_deref(), Some(format!("{MLFLOW_VERSION} \\").as_str()));
        assert!(
            pinned("psycopg2-binary").is_some()
                && pinned("boto3").is_some()
                && pinned("azure-storage-blob").is_some()
        );
    }
}
