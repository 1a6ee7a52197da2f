//! Where each entry of a template stands in its file.
//!
//! The readers that give values do not tell places, nor which scalars are quoted, so the text is read a second time, by a
//! small scanner for JSON and by a parser of YAML events. What they cannot read ends the index early, and a place that is
//! missing falls back to the nearest ancestor.

use std::collections::BTreeMap;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::yaml::function_of_tag;
use super::{Fault, TemplateFormat, TemplateProblem};
use crate::references::push_pointer;

/// Levels of lists and objects that a template may have; the readers of values have the same bound.
const DEPTH: usize = 128;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Place {
    pub(super) fn new(line: usize, column: usize) -> Self {
        let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        Self { line: bounded(line), column: bounded(column) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    place: Place,
    /// A YAML scalar without quotes.
    plain: bool,
}

#[derive(Clone, Debug)]
struct Duplicate {
    key: String,
    first: Place,
    second: Place,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Positions {
    entries: BTreeMap<String, Entry>,
    duplicate: Option<Duplicate>,
    first_alias: Option<Place>,
    too_deep: Option<Place>,
}

impl Positions {
    pub(super) fn of(text: &str, format: TemplateFormat) -> Self {
        let mut index = Index::default();
        match format {
            TemplateFormat::Json => JsonScanner::new(text).document(&mut index),
            TemplateFormat::Yaml => yaml_document(text, &mut index),
        }
        index.positions
    }

    pub(super) fn place(&self, pointer: &str) -> Place {
        let mut pointer = pointer;
        loop {
            if let Some(entry) = self.entries.get(pointer) {
                return entry.place;
            }
            match pointer.rfind('/') {
                Some(end) => pointer = &pointer[..end],
                None => return Place { line: 1, column: 1 },
            }
        }
    }

    pub(super) fn is_plain(&self, pointer: &str) -> bool {
        self.entries.get(pointer).is_some_and(|entry| entry.plain)
    }

    pub(super) fn first_alias(&self) -> Option<Place> {
        self.first_alias
    }

    pub(super) fn too_deep(&self) -> Option<Fault> {
        self.too_deep.map(|place| Fault::new(TemplateProblem::TooDeep).at(Some(place)))
    }

    pub(super) fn duplicate_key(&self) -> Option<Fault> {
        let Duplicate { key, first, second } = self.duplicate.clone()?;
        let problem = TemplateProblem::DuplicateKey { key, first_line: first.line };
        Some(
            Fault::new(problem)
                .at(Some(second))
                .hint("CloudFormation refuses duplicate keys: remove or rename one"),
        )
    }
}

/// What a scanner fills while it goes through the text.
#[derive(Default)]
struct Index {
    positions: Positions,
    pointer: String,
    open: Vec<Open>,
}

/// A list or an object that is not closed yet.
struct Open {
    /// The length of its own pointer, and of the pointer before it where a short form added a token.
    pointer: usize,
    outer: usize,
    /// The place in the list; objects have none.
    item: Option<usize>,
    /// Whether the next value of an object belongs to a key that was read.
    has_key: bool,
}

impl Index {
    /// Whether a scalar that comes now is the key of an object.
    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.item.is_none() && !open.has_key)
    }

    fn key(&mut self, key: &str, place: Place) {
        let Some(open) = self.open.last_mut() else { return };
        self.pointer.truncate(open.pointer);
        open.has_key = true;
        push_pointer(&mut self.pointer, key);
        match self.positions.entries.get(&self.pointer) {
            Some(first) if key != "<<" => {
                if self.positions.duplicate.is_none() {
                    self.positions.duplicate =
                        Some(Duplicate { key: key.to_owned(), first: first.place, second: place });
                }
            }
            _ => {
                self.positions.entries.insert(self.pointer.clone(), Entry { place, plain: false });
            }
        }
    }

    /// Takes note of a value's place; the key of a member stays its place.
    fn value(&mut self, place: Place, plain: bool) {
        if let Some(open) = self.open.last_mut()
            && let Some(item) = open.item
        {
            open.item = Some(item + 1);
            self.pointer.truncate(open.pointer);
            push_pointer(&mut self.pointer, &item.to_string());
        }
        let entry = self.positions.entries.entry(self.pointer.clone()).or_insert(Entry { place, plain });
        entry.plain = plain;
    }

    /// A scalar is complete: the next one in an object is a key again.
    fn value_ends(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.has_key = false;
            self.pointer.truncate(open.pointer);
        }
    }

    /// The function that a tag stands for is a member of its own in the long form.
    fn function(&mut self, name: &str, place: Place, plain: bool) {
        push_pointer(&mut self.pointer, name);
        self.positions.entries.insert(self.pointer.clone(), Entry { place, plain });
    }

    fn opens(&mut self, outer: usize, is_list: bool) {
        self.open.push(Open {
            pointer: self.pointer.len(),
            outer,
            item: is_list.then_some(0),
            has_key: false,
        });
    }

    fn closes(&mut self) {
        if let Some(open) = self.open.pop() {
            self.pointer.truncate(open.outer);
        }
        self.value_ends();
    }
}

