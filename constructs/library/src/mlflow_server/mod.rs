//! A self-hosted MLflow server: MLflow's own on AWS Fargate, its runs and users in PostgreSQL, its artifacts in S3, behind a
//! load balancer.
//!
//! It is for those whom managed MLflow does not serve: another version, plugins, MLflow's own users and permissions, or a
//! region without it. The image is MLflow's own or one of an ECR repository, always by a name that means the same image
//! tomorrow.

mod alarms;
mod checks;
mod outputs;
mod program;
mod props;
mod secrets;

use formwork::{Scope, SecretArn, Value};

use crate::container_service::{ContainerService, ContainerServiceProps, ServiceTarget};
use crate::database::Postgres;
use crate::iam::Role;
use crate::load_balancer::{LoadBalancer, SignInOn, TargetKind, Targets};
use crate::networking::{TcpPorts, allow_between};
use crate::storage::{DataBucket, ObjectAccess};

use program::{PORT, Surroundings};
use secrets::OwnSecrets;

pub use props::{ArtifactAccess, MLFLOW_IMAGE, MlflowServerProps, ServerAuthentication};

/// How long a task that leaves may finish its requests, in seconds.
const DRAIN_SECONDS: u32 = 60;

/// A self-hosted MLflow server.
#[derive(Clone, Debug)]
pub struct MlflowServer {
    /// The URL to give to MLflow clients as `MLFLOW_TRACKING_URI`.
    pub url: Value<String>,
    /// The bucket of the artifacts.
    pub bucket: DataBucket,
    /// The database.
    pub database: Postgres,
    /// The service.
    pub service: ContainerService,
    /// The secret with the name and first password of the administrator, if MLflow keeps users.
    pub administrator: Option<Value<SecretArn>>,
    artifact_prefix: String,
}

impl MlflowServer {
    /// Adds a server.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: &MlflowServerProps<'_>) -> Self {
        let outside = scope;
        let scope = scope.child(id);
        checks::check(scope, props);
        let bucket = match &props.artifact_bucket {
            Some(bucket) => bucket.clone(),
            None => DataBucket::new(scope, "Artifacts", props.bucket.clone().or_key(props.key.as_ref())),
        };
        let database = Postgres::new(scope, "Database", &props.database);
        let balancer = LoadBalancer::new(scope, &props.load_balancer);
        let forwarding = balancer.forward(
            scope,
            Targets {
                port: PORT,
                kind: TargetKind::Addresses,
                health_path: "/health",
                drain_seconds: DRAIN_SECONDS,
                sign_in: SignInOn::Everything,
            },
        );
        let own_secrets = OwnSecrets::new(scope, props);
        let around =
            Surroundings { balancer: &balancer, database: &database, bucket: &bucket, secrets: &own_secrets };
        let service = ContainerServiceProps {
            architecture: props.architecture,
            cpu: props.cpu,
            memory_mib: props.memory_mib,
            entry_point: program::entry_point(props),
            command: program::command(props, &bucket),
            environment: program::environment(props, &around),
            secrets: program::secrets(&around),
            ports: vec![PORT],
            targets: vec![ServiceTarget {
                target_group: forwarding.target_group.clone(),
                port: PORT,
                listener: forwarding.listener,
            }],
            health_command: Some(program::health()),
            before: vec![program::before(props, &around)],
            autoscaling: Some(props.tasks),
            // The databases are made ready first, which takes longest when the version of MLflow has changed.
            grace_seconds: 300,
            stop_timeout_seconds: 60,
            log_retention_days: props.log_retention_days,
            key: props.key.clone(),
            alarm_topic: props.alarm_topic.clone(),
            ..ContainerServiceProps::new(props.networking, props::NAME, props.image.clone())
        };
        let service = ContainerService::new(scope, "Service", &service);
        let port = TcpPorts::one(PORT);
        let group = &service.security_group;
        allow_between(
            scope,
            "BalancerToTasks",
            &balancer.security_group,
            group,
            port,
            "Requests of MLflow clients",
        );
        database.allow_from(scope, "TasksToDatabase", group);
        bucket.grant(scope, "ArtifactPolicy", &service.task_role, &props.artifact_prefix, ObjectAccess::Full);
        alarms::define(scope, props, &balancer, &forwarding);
        let administrator = match own_secrets {
            OwnSecrets::Users { administrator, .. } => Some(administrator),
            OwnSecrets::None => None,
        };
        let server = Self {
            url: balancer.url.clone(),
            bucket,
            database,
            service,
            administrator,
            artifact_prefix: props.artifact_prefix.clone(),
        };
        outputs::define(outside, props, &server, &balancer);
        server
    }

    /// Lets a role read and write artifacts by itself, as clients of [`ArtifactAccess::Direct`] do.
    #[track_caller]
    pub fn grant_artifacts(&self, scope: Scope<'_>, id: &str, role: &Role) {
        self.bucket.grant(scope, id, role, &self.artifact_prefix, ObjectAccess::ReadWrite);
    }
}

#[cfg(test)]
mod tests;
