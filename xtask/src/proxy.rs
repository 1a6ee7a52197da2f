//! `cargo xtask proxy`: real MLflow clients through the proxy to real MLflow servers, with wire cases and faults.
//!
//! The programs are in `tests/proxy`, in Python as MLflow is. Here is what they need: the proxy as the tests have built
//! it, MLflow in the versions that are asked for, an emulator of S3, and PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::{Paths, venv_program};
use crate::run::run as run_program;
use crate::setup;
use crate::test::cargo;

/// The versions that every run has, by the names of their requirements: the newest, and the newest that SageMaker runs.
const VERSIONS: [&str; 2] = ["newest", "3.10"];
/// The versions that a slow run has besides.
const SLOW_VERSIONS: [&str; 2] = ["3.0", "2"];

/// Which build of the proxy is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// A build of its own.
    Alone,
    /// The build that the tests have made: its features are those of all crates together.
    OfTests,
}

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
    command.arg("--binary").arg(build.place(paths)?);
    command.arg("--keep").arg(paths.join(".tools/proxy"));
    if slow {
        command.arg("--slow").arg("--matrix").arg(paths.join("docs/proxy-compatibility.md"));
    }
    run_program(command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1"))
}

impl Build {
    fn place(self, paths: &Paths) -> Result<PathBuf, String> {
        let arguments: &[&str] = match self {
            Self::Alone => &["build", "--quiet", "--package", "mlflow-proxy", "--bin", "mlflow-proxy"],
            Self::OfTests => &["test", "--quiet", "--workspace", "--no-run"],
        };
        run_program(cargo(paths).args(arguments))?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new("target").into(), PathBuf::from);
        Ok(paths.root.join(target).join("debug/mlflow-proxy"))
    }
}
