//! What operators see: health, readiness, metrics and logs.
//!
//! Other parts count and tell; this one makes of it what a load balancer, Prometheus, CloudWatch and a person with a
//! terminal read. Nothing here is waited for by a request.

mod exposition;
mod histogram;
mod labels;
mod line;
mod logs;
pub mod metrics;
pub mod notify;
mod process;
mod queue;
pub mod readiness;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Method, Response, StatusCode};
use tracing::level_filters::LevelFilter;

use crate::body::Body;
use crate::settings::{Reader, Variable};

use exposition::Exposition;
use line::Form;
use metrics::{Class, Metrics};
use queue::{Queue, Waiting};
use readiness::Readiness;

pub use logs::{AUDIT, Logs};

/// The settings of logs and metrics.
pub const VARIABLES: &[Variable] = &[METRICS_LISTEN, LOG, LOG_FORMAT, ACCESS_LOG, SLOW, LOG_GROUP];

const METRICS_LISTEN: Variable = Variable {
    name: "MLFLOW_PROXY_METRICS_LISTEN",
    default: "127.0.0.1:9464",
    about: "The address and port of /metrics, /healthz and /readyz for operators, which asks nobody who they are; `off` for none.",
};

const LOG: Variable = Variable {
    name: "MLFLOW_PROXY_LOG",
    default: "info",
    about: "The least level of lines that are logged: error, warn, info or debug. Audit lines are always logged.",
};

const LOG_FORMAT: Variable = Variable {
    name: "MLFLOW_PROXY_LOG_FORMAT",
    default: "auto",
    about: "How lines look on the standard error: json, text, or auto, which is text on a terminal.",
};

const ACCESS_LOG: Variable = Variable {
    name: "MLFLOW_PROXY_ACCESS_LOG",
    default: "failures",
    about: "Which requests get a line: all, none, or failures, which are answers of 500 and above and slow ones.",
};

const SLOW: Variable = Variable {
    name: "MLFLOW_PROXY_SLOW_SECONDS",
    default: "10",
    about: "From how many seconds on a request counts as slow for the access log.",
};

const LOG_GROUP: Variable = Variable {
    name: "MLFLOW_PROXY_LOG_GROUP",
    default: "",
    about: "The CloudWatch log group that lines and the figures for alarms are sent to, with the proxy's own role.",
};

/// Which requests get a line of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// All.
    All,
    /// Those that failed or were slow.
    Failures,
    /// None.
    None,
}

/// What is logged and told, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where metrics are told; nowhere without an address.
    pub metrics_listen: Option<SocketAddr>,
    /// The least level of log lines.
    pub level: LevelFilter,
    /// How lines look; without it, as the standard error's kind asks for.
    pub form: Option<Form>,
    /// Which requests get a line.
    pub access_log: AccessLog,
    /// From when on a request is slow.
    pub slow: Duration,
    /// The log group to send lines to.
    pub log_group: Option<String>,
}

/// Reads a setting that is one of a few words.
fn choice<T: Copy>(reader: &mut Reader<'_>, variable: &Variable, choices: &[(&str, T)]) -> Option<T> {
    let find = |text: &str| choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    let given = reader.given(variable)?;
    let found = find(&given);
    if found.is_none() {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let hint = format!("give one of {}", names.join(", "));
        reader.mistake(variable, format!("is `{given}`, which it cannot be"), hint);
    }
    found
}

impl Settings {
    /// Reads the settings of logs and metrics.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let metrics_listen = match reader.text(&METRICS_LISTEN).as_deref() {
            None | Some("off") => None,
            _ => reader.parsed(&METRICS_LISTEN, "an address", "give IP:port, such as 127.0.0.1:9464, or off"),
        };
        let levels = [
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            ("info", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG),
        ];
        let forms = [("auto", None), ("json", Some(Form::Json)), ("text", Some(Form::Text))];
        let access_logs =
            [("all", AccessLog::All), ("failures", AccessLog::Failures), ("none", AccessLog::None)];
        Self {
            metrics_listen,
            level: choice(reader, &LOG, &levels).unwrap_or(LevelFilter::INFO),
            form: choice(reader, &LOG_FORMAT, &forms).flatten(),
            access_log: choice(reader, &ACCESS_LOG, &access_logs).unwrap_or(AccessLog::Failures),
            slow: reader.seconds(&SLOW).unwrap_or(Duration::from_secs(10)),
            log_group: reader.given(&LOG_GROUP),
        }
    }
}

/// A request that has its answer, for metrics and the access log.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// What it was for.
    pub class: Class,
    /// Its method.
    pub method: &'a Method,
    /// Its path, without the query: queries can hold what nobody should read in a log.
    pub path: &'a str,
    /// The status of the answer.
    pub status: StatusCode,
    /// From the request's head to the answer's.
    pub duration: Duration,
    /// The id that the client got too.
    pub request_id: &'a str,
    /// Who asked, once that was known.
    pub user: Option<&'a str>,
}

/// Metrics, readiness and logs of one proxy.
#[derive(Debug)]
pub struct Operate {
    settings: Settings,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Whether requests can be answered.
    pub readiness: Arc<Readiness>,
    logs: Logs,
    #[allow(dead_code, reason = "taken by the task that sends lines")]
    waiting: Mutex<Option<(Queue, Waiting)>>,
}

impl Operate {
    /// Starts logging. Nothing is sent or listened on yet.
    pub fn new(settings: &Settings) -> Arc<Self> {
        let metrics = Metrics::new();
        let queue = settings.log_group.as_ref().map(|_| queue::queue());
        let sender = queue.as_ref().map(|(sender, _)| sender.clone());
        let logs = Logs::start(settings.level, settings.form, sender, metrics.clone());
        Arc::new(Self {
            settings: settings.clone(),
            metrics,
            readiness: Arc::new(Readiness::default()),
            logs,
            waiting: Mutex::new(queue),
        })
    }

    /// The answer to `GET /healthz`: the process answers.
    pub fn health(&self) -> Response<Body> {
        readiness::health()
    }

    /// The answer to `GET /readyz`.
    pub fn ready(&self) -> Response<Body> {
        self.readiness.answer()
    }

    /// Counts an answer, and writes a line about it where the settings ask for one.
    pub fn answered(&self, answered: &Answered<'_>) {
        self.metrics.answered(answered.class, answered.method, answered.status, answered.duration);
        let slow = answered.duration >= self.settings.slow;
        let tell = match self.settings.access_log {
            AccessLog::All => answered.class != Class::Health,
            AccessLog::Failures => {
                answered.class != Class::Health && (slow || answered.status.is_server_error())
            }
            AccessLog::None => false,
        };
        if tell {
            let milliseconds = u64::try_from(answered.duration.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                method = answered.method.as_str(),
                path = answered.path,
                status = answered.status.as_u16(),
                milliseconds,
                slow,
                class = answered.class.name(),
                user = answered.user,
                request_id = answered.request_id,
                "request"
            );
        }
    }

    /// Writes what is still to be written, for a bounded time. The last call before the process ends.
    pub async fn finish(&self) {
        let logs = self.logs.clone();
        let _ = tokio::task::spawn_blocking(move || logs.flush()).await;
        drop(self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The metrics, as Prometheus reads them.
    pub fn metrics_text(&self) -> String {
        Exposition::new(self.metrics.clone(), []).text()
    }
}
