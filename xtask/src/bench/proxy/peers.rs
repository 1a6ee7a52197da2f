//! The proxies that are compared, and nginx behind them, which answers small requests faster than any of them asks.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::{Running, free_address};

const REGION: &str = "us-east-1";
const ARN: &str = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/bench";
const ROLE: &str = "arn:aws:iam::123456789012:role/mlflow";

/// What MLflow would answer to a search for experiments: about as long as a small answer is, with a place of artifacts.
const ANSWER: &str = r#"{"experiments": [{"experiment_id": "42", "name": "churn/forecast", "artifact_location": "s3://sagemaker-infra-artifacts/mlflow/42", "lifecycle_stage": "active", "last_update_time": 1767225600000, "creation_time": 1767225600000, "tags": [{"key": "mlflow.note.content", "value": "weekly forecast of churn, all regions, retrained on mondays from the feature store"}]}]}"#;

/// A proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    /// nginx without signing: what is possible at all.
    Nginx,
    /// Ours, which signs and does nothing else.
    Signing,
    /// Ours with all that it can do.
    Everything,
    /// Flask under gunicorn, two workers with eight threads each.
    Gunicorn,
    /// Flask's development server.
    Flask,
}

impl Peer {
    pub(super) const ALL: [Self; 5] =
        [Self::Nginx, Self::Signing, Self::Everything, Self::Gunicorn, Self::Flask];

    /// The name in arguments and file names.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Signing => "signing",
            Self::Everything => "everything",
            Self::Gunicorn => "gunicorn",
            Self::Flask => "flask",
        }
    }

    /// The name in tables.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Nginx => "nginx `proxy_pass`, no signing",
            Self::Signing => "mlflow-proxy, signing only",
            Self::Everything => "mlflow-proxy, everything on",
            Self::Gunicorn => "Flask, gunicorn 2 x 8",
            Self::Flask => "Flask, development server",
        }
    }

    /// Whether it is ours.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Self::Signing | Self::Everything)
    }
}

/// What the programs need.
pub(super) struct Stage {
    /// Where files and logs go.
    pub(super) folder: PathBuf,
    /// The built proxy.
    pub(super) binary: PathBuf,
    /// The Python with Flask, gunicorn, botocore and requests.
    pub(super) python: PathBuf,
    /// The folder of the Flask app.
    pub(super) app: PathBuf,
    /// The services of AWS.
    pub(super) services: SocketAddr,
    /// The processor of the proxies.
    pub(super) processor: Option<usize>,
}

impl Stage {
    /// Starts the nginx that plays MLflow for small requests.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub(super) fn upstream(&self) -> Result<Running, String> {
        let address = free_address()?;
        let server = format!(
            "server {{ listen {address}; default_type application/json; location / {{ return 200 '{ANSWER}'; }} }}"
        );
        self.nginx("upstream", address, &server, None)
    }

    /// Starts a proxy in front of an upstream.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub(super) fn start(&self, peer: Peer, upstream: SocketAddr) -> Result<Running, String> {
        let address = free_address()?;
        let log = self.folder.join(format!("{}.log", peer.word()));
        match peer {
            Peer::Nginx => {
                let server = format!(
                    "upstream behind {{ server {upstream}; keepalive 64; keepalive_requests 100000000; }}\n\
                     server {{ listen {address}; client_max_body_size 0; location / {{ proxy_pass http://behind; \
                     proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }}"
                );
                self.nginx(peer.word(), address, &server, self.processor)
            }
            Peer::Signing | Peer::Everything => {
                let mut command = self.command(&self.binary, upstream);
                command.env("MLFLOW_PROXY_LISTEN", address.to_string());
                command.env("MLFLOW_PROXY_METRICS_LISTEN", free_address()?.to_string());
                command.env("MLFLOW_PROXY_WORKERS", "1");
                command.env("MLFLOW_PROXY_SPOOL_DIRECTORY", &self.folder);
                if peer == Peer::Signing {
                    command.env("MLFLOW_PROXY_AUTH", "none");
                } else {
                    command.env("MLFLOW_PROXY_AUTH", "token");
                    command.env("MLFLOW_PROXY_ACCESS", "writer");
                    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:users-AbCdEf";
                    command.env("MLFLOW_PROXY_SECRET_ARN", secret);
                    // The limit is there; it is only not reached.
                    command.env("MLFLOW_PROXY_RATE", "1000000").env("MLFLOW_PROXY_RATE_BURST", "1000000");
                    command.env("MLFLOW_PROXY_ALLOWED_HOSTS", "127.0.0.1");
                    command.env("SM_MLFLOW_ARTIFACT_URI", "s3://sagemaker-infra-artifacts/mlflow");
                }
                Running::start(&command, self.processor, address, &log)
            }
            Peer::Gunicorn => {
                let mut command = self.command(&self.python, upstream);
                command.args(["-m", "gunicorn", "--workers", "2", "--threads", "8", "--log-level", "error"]);
                command.args(["--bind", &address.to_string(), "flask_app:app"]);
                Running::start(&command, self.processor, address, &log)
            }
            Peer::Flask => {
                let mut command = self.command(&self.python, upstream);
                command.arg("flask_app.py").env("PORT", address.port().to_string());
                Running::start(&command, self.processor, address, &log)
            }
        }
    }

    /// A program with what every signing proxy reads.
    fn command(&self, program: &Path, upstream: SocketAddr) -> Command {
        let mut command = Command::new(program);
        for name in
            ["AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
        {
            command.env_remove(name);
        }
        command
            .current_dir(&self.app)
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000000")
            .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .env("AWS_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", self.folder.join("no-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.folder.join("no-credentials"))
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.services))
            .env("SM_MLFLOW_ROLE_ARN", ROLE)
            .env("SM_MLFLOW_AWS_REGION", REGION)
            .env("SM_MLFLOW_RESOURCE_ARN", ARN)
            .env("SM_MLFLOW_ENDPOINT", format!("http://{upstream}"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn nginx(
        &self,
        name: &str,
        address: SocketAddr,
        server: &str,
        processor: Option<usize>,
    ) -> Result<Running, String> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        let place = folder.display();
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
            .concat();
        let text = format!(
            "daemon off; master_process off; worker_processes 1; pid {place}/pid; error_log {place}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; keepalive_requests 100000000; tcp_nodelay on; {paths}{server} }}\n"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(&file);
        Running::start(&command, processor, address, &folder.join("said.log"))
    }
}
