//! `cargo xtask metaflow`: the real Metaflow client with the stack that we deploy.
//!
//! The stack is deployed to the emulator; the client talks to another AWS, where jobs really run. The Python program
//! `tests/metaflow/run.py` does it.

use std::process::Command;

use crate::build::Build;
use crate::paths::{Paths, venv_program};
use crate::run::run as run_program;
use crate::setup;

/// Runs the checks.
///
/// # Errors
///
/// The set-up fails, or a check does.
pub(crate) fn run(paths: &Paths, build: Build, slow: bool, arguments: &[&str]) -> Result<(), String> {
    setup::emulator(paths)?;
    setup::metaflow(paths)?;
    let mut command = Command::new(venv_program(&paths.metaflow_venv(), "python"));
    command.arg(paths.join("tests/metaflow/run.py"));
    command.arg("--formwork").arg(build.program(paths, "formwork-cli", "formwork")?);
    command.arg("--emulator-python").arg(venv_program(&paths.emulator_venv(), "python"));
    command.arg("--keep").arg(paths.join(".tools/metaflow"));
    if slow {
        command.arg("--slow");
    }
    run_program(command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1"))
}
