//! Sends log lines to a log group of CloudWatch, in batches, by the proxy itself: an instance needs no agent for it.
//!
//! Whoever logs never waits for this: lines come from a bounded queue, and what the service does not take after some
//! attempts is counted, told in the next batch, and given up.

use std::cmp::min;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::logs::SHIPPING;
use super::metrics::Metrics;
use super::queue::{Entry, Waiting};

/// What one request may hold. Source: CloudWatch Logs API, `PutLogEvents`, which counts 26 bytes for each event.
const GREATEST_BATCH: usize = 1_048_576;
const EVENT_OVERHEAD: usize = 26;
const GREATEST_COUNT: usize = 10_000;
/// The events of one request may not be further apart.
const GREATEST_SPAN: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the first line of a batch waits for others.
const GATHERING: Duration = Duration::from_secs(2);

/// The pauses between attempts, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const GREATEST_PAUSE: Duration = Duration::from_secs(30);
/// About two minutes with the pauses above: the queue holds more than that in ordinary times.
const ATTEMPTS: u32 = 9;

/// How long the end waits until the last lines are sent.
pub(super) const END_LIMIT: Duration = Duration::from_secs(5);

/// Why the service did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The exception that it names, such as `ResourceNotFoundException`, and its words.
    Refused(String, String),
    /// No answer, or none that can be understood.
    NoAnswer(String),
}

/// CloudWatch Logs, or what stands for it in tests.
pub(super) trait Service: Send + Sync {
    /// Calls an operation by its name.
    fn call(&self, operation: &str, body: &Value) -> impl Future<Output = Result<Value, Failure>> + Send;
}

/// Where lines go.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The log group.
    pub(super) group: String,
    /// The stream within it: one for each run of a proxy.
    pub(super) stream: String,
}

impl Place {
    /// A stream of its own for this run of this machine's proxy.
    pub(super) fn new(group: &str, started: SystemTime) -> Self {
        let started = jiff::Timestamp::try_from(started).unwrap_or_default();
        let started = started.strftime("%Y-%m-%dT%H-%M-%SZ");
        let stream = format!("proxy/{}/{started}-{}", machine(), std::process::id());
        // Colons and asterisks are not possible in a stream's name.
        Self { group: group.to_owned(), stream: stream.replace([':', '*'], "-") }
    }
}

/// The id of the instance, which EC2 writes into the virtual hardware, or the name of the host.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    read("/sys/devices/virtual/dmi/id/board_asset_tag")
        .filter(|tag| tag.starts_with("i-"))
        .or_else(|| read("/proc/sys/kernel/hostname"))
        // A hardened service does not see all of /proc.
        .or_else(|| read("/etc/hostname"))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Sends lines until `stop` turns true, and then what is left.
pub(super) async fn run(
    service: impl Service,
    place: Place,
    mut waiting: Waiting,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    let mut shipper = Shipper { service, place, metrics, has_stream: false, told_lost: 0 };
    let mut carry = None;
    loop {
        let first = match carry.take() {
            Some(entry) => entry,
            None => tokio::select! {
                next = waiting.next() => match next {
                    Some(entry) => entry,
                    None => return,
                },
                () = stopped(&mut stop) => break,
            },
        };
        let until = Instant::now() + GATHERING;
        let mut batch = Batch::new(first);
        while let Ok(Some(entry)) = tokio::select! {
            next = timeout_at(until, waiting.next()) => next,
            () = stopped(&mut stop) => Ok(None),
        } {
            if let Some(entry) = batch.push(entry) {
                carry = Some(entry);
                break;
            }
        }
        {
            let mut send = pin!(SHIPPING.scope((), shipper.send(&batch)));
            tokio::select! {
                () = &mut send => {}
                () = stopped(&mut stop) => {
                    let _ = timeout(END_LIMIT, send).await;
                }
            }
        }
        if *stop.borrow() {
            break;
        }
    }
    let _ = timeout(END_LIMIT, async {
        let mut next = carry.or_else(|| waiting.next_now());
        while let Some(first) = next.take() {
            let mut batch = Batch::new(first);
            while let Some(entry) = waiting.next_now() {
                next = batch.push(entry);
                if next.is_some() {
                    break;
                }
            }
            SHIPPING.scope((), shipper.send(&batch)).await;
        }
    })
    .await;
}

/// Waits until the end has begun.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Lines that fit into one request.
struct Batch {
    entries: Vec<Entry>,
    bytes: usize,
    from: SystemTime,
    to: SystemTime,
}

impl Batch {
    fn new(first: Entry) -> Self {
        let (from, to) = (first.time, first.time);
        Self { bytes: first.line.len() + EVENT_OVERHEAD, entries: vec![first], from, to }
    }

