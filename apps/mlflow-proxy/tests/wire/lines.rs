//! The log lines of one target that the proxy under test writes, kept as text.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The lines so far.
#[derive(Clone)]
pub(crate) struct Lines {
    target: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Lines {
    /// Keeps the lines of a target that are written on this thread, on which the proxy of a test runs, until the guard goes.
    pub(crate) fn of(target: &'static str) -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self { target, lines: Arc::default() };
        (lines.clone(), tracing::subscriber::set_default(lines))
    }

    /// Takes as many lines as are awaited, and all that came by then.
    pub(crate) async fn take(&self, count: usize) -> Vec<String> {
        for _ in 0..500 {
            if self.lines.lock().unwrap().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == self.target
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
