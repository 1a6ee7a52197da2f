//! Why a kit cannot be made or written.

use std::io;
use std::path::PathBuf;

/// Why a kit cannot be made or written. Each text says what to change, on a line that begins with `hint:`.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// Settings are wrong, or do not go together: all that was found.
    #[error("{}", .0.join("\n"))]
    Settings(Vec<String>),
    /// The directory holds files that are not the kit's, or that somebody has changed. Nothing was written.
    #[error("{0}")]
    Refused(String),
    /// The system does not let us read or write.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no random numbers, without which no secret is made.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// A template of ours cannot be filled in: a mistake of this crate.
    #[error("the template {name} cannot be filled in: {why}")]
    Template {
        /// The template.
        name: String,
        /// What its engine says.
        why: String,
    },
}

impl KitError {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