    /// Adds a line, or gives it back when it belongs into the next batch.
    fn push(&mut self, entry: Entry) -> Option<Entry> {
        let bytes = self.bytes + entry.line.len() + EVENT_OVERHEAD;
        let (from, to) = (self.from.min(entry.time), self.to.max(entry.time));
        let span = to.duration_since(from).unwrap_or_default();
        if bytes > GREATEST_BATCH || self.entries.len() >= GREATEST_COUNT || span >= GREATEST_SPAN {
            return Some(entry);
        }
        self.entries.push(entry);
        (self.bytes, self.from, self.to) = (bytes, from, to);
        None
    }
}

struct Shipper<S> {
    service: S,
    place: Place,
    metrics: Arc<Metrics>,
    has_stream: bool,
    /// The lost lines, of whatever reason, that the log group has been told of.
    told_lost: u64,
}

impl<S: Service> Shipper<S> {
    /// Sends a batch, or gives it up.
    async fn send(&mut self, batch: &Batch) {
        let dropped = self.metrics.log_events_dropped.get();
        let body = self.body(batch, dropped);
        let count = batch.entries.len() as u64;
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let failure = match self.attempt(&body).await {
                Ok(rejected) => {
                    self.told_lost = dropped;
                    self.metrics.log_events_dropped.inc_by(rejected.min(count));
                    self.metrics.log_events_shipped.inc_by(count - rejected.min(count));
                    return;
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Refused(code, _) if code == "DataAlreadyAcceptedException" => return,
                // The stream, or the group with it, was deleted under us: make it anew at once.
                Failure::Refused(code, _) if code == "ResourceNotFoundException" && self.has_stream => {
                    self.has_stream = false;
                    continue;
                }
                Failure::Refused(code, words)
                    if code == "InvalidParameterException" || attempt == ATTEMPTS =>
                {
                    tracing::error!(lines = count, code, words, "the log group does not take log lines");
                    break;
                }
                Failure::NoAnswer(error) if attempt == ATTEMPTS => {
                    tracing::error!(lines = count, error, "the log group cannot be reached");
                    break;
                }
                Failure::Refused(..) | Failure::NoAnswer(_) => {}
            }
            // Some of the pause at random, lest all proxies of a group come back together.
            // Not by `uuid`, which in a static program asks `/dev/urandom`: an empty root has none.
            let random = RandomState::new().hash_one(attempt).to_be_bytes()[0];
            let random = f64::from(random) / 510.0;
            sleep(pause.mul_f64(0.75 + random)).await;
            pause = min(pause * 2, GREATEST_PAUSE);
        }
        self.metrics.log_events_dropped.inc_by(count);
    }

    /// How many events the service rejected.
    async fn attempt(&mut self, body: &Value) -> Result<u64, Failure> {
        if !self.has_stream {
            let names = json!({ "logGroupName": self.place.group, "logStreamName": self.place.stream });
            match self.service.call("CreateLogStream", &names).await {
                Ok(_) => {}
                Err(Failure::Refused(code, _)) if code == "ResourceAlreadyExistsException" => {}
                Err(failure) => return Err(failure),
            }
            self.has_stream = true;
        }
        let answer = self.service.call("PutLogEvents", body).await?;
        let events = body["logEvents"].as_array().map_or(0, Vec::len) as u64;
        let rejected = &answer["rejectedLogEventsInfo"];
        let number = |name: &str| rejected[name].as_u64();
        // The first two say where the good events begin, the third where they end.
        let before = number("tooOldLogEventEndIndex").max(number("expiredLogEventEndIndex")).unwrap_or(0);
        let after = number("tooNewLogEventStartIndex").map_or(0, |start| events.saturating_sub(start));
        Ok(before + after)
    }

    fn body(&self, batch: &Batch, dropped: u64) -> Value {
        let mut entries: Vec<&Entry> = batch.entries.iter().collect();
        // Threads log at the same time, and the service wants events in the order of their times.
        entries.sort_by_key(|entry| entry.time);
        let mut events: Vec<Value> = entries
            .iter()
            .map(|entry| json!({ "timestamp": milliseconds(entry.time), "message": &*entry.line }))
            .collect();
        let news = dropped.saturating_sub(self.told_lost);
        if news > 0 && events.len() < GREATEST_COUNT && batch.bytes + 200 < GREATEST_BATCH {
            let line = json!({ "level": "warn", "message": "log lines were lost", "lines": news });
            events.push(json!({ "timestamp": milliseconds(batch.to), "message": line.to_string() }));
        }
        json!({
            "logGroupName": self.place.group,
            "logStreamName": self.place.stream,
            "logEvents": events,
        })
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "ship_tests.rs"]
mod tests;
