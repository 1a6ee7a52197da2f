//! Log lines: one layer under `tracing` writes each event once, for the standard error and for the log group.
//!
//! Nobody who answers a request waits for a log: lines go into bounded queues, a thread writes them to the standard error,
//! a task sends them to the log group, and what does not fit is counted. A line holds what its event gives and nothing of
//! its own accord, so secrets stay out by not being given.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::line::{self, Form};
use super::metrics::Metrics;
use super::queue::{Entry, Queue};

/// The target of audit lines: they are written whatever the level.
pub const AUDIT: &str = "audit";

/// What our own events have for a target: the module, or the part where it has a word of its own.
const OURS: &[&str] = &["mlflow_proxy", "access", "credentials"];

/// Lines that may wait for the standard error.
const WAITING_LINES: usize = 8192;

/// Bytes that are written at once when lines wait.
const WRITE_SIZE: usize = 64 << 10;

/// How long lines gather after some were written. Waking the thread for each one would cost those who answer more than
/// all else about a line.
const GATHER: Duration = Duration::from_millis(5);

/// How long the end waits for the standard error.
const END_LIMIT: Duration = Duration::from_secs(2);

tokio::task_local! {
    /// Set where log events are sent: what is said there must not become the next events to send.
    pub(super) static SHIPPING: ();
}

enum Message {
    Line(Arc<str>),
    Flush(SyncSender<()>),
}

/// The way for lines to the standard error.
#[derive(Clone, Debug)]
pub struct Logs {
    lines: SyncSender<Message>,
}

impl Logs {
    /// Takes over all events of the process. A second call in one process changes nothing.
    pub(super) fn start(
        level: LevelFilter,
        form: Option<Form>,
        queue: Option<Queue>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (lines, waiting) = sync_channel(WAITING_LINES);
        let form = form.unwrap_or(if std::io::stderr().is_terminal() { Form::Text } else { Form::Json });
        let filter = Targets::new()
            // What libraries say below a warning is about their insides, and may show headers.
            .with_default(level.min(LevelFilter::WARN))
            .with_targets(OURS.iter().map(|target| (*target, level)))
            .with_target(AUDIT, LevelFilter::INFO);
        let layer = Lines { lines: lines.clone(), form, queue, metrics }.with_filter(filter);
        if tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).is_ok() {
            // A thread that ends with the process: it holds nothing but its queue.
            let spawned = std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&waiting));
            if let Err(error) = spawned {
                eprintln!("warning: no log lines will be written: {error}");
            }
        }
        Self { lines }
    }

    /// Waits until what was said before is written, for a bounded time.
    pub fn flush(&self) {
        let (written, done) = sync_channel(1);
        if self.lines.try_send(Message::Flush(written)).is_ok() {
            let _ = done.recv_timeout(END_LIMIT);
        }
    }
}

fn write(waiting: &Receiver<Message>) {
    let mut text = Vec::new();
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        let mut flushed = None;
        while let Some(message) = next.take() {
            match message {
                Message::Line(line) => {
                    text.extend_from_slice(line.as_bytes());
                    text.push(b'\n');
                }
                Message::Flush(done) => flushed = Some(done),
            }
            if text.len() < WRITE_SIZE && flushed.is_none() {
                next = waiting.try_recv().ok();
            }
        }
        // There is nobody left to tell when the standard error is gone.
        let _ = std::io::stderr().write_all(&text);
        text.clear();
        match flushed {
            Some(done) => drop(done.send(())),
            None => std::thread::sleep(GATHER),
        }
    }
}

struct Lines {
    lines: SyncSender<Message>,
    form: Form,
    queue: Option<Queue>,
    metrics: Arc<Metrics>,
}

impl Lines {
    fn ships(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let ours = target == AUDIT || OURS.iter().any(|ours| target.starts_with(ours));
        ours && SHIPPING.try_with(|()| ()).is_err()
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = SystemTime::now();
        let queue = self.queue.as_ref().filter(|_| self.ships(event.metadata()));
        let line: Arc<str> = line::write(event, self.form, now).into();
        if let Some(queue) = queue {
            let shipped = match self.form {
                Form::Json => line.clone(),
                Form::Text => line::write(event, Form::Json, now).into(),
            };
            if !queue.push(Entry { time: now, line: shipped }) {
                self.metrics.log_events_dropped.inc();
            }
        }
        if self.lines.try_send(Message::Line(line)).is_err() {
            self.metrics.log_events_dropped.inc();
        }
    }
}
