//! The settings of the Compose kit, as `kit.toml` has them.

use serde::{Deserialize, Serialize};

use crate::image::Nginx;

/// Where artifacts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Artifacts {
    /// In a store of the kit that speaks S3, in a container.
    Store,
    /// In a folder of this machine.
    Local,
    /// In a bucket of Amazon S3, or of something that speaks it elsewhere.
    S3,
    /// In a container of Azure Blob Storage.
    Azure,
}

/// Who carries artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uploads {
    /// MLflow, so that clients need nothing but its address.
    Proxied,
    /// Clients themselves, with a key of their own: MLflow is no bottleneck then.
    Direct,
}

/// Where MLflow's data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Database {
    /// In PostgreSQL in a container of the kit.
    Container,
    /// In a PostgreSQL that somebody else runs.
    External,
}

/// Whether what is published speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// No: passwords could be read on the way.
    None,
    /// Yes, by a certificate and key in files.
    Files,
}

/// The settings of the Compose kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ComposeSettings {
    /// The name of the Compose project.
    pub name: String,
    /// The names that people call the server by; the first is that of the address that clients get.
    pub hosts: Vec<String>,
    /// The address of this machine that the server is published on.
    pub listen: String,
    /// The port that the server is published on.
    pub port: u16,
    /// The path below which MLflow is, such as `/mlflow`; empty for none.
    pub prefix: String,
    /// Whether the server speaks TLS.
    pub tls: Tls,
    /// Whether passwords may go over a network without TLS.
    pub allow_insecure: bool,
    /// The name of the first user.
    pub user: String,
    /// How many processes answer requests.
    pub workers: u16,
    /// Where artifacts are kept.
    pub artifacts: Artifacts,
    /// The place of artifacts in S3 (`s3://bucket/prefix`) or Azure (`wasbs://container@account.blob.core.windows.net/path`).
    pub artifact_location: String,
    /// The region of the bucket.
    pub s3_region: String,
    /// The address of something that speaks S3 and is not Amazon's.
    pub s3_endpoint: String,
    /// Who carries artifacts.
    pub uploads: Uploads,
    /// The port that the store is published on when uploads are direct.
    pub store_port: u16,
    /// Where MLflow's data is kept.
    pub database: Database,
    /// The host of an external database.
    pub database_host: String,
    /// The port of an external database.
    pub database_port: u16,
    /// The name of the database.
    pub database_name: String,
    /// The user of the database.
    pub database_user: String,
    /// How an external database is trusted, as libpq's `sslmode` has it.
    pub database_tls: String,
    /// The image of PostgreSQL.
    pub postgres_image: String,
    /// The image of nginx.
    pub nginx_image: String,
    /// The image of the store.
    pub store_image: String,
}

impl Default for ComposeSettings {
    fn default() -> Self {
        Self {
            name: "mlflow".to_owned(),
            hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            listen: "127.0.0.1".to_owned(),
            port: 5001,
            prefix: "/mlflow".to_owned(),
            tls: Tls::None,
            allow_insecure: false,
            user: "mlflow".to_owned(),
            workers: 2,
            artifacts: Artifacts::Store,
            artifact_location: String::new(),
            s3_region: "us-east-1".to_owned(),
            s3_endpoint: String::new(),
            uploads: Uploads::Proxied,
            store_port: 9443,
            database: Database::Container,
            database_host: String::new(),
            database_port: 5432,
            database_name: "mlflow".to_owned(),
            database_user: "mlflow".to_owned(),
            database_tls: "verify-full".to_owned(),
            // An official image; its volume has the layout of version 18.
            postgres_image: "postgres:18-alpine".to_owned(),
            // The stable branch of 2026: docker-library/official-images#21850 of 2026-07-15 has its tags.
            nginx_image: "nginx:1.30-alpine".to_owned(),
            // MinIO's image left Docker Hub on 2026-09-12. This one is pulled by Apache Flink's tests since
            // apache/flink#28560 of 2026-09-15.
            store_image: "chrislusf/seaweedfs:4.47".to_owned(),
        }
    }
}

impl ComposeSettings {
    /// What a browser calls the place that pages of a host come from.
    pub(super) fn origin(&self, host: &str) -> String {
        let (scheme, usual) = if self.tls == Tls::Files { ("https", 443) } else { ("http", 80) };
        if self.port == usual {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{}", self.port)
        }
    }

    /// Where MLflow puts artifacts.
    pub(super) fn artifacts_at(&self) -> String {
        match self.artifacts {
            Artifacts::Store => "s3://mlflow/artifacts".to_owned(),
            Artifacts::Local => "/mlflow/artifacts".to_owned(),
            Artifacts::S3 | Artifacts::Azure => self.artifact_location.clone(),
        }
    }

    pub(super) fn nginx(&self) -> Nginx {
        let tls = self.tls == Tls::Files;
        Nginx {
            listen: if tls { "8443 ssl" } else { "8080" }.to_owned(),
            mlflow: "mlflow:5000".to_owned(),
            resolver: "127.0.0.11".to_owned(),
            scratch: "/tmp".to_owned(),
            users: "/run/secrets/users".to_owned(),
            prefix: self.prefix.clone(),
            tls,
            redirect: tls && self.port == 443,
            store: if self.artifacts == Artifacts::Store && self.uploads == Uploads::Direct {
                "store:8333".to_owned()
            } else {
                String::new()
            },
            // Clients could not follow links into a network that only the containers know.
            hide_links: self.artifacts == Artifacts::Store && self.uploads == Uploads::Proxied,
            behind_router: false,
        }
    }
}
