//! The context keys of a self-hosted MLflow server.

use formwork_library::database::PostgresVersion;
use formwork_library::load_balancer::Exposure;
use formwork_library::mlflow_server::{ArtifactAccess, ServerAuthentication};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The context keys of a self-hosted MLflow server, which count when components has mlflow-server. Its name, its clients
/// and its identity provider are those of the keys that a proxy has too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerSettings {
    /// Who can reach the self-hosted MLflow server: those inside the VPC, or the internet.
    pub server_exposure: Exposure,
    /// How its clients show who they are: basic (MLflow's own users), oidc (at the load balancer) or none.
    pub server_auth: ServerAuthentication,
    /// The URL of the issuer's keys, by which programs come in with tokens of the issuer, for serverAuth=oidc.
    pub oidc_jwks_endpoint: Option<String>,
    /// The audience that those tokens must be for.
    pub oidc_audience: Option<String>,
    /// The image of the server, with a version or a digest. Open: MLflow's own.
    pub server_image: Option<String>,
    /// The share of processors of a task: 1024 is one. Open: 1024.
    pub server_cpu: Option<u32>,
    /// The memory of a task in MiB. Open: 2048.
    pub server_memory_mib: Option<u32>,
    /// The processes in a task that answer requests. Open: 2.
    pub server_workers: Option<u32>,
    /// The least number of tasks. Open: 1 in dev, 2 in production.
    pub server_min_tasks: Option<u32>,
    /// The greatest number of tasks. Open: 2 in dev, 4 in production.
    pub server_max_tasks: Option<u32>,
    /// Who moves artifacts: the server, or clients that have an identity of AWS.
    pub server_artifacts: ArtifactAccess,
    /// The major version of PostgreSQL of the server's database.
    pub server_database_version: PostgresVersion,
    /// The class of the database. Open: db.t4g.small in dev, db.t4g.medium in production.
    pub server_database_class: Option<String>,
    /// The disk of the database in GiB; it grows to five times as much by itself. Open: 20.
    pub server_database_gib: Option<u32>,
}
