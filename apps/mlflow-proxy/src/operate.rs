//! What operators see: health, readiness, metrics and logs.
//!
//! Other parts count and tell; this one makes of it what a load balancer, Prometheus, CloudWatch and a person with a
//! terminal read. Nothing here is waited for by a request.

mod credentials;
mod embedded;
mod endpoint;
mod exposition;
mod histogram;
mod labels;
mod line;
mod logs;
pub mod metrics;
pub mod notify;
mod probe;
mod process;
mod queue;
pub mod readiness;
mod settings;
mod ship;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::aws::{CallError, Calls, Client, Service};
use crate::body::Body;
use crate::credentials::Caches;
use crate::target::Target;

use embedded::Figures;
use exposition::Exposition;
use metrics::{Class, Metrics};
use queue::{Entry, Queue, Waiting};
use readiness::Readiness;

pub use embedded::NAMESPACE;
pub use line::Form;
pub use logs::{AUDIT, Logs};
pub use settings::{AccessLog, Settings, VARIABLES};

/// How often the figures for alarms are told.
const FIGURES_EVERY: Duration = Duration::from_secs(60);

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
    /// Where from.
    pub client: IpAddr,
}

/// A request that has no answer yet. Dropped like that, its client has gone, and it counts with the status 499 that nginx
/// has for it.
#[derive(Debug)]
pub struct Unanswered<'a> {
    operate: &'a Operate,
    method: &'a Method,
    start: Instant,
    answered: bool,
}

impl Unanswered<'_> {
    /// Notes the answer.
    pub fn answered(mut self, answered: &Answered<'_>) {
        self.answered = true;
        self.operate.answered(answered);
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.answered
            && let Ok(gone) = StatusCode::from_u16(499)
        {
            self.operate.metrics.answered(Class::Other, self.method, gone, self.start.elapsed());
        }
    }
}

/// What the tasks of this part work with, once it exists.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Signed calls with the proxy's own credentials.
    pub calls: Calls,
    /// The credentials to watch.
    pub caches: Caches,
    /// What reaches MLflow.
    pub client: Client,
    /// MLflow.
    pub target: Arc<Target>,
}

