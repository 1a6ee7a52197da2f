//! A PostgreSQL database of one service: private, encrypted, reached over TLS by those who are let in, and kept as a
//! snapshot when its stack goes.
//!
//! Its password is made by Secrets Manager and changes only when somebody changes it: a password that the database
//! rotates by itself would stop a server that read it once, when it started.

mod alarms;
mod instance_class;
mod version;

use formwork::{
    Diagnostic, KeyArn, RemovalPolicy, Resource, Scope, SecretArn, SecurityGroupId, TopicArn, Value,
    resolve_secret,
};
use formwork_resources::rds::{CfnDbInstance, CfnDbParameterGroup, CfnDbSubnetGroup};
use formwork_resources::secretsmanager::{CfnSecret, GenerateSecretString};
use serde_json::json;

use crate::networking::{Networking, TcpPorts, allow_between, security_group};

pub use instance_class::InstanceClass;
pub use version::{POSTGRES_RECORD_DATE, PostgresVersion};

/// The port that PostgreSQL listens on.
pub const POSTGRES_PORT: u16 = 5432;

/// Letters and digits only: other characters break URLs, shells or what goes between a program and its database. 48 of
/// them are more than 280 bits.
const PASSWORD_LENGTH: i64 = 48;

/// What can be said about a database.
#[derive(Clone, Debug)]
pub struct PostgresProps<'a> {
    /// Where it stands: in the isolated subnets.
    pub networking: &'a Networking,
    /// What it is for, such as `Metaflow's metadata`, for descriptions and mistakes.
    pub name: &'static str,
    /// The name of the database in it that is made first: a letter, then letters, digits and underscores.
    pub database: String,
    /// The name of the user who owns it.
    pub username: String,
    /// The version of PostgreSQL.
    pub version: PostgresVersion,
    /// The instance class, such as `db.t4g.small`.
    pub instance_class: String,
    /// The disk in GiB at first: 20 to 65,536.
    pub storage_gib: u32,
    /// What the disk may grow to by itself, in GiB; as much as at first means that it does not grow.
    pub max_storage_gib: u32,
    /// Whether a second instance in another zone takes over when the first one fails.
    pub multi_az: bool,
    /// The days for which daily backups are kept, with every moment between them: 1 to 35.
    pub backup_days: u32,
    /// Whether the database refuses to be deleted.
    pub deletion_protection: bool,
    /// What happens to it when its stack goes.
    pub removal: RemovalPolicy,
    /// The key that encrypts the disk, its backups and the password; without one, the keys that AWS manages.
    pub key: Option<Value<KeyArn>>,
    /// The topic that alarms tell; without one they are seen in CloudWatch only.
    pub alarm_topic: Option<Value<TopicArn>>,
}

impl<'a> PostgresProps<'a> {
    /// A small database with room to grow, backed up for a week, and kept as a snapshot.
    pub fn new(networking: &'a Networking, name: &'static str, database: &str) -> Self {
        Self {
            networking,
            name,
            database: database.to_owned(),
            username: database.to_owned(),
            version: PostgresVersion::default(),
            instance_class: "db.t4g.small".to_owned(),
            storage_gib: 20,
            max_storage_gib: 100,
            multi_az: false,
            backup_days: 7,
            deletion_protection: true,
            removal: RemovalPolicy::Snapshot,
            key: None,
            alarm_topic: None,
        }
    }
}

/// A PostgreSQL database.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// The host name.
    pub host: Value<String>,
    /// The port.
    pub port: Value<String>,
    /// The name of the database in it that was made first.
    pub database: String,
    /// The name of the user who owns it.
    pub username: String,
    /// The secret: JSON with `username` and `password`, letters and digits.
    pub secret: Value<SecretArn>,
    /// The key that encrypts the secret, when it is not AWS's own.
    pub key: Option<Value<KeyArn>>,
    /// The group that lets in whoever [`Postgres::allow_from`] names.
    pub security_group: Value<SecurityGroupId>,
    /// The identifier of the instance.
    pub identifier: Value<String>,
}

