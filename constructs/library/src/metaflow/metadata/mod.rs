//! The metadata service: what knows of flows, runs and tasks. A container in front of a PostgreSQL database.
//!
//! It knows no users: whoever reaches it may read and write. So it stands behind an internal load balancer that lets in
//! the parts that need it and the named address blocks; from outside there is the API, with a key.

mod balancer;
mod migration;

use formwork::{IntoValue, RemovalPolicy, Scope, SecurityGroupId, Value, text};

use super::{MetaflowProps, Told};
use crate::container_service::{
    Cluster, ContainerImage, ContainerSecret, ContainerService, ContainerServiceProps, ServiceTarget,
};
use crate::database::{Postgres, PostgresProps, PostgresVersion};
use crate::networking::{AddressBlock, TcpPorts, allow_between};

pub(super) use balancer::Balancer;
use migration::Migration;

/// The image of the service, of its migrations and of the user interface: the newest release on 2026-11-22. Its version
/// is also that of the tables.
pub const SERVICE_IMAGE: &str = "netflixoss/metaflow_metadata_service:v2.5.1";

/// The port of the service.
pub(super) const SERVICE_PORT: u16 = 8080;
/// The port of the server that migrates the tables. It knows no users either, and only the function reaches it.
pub(super) const MIGRATION_PORT: u16 = 8082;
/// The port by which clients inside of the network reach the service.
pub(super) const CLIENT_PORT: u16 = 80;

/// What can be said about the metadata service.
#[derive(Clone, Debug)]
pub struct MetadataProps {
    /// The image.
    pub image: ContainerImage,
    /// The share of processors of a task: 1,024 is one.
    pub cpu: u32,
    /// The memory of a task in MiB.
    pub memory_mib: u32,
    /// How many tasks run.
    pub desired: u32,
    /// The least and the greatest number of tasks between which it changes with their load.
    pub autoscaling: Option<(u32, u32)>,
    /// The address blocks that reach the service inside of the network, beside the parts that need it; without any, the
    /// VPC's.
    pub allow_cidrs: Vec<String>,
    /// The version of PostgreSQL.
    pub database_version: PostgresVersion,
    /// The class of the database's instance.
    pub database_class: String,
    /// The disk of the database in GiB at first.
    pub storage_gib: u32,
    /// What it may grow to by itself.
    pub max_storage_gib: u32,
    /// Whether a second instance in another zone takes over when the first one fails.
    pub multi_az: bool,
    /// The days for which backups are kept.
    pub backup_days: u32,
    /// Whether database and load balancer refuse to be deleted.
    pub deletion_protection: bool,
    /// What happens to the database when its stack goes.
    pub removal: RemovalPolicy,
}

impl Default for MetadataProps {
    fn default() -> Self {
        Self {
            image: ContainerImage::Pinned(SERVICE_IMAGE.to_owned()),
            cpu: 512,
            memory_mib: 1_024,
            desired: 1,
            autoscaling: None,
            allow_cidrs: Vec::new(),
            database_version: PostgresVersion::default(),
            database_class: "db.t4g.small".to_owned(),
            storage_gib: 20,
            max_storage_gib: 100,
            multi_az: false,
            backup_days: 7,
            deletion_protection: true,
            removal: RemovalPolicy::Snapshot,
        }
    }
}

/// The metadata service.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The URL inside of the network.
    pub internal_url: Value<String>,
    /// The database.
    pub database: Postgres,
    /// The service.
    pub service: ContainerService,
    /// The cluster that it runs in.
    pub cluster: Cluster,
    /// The image that it runs.
    pub image: ContainerImage,
    /// The name of the function that migrates the tables.
    pub migration_function: Value<String>,
    /// How the tables are after the deployment: `up to date`, or `newer than the image`.
    pub migration_status: Value<String>,
    /// The version of the tables after the deployment.
    pub schema_version: Value<String>,
    pub(super) balancer: Balancer,
}

