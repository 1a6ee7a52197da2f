//! The settings of the migration kit, as `kit.toml` has them.

use serde::{Deserialize, Serialize};

use crate::error::KitError;

/// How the connection to the database is encrypted, by libpq's names without those that leave it to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Encrypted, and the certificate is trusted and of this host.
    VerifyFull,
    /// Encrypted, and the certificate is trusted.
    VerifyCa,
    /// Encrypted, to whoever answers.
    Require,
    /// Not encrypted: for a socket or this machine.
    Disable,
}

/// How copied files are compared with the originals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// By their names and sizes.
    Sizes,
    /// By their contents, which are read back from the store.
    Contents,
}

/// The settings of the migration kit. An empty text is a setting that is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MigrateSettings {
    /// The SQLite file.
    pub source_database: String,
    /// The folder of a file store, `mlruns`.
    pub source_file_store: String,
    /// The folder that the client or server was started in: relative locations begin there.
    pub working_directory: String,
    /// What the server was given as `--artifacts-destination`.
    pub served_artifacts: String,
    /// The host of PostgreSQL, or the folder of its socket.
    pub database_host: String,
    /// The address to connect to instead of the host, such as the near end of a tunnel.
    pub database_address: String,
    /// The port of PostgreSQL.
    pub database_port: u16,
    /// The name of the database, which is empty.
    pub database_name: String,
    /// The user who owns the database.
    pub database_user: String,
    /// How the connection is encrypted.
    pub database_tls: Tls,
    /// The file with the certificates of authorities that are trusted; empty for those of the system.
    pub database_certificates: String,
    /// The ARN of the secret with the password; empty for `PGPASSWORD` or a password file.
    pub database_secret: String,
    /// The folders that artifacts may be taken from.
    pub artifacts_from: Vec<String>,
    /// Where artifacts are copied to: `s3://bucket/prefix`, another store, or a folder; empty to leave them.
    pub artifacts_to: String,
    /// What the database then says of their place; empty for the place itself.
    pub artifact_locations: String,
    /// How copied files are compared with the originals.
    pub artifacts_compared_by: Comparison,
}

impl Default for MigrateSettings {
    fn default() -> Self {
        Self {
            source_database: String::new(),
            source_file_store: String::new(),
            working_directory: String::new(),
            served_artifacts: String::new(),
            database_host: String::new(),
            database_address: String::new(),
            database_port: 5432,
            database_name: "mlflow".to_owned(),
            database_user: "mlflow".to_owned(),
            database_tls: Tls::VerifyFull,
            database_certificates: String::new(),
            database_secret: String::new(),
            artifacts_from: Vec::new(),
            artifacts_to: String::new(),
            artifact_locations: String::new(),
            artifacts_compared_by: Comparison::Sizes,
        }
    }
}

/// Every key, in the order of the settings file, and what it says.
pub(super) const KEYS: [(&str, &str); 16] = [
    ("sourceDatabase", "The SQLite file to carry, or ..."),
    ("sourceFileStore", "... the folder of a file store (`mlruns`)."),
    ("workingDirectory", "Where the client or server was started; empty for the folder of the source."),
    (
        "servedArtifacts",
        "The server's --artifacts-destination, if it handed out artifacts from a folder (`mlartifacts`).",
    ),
    ("databaseHost", "PostgreSQL: a name, or the folder of its socket."),
    (
        "databaseAddress",
        "Where to connect instead, such as the near end of a tunnel; the certificate is that of the host.",
    ),
    ("databasePort", "Its port."),
    ("databaseName", "An empty database of its own."),
    ("databaseUser", "The user who owns the database; no administrator is needed."),
    ("databaseTls", "verify-full, verify-ca, require, or disable."),
    ("databaseCertificates", "A file with the authorities that are trusted; empty for the system's."),
    (
        "databaseSecret",
        "The ARN of a secret with the password; empty for PGPASSWORD, PGPASSFILE or ~/.pgpass.",
    ),
    (
        "artifactsFrom",
        "The only folders that artifacts are taken from; empty for `mlruns` beside the source and servedArtifacts.",
    ),
    (
        "artifactsTo",
        "s3://bucket/prefix, another store, or a folder; empty to leave artifacts and locations as they are.",
    ),
    (
        "artifactLocations",
        "What the database says of their place: empty for artifactsTo, `mlflow-artifacts:/` behind a server.",
    ),
    ("artifactsComparedBy", "sizes, or contents (reads everything back)."),
];

impl MigrateSettings {
    /// What is wrong with the settings; the kit itself looks at files and the database.
    pub(super) fn check(&self) -> Result<(), KitError> {
        let mut wrong = Vec::new();
        let mut add = |message: &str, hint: &str| wrong.push(format!("{message}\nhint: {hint}"));
        if self.source_database.is_empty() == self.source_file_store.is_empty() {
            let hint = "set one of sourceDatabase (an SQLite file) and sourceFileStore (a folder)";
            add("a migration has one source", hint);
        }
        if !self.artifact_locations.is_empty() && self.artifacts_to.is_empty() {
            add("artifactLocations is set without artifactsTo", "say where the files are copied to");
        }
        let scheme = self.artifacts_to.split_once(':').map(|(scheme, _)| scheme);
        if matches!(scheme, Some("mlflow-artifacts" | "http" | "https")) {
            let hint = "name the store itself, such as s3://bucket/prefix, and set artifactLocations to `mlflow-artifacts:/`";
            add(&format!("artifactsTo is `{}`, which is a server and no store", self.artifacts_to), hint);
        }
        if wrong.is_empty() { Ok(()) } else { Err(KitError::Settings(wrong)) }
    }
}