/// Metrics, readiness and logs of one proxy.
#[derive(Debug)]
pub struct Operate {
    settings: Settings,
    started: SystemTime,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Whether requests can be answered.
    pub readiness: Arc<Readiness>,
    logs: Logs,
    queue: Option<Queue>,
    waiting: Mutex<Option<Waiting>>,
    exposition: Mutex<Exposition>,
    /// Turned first, so that the last figures are in the queue when its end begins.
    last_figures: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    figures: Mutex<Option<JoinHandle<()>>>,
    ship: Mutex<Option<JoinHandle<()>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Operate {
    /// Starts logging. Nothing is sent or listened on yet.
    pub fn new(settings: &Settings) -> Arc<Self> {
        let metrics = Metrics::new();
        let (queue, waiting) = settings.log_group.as_ref().map(|_| queue::queue()).unzip();
        let logs = Logs::start(settings.level, settings.form, queue.clone(), metrics.clone());
        Arc::new(Self {
            settings: settings.clone(),
            started: SystemTime::now(),
            exposition: Mutex::new(Exposition::new(metrics.clone(), None)),
            metrics,
            readiness: Arc::new(Readiness::default()),
            logs,
            queue,
            waiting: Mutex::new(waiting),
            last_figures: watch::Sender::new(false),
            stop: watch::Sender::new(false),
            figures: Mutex::default(),
            ship: Mutex::default(),
            tasks: Mutex::default(),
        })
    }

    /// Begins to watch what stands behind the proxy, to tell metrics, and to send lines to the log group.
    ///
    /// A port for metrics that is taken is told, and the proxy serves without it: clients come first.
    pub async fn start(self: &Arc<Self>, behind: Behind) {
        credentials::watch(&self.readiness, &behind.caches);
        let contact = self.readiness.clone();
        self.readiness.watch("mlflow", move || contact.upstream.state());
        *lock(&self.exposition) = Exposition::new(self.metrics.clone(), Some(behind.caches.clone()));
        let mut tasks = Vec::new();
        if let Some(address) = self.settings.metrics_listen {
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    let address = listener.local_addr().unwrap_or(address);
                    tracing::info!("metrics at http://{address}/metrics");
                    tasks.push(tokio::spawn(endpoint::serve(self.clone(), listener)));
                }
                Err(error) => {
                    let hint = "choose another address by MLFLOW_PROXY_METRICS_LISTEN, or off";
                    tracing::error!(%error, hint, "cannot tell metrics on {address}");
                }
            }
        }
        tasks.push(tokio::spawn(probe::run(self.readiness.clone(), behind.clone(), self.stop.subscribe())));
        let waiting = lock(&self.waiting).take();
        if let (Some(group), Some(queue), Some(waiting)) = (&self.settings.log_group, &self.queue, waiting) {
            let figures = self.clone().tell_figures(group.clone(), queue.clone(), behind.caches);
            *lock(&self.figures) = Some(tokio::spawn(figures));
            let place = ship::Place::new(group, self.started);
            let stop = self.stop.subscribe();
            let ship = ship::run(behind.calls, place, waiting, self.metrics.clone(), stop);
            *lock(&self.ship) = Some(tokio::spawn(ship));
        }
        lock(&self.tasks).extend(tasks);
    }

    /// Tells the figures for alarms each minute, and once more at the end.
    async fn tell_figures(self: Arc<Self>, group: String, queue: Queue, caches: Caches) {
        let figures =
            || Figures { sums: self.metrics.sums(), credential_failures: credentials::failures(&caches) };
        let mut stop = self.last_figures.subscribe();
        let mut ticks = interval(FIGURES_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut before = Figures::default();
        loop {
            let stopping = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => true,
                _ = ticks.tick() => false,
            };
            let (now, after) = (SystemTime::now(), figures());
            let line = embedded::line(&group, now, &before, &after).into();
            if !queue.push(Entry { time: now, line }) {
                self.metrics.log_events_dropped.inc();
            }
            if stopping {
                return;
            }
            before = after;
        }
    }

    /// The answer to `GET /healthz`: the process answers.
    pub fn health(&self) -> Response<Body> {
        readiness::health()
    }

    /// The answer to `GET /readyz`.
    pub fn ready(&self) -> Response<Body> {
        self.readiness.answer()
    }

    /// Begins to watch a request that came at `start`.
    pub fn watch<'a>(&'a self, method: &'a Method, start: Instant) -> Unanswered<'a> {
        Unanswered { operate: self, method, start, answered: false }
    }

    /// Counts an answer, and writes a line about it where the settings ask for one.
    fn answered(&self, answered: &Answered<'_>) {
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
                client = %answered.client,
                request_id = answered.request_id,
                "request"
            );
        }
    }

    /// Sends and writes what is still to be sent and written, for a bounded time. The last call before the process ends.
    pub async fn finish(&self) {
        self.last_figures.send_replace(true);
        let figures = lock(&self.figures).take();
        if let Some(figures) = figures {
            let _ = timeout(ship::END_LIMIT, figures).await;
        }
        self.stop.send_replace(true);
        let ship = lock(&self.ship).take();
        if let Some(ship) = ship {
            let _ = timeout(ship::END_LIMIT * 2, ship).await;
        }
        for task in std::mem::take(&mut *lock(&self.tasks)) {
            task.abort();
        }
        let logs = self.logs.clone();
        let _ = tokio::task::spawn_blocking(move || logs.flush()).await;
    }

    /// The metrics, as Prometheus reads them.
    pub fn metrics_text(&self) -> String {
        lock(&self.exposition).text()
    }
}

impl ship::Service for Calls {
    async fn call(&self, operation: &str, body: &Value) -> Result<Value, ship::Failure> {
        self.json(Service::Logs, operation, body).await.map_err(|error| match error {
            CallError::Refused { code, message, .. } => ship::Failure::Refused(code, message),
            error => ship::Failure::NoAnswer(error.to_string()),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
