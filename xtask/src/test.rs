//! `cargo xtask test`: everything that has to hold before a change is taken, with all its set-up.
//!
//! One lane builds and runs what is Rust; beside it the others fetch what is foreign, and later wait for servers. The judges of
//! templates (cfn-lint, cloudformation-validate, the AWS CDK command line) are handed to the Rust tests by environment
//! variables and are required here; a plain `cargo test` skips what they judge.

use std::process::Command;

use crate::build::Build;
use crate::generated_files;
use crate::kits;
use crate::local;
use crate::metaflow;
use crate::mlflow_copy;
use crate::mlflow_server;
use crate::parts::{self, Part, left_out, part};
use crate::paths::{Paths, venv_program};
use crate::proxy;
use crate::proxy_binary;
use crate::run::{output, run as run_program};
use crate::setup;

/// The names of parts that others need.
mod name {
    pub(super) const FORMAT: &str = "format";
    pub(super) const BUILD: &str = "build of the tests";
    pub(super) const JUDGES: &str = "set-up: template judges (Python)";
    pub(super) const METAFLOW: &str = "set-up: Metaflow (Python)";
    pub(super) const NODE: &str = "set-up: Node packages";
    pub(super) const EMULATOR: &str = "set-up: emulator of AWS (Python)";
    pub(super) const MLFLOW: &str = "set-up: MLflow (Python)";
    pub(super) const PROGRAMS: &str = "set-up: foreign programs";
    pub(super) const KITS: &str = "kits with real programs";
    pub(super) const PROXY: &str = "MLflow proxy with real clients";
}
use name::{BUILD, EMULATOR, FORMAT, JUDGES, KITS, METAFLOW, MLFLOW, NODE, PROGRAMS, PROXY};

/// What runs beside each other, and what runs when all of it has ended.
struct Plan {
    lanes: Vec<Vec<Part>>,
    last: Vec<Part>,
}