impl Postgres {
    /// Adds a database.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: &PostgresProps<'_>) -> Self {
        let scope = scope.child(id);
        props.check(scope);
        let name = props.name;
        let group =
            security_group(scope, "Group", &props.networking.vpc_id, &format!("The database of {name}"));
        let subnets = CfnDbSubnetGroup::new(
            format!("Subnets of the database of {name}"),
            &props.networking.isolated_subnets,
        )
        .define(scope, "Subnets");
        let version = props.version;
        // Who connects without TLS is refused by the server itself.
        let parameters = CfnDbParameterGroup::new(version.family(), format!("The database of {name}"))
            .parameters(json!({ "rds.force_ssl": "1" }))
            .define(scope, "Parameters");
        let secret = props.secret(scope);
        let mut instance = CfnDbInstance::new()
            .engine("postgres")
            .engine_version(version.current_minor())
            .auto_minor_version_upgrade(true)
            // Another major version in the settings is meant; without this it would be refused.
            .allow_major_version_upgrade(true)
            .db_instance_class(props.instance_class.as_str())
            .db_name(props.database.as_str())
            .master_username(props.username.as_str())
            .master_user_password(resolve_secret(&secret, Some("password")))
            .db_parameter_group_name(parameters.db_parameter_group_name())
            .db_subnet_group_name(subnets.db_subnet_group_name())
            .vpc_security_groups(vec![group.retype::<String>()])
            .publicly_accessible(false)
            .storage_type("gp3")
            .allocated_storage(props.storage_gib.to_string())
            .storage_encrypted(true)
            .multi_az(props.multi_az)
            .backup_retention_period(i64::from(props.backup_days))
            .copy_tags_to_snapshot(true)
            .delete_automated_backups(false)
            .deletion_protection(props.deletion_protection)
            .enable_performance_insights(false)
            .enable_cloudwatch_logs_exports(["postgresql", "upgrade"]);
        if props.max_storage_gib > props.storage_gib {
            instance = instance.max_allocated_storage(i64::from(props.max_storage_gib));
        }
        if let Some(key) = &props.key {
            instance = instance.kms_key_id(key);
        }
        let instance = instance.removal_policy(props.removal).define(scope, "Instance");
        alarms::define(scope, props, &instance.db_instance_identifier());
        Self {
            host: instance.endpoint_address(),
            port: instance.endpoint_port(),
            database: props.database.clone(),
            username: props.username.clone(),
            secret,
            key: props.key.clone(),
            security_group: group,
            identifier: instance.db_instance_identifier(),
        }
    }

    /// Lets the members of a group connect.
    #[track_caller]
    pub fn allow_from(&self, scope: Scope<'_>, id: &str, group: &Value<SecurityGroupId>) {
        let port = TcpPorts::one(POSTGRES_PORT);
        allow_between(scope, id, group, &self.security_group, port, "Connections to PostgreSQL");
    }
}

impl PostgresProps<'_> {
    /// The user and a password. A change of how the password is made would make another one, which the running server
    /// does not know.
    fn secret(&self, scope: Scope<'_>) -> Value<SecretArn> {
        let generate = GenerateSecretString::new()
            .secret_string_template(json!({ "username": self.username }).to_string())
            .generate_string_key("password")
            .password_length(PASSWORD_LENGTH)
            .exclude_punctuation(true);
        let mut secret = CfnSecret::new()
            .description(format!("The user and password of the database of {}", self.name))
            .generate_secret_string(generate);
        if let Some(key) = &self.key {
            secret = secret.kms_key_id(key);
        }
        // A database that stays is of no use without its password; a snapshot is given another one when it is restored.
        let removal = match self.removal {
            RemovalPolicy::Retain | RemovalPolicy::RetainExceptOnCreate => self.removal,
            RemovalPolicy::Delete | RemovalPolicy::Snapshot => RemovalPolicy::Delete,
        };
        secret.removal_policy(removal).define(scope, "Secret").id()
    }

    fn check(&self, scope: Scope<'_>) {
        let name = self.name;
        let refuse = |message: String, hint: &str| {
            scope.report(Diagnostic::error("database", message).with_hint(hint));
        };
        self.networking.require_zones(scope, &format!("the database of {name}"), 2);
        if InstanceClass::parse(&self.instance_class).is_none() {
            refuse(
                format!("`{}` is not a class of database instances", self.instance_class),
                "write a class such as db.t4g.small or db.m7g.large",
            );
        }
        for (what, text) in [("database", &self.database), ("user", &self.username)] {
            if !is_identifier(text) {
                refuse(
                    format!("`{text}` cannot be the name of the {what} of {name}"),
                    "write a letter, then letters, digits and underscores, 63 characters at most",
                );
            }
        }
        if RESERVED.contains(&self.username.to_ascii_lowercase().as_str()) {
            refuse(
                format!("the user `{}` belongs to the server itself", self.username),
                "choose another name for the user who owns the database",
            );
        }
        if !(20..=65_536).contains(&self.storage_gib) {
            refuse(
                format!("a disk of {} GiB is not possible", self.storage_gib),
                "set the disk from 20 to 65,536 GiB",
            );
        }
        // RDS starts to grow a disk only when the limit is a tenth above what is there.
        let least = self.storage_gib.saturating_add(self.storage_gib.div_ceil(10));
        if self.max_storage_gib != self.storage_gib && !(least..=65_536).contains(&self.max_storage_gib) {
            refuse(
                format!("a disk of {} GiB cannot grow to {} GiB", self.storage_gib, self.max_storage_gib),
                "set the limit at least a tenth above the disk and to 65,536 GiB at most, or to the disk's own size",
            );
        }
        if !(1..=35).contains(&self.backup_days) {
            refuse(
                format!("backups cannot be kept for {} days", self.backup_days),
                "set 1 to 35 days; without backups a mistake in the data could not be undone",
            );
        }
    }
}

/// Names that RDS for PostgreSQL refuses for the user who owns the database.
const RESERVED: [&str; 4] = ["admin", "postgres", "rdsadmin", "user"];

fn is_identifier(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
