//! Paths of artifacts below the root, and nothing else: whatever a client writes, the key stays below the prefix.
//!
//! A path is decoded once, as MLflow's own server does it, and then looked at as a whole. What would mean another place
//! after a further decoding is refused too, because some reader on the way may decode again.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::decoding::{Further, further};

/// The longest key that S3 takes, in bytes. Source: "Creating object key names", Amazon S3 User Guide.
const KEY_LIMIT: usize = 1024;

/// The path of a file or directory below the root: segments between single slashes, each a name. It may be empty,
/// which is the root itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelativePath(String);

/// Why a path is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the artifact path `{path}` {reason}")]
pub struct PathError {
    /// The path as it came, shortened, without control characters.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl RelativePath {
    /// Reads the path of a URL, percent-encoded. One slash at the end is dropped.
    ///
    /// # Errors
    /// When it is not a path below the root.
    pub fn from_url(encoded: &str) -> Result<Self, PathError> {
        let decoded = decode(encoded).ok_or_else(|| PathError::not_text(encoded))?;
        // A lone slash is an absolute path, not the end of one.
        let trimmed = decoded.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&decoded);
        check(trimmed).map_err(|reason| PathError::new(encoded, reason))?;
        Ok(Self(trimmed.to_owned()))
    }

    /// Takes a path that is decoded already, such as the rest of a location.
    ///
    /// # Errors
    /// When it is not a path below the root.
    pub fn from_text(text: &str) -> Result<Self, PathError> {
        check(text).map_err(|reason| PathError::new(text, reason))?;
        Ok(Self(text.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last name; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// A path below this one.
    ///
    /// # Errors
    /// When `name` is not a path below it.
    pub fn join(&self, name: &str) -> Result<Self, PathError> {
        if self.is_root() { Self::from_text(name) } else { Self::from_text(&format!("{}/{name}", self.0)) }
    }
}

impl PathError {
    /// The error for bytes that are no text.
    pub(super) fn not_text(path: &str) -> Self {
        Self::new(path, "is not UTF-8")
    }

    fn new(path: &str, reason: &'static str) -> Self {
        let path: String = path.chars().filter(|letter| !letter.is_control()).take(200).collect();
        Self { path, reason }
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Decodes `%XX` once; `None` when the bytes are not UTF-8. A percent sign that begins no code stands for itself.
pub(super) fn decode(encoded: &str) -> Option<String> {
    percent_decode_str(encoded).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Looks at a decoded path and at what it would become when decoded again.
fn check(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Ok(());
    }
    if path.len() > KEY_LIMIT {
        return Err("is longer than a key of S3 may be (1024 bytes)");
    }
    segments(path)?;
    match further(path) {
        Further::Same | Further::Harmless => Ok(()),
        Further::Elsewhere => Err("hides another place behind a second encoding"),
        Further::Endless => Err("is encoded too many times"),
    }
}

fn segments(path: &str) -> Result<(), &'static str> {
    if path.starts_with('/') {
        return Err("is absolute; give it relative to the root of the artifacts");
    }
    if path.chars().any(char::is_control) {
        return Err("has a control character in it");
    }
    if path.contains('\\') {
        return Err("has a backslash in it; separate names by `/`");
    }
    for segment in path.split('/') {
        match segment {
            "" => return Err("has an empty name in it"),
            "." | ".." => return Err("has `.` or `..` as a name in it"),
            _ => {}
        }
    }
    let drive = path.as_bytes();
    if drive.len() >= 2
        && drive[0].is_ascii_alphabetic()
        && drive[1] == b':'
        && matches!(drive.get(2), None | Some(b'/'))
    {
        return Err("begins with a drive");
    }
    Ok(())
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