impl Metadata {
    #[track_caller]
    pub(super) fn new(scope: Scope<'_>, props: &MetaflowProps<'_>, own: &MetadataProps) -> Self {
        let database = Postgres::new(
            scope,
            "Database",
            &PostgresProps {
                version: own.database_version,
                instance_class: own.database_class.clone(),
                storage_gib: own.storage_gib,
                max_storage_gib: own.max_storage_gib,
                multi_az: own.multi_az,
                backup_days: own.backup_days,
                deletion_protection: own.deletion_protection,
                removal: own.removal,
                key: props.key.clone(),
                alarm_topic: props.alarm_topic.clone(),
                ..PostgresProps::new(props.networking, "the metadata of Metaflow", "metaflow")
            },
        );
        let balancer = Balancer::new(scope, props, own);
        let cluster = Cluster::new(scope, "Cluster");
        let targets = [(&balancer.service, SERVICE_PORT), (&balancer.migration, MIGRATION_PORT)];
        let targets = targets.map(|(forwarding, port)| ServiceTarget {
            target_group: forwarding.target_group.clone(),
            port,
            listener: forwarding.listener,
        });
        let service = ContainerService::new(
            scope,
            "Service",
            &ContainerServiceProps {
                cluster: Some(&cluster),
                cpu: own.cpu,
                memory_mib: own.memory_mib,
                desired: own.desired,
                autoscaling: own.autoscaling,
                environment: environment(&database),
                secrets: secrets(&database),
                ports: vec![SERVICE_PORT, MIGRATION_PORT],
                targets: targets.to_vec(),
                // The first task makes the tables before it answers.
                grace_seconds: 180,
                log_retention_days: props.log_retention_days,
                key: props.key.clone(),
                alarm_topic: props.alarm_topic.clone(),
                ..ContainerServiceProps::new(
                    props.networking,
                    "the metadata service of Metaflow",
                    own.image.clone(),
                )
            },
        );
        // A task that cannot reach its database gives up within seconds.
        let way = scope.child("Ways");
        database.allow_from(way, "ServiceToDatabase", &service.security_group);
        for (id, port) in [("BalancerToService", SERVICE_PORT), ("BalancerToMigration", MIGRATION_PORT)] {
            let ports = TcpPorts::one(port);
            let about = "Calls of the metadata service";
            allow_between(way, id, &balancer.security_group, &service.security_group, ports, about);
        }
        scope.at(service.service).depends_on(way);
        let migration = Migration::new(scope.child("Migration"), props, own, &balancer, &service);
        Self {
            internal_url: text!("http://{}/", &balancer.dns_name),
            database,
            service,
            cluster,
            image: own.image.clone(),
            migration_function: migration.function,
            migration_status: migration.status,
            schema_version: migration.schema_version,
            balancer,
        }
    }

    /// Lets the members of a group call the service.
    #[track_caller]
    pub fn allow_from(&self, scope: Scope<'_>, id: &str, group: &Value<SecurityGroupId>) {
        let port = TcpPorts::one(CLIENT_PORT);
        allow_between(
            scope,
            id,
            group,
            &self.balancer.security_group,
            port,
            "the metadata service of Metaflow",
        );
    }

    pub(super) fn told(&self) -> Vec<Told> {
        vec![
            Told::only_setting("METAFLOW_DEFAULT_METADATA", "service".into_value()),
            Told::output(
                "RDSSecret",
                "The secret with the user and password of the database",
                self.database.secret.retype(),
            ),
            Told::output(
                "MigrationFunctionName",
                "The function that migrates the tables: `formwork metaflow migrate` calls it",
                self.migration_function.clone(),
            ),
            Told::output(
                "MigrationStatus",
                "How the tables were after the last deployment",
                self.migration_status.clone(),
            ),
            Told::output(
                "SchemaVersion",
                "The version of the tables after the last deployment",
                self.schema_version.clone(),
            ),
        ]
    }
}

/// What every program of the image is told of the database. Without TLS the database lets nobody in, and the image's own
/// default is to do without.
pub(super) fn environment(database: &Postgres) -> Vec<(&'static str, Value<String>)> {
    vec![
        ("MF_METADATA_DB_HOST", database.host.clone()),
        ("MF_METADATA_DB_PORT", database.port.clone()),
        ("MF_METADATA_DB_NAME", database.database.as_str().into_value()),
        ("MF_METADATA_DB_USER", database.username.as_str().into_value()),
        ("MF_METADATA_DB_SSL_MODE", "require".into_value()),
        // A database that changes zones is away for a minute; the image gives up after three seconds.
        ("MF_SERVICE_CONNECTION_RETRIES", "20".into_value()),
        ("MF_SERVICE_CONNECTION_RETRY_WAITTIME_SECONDS", "3".into_value()),
        ("MF_SERVICE_STARTUP_RETRIES", "60".into_value()),
    ]
}

/// The password, by the name under which the image takes it.
pub(super) fn secrets(database: &Postgres) -> Vec<ContainerSecret<'static>> {
    vec![ContainerSecret {
        name: "MF_METADATA_DB_PSWD",
        secret: database.secret.clone(),
        field: "password",
        key: database.key.clone(),
    }]
}

#[cfg(test)]
mod tests;
