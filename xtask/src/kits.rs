//! `cargo xtask kits`: the kits' files with the real programs that they are for: MLflow, PostgreSQL, nginx, the shell.
//!
//! The programs are in `tests/kits`, in Python as MLflow is. Here is what they need: the command line, which writes the
//! kits, and what a kit's images have inside.

use std::process::Command;

use crate::build::Build;
use crate::paths::{Paths, venv_program};
use crate::run::run as run_program;
use crate::setup;

/// Runs the parts of `tests/kits`, and then the migrations; `arguments` go to the parts' program as they are.
///
/// # Errors
///
/// The set-up fails, or something is not as it has to be.
pub(crate) fn run(paths: &Paths, build: Build, slow: bool, arguments: &[&str]) -> Result<(), String> {
    setup::emulator(paths)?;
    setup::mlflow(paths, "newest")?;
    setup::postgres()?;
    setup::kit_programs()?;
    setup::shellcheck()?;
    let python = venv_program(&paths.mlflow_venv("newest"), "python");
    let mut command = Command::new(&python);
    command.arg(paths.join("tests/kits/run.py"));
    command.arg("--formwork").arg(build.program(paths, "formwork-cli", "formwork")?);
    command.arg("--emulator-python").arg(venv_program(&paths.emulator_venv(), "python"));
    command.arg("--psycopg2").arg(setup::psycopg2(paths, &python)?);
    command.arg("--keep").arg(paths.join(".tools/kits"));
    run_program(command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1"))?;
    let mut migrate = Command::new(&python);
    migrate.arg(paths.join("tests/kits/migrate/run.py"));
    migrate.arg("--emulator-python").arg(venv_program(&paths.emulator_venv(), "python"));
    if slow {
        setup::pgloader()?;
        migrate.arg("--slow");
    }
    run_program(migrate.env("PYTHONDONTWRITEBYTECODE", "1"))
}
