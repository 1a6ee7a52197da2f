//! `cargo xtask mlflow-server`: the task of a self-hosted MLflow server, as its golden template has it, run on this machine.
//!
//! The programs are in `tests/mlflow_server`, in Python as MLflow is. Here is what they need: MLflow, an emulator of S3,
//! PostgreSQL, and the driver that the image has.

use std::process::Command;

use crate::paths::{Paths, venv_program};
use crate::run::run as run_program;
use crate::setup;

/// The template whose task is run: the server as it is without any setting.
const TEMPLATE: &str = "tests/golden/server/sagemaker-infra-mlflow-server.template.json";

/// Runs `tests/mlflow_server`; `arguments` go to its program as they are.
///
/// # Errors
///
/// The set-up fails, or something is not as it has to be.
pub(crate) fn run(paths: &Paths, arguments: &[&str]) -> Result<(), String> {
    setup::emulator(paths)?;
    setup::mlflow(paths, "newest")?;
    setup::postgres()?;
    let python = venv_program(&paths.mlflow_venv("newest"), "python");
    let mut command = Command::new(&python);
    command.arg(paths.join("tests/mlflow_server/run.py"));
    command.arg("--emulator-python").arg(venv_program(&paths.emulator_venv(), "python"));
    command.arg("--psycopg2").arg(setup::psycopg2(paths, &python)?);
    command.arg("--template").arg(paths.join(TEMPLATE));
    run_program(command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1"))
}
