//! `cargo xtask mlflow-copy`: copies between real MLflow servers by the built command, judged by the real client.

use std::process::Command;

use crate::build::Build;
use crate::paths::{Paths, venv_program};
use crate::run::run as run_program;
use crate::setup;

/// Runs `tests/mlflow/run.py` with a build of the command.
///
/// # Errors
///
/// The set-up fails, or a copy is not what it has to be.
pub(crate) fn run(paths: &Paths, build: Build) -> Result<(), String> {
    setup::mlflow(paths, "newest")?;
    let mut command = Command::new(venv_program(&paths.mlflow_venv("newest"), "python"));
    command.arg(paths.join("tests/mlflow/run.py"));
    command.arg("--binary").arg(build.program(paths, "formwork-cli", "formwork")?);
    run_program(command.env("PYTHONDONTWRITEBYTECODE", "1"))
}
