//! Reads JSON as it goes by and changes the strings that are places.
//!
//! It is no parser: it tells strings from the rest, remembers the last string in case it becomes the name of a field,
//! and looks at a string only where the name is one of the route's. What is not JSON goes through as it came.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memchr2;

use super::Fields;
use crate::artifacts::root::Root;

/// The longest string that is looked at, in bytes as written. MLflow keeps places of at most 2048 characters.
pub(super) const VALUE_LIMIT: usize = 16 * 1024;

/// The tag of a trace that says where its data and attachments are. Source: MLflow, `mlflow_tags.py`.
pub(super) const TRACE_TAG: &str = "mlflow.artifactLocation";

/// More than the longest name of a field has, in bytes.
const NAME_LIMIT: usize = 32;

/// Which way the places are turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From MLflow to the client.
    ToClient,
    /// From the client to MLflow.
    ToBucket,
}

/// Where the scanner is in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Between strings.
    Between,
    /// In a string that may be the name of a field.
    Text { escaped: bool },
    /// In a string that is a place: it is held until its end.
    Place { escaped: bool },
}

/// A scanner over the chunks of one body.
pub(super) struct Scanner {
    fields: Fields,
    /// Whether the trace's tag is among them.
    traces: bool,
    direction: Direction,
    root: Arc<Root>,
    at: At,
    /// The last string, up to the limit; it is a name when a colon follows.
    name: [u8; NAME_LIMIT],
    name_length: usize,
    /// The value that follows is a place.
    armed: bool,
    /// The value that follows is the `key` of a pair.
    key_follows: bool,
    /// The pair's key was the trace's tag: its `value` is a place.
    tagged: bool,
    /// The place so far, without its quotes.
    held: Vec<u8>,
}

impl Scanner {
    pub(super) fn new(fields: Fields, direction: Direction, root: Arc<Root>) -> Self {
        Self {
            fields,
            traces: fields.contains(&TRACE_TAG),
            direction,
            root,
            at: At::Between,
            name: [0; NAME_LIMIT],
            name_length: 0,
            armed: false,
            key_follows: false,
            tagged: false,
            held: Vec::new(),
        }
    }

    /// What a chunk becomes. The pieces share the chunk's memory where nothing changed.
    pub(super) fn feed(&mut self, chunk: &Bytes) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        let mut at = 0;
        // Where what has not been given out begins; what is held is cut out of it.
        let mut kept = 0;
        while at < chunk.len() {
            match self.at {
                At::Between => at = self.between(chunk, at),
                At::Text { escaped } => at = self.text(chunk, at, escaped),
                At::Place { escaped } => {
                    if self.held.is_empty() && at > kept {
                        pieces.push(chunk.slice(kept..at));
                    }
                    let from = at;
                    at = self.place(chunk, at, escaped);
                    self.held.extend_from_slice(&chunk[from..at]);
                    kept = at;
                    if self.at == At::Between {
                        pieces.push(self.release());
                    } else if self.held.len() > VALUE_LIMIT {
                        self.at = match self.at {
                            At::Place { escaped } => At::Text { escaped },
                            other => other,
                        };
                        self.name_length = NAME_LIMIT;
                        pieces.push(std::mem::take(&mut self.held).into());
                    }
                }
            }
        }
        if kept < chunk.len() {
            pieces.push(chunk.slice(kept..));
        }
        pieces
    }

    /// What is still held at the end of a text that breaks off in a place.
    pub(super) fn finish(&mut self) -> Option<Bytes> {
        (!self.held.is_empty()).then(|| std::mem::take(&mut self.held).into())
    }

    fn between(&mut self, chunk: &[u8], mut at: usize) -> usize {
        while at < chunk.len() {
            match chunk[at] {
                b'"' => {
                    self.at =
                        if self.armed { At::Place { escaped: false } } else { At::Text { escaped: false } };
                    self.armed = false;
                    self.name_length = 0;
                    return at + 1;
                }
                b':' => self.named(),
                b',' => (self.armed, self.key_follows) = (false, false),
                b'{' | b'}' | b'[' | b']' => {
                    (self.armed, self.key_follows, self.tagged) = (false, false, false)
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// The last string was the name of a field.
    fn named(&mut self) {
        let name = &self.name[..self.name_length.min(NAME_LIMIT)];
        self.armed = self.fields.iter().any(|field| field.as_bytes() == name);
        self.key_follows = false;
        if self.traces {
            self.key_follows = name == b"key";
            self.armed |= self.tagged && name == b"value";
        }
        self.name_length = 0;
    }

    fn text(&mut self, chunk: &[u8], from: usize, escaped: bool) -> usize {
        match quote(chunk, from, escaped) {
            Ok(end) => {
                self.remember(&chunk[from..end]);
                self.at = At::Between;
                if self.key_follows {
                    self.tagged = &self.name[..self.name_length] == TRACE_TAG.as_bytes();
                    self.key_follows = false;
                }
                end + 1
            }
            Err(escaped) => {
                self.remember(&chunk[from..]);
                self.at = At::Text { escaped };
                chunk.len()
            }
        }
    }

    /// Keeps the begin of a string. One that is too long fills the room, and so equals no name.
    fn remember(&mut self, bytes: &[u8]) {
        let room = NAME_LIMIT - self.name_length;
        let taken = bytes.len().min(room);
        self.name[self.name_length..self.name_length + taken].copy_from_slice(&bytes[..taken]);
        self.name_length += taken;
    }

    /// Goes past the quote that ends a place, or to the end of the chunk.
    fn place(&mut self, chunk: &[u8], from: usize, escaped: bool) -> usize {
        match quote(chunk, from, escaped) {
            Ok(end) => {
                self.at = At::Between;
                end + 1
            }
            Err(escaped) => {
                self.at = At::Place { escaped };
                chunk.len()
            }
        }
    }

    /// The place that has come to its end, changed or as it was, with its closing quote.
    fn release(&mut self) -> Bytes {
        let held = std::mem::take(&mut self.held);
        let text = &held[..held.len() - 1];
        let changed = if text.contains(&b'\\') {
            // Escapes are resolved before looking: `s3:\/\/` is the same place.
            let quoted = [b"\"", text, b"\""].concat();
            serde_json::from_slice::<String>(&quoted).ok().and_then(|text| self.turn(&text))
        } else {
            std::str::from_utf8(text).ok().and_then(|text| self.turn(text))
        };
        match changed {
            Some(place) => {
                let quoted = serde_json::Value::String(place).to_string();
                Bytes::from(quoted).slice(1..)
            }
            None => held.into(),
        }
    }

    fn turn(&self, place: &str) -> Option<String> {
        match self.direction {
            Direction::ToClient => self.root.to_client(place),
            Direction::ToBucket => self.root.to_bucket(place),
        }
    }
}

/// Where the string ends; without an end, whether the next byte is escaped.
fn quote(chunk: &[u8], from: usize, escaped: bool) -> Result<usize, bool> {
    let mut at = from + usize::from(escaped);
    loop {
        let rest = chunk.get(at..).ok_or(true)?;
        match memchr2(b'"', b'\\', rest) {
            None => return Err(false),
            Some(found) if rest[found] == b'"' => return Ok(at + found),
            Some(found) => at += found + 2,
        }
    }
}