fn plan(slow: bool) -> Plan {
    // What Rust needs both processors for.
    let rust = vec![
        part(FORMAT, &[], |paths, _| run_program(cargo(paths).args(["fmt", "--all", "--check"]))),
        part("lints", &[], |paths, _| lints(paths)),
        part(BUILD, &[], |paths, _| run_program(cargo(paths).args(["test", "--workspace", "--no-run"]))),
        part("Rust tests", &[BUILD, JUDGES, NODE, EMULATOR, MLFLOW, PROGRAMS], |paths, slow| {
            let mut tests = rust_tests(paths, slow);
            tests.env("FORMWORK_CHROMIUM", setup::chromium()?);
            run_program(tests.env("FORMWORK_SHELLCHECK", setup::shellcheck()?))
        }),
    ];
    let judges = vec![
        part(JUDGES, &[PROGRAMS], |paths, _| setup::judges(paths)),
        part(NODE, &[PROGRAMS], |paths, _| setup::node_packages(paths).and_then(|()| setup::twin(paths))),
        part("generated files are up to date", &[JUDGES, NODE], |paths, _| generated_files(paths, true)),
        part(EMULATOR, &[PROGRAMS], |paths, _| setup::emulator(paths)),
        part("Lambda sources (pytest)", &[PROGRAMS], |paths, _| lambda_layers(paths)),
        part(KITS, &[BUILD, EMULATOR, MLFLOW, PROGRAMS], |paths, slow| {
            kits::run(paths, Build::OfTests, slow, &[])
        }),
        part("MLflow copy between real servers", &[BUILD, MLFLOW], |paths, _| {
            mlflow_copy::run(paths, Build::OfTests)
        }),
        part("self-hosted MLflow server", &[EMULATOR, MLFLOW, PROGRAMS], |paths, _| {
            mlflow_server::run(paths, &[])
        }),
        part("deployment to an emulator", &[BUILD, NODE, EMULATOR], |paths, _| {
            local::walk(paths, Build::OfTests)
        }),
        part(METAFLOW, &[], |paths, _| setup::metaflow(paths)),
        part("Metaflow with the real client", &[BUILD, EMULATOR, METAFLOW], |paths, slow| {
            metaflow::run(paths, Build::OfTests, slow, &[])
        }),
    ];
    let mut proxy = vec![
        // All that a package manager installs, which can be asked by one at a time only.
        part(PROGRAMS, &[], |_, _| {
            setup::interpreters()?;
            setup::postgres()?;
            setup::chromium()?;
            setup::kit_programs()?;
            setup::shellcheck().map(drop)
        }),
        part(MLFLOW, &[PROGRAMS], |paths, slow| {
            proxy::versions(slow).try_for_each(|version| setup::mlflow(paths, version))
        }),
        part(PROXY, &[BUILD, EMULATOR, MLFLOW, PROGRAMS], |paths, slow| {
            proxy::run(paths, Build::OfTests, slow, &[])
        }),
    ];
    if slow {
        proxy.push(part("MLflow proxy as it is shipped", &[], |paths, _| {
            let binary = proxy_binary::build(paths)?;
            let test = ["test", "--package", "mlflow-proxy", "--test", "shipped", "--", "--nocapture"];
            run_program(cargo(paths).args(test).env("FORMWORK_PROXY_BINARY", binary))
        }));
    }
    proxy.push(part("documentation", &[BUILD], |paths, _| {
        run_program(cargo(paths).args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    }));
    let clean = "nothing is left behind";
    let mut last = vec![if is_continuous_integration() {
        part(clean, &[], |paths, _| clean_tree(paths))
    } else {
        left_out(clean, "for CI, where the tree is clean at the start")
    }];
    if !slow {
        last.push(left_out("slow parts", "--slow was not given"));
    }
    Plan { lanes: vec![rust, judges, proxy], last }
}

/// Runs all parts and prints a summary.
///
/// # Errors
///
/// A part failed, or a required part could not run.
pub(crate) fn run(paths: &Paths, slow: bool) -> Result<(), String> {
    let program =
        std::env::current_exe().map_err(|error| format!("cannot tell what this program is: {error}"))?;
    let Plan { lanes, last } = plan(slow);
    parts::run(&lanes, &last, &paths.join(".tools/parts"), |name| {
        let mut command = Command::new(&program);
        command.args(["test", "--part", name]).args(slow.then_some("--slow"));
        command
    })
}

/// Runs one part alone, without those that it needs.
///
/// # Errors
///
/// It failed, or there is none of the name.
pub(crate) fn run_part(paths: &Paths, name: &str, slow: bool) -> Result<(), String> {
    let Plan { lanes, last } = plan(slow);
    let parts: Vec<Part> = lanes.into_iter().flatten().chain(last).collect();
    match parts.iter().find(|part| part.name == name).map(|part| part.work) {
        Some(Ok(work)) => work(paths, slow),
        Some(Err(reason)) => Err(format!("`{name}` is left out: {reason}")),
        None => {
            let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
            Err(format!("no part is called `{name}`\nhint: they are {}", names.join(", ")))
        }
    }
}

fn lints(paths: &Paths) -> Result<(), String> {
    run_program(cargo(paths).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // Without the engine the command line is built in a third of the time; it has to stay possible.
    let without = ["clippy", "-p", "formwork-cli", "--no-default-features", "--bins", "--", "-D", "warnings"];
    run_program(cargo(paths).args(without))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that waits for what never ends would be one that CI kills.
    #[test]
    fn every_part_can_be_reached() {
        for slow in [false, true] {
            let Plan { lanes, .. } = plan(slow);
            let mut open: Vec<&[Part]> = lanes.iter().map(Vec::as_slice).collect();
            let mut ended: Vec<&str> = Vec::new();
            while open.iter().any(|lane| !lane.is_empty()) {
                let before = ended.len();
                for lane in &mut open {
                    while let [first, rest @ ..] = lane
                        && first.needs.iter().all(|need| ended.contains(need))
                    {
                        ended.push(first.name);
                        *lane = rest;
                    }
                }
                assert!(ended.len() > before, "these wait for ever: {open:#?}");
            }
        }
    }

    #[test]
    fn no_two_parts_have_the_same_name() {
        let Plan { lanes, last } = plan(true);
        let mut names: Vec<&str> = lanes.iter().flatten().chain(&last).map(|part| part.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn an_unknown_part_is_told_with_those_there_are() {
        let error = run_part(&Paths::new(), "no such", false).unwrap_err();
        assert!(error.contains("`no such`") && error.contains("Rust tests"), "{error}");
    }
}
