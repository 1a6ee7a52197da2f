//! What there is to copy, and how its documents are read. They stay as MLflow writes them: a field that a later version
//! adds comes along.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::bucket::unreadable;
use super::client::Fetched;
use crate::error::EngineError;

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An experiment.
    Experiment,
    /// A run with parameters, tags, metrics, datasets and artifacts.
    Run,
    /// A logged model.
    Model,
    /// A trace with its spans.
    Trace,
    /// A name of the registry: a model or a prompt.
    Registered,
    /// A version of it.
    Version,
}

impl Kind {
    /// All kinds, in the order in which they are copied.
    pub const ALL: [Self; 6] =
        [Self::Experiment, Self::Run, Self::Model, Self::Trace, Self::Registered, Self::Version];

    /// The kind in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::Run => "run",
            Self::Model => "logged model",
            Self::Trace => "trace",
            Self::Registered => "registered model",
            Self::Version => "model version",
        }
    }
}

/// A text at a JSON pointer, or none.
pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items of an array at a JSON pointer.
pub(crate) fn array<'a>(document: &'a Value, pointer: &str) -> &'a [Value] {
    document.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The id of a document.
pub(crate) fn id(kind: Kind, document: &Value) -> &str {
    match kind {
        Kind::Experiment => text(document, "/experiment_id"),
        Kind::Run => match text(document, "/info/run_id") {
            "" => text(document, "/info/run_uuid"),
            id => id,
        },
        Kind::Model => text(document, "/info/model_id"),
        Kind::Trace => text(document, "/trace_id"),
        Kind::Registered => text(document, "/name"),
        Kind::Version => text(document, "/version"),
    }
}

/// Whether the item lies in MLflow's bin.
pub(crate) fn is_deleted(document: &Value) -> bool {
    let stage = match document.get("info") {
        Some(info) => &info["lifecycle_stage"],
        None => &document["lifecycle_stage"],
    };
    stage == "deleted"
}

/// How a metric is compared: what it says, whatever its form.
fn point(metric: &Value) -> u64 {
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default();
    let value = match &metric["value"] {
        Value::String(text) => text.parse().unwrap_or(f64::NAN),
        value => value.as_f64().unwrap_or_default(),
    };
    // What databases make of infinity.
    let value = if value.is_nan() { f64::NAN } else { value.clamp(f64::MIN, f64::MAX) };
    let mut hash = DefaultHasher::new();
    (text(metric, "/key"), value.to_bits(), number(&metric["timestamp"]), number(&metric["step"]))
        .hash(&mut hash);
    hash.finish()
}

/// The points of a history, without their order and without repetitions, in the room of two numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points {
    pub(crate) count: u64,
    sum: u64,
    last: Option<u64>,
}

impl PartialEq for Points {
    fn eq(&self, other: &Self) -> bool {
        (self.count, self.sum) == (other.count, other.sum)
    }
}

impl Points {
    pub(crate) fn add(&mut self, metrics: &[Value]) {
        for metric in metrics {
            let point = point(metric);
            // A store of files may hold the same point twice; databases do not take it twice.
            if self.last.replace(point) != Some(point) {
                self.count += 1;
                self.sum = self.sum.wrapping_add(point);
            }
        }
    }
}

/// What a file is.
pub(crate) async fn size_and_hash(path: &Path) -> Result<Fetched, EngineError> {
    let failed = |error: std::io::Error| unreadable(path, &error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let (mut bytes, mut hash) = (0, Sha256::new());
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut piece).map_err(failed)?;
        if read == 0 {
            return Ok(Fetched { bytes, sha256: hash.finalize().into() });
        }
        bytes += read as u64;
        hash.update(&piece[..read]);
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn points_are_compared_by_what_they_say() {
        let metric =
            |value: Value, step: i64| json!({"key": "k", "value": value, "timestamp": 5, "step": step});
        let points = |metrics: &[Value]| {
            let mut points = Points::default();
            points.add(metrics);
            points
        };
        let both = points(&[metric(json!(0.5), 1), metric(json!("NaN"), 2)]);
        assert_eq!(both, points(&[metric(json!("NaN"), 2), metric(json!("0.5"), 1), metric(json!(0.5), 1)]));
        assert_ne!(both, points(&[metric(json!(0.5), 1), metric(json!(0.25), 2)]));
        assert_ne!(both, points(&[metric(json!(0.5), 1)]));
        assert_eq!(points(&[metric(json!("Infinity"), 0)]), points(&[metric(json!(f64::MAX), 0)]));
    }
}
