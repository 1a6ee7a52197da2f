//! What runs in a task: the command, the environment and the secrets of MLflow's server, and what comes before it.
//!
//! No password stands in a command, an address or the log: libpq takes it from a variable that ECS fills in when the task
//! starts.

use formwork::{IntoValue, Value, pseudo, text};

use super::{ArtifactAccess, MlflowServerProps, ServerAuthentication};
use crate::container_service::{ContainerSecret, HealthCommand, InitContainer};
use crate::database::Postgres;
use crate::load_balancer::LoadBalancer;
use crate::storage::DataBucket;

use super::secrets::OwnSecrets;

/// The port that the server listens on.
pub(super) const PORT: u16 = 5_000;
/// The name of the first administrator.
pub(super) const ADMINISTRATOR: &str = "admin";

/// The connections that one process keeps to one database, and those that it takes for a while on top. Sum of both:
/// [`CONNECTIONS_OF_A_POOL`].
const POOL: (u32, u32) = (5, 5);
pub(super) const CONNECTIONS_OF_A_POOL: u32 = POOL.0 + POOL.1;
/// The seconds after which a connection is made anew, before something between closes it.
const POOL_RECYCLE_SECONDS: u32 = 1_800;

/// The program that makes the databases ready.
const PREPARE: &str = include_str!("prepare.py");
/// Writes MLflow's file about users, which has no secret and which MLflow asks for at every start, and becomes the program
/// that follows.
const START: &str = r#"printf '%s\n' "$MLFLOW_AUTH_CONFIG" > "$MLFLOW_AUTH_CONFIG_PATH"; exec "$@""#;
const AUTH_CONFIG_PATH: &str = "/tmp/mlflow-auth.ini";

/// What a program needs to know.
pub(super) struct Surroundings<'a> {
    pub(super) balancer: &'a LoadBalancer,
    pub(super) database: &'a Postgres,
    pub(super) bucket: &'a DataBucket,
    pub(super) secrets: &'a OwnSecrets,
}

fn keeps_users(props: &MlflowServerProps<'_>) -> bool {
    props.authentication == ServerAuthentication::Basic
}

/// The name of the database of users: beside that of runs, since MLflow migrates each by itself.
fn users_of(database: &str) -> String {
    format!("{database}_users")
}

/// The address of a database without host, user and password, which libpq's variables tell. The driver is named: what
/// SQLAlchemy takes without a name has changed between its versions.
fn address(database: &str) -> String {
    format!("postgresql+psycopg2:///{database}")
}

/// Where runs keep their artifacts, as clients are told.
fn artifact_root(props: &MlflowServerProps<'_>, bucket: &DataBucket) -> Value<String> {
    match props.artifacts {
        ArtifactAccess::Proxied => "mlflow-artifacts:/".into_value(),
        ArtifactAccess::Direct => bucket.uri(&props.artifact_prefix),
    }
}

pub(super) fn before<'a>(props: &MlflowServerProps<'_>, around: &Surroundings<'_>) -> InitContainer<'a> {
    let database = props.database.database.as_str();
    let mut command = vec![database.into_value(), artifact_root(props, around.bucket)];
    if keeps_users(props) {
        command.push(users_of(database).into_value());
    }
    InitContainer {
        name: "prepare",
        entry_point: [entry_point(props), ["python", "-c", PREPARE].map(str::to_owned).to_vec()].concat(),
        command,
    }
}

/// What comes before each program of the task.
pub(super) fn entry_point(props: &MlflowServerProps<'_>) -> Vec<String> {
    if !keeps_users(props) {
        return Vec::new();
    }
    // The word behind the script is the shell's own name.
    ["sh", "-ec", START, "start"].map(str::to_owned).to_vec()
}

pub(super) fn command(props: &MlflowServerProps<'_>, bucket: &DataBucket) -> Vec<Value<String>> {
    let mut command: Vec<Value<String>> =
        ["mlflow", "server", "--host", "0.0.0.0", "--port"].map(IntoValue::into_value).to_vec();
    command.push(PORT.to_string().into_value());
    command.extend(["--workers".into_value(), props.workers.to_string().into_value()]);
    command.extend(["--backend-store-uri".into_value(), address(&props.database.database).into_value()]);
    command.extend(["--default-artifact-root".into_value(), artifact_root(props, bucket)]);
    match props.artifacts {
        ArtifactAccess::Proxied => command.extend([
            "--serve-artifacts".into_value(),
            "--artifacts-destination".into_value(),
            bucket.uri(&props.artifact_prefix),
        ]),
        ArtifactAccess::Direct => command.push("--no-serve-artifacts".into_value()),
    }
    if keeps_users(props) {
        command.extend(["--app-name".into_value(), "basic-auth".into_value()]);
    }
    command
}

