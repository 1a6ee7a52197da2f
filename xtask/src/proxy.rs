//! `cargo xtask proxy`: real MLflow clients through the proxy to real MLflow servers, with wire cases and faults.
//!
//! The programs are in `tests/proxy`, in Python as MLflow is. Here is what they need: the proxy as the tests have built
//! it, MLflow in the versions that are asked for, an emulator of S3, and PostgreSQL.

use std::process::Command;

use crate::build::Build;
use crate::paths::{Paths, venv_program};
use crate::run::run as run_program;
use crate::setup;

/// The versions that every run has, by the names of their requirements: the newest, and the newest that SageMaker runs.
const VERSIONS: [&str; 2] = ["newest", "3.10"];
/// The versions that a slow run has besides.
const SLOW_VERSIONS: [&str; 2] = ["3.0", "2"];

/// The versions of MLflow that a run has.
pub(crate) fn versions(slow: bool) -> impl Iterator<Item = &'static str> {
    VERSIONS.into_iter().chain(SLOW_VERSIONS.into_iter().filter(move |_| slow))
}

/// Runs the parts of `tests/proxy`; `arguments` go to its program as they are.
///
/// # Errors
///
/// The set-up fails, or something is not as it has to be.
pub(crate) fn run(paths: &Paths, build: Build, slow: bool, arguments: &[&str]) -> Result<(), String> {
    setup::emulator(paths)?;
    setup::postgres()?;
    let mut command = Command::new(venv_program(&paths.mlflow_venv("newest"), "python"));
    command.arg(paths.join("tests/proxy/run.py"));
    for version in versions(slow) {
        setup::mlflow(paths, version)?;
        let python = venv_program(&paths.mlflow_venv(version), "python");
        command.arg("--mlflow").arg(format!("{version}={}", python.display()));
    }
    command.arg("--emulator-python").arg(venv_program(&paths.emulator_venv(), "python"));
    command.arg("--binary").arg(build.program(paths, "mlflow-proxy", "mlflow-proxy")?);
    command.arg("--keep").arg(paths.join(".tools/proxy"));
    if slow {
        command.arg("--slow").arg("--matrix").arg(paths.join("docs/proxy-compatibility.md"));
    }
    run_program(command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1"))
}
