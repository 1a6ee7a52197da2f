//! What can be said about a server.

use formwork::{KeyArn, TopicArn, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::container_service::ContainerImage;
use crate::database::PostgresProps;
use crate::load_balancer::LoadBalancerProps;
use crate::networking::Networking;
use crate::storage::{DataBucket, DataBucketProps};

/// What the server is called in descriptions and mistakes.
pub(super) const NAME: &str = "the MLflow server";

/// The image of a server by default: MLflow's own, with drivers, AWS's library and users (its variant `-full`).
pub const MLFLOW_IMAGE: &str = "ghcr.io/mlflow/mlflow:v3.17.2-full";

/// How people and programs show who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerAuthentication {
    /// By names and passwords that MLflow itself keeps, with permissions for experiments and models.
    #[default]
    Basic,
    /// At the load balancer, with an identity provider. Whoever comes in may do everything.
    Oidc,
    /// Not at all: whoever reaches the server may do everything.
    None,
}

/// Who moves artifacts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArtifactAccess {
    /// The server: clients need no identity of AWS.
    #[default]
    Proxied,
    /// Clients themselves, with an identity of AWS of their own that may use the bucket.
    Direct,
}

/// What can be said about a server.
#[derive(Clone, Debug)]
pub struct MlflowServerProps<'a> {
    /// Where it stands.
    pub networking: &'a Networking,
    /// The image of its tasks.
    pub image: ContainerImage,
    /// The processors.
    pub architecture: Architecture,
    /// The share of processors of a task: 1,024 is one.
    pub cpu: u32,
    /// The memory of a task in MiB.
    pub memory_mib: u32,
    /// The processes in a task that answer requests, each with connections of its own.
    pub workers: u32,
    /// The least and the greatest number of tasks.
    pub tasks: (u32, u32),
    /// How people and programs show who they are.
    pub authentication: ServerAuthentication,
    /// Takes a server without authentication.
    pub allow_insecure: bool,
    /// Who moves artifacts.
    pub artifacts: ArtifactAccess,
    /// A bucket that exists for the artifacts, in place of one that is made.
    pub artifact_bucket: Option<DataBucket>,
    /// Where in the bucket they lie, without slashes at the ends.
    pub artifact_prefix: String,
    /// The bucket that is made.
    pub bucket: DataBucketProps,
    /// The database of runs, models and users.
    pub database: PostgresProps<'a>,
    /// The load balancer. Its sign-in is for [`ServerAuthentication::Oidc`].
    pub load_balancer: LoadBalancerProps<'a>,
    /// The days that logs are kept.
    pub log_retention_days: i64,
    /// The key that encrypts secrets and logs; without one, the keys that AWS manages.
    pub key: Option<Value<KeyArn>>,
    /// The topic that alarms tell; without one they are seen in CloudWatch only.
    pub alarm_topic: Option<Value<TopicArn>>,
}

impl<'a> MlflowServerProps<'a> {
    /// An internal server with users of its own, on one or two tasks of one processor and 2 GiB.
    pub fn new(networking: &'a Networking) -> Self {
        Self {
            networking,
            image: ContainerImage::Pinned(MLFLOW_IMAGE.to_owned()),
            architecture: Architecture::default(),
            cpu: 1_024,
            memory_mib: 2_048,
            workers: 2,
            tasks: (1, 2),
            authentication: ServerAuthentication::default(),
            allow_insecure: false,
            artifacts: ArtifactAccess::default(),
            artifact_bucket: None,
            artifact_prefix: "mlflow".to_owned(),
            bucket: DataBucketProps::default(),
            database: PostgresProps::new(networking, NAME, "mlflow"),
            load_balancer: LoadBalancerProps {
                // A single request may move a large artifact.
                idle_timeout_seconds: 300,
                ..LoadBalancerProps::new(networking, NAME, "MLflow clients")
            },
            log_retention_days: 30,
            key: None,
            alarm_topic: None,
        }
    }
}
