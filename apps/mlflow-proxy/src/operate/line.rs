//! One event as one line: JSON for machines, text for a terminal.

use std::fmt::{self, Write as _};
use std::time::SystemTime;

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

/// The event's line, without an end of line. Fields stand in the order of the event.
pub(super) fn write(event: &Event<'_>, form: Form, now: SystemTime) -> String {
    let metadata = event.metadata();
    let time = jiff::Timestamp::try_from(now).unwrap_or_default();
    let level = level(*metadata.level());
    let mut fields =
        Fields { form, message: String::new(), others: String::with_capacity(512), value: String::new() };
    event.record(&mut fields);
    let Fields { message, others, .. } = fields;
    let mut line = String::with_capacity(message.len() + others.len() + 96);
    match form {
        Form::Json => {
            let _ = write!(line, "{{\"time\":\"{time:.3}\",\"level\":\"{level}\",\"target\":");
            push_json(&mut line, metadata.target());
            line.push_str(",\"message\":");
            push_json(&mut line, &message);
            line.push_str(&others);
            line.push('}');
        }
        Form::Text => {
            let _ = write!(line, "{time:.3} {level:5} ");
            push_text(&mut line, &message);
            line.push_str(&others);
        }
    }
    line
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

/// A JSON string. Source: RFC 8259, section 7.
fn push_json(line: &mut String, text: &str) {
    line.push('"');
    // Nearly all texts are plain, and to see that takes no branch for a byte.
    if text.bytes().fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\')) {
        line.push_str(text);
    } else {
        push_escaped(line, text);
    }
    line.push('"');
}

fn push_escaped(line: &mut String, text: &str) {
    let mut plain = 0;
    for (place, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        line.push_str(&text[plain..place]);
        plain = place + 1;
        if escape.is_empty() {
            let _ = write!(line, "\\u{byte:04x}");
        } else {
            line.push_str(escape);
        }
    }
    line.push_str(&text[plain..]);
}

/// Text for a terminal: what a client sent must not be able to begin a line of its own or to move the cursor.
fn push_text(line: &mut String, text: &str) {
    line.extend(text.chars().map(|character| if character.is_control() { ' ' } else { character }));
}

struct Fields {
    form: Form,
    message: String,
    others: String,
    /// Where a value is written before it is known to be short and plain.
    value: String,
}

impl Fields {
    fn text(&mut self, field: &Field, text: &str) {
        let end = text.floor_char_boundary(GREATEST_VALUE);
        let shortened = if end < text.len() { " [shortened]" } else { "" };
        let text = &text[..end];
        if field.name() == "message" {
            self.message.push_str(text);
            self.message.push_str(shortened);
            return;
        }
        self.name(field);
        match self.form {
            Form::Json if shortened.is_empty() => push_json(&mut self.others, text),
            Form::Json => push_json(&mut self.others, &format!("{text}{shortened}")),
            Form::Text => {
                push_text(&mut self.others, text);
                self.others.push_str(shortened);
            }
        }
    }

    fn name(&mut self, field: &Field) {
        match self.form {
            Form::Json => {
                self.others.push(',');
                push_json(&mut self.others, field.name());
                self.others.push(':');
            }
            Form::Text => {
                self.others.push(' ');
                self.others.push_str(field.name());
                self.others.push('=');
            }
        }
    }

    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field);
        let _ = write!(self.others, "{value}");
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = std::mem::take(&mut self.value);
        text.clear();
        let _ = write!(text, "{value:?}");
        self.text(field, &text);
        self.value = text;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for what is no number.
        if value.is_finite() { self.plain(field, value) } else { self.text(field, &value.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::Subscriber;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::*;

    struct Keep(Form, Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Keep {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.1.lock().unwrap().push(write(event, self.0, SystemTime::UNIX_EPOCH));
        }
    }

    /// The lines of what `say` says.
    fn lines(form: Form, say: impl FnOnce()) -> Vec<String> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Keep(form, kept.clone()));
        tracing::subscriber::with_default(subscriber, say);
        kept.lock().unwrap().clone()
    }

    #[test]
    fn a_line_is_one_json_object_whatever_is_said() {
        let odd = "quote \" back \\ line\nbell \u{7} tab\t ünïcode \u{2028}";
        let lines = lines(Form::Json, || {
            tracing::warn!(target: "audit", path = odd, count = 3_u64, less = -1_i64, yes = true, no = f64::NAN, "said {odd}");
        });
        assert!(!lines[0].contains('\n'));
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        let expected = json!({
            "time": "1970-01-01T00:00:00.000Z", "level": "warn", "target": "audit", "message": format!("said {odd}"),
            "path": odd, "count": 3, "less": -1, "yes": true, "no": "NaN",
        });
        assert_eq!(line, expected);
        assert!(lines[0].starts_with("{\"time\":"), "{}", lines[0]);
    }

    #[test]
    fn text_has_no_control_characters() {
        let lines = lines(Form::Text, || {
            tracing::info!(path = "a\r\nb\u{1b}[31m", status = 200_u64, "request");
        });
        assert_eq!(lines, ["1970-01-01T00:00:00.000Z info  request path=a  b [31m status=200"]);
    }

    #[test]
    fn long_values_are_cut() {
        let long = "é".repeat(GREATEST_VALUE);
        for form in [Form::Json, Form::Text] {
            let lines = lines(form, || tracing::info!(value = long, "{long}"));
            assert!(lines[0].len() < 2 * GREATEST_VALUE + 200, "{}", lines[0].len());
            assert_eq!(lines[0].matches("é [shortened]").count(), 2);
        }
    }

    #[test]
    fn a_field_that_is_not_there_leaves_no_trace() {
        let user: Option<&str> = None;
        let lines = lines(Form::Json, || tracing::info!(user, "request"));
        assert!(!lines[0].contains("user"), "{}", lines[0]);
    }
}
