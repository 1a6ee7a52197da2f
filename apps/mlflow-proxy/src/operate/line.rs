//! One event as one line: JSON for machines, text for a terminal.

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

/// The greatest length of one value, so that one message cannot fill the queue.
const GREATEST_VALUE: usize = 16 << 10;

/// The event's line, without an end of line.
pub(super) fn write(event: &Event<'_>, form: Form, now: SystemTime) -> String {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let metadata = event.metadata();
    match form {
        Form::Json => {
            // Objects keep no order of their own here, so the line is put together by hand: time first.
            let mut line = String::with_capacity(256);
            line.push_str("{\"time\":\"");
            push_time(&mut line, now);
            let _ = write!(line, "\",\"level\":\"{}\",\"target\":", level(*metadata.level()));
            push_json(&mut line, &Value::from(metadata.target()));
            if let Some(message) = fields.message {
                line.push_str(",\"message\":");
                push_json(&mut line, &Value::from(message));
            }
            for (name, value) in fields.others {
                line.push(',');
                push_json(&mut line, &Value::from(name));
                line.push(':');
                push_json(&mut line, &value);
            }
            line.push('}');
            line
        }
        Form::Text => {
            let mut line = String::with_capacity(160);
            push_time(&mut line, now);
            let _ = write!(line, " {:5} {}", level(*metadata.level()), fields.message.unwrap_or_default());
            for (name, value) in fields.others {
                let _ = match value {
                    Value::String(text) => write!(line, " {name}={text}"),
                    value => write!(line, " {name}={value}"),
                };
            }
            // What a client sent must not be able to begin a line of its own or move the cursor.
            line.replace(|character: char| character.is_control(), " ")
        }
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn push_time(line: &mut String, now: SystemTime) {
    let time = jiff::Timestamp::try_from(now).unwrap_or_default();
    let _ = write!(line, "{time:.3}");
}

fn push_json(line: &mut String, value: &Value) {
    let _ = write!(line, "{value}");
}

#[derive(Default)]
struct Fields {
    message: Option<String>,
    others: Map<String, Value>,
}

impl Fields {
    fn text(&mut self, field: &Field, mut text: String) {
        if text.len() > GREATEST_VALUE {
            text.truncate(text.floor_char_boundary(GREATEST_VALUE));
            text.push_str(" [shortened]");
        }
        match field.name() {
            "message" => self.message = Some(text),
            name => self.other(name, text.into()),
        }
    }

    fn other(&mut self, name: &str, value: Value) {
        self.others.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.other(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.other(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.other(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.other(field.name(), value.into());
    }
}
