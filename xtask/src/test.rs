//! `cargo xtask test`: everything that has to hold before a change is taken, with all its set-up.
//!
//! The cheap parts come first. The judges of templates (cfn-lint, cloudformation-validate, the AWS CDK command line) are
//! handed to the Rust tests by environment variables and are required here; a plain `cargo test` skips what they judge.

use std::process::Command;

use crate::generated_files;
use crate::local;
use crate::parts::Parts;
use crate::paths::{Paths, venv_program};
use crate::proxy;
use crate::proxy_binary;
use crate::run::{output, run as run_program};
use crate::setup;

/// Runs all parts and prints a summary.
///
/// # Errors
///
/// A part failed, or a required part could not run.
pub(crate) fn run(paths: &Paths, slow: bool) -> Result<(), String> {
    let mut parts = Parts::default();

    parts.run("format", || run_program(cargo(paths).args(["fmt", "--all", "--check"])));
    let judges = parts.run("set-up: template judges (Python)", || setup::judges(paths));
    let node = parts.run("set-up: Node packages", || setup::node_packages(paths));
    let emulator = parts.run("set-up: emulator of AWS (Python)", || setup::emulator(paths));
    let mlflow = parts.run("set-up: MLflow (Python)", || setup::mlflow(paths, "newest"));
    let browser = parts.run("set-up: browser (Chromium)", || setup::chromium().map(drop));

    if judges && node {
        parts.run("generated files are up to date", || generated_files(paths, true));
    } else {
        parts.missing("generated files are up to date", "its sources could not be fetched");
    }

    parts.run("lints", || {
        run_program(cargo(paths).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
        // Without the engine the command line is built in a third of the time; it has to stay possible.
        let without =
            ["clippy", "-p", "formwork-cli", "--no-default-features", "--bins", "--", "-D", "warnings"];
        run_program(cargo(paths).args(without))
    });

    if judges && node && emulator && mlflow && browser {
        parts.run("Rust tests", || {
            run_program(rust_tests(paths, slow).env("FORMWORK_CHROMIUM", setup::chromium()?))
        });
    } else {
        parts.missing("Rust tests", "the foreign programs that they ask could not be fetched");
    }

    parts.run("deployment to an emulator", || local::walk(paths, local::Program::OfTests));
    if mlflow && emulator {
        parts.run("MLflow proxy with real clients", || proxy::run(paths, proxy::Build::OfTests, slow, &[]));
    } else {
        parts.missing("MLflow proxy with real clients", "MLflow or the emulator could not be fetched");
    }
    if slow {
        parts.run("MLflow proxy as it is shipped", || {
            let binary = proxy_binary::build(paths)?;
            let test = ["test", "--package", "mlflow-proxy", "--test", "shipped", "--", "--nocapture"];
            run_program(cargo(paths).args(test).env("FORMWORK_PROXY_BINARY", binary))
        });
    }
    parts.run("documentation", || {
        run_program(cargo(paths).args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    });
    parts.run("Lambda sources (pytest)", || lambda_layers(paths));

    if is_continuous_integration() {
        parts.run("nothing is left behind", || clean_tree(paths));
    } else {
        parts.left_out("nothing is left behind", "for CI, where the tree is clean at the start");
    }
    if !slow {
        parts.left_out("slow parts", "--slow was not given");
    }
    parts.finish()
}

fn rust_tests(paths: &Paths, slow: bool) -> Command {
    let mut command = cargo(paths);
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .env("FORMWORK_CFN_LINT", venv_program(&paths.venv(), "cfn-lint"))
        .env("FORMWORK_CLOUDFORMATION_VALIDATE", venv_program(&paths.venv(), "python"))
        .env("FORMWORK_BOTO3", venv_program(&paths.venv(), "python"))
        .env("FORMWORK_CDK", paths.cdk())
        .env("FORMWORK_EMULATOR", venv_program(&paths.emulator_venv(), "python"))
        .env("FORMWORK_MLFLOW_PYTHON", venv_program(&paths.mlflow_venv("newest"), "python"))
        .env("FORMWORK_REQUIRE_ORACLES", "1");
    if slow {
        command.env("FORMWORK_SLOW", "1");
    } else {
        command.env_remove("FORMWORK_SLOW");
    }
    command
}

fn lambda_layers(paths: &Paths) -> Result<(), String> {
    setup::lambda_layers(paths)?;
    run_program(
        Command::new(venv_program(&paths.lambda_layers_venv(), "python"))
            .args(["-m", "pytest"])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(paths.join("lambda-layers")),
    )
}

/// A lock file that was not committed, or a test that writes into the tree, shows as a change.
fn clean_tree(paths: &Paths) -> Result<(), String> {
    let changes = output(Command::new("git").args(["status", "--porcelain"]).current_dir(&paths.root))?;
    if changes.is_empty() { Ok(()) } else { Err(format!("the run changed files:\n{changes}")) }
}

fn is_continuous_integration() -> bool {
    std::env::var_os("CI").is_some()
}

/// The cargo that started us, so that the toolchain stays the same.
pub(crate) fn cargo(paths: &Paths) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&paths.root);
    if is_continuous_integration() {
        // Nothing is built twice in CI: incremental data would only cost time and space.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}
