//! ShellCheck: the judge of scripts that a shell runs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::oracle::{self, OracleError};
use crate::process;
use crate::shell_scripts::ShellScript;

/// How long one script may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The linter of shell scripts.
#[derive(Clone, Debug)]
pub struct ShellCheck {
    program: PathBuf,
}

impl ShellCheck {
    /// The linter that `FORMWORK_SHELLCHECK` names; without it nothing, after saying so.
    ///
    /// # Panics
    ///
    /// It is not there and judges are required.
    pub fn find() -> Option<Self> {
        oracle::find("ShellCheck", "FORMWORK_SHELLCHECK").map(|program| Self { program })
    }

    /// What it finds in a script, a line for each: line, column, level, words and rule; the level `style` included.
    ///
    /// # Errors
    ///
    /// The linter could not do its work.
    pub fn check(&self, script: &ShellScript) -> Result<Vec<String>, OracleError> {
        let mut command = Command::new(&self.program);
        // Neither a file of settings nor what a script includes: what is judged is the script as it stands.
        command.args(["--norc", "--format", "gcc", "--severity", "style", "--shell", script.shell, "-"]);
        let ended = process::run(&mut command, &script.text, LIMIT)?;
        match ended.status.code() {
            Some(0 | 1) => Ok(ended.stdout.lines().map(|line| format!("{}: {line}", script.name)).collect()),
            _ => Err(ended.failed()),
        }
    }
}