pub(super) fn environment(
    props: &MlflowServerProps<'_>,
    around: &Surroundings<'_>,
) -> Vec<(&'static str, Value<String>)> {
    let Surroundings { balancer, database, .. } = around;
    let (pool, overflow) = POOL;
    let mut environment = vec![
        ("AWS_DEFAULT_REGION", pseudo::region()),
        ("PGHOST", database.host.clone()),
        ("PGPORT", database.port.clone()),
        ("PGUSER", database.username.as_str().into_value()),
        ("PGSSLMODE", "require".into_value()),
        ("PGAPPNAME", "mlflow".into_value()),
        ("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", pool.to_string().into_value()),
        ("MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW", overflow.to_string().into_value()),
        ("MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE", POOL_RECYCLE_SECONDS.to_string().into_value()),
        // Health checks come with an address as their host, and are answered whatever the host.
        ("MLFLOW_SERVER_ALLOWED_HOSTS", hosts(props, balancer)),
        ("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS", balancer.url.clone()),
        // Only the load balancer's group is let in, so its word on how a client came can be taken.
        ("FORWARDED_ALLOW_IPS", "*".into_value()),
        // Jobs of generative AI run in a process of their own, which takes 240 MB and runs once in each task.
        ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false".into_value()),
        ("MLFLOW_DISABLE_TELEMETRY", "true".into_value()),
        ("GIT_PYTHON_REFRESH", "quiet".into_value()),
    ];
    if keeps_users(props) {
        environment.extend([
            ("MLFLOW_AUTH_CONFIG_PATH", AUTH_CONFIG_PATH.into_value()),
            ("MLFLOW_AUTH_CONFIG", auth_config(&props.database.database).into_value()),
            ("MLFLOW_AUTH_ADMIN_USERNAME", ADMINISTRATOR.into_value()),
        ]);
    }
    environment
}

/// The host names that the server answers to: what clients use, and what AWS gave the load balancer.
fn hosts(props: &MlflowServerProps<'_>, balancer: &LoadBalancer) -> Value<String> {
    match props.load_balancer.domain_name {
        Some(_) => text!("{},{}", &balancer.host, &balancer.dns_name),
        None => balancer.host.clone(),
    }
}

/// What MLflow reads of its users; everything that may be secret is a variable.
fn auth_config(database: &str) -> String {
    [
        "[mlflow]".to_owned(),
        format!("database_uri = {}", address(&users_of(database))),
        "default_permission = READ".to_owned(),
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth".to_owned(),
        // Without it every request costs a password hash; who loses a password is locked out within this time.
        "auth_cache_ttl_seconds = 60".to_owned(),
    ]
    .join("\n")
}

pub(super) fn secrets<'a>(around: &Surroundings<'_>) -> Vec<ContainerSecret<'a>> {
    let Surroundings { database, secrets, .. } = around;
    let mut all = vec![ContainerSecret {
        name: "PGPASSWORD",
        secret: database.secret.clone(),
        field: "password",
        key: database.key.clone(),
    }];
    if let OwnSecrets::Users { administrator, session_key, key } = secrets {
        all.push(ContainerSecret {
            name: "MLFLOW_AUTH_ADMIN_PASSWORD",
            secret: administrator.clone(),
            field: "password",
            key: key.clone(),
        });
        all.push(ContainerSecret {
            name: "MLFLOW_FLASK_SERVER_SECRET_KEY",
            secret: session_key.clone(),
            field: "",
            key: key.clone(),
        });
    }
    all
}

/// Asks the server from inside of its container, where there may be no other program than Python.
pub(super) fn health() -> HealthCommand {
    let ask =
        format!("import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/health', timeout=5).read()");
    HealthCommand { command: vec!["python".to_owned(), "-c".to_owned(), ask], start_seconds: 120 }
}
