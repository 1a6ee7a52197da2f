//! Finds the judges by environment variables, and says what went wrong with one.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A judge could not be asked, or its answer could not be read: this never means that a template is wrong.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// The program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// What was started.
        program: String,
        /// Why it did not start.
        source: std::io::Error,
    },
    /// The program did not end in time and was killed.
    #[error("{program} did not end within {} s", limit.as_secs())]
    TimeLimit {
        /// What was started.
        program: String,
        /// How long it could take.
        limit: Duration,
    },
    /// The program ended as it does when it could not do its work.
    #[error("{program} failed with {status}: {said}")]
    Failed {
        /// What was started.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        said: String,
    },
    /// The program's answer has another form than its pinned version has.
    #[error("{program} answered what cannot be read ({source}): {said}")]
    Unreadable {
        /// What was started.
        program: String,
        /// Where the form is another.
        source: serde_json::Error,
        /// The start of the answer.
        said: String,
    },
    /// A file or folder that the judge needs could not be made or read.
    #[error("{0}")]
    File(#[from] std::io::Error),
}

/// Whether the parts that take long are wanted (`cargo xtask test --slow`).
pub fn is_slow_run() -> bool {
    env::var_os("FORMWORK_SLOW").is_some()
}

/// The file that a variable names, or nothing after saying so.
///
/// # Panics
///
/// The variable is not set or names nothing, and judges are required.
pub(crate) fn find(judge: &str, variable: &str) -> Option<PathBuf> {
    let required = env::var_os("FORMWORK_REQUIRE_ORACLES").is_some();
    match look(env::var_os(variable).as_deref().map(Path::new), variable) {
        Ok(path) => Some(path),
        Err(reason) if required => panic!("{judge} is required: {reason}"),
        Err(reason) => {
            eprintln!("skipped: {judge} is not there: {reason}");
            None
        }
    }
}

fn look(value: Option<&Path>, variable: &str) -> Result<PathBuf, String> {
    match value {
        None => Err(format!("{variable} is not set; `cargo xtask test` installs it and sets the variable")),
        Some(path) if path.is_file() => Ok(path.to_path_buf()),
        Some(path) => Err(format!("{variable} names {}, which is not a file", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_to_name_a_file() {
        assert!(look(None, "JUDGE").unwrap_err().starts_with("JUDGE is not set"));
        assert!(look(Some(Path::new("/no/such")), "JUDGE").unwrap_err().contains("/no/such"));
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(look(Some(file.path()), "JUDGE"), Ok(file.path().to_path_buf()));
    }
}