/// Goes through a JSON text that is known to be valid. Nothing is decoded but keys.
struct JsonScanner<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
    /// Up to where the columns of the line are counted, and how many there are: lines may be as long as the file.
    counted: usize,
    columns: usize,
}

impl<'t> JsonScanner<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, offset: 0, line: 1, counted: 0, columns: 0 }
    }

    fn place(&mut self) -> Place {
        self.columns += self.text[self.counted..self.offset].chars().count();
        self.counted = self.offset;
        Place::new(self.line, self.columns + 1)
    }

    fn document(mut self, index: &mut Index) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.offset) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    (self.counted, self.columns) = (self.offset + 1, 0);
                }
                b'{' | b'[' => {
                    index.value(self.place(), false);
                    index.opens(index.pointer.len(), *byte == b'[');
                }
                b'}' | b']' => index.closes(),
                b'"' => {
                    let place = self.place();
                    let raw = self.string();
                    if index.expects_key() {
                        let key =
                            serde_json::from_str(raw).unwrap_or_else(|_| raw.trim_matches('"').to_owned());
                        index.key(&key, place);
                    } else {
                        index.value(place, false);
                        index.value_ends();
                    }
                    continue;
                }
                b' ' | b'\t' | b'\r' | b',' | b':' => {}
                _ => {
                    index.value(self.place(), false);
                    index.value_ends();
                    while bytes.get(self.offset).is_some_and(|byte| !b",]} \t\r\n".contains(byte)) {
                        self.offset += 1;
                    }
                    continue;
                }
            }
            self.offset += 1;
        }
    }

    /// The string that begins here, with its quotes; goes behind it.
    fn string(&mut self) -> &'t str {
        let start = self.offset;
        let bytes = self.text.as_bytes();
        self.offset += 1;
        while let Some(byte) = bytes.get(self.offset) {
            self.offset += match byte {
                b'\\' => 2,
                b'"' => break,
                _ => 1,
            };
        }
        self.offset = (self.offset + 1).min(bytes.len());
        &self.text[start..self.offset]
    }
}

fn yaml_document(text: &str, index: &mut Index) {
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                if error.info().contains("recursion limit") {
                    let place = Place::new(error.marker().line(), error.marker().col() + 1);
                    index.positions.too_deep = Some(place);
                }
                return;
            }
        };
        if index.open.len() > DEPTH {
            index.positions.too_deep = Some(place_of(span));
            return;
        }
        // A duplicate ends the reading anyway, and the text behind it has not been proved sound.
        if index.positions.duplicate.is_some() {
            return;
        }
        match event {
            Event::Scalar(key, _, _, _) if index.expects_key() => index.key(&key, place_of(span)),
            Event::Scalar(_, style, _, tag) => {
                let plain = style == ScalarStyle::Plain
                    && tag.as_deref().is_none_or(|tag| function_of(tag).is_some());
                index.value(place_of(span), plain);
                if let Some(function) = tag.as_deref().and_then(function_of) {
                    index.function(&function, place_of(span), plain);
                }
                index.value_ends();
            }
            Event::Alias(_) => {
                let place = place_of(span);
                index.positions.first_alias.get_or_insert(place);
                if index.expects_key() {
                    return;
                }
                index.value(place, false);
                index.value_ends();
            }
            Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) if index.expects_key() => {
                // A key that is a list or an object: no template has one.
                drop(tag);
                return;
            }
            Event::SequenceStart(_, tag) => yaml_opens(index, tag.as_deref(), span, true),
            Event::MappingStart(_, tag) => yaml_opens(index, tag.as_deref(), span, false),
            Event::SequenceEnd | Event::MappingEnd => index.closes(),
            Event::DocumentEnd | Event::StreamEnd => return,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
        }
    }
}

fn yaml_opens(index: &mut Index, tag: Option<&Tag>, span: Span, is_list: bool) {
    index.value(place_of(span), false);
    let outer = index.pointer.len();
    if let Some(function) = tag.and_then(function_of) {
        index.function(&function, place_of(span), false);
    }
    index.opens(outer, is_list);
}

fn function_of(tag: &Tag) -> Option<String> {
    (tag.handle == "!").then(|| function_of_tag(&tag.suffix)).flatten()
}

fn place_of(span: Span) -> Place {
    Place::new(span.start.line(), span.start.col() + 1)
}
