//! The arguments of `formwork kit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `formwork kit`.
#[derive(Debug, Args)]
pub(crate) struct KitArguments {
    #[command(subcommand)]
    pub(crate) kit: KitCommand,
}

/// The kits.
#[derive(Debug, Subcommand)]
pub(crate) enum KitCommand {
    /// MLflow, PostgreSQL, a store for artifacts and nginx on a machine with Docker Compose
    Compose(Box<ComposeKitArguments>),
    /// MLflow behind a sign-in on Heroku, with its PostgreSQL, and artifacts in S3
    Heroku(HerokuKitArguments),
    /// What carries MLflow's data and artifacts from SQLite or a file store to PostgreSQL
    Migrate(Box<MigrateKitArguments>),
}

/// Where a kit goes.
#[derive(Debug, Args)]
pub(crate) struct KitPlace {
    /// The directory of the kit: a new one, or one that holds this kit; its secrets and settings stay
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) writing: KitWriting,
}

/// How a kit is written.
#[derive(Debug, Args)]
pub(crate) struct KitWriting {
    /// The settings as TOML [default: kit.toml in the directory, when the kit is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// A file of the directory to overwrite although somebody else made or changed it
    #[arg(long, value_name = "FILE")]
    pub(crate) overwrite: Vec<String>,
    /// Writes into a directory that holds other files
    #[arg(long)]
    pub(crate) beside_others: bool,
    /// Prints a report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `formwork kit compose`.
#[derive(Debug, Args)]
pub(crate) struct ComposeKitArguments {
    #[command(flatten)]
    pub(crate) place: KitPlace,
    /// A name that people call the server by; the first is that of the address that clients get [default: localhost]
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// The address of this machine to publish it on; other ones than loopback need TLS [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// The port to publish it on [default: 5001]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// The path below which MLflow is; empty for none [default: /mlflow]
    #[arg(long, value_name = "PATH")]
    pub(crate) prefix: Option<String>,
    /// Whether it speaks TLS, by secrets/tls_chain.pem and secrets/tls_key.pem [default: none]
    #[arg(long, value_name = "WHETHER", value_parser = ["none", "files"])]
    pub(crate) tls: Option<String>,
    /// Where artifacts are kept: in a store of the kit, in a folder of the machine, in S3 or in Azure [default: store]
    #[arg(long, value_name = "WHERE", value_parser = ["store", "local", "s3", "azure"])]
    pub(crate) artifacts: Option<String>,
    /// The place in S3 (s3://bucket/prefix) or Azure (wasbs://container@account.blob.core.windows.net/path)
    #[arg(long, value_name = "URI")]
    pub(crate) artifact_location: Option<String>,
    /// Who carries artifacts: MLflow (proxied) or clients themselves (direct) [default: proxied]
    #[arg(long, value_name = "HOW", value_parser = ["proxied", "direct"])]
    pub(crate) uploads: Option<String>,
    /// Where MLflow's data is kept: in PostgreSQL of the kit, or in an external one [default: container]
    #[arg(long, value_name = "WHERE", value_parser = ["container", "external"])]
    pub(crate) database: Option<String>,
    /// The host of an external PostgreSQL
    #[arg(long, value_name = "NAME")]
    pub(crate) database_host: Option<String>,
}

/// `formwork kit heroku`.
#[derive(Debug, Args)]
pub(crate) struct HerokuKitArguments {
    /// The directory of the kit: a new one, or one that holds this kit; its secrets and settings stay
    #[cfg_attr(feature = "engine", arg(long, value_name = "DIR", required_unless_present = "from_stack"))]
    #[cfg_attr(not(feature = "engine"), arg(long, value_name = "DIR", required = true))]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) writing: KitWriting,
    /// The name of the app
    #[arg(long, value_name = "NAME")]
    pub(crate) app_name: Option<String>,
    /// The name of the app's address, without https://
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// Where artifacts go: s3://bucket/prefix
    #[arg(long, value_name = "URI")]
    pub(crate) s3_location: Option<String>,
    /// A deployed S3-only stack to take location, region and key from; without --out, the variables for Heroku are printed
    /// as JSON, for `heroku api PATCH /apps/NAME/config-vars` to read
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "STACK")]
    pub(crate) from_stack: Option<String>,
}

/// `formwork kit migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateKitArguments {
    #[command(flatten)]
    pub(crate) place: KitPlace,
    /// The SQLite file to carry
    #[arg(long, value_name = "FILE", conflicts_with = "source_file_store")]
    pub(crate) source_database: Option<PathBuf>,
    /// The folder of a file store to carry (mlruns)
    #[arg(long, value_name = "DIR")]
    pub(crate) source_file_store: Option<PathBuf>,
    /// Where the client or server was started [default: the folder of the source]
    #[arg(long, value_name = "DIR")]
    pub(crate) working_directory: Option<PathBuf>,
    /// What the server was given as --artifacts-destination, when it handed out artifacts from a folder
    #[arg(long, value_name = "DIR")]
    pub(crate) served_artifacts: Option<PathBuf>,
    /// A folder that artifacts may be taken from [default: mlruns beside the source, and --served-artifacts]
    #[arg(long, value_name = "DIR")]
    pub(crate) artifacts_from: Vec<PathBuf>,
    /// Where artifacts are copied to: s3://bucket/prefix, another store, or a folder [default: they stay]
    #[arg(long, value_name = "URI")]
    pub(crate) artifacts_to: Option<String>,
    /// What the database then says of their place, such as mlflow-artifacts:/ [default: --artifacts-to]
    #[arg(long, value_name = "URI")]
    pub(crate) artifact_locations: Option<String>,
    /// The host of PostgreSQL, or the folder of its socket
    #[arg(long, value_name = "NAME")]
    pub(crate) database_host: Option<String>,
    /// Where to connect instead, such as the near end of a tunnel
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) database_address: Option<String>,
    /// The port of PostgreSQL [default: 5432]
    #[arg(long, value_name = "PORT")]
    pub(crate) database_port: Option<u16>,
    /// The empty database [default: mlflow]
    #[arg(long, value_name = "NAME")]
    pub(crate) database_name: Option<String>,
    /// The user who owns it [default: mlflow]
    #[arg(long, value_name = "NAME")]
    pub(crate) database_user: Option<String>,
    /// How the connection is encrypted [default: verify-full]
    #[arg(long, value_name = "HOW", value_parser = ["verify-full", "verify-ca", "require", "disable"])]
    pub(crate) database_tls: Option<String>,
    /// The certificates of authorities that are trusted [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub(crate) database_certificates: Option<PathBuf>,
    /// The ARN of a secret with the password [default: PGPASSWORD or a password file, when the kit runs]
    #[arg(long, value_name = "ARN")]
    pub(crate) database_secret: Option<String>,
    /// A deployed stack of the component mlflow-server to take database, secret and the place of artifacts from
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "STACK")]
    pub(crate) to_stack: Option<String>,
}
