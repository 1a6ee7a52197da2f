//! A CloudFormation template as somebody wrote it: JSON or YAML in, one long form and exact places out.
//!
//! Everything else works on the long form (`{"Fn::GetAtt": ["Role", "Arn"]}`), whatever the file looks like, and names
//! places by JSON pointers, which the file turns into lines and columns.

use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::Diagnostic;

mod json;
mod positions;
mod yaml;

pub use positions::Place;
use positions::Positions;

/// Bytes of the largest file that is read at all. CloudFormation's own limit is much lower, see
/// [`crate::limits::TEMPLATE_BYTES`]: a file between the two is read, so that every finding in it can be told at once.
pub const READABLE_BYTES: usize = 16 * 1024 * 1024;

/// How a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateFormat {
    /// JSON.
    Json,
    /// YAML, with or without the short forms of functions (`!Ref`).
    Yaml,
}

/// A template that was read from a file.
#[derive(Clone, Debug)]
pub struct TemplateFile {
    name: String,
    text: String,
    format: TemplateFormat,
    value: Value,
    positions: Positions,
}

/// Why a file is no template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateProblem {
    /// The file cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file has more than [`READABLE_BYTES`].
    #[error("has {0} bytes, more than the {READABLE_BYTES} that are read")]
    TooLarge(u64),
    /// The bytes are not UTF-8.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// The file has no content.
    #[error("is empty")]
    Empty,
    /// The text breaks the rules of JSON or YAML.
    #[error("is not valid {format}: {reason}")]
    Syntax {
        /// `JSON` or `YAML`.
        format: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// An object has a key twice; CloudFormation refuses that.
    #[error("has the key `{key}` twice; the first is in line {first_line}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the first one, from 1.
        first_line: u32,
    },
    /// A YAML tag is no function of CloudFormation.
    #[error("has the unknown tag `{0}`")]
    UnknownTag(String),
    /// A YAML key is a list or an object.
    #[error("has a key that is {0}; keys are text")]
    KeyNotText(&'static str),
    /// A number cannot be told in JSON.
    #[error("has the number `{0}`, which JSON cannot hold")]
    NumberOutOfRange(String),
    /// The file has more than one YAML document.
    #[error("has several YAML documents; a template is one")]
    SeveralDocuments,
    /// The document is a list, a text or a number.
    #[error("is {0}; a template is an object with `Resources`")]
    NotAnObject(&'static str),
    /// Lists and objects are nested too deeply to be meant.
    #[error("is nested deeper than 128 levels")]
    TooDeep,
    /// YAML aliases would expand to an enormous document.
    #[error("expands through YAML aliases to an enormous document")]
    TooManyAliases,
}

/// A file that is no template: which file, where in it, why, and what to do.
#[derive(Debug)]
pub struct TemplateFileError {
    /// The name under which the file was read.
    pub file: String,
    /// The place, where there is one.
    pub place: Option<Place>,
    /// What is wrong. Boxed, so that results stay small.
    pub problem: Box<TemplateProblem>,
    /// What to change.
    pub hint: Option<String>,
}

impl TemplateFileError {
    /// The same as a diagnostic, with the rule `template-file`.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error("template-file", format!("the file {}", self.problem));
        diagnostic.template = Some(self.file.clone());
        diagnostic.hint.clone_from(&self.hint);
        if let Some(Place { line, column }) = self.place {
            diagnostic.sources.push(crate::SourceLocation { file: self.file.clone(), line, column });
        }
        diagnostic
    }
}

impl fmt::Display for TemplateFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{place}")?;
        }
        write!(f, ": the file {}", self.problem)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

impl std::error::Error for TemplateFileError {}

/// A problem on its way to an error that names the file.
struct Fault {
    place: Option<Place>,
    problem: TemplateProblem,
    hint: Option<String>,
}

impl Fault {
    fn new(problem: TemplateProblem) -> Self {
        Self { place: None, problem, hint: None }
    }

    fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl TemplateFile {
    /// Reads a template from a file.
    ///
    /// # Errors
    /// When the file cannot be read, is no JSON or YAML, or is no object; the error names file, line and column.
    pub fn read(path: &Path) -> Result<Self, TemplateFileError> {
        let name = path.display().to_string();
        let unreadable = |error: &std::io::Error| {
            named(&name, Fault::new(TemplateProblem::Unreadable(error.to_string().to_lowercase())))
        };
        let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
        if metadata.is_dir() {
            let fault = Fault::new(TemplateProblem::Unreadable("it is a directory".to_owned()));
            return Err(named(&name, fault.hint("name a template file in it")));
        }
        if metadata.len() > READABLE_BYTES as u64 {
            return Err(named(&name, too_large(metadata.len())));
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
        Self::from_bytes(name, &bytes)
    }

    /// Reads a template from bytes; the name tells the format by its extension where it has one, and names the file in
    /// errors.
    ///
    /// # Errors
    /// As [`TemplateFile::read`].
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Result<Self, TemplateFileError> {
        let name = name.into();
        match parse(&name, bytes) {
            Ok((text, format, value, positions)) => {
                Ok(Self { name, text: text.to_owned(), format, value, positions })
            }
            Err(fault) => Err(named(&name, fault)),
        }
    }

    /// The name under which the file was read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the file is written.
    pub fn format(&self) -> TemplateFormat {
        self.format
    }

    /// The text of the file, without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the file, as CloudFormation's limits count them.
    pub fn size_bytes(&self) -> usize {
        self.text.len()
    }

    /// The template in long form. Always an object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The template in long form, to keep.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// Where a JSON pointer of the long form stands in the file: the key of a member, the value of a list's item. A place
    /// that the file does not have (a missing member, the inside of a short form) gives that of its nearest ancestor.
    pub fn place(&self, pointer: &str) -> Place {
        self.positions.place(pointer)
    }

    /// The first YAML alias (`*name`) of the file. CloudFormation itself refuses aliases, although tools that rewrite a
    /// template before they send it resolve them.
    pub fn first_alias(&self) -> Option<Place> {
        self.positions.first_alias()
    }
}

fn named(file: &str, fault: Fault) -> TemplateFileError {
    TemplateFileError {
        file: file.to_owned(),
        place: fault.place,
        problem: Box::new(fault.problem),
        hint: fault.hint,
    }
}

fn too_large(bytes: u64) -> Fault {
    let limit = crate::limits::TEMPLATE_BYTES;
    Fault::new(TemplateProblem::TooLarge(bytes))
        .hint(format!("CloudFormation takes at most {limit} bytes: split the template into several stacks"))
}

type Parsed<'b> = (&'b str, TemplateFormat, Value, Positions);

fn parse<'b>(name: &str, bytes: &'b [u8]) -> Result<Parsed<'b>, Fault> {
    if bytes.len() > READABLE_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Fault::new(TemplateProblem::Empty).hint("a template is an object with `Resources`"));
    }
    let format = format_of(name, text);
    let (value, positions) = match format {
        TemplateFormat::Json => json::parse(text)?,
        TemplateFormat::Yaml => yaml::parse(text)?,
    };
    let kind = match &value {
        Value::Object(_) => return Ok((text, format, value, positions)),
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::Null => {
            return Err(Fault::new(TemplateProblem::Empty).hint("a template is an object with `Resources`"));
        }
    };
    Err(Fault::new(TemplateProblem::NotAnObject(kind)).at(Some(Place { line: 1, column: 1 })))
}

/// The extension decides where it says something; else a text that opens an object is JSON.
fn format_of(name: &str, text: &str) -> TemplateFormat {
    let extension =
        Path::new(name).extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    match extension.as_deref() {
        Some("json") => TemplateFormat::Json,
        Some("yaml" | "yml") => TemplateFormat::Yaml,
        _ if text.trim_start().starts_with(['{', '[']) => TemplateFormat::Json,
        _ => TemplateFormat::Yaml,
    }
}

fn not_utf8(bytes: &[u8], valid: usize) -> Fault {
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let hint = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it looks like UTF-16: save it as UTF-8",
        [b'P', b'K', 3, 4, ..] => "it looks like a zip archive: name the template in it",
        [0x1f, 0x8b, ..] => "it looks like a gzip archive: unpack it first",
        _ => "save it as UTF-8",
    };
    Fault::new(TemplateProblem::NotUtf8).at(Some(Place::new(line, column))).hint(hint)
}

#[cfg(test)]
mod tests;
