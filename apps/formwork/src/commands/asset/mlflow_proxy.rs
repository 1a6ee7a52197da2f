//! The binary of the MLflow proxy for the instances that it runs on.
//!
//! A release brings it beside `formwork`; a checkout of the sources has it built by cargo.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::ProxyArchitecture;
use crate::console::Console;
use crate::failure::Failure;
use crate::interruption;
use crate::settings::Surroundings;

/// The package in a checkout.
const PACKAGE: &str = "apps/mlflow-proxy/Cargo.toml";

/// The binary, built unless it came with this program.
pub(super) fn build(
    architecture: ProxyArchitecture,
    cache: &Path,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<PathBuf, Failure> {
    let (name, processor) = match architecture {
        ProxyArchitecture::Amd64 => ("mlflow-proxy-linux-amd64", "x86_64"),
        ProxyArchitecture::Arm64 => ("mlflow-proxy-linux-arm64", "aarch64"),
    };
    let program = std::env::current_exe().unwrap_or_default();
    let prebuilt = program.with_file_name(name);
    if prebuilt.is_file() {
        return Ok(prebuilt);
    }
    let beside = format!("put a built {name} beside {}", program.display());
    let places = surroundings.directory.ancestors().chain(program.ancestors());
    let Some(repository) = places.into_iter().find(|place| place.join(PACKAGE).is_file()) else {
        return Err(Failure::Input(format!(
            "there are no sources to build the MLflow proxy from\nhint: run this in a checkout of Formwork, or {beside}"
        )));
    };
    let target = format!("{processor}-unknown-linux-gnu");
    console.talk(&format!("building the MLflow proxy for {target}\n"));
    let mut command = Command::new("cargo");
    command
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "mlflow-proxy",
            "--target",
            &target,
            "--target-dir",
        ])
        .arg(cache)
        .current_dir(repository)
        .stdin(Stdio::null())
        .stdout(io::stderr());
    let status = interruption::run(&mut command).map_err(|source| Failure::File {
        action: "start",
        what: "cargo, which builds the MLflow proxy".to_owned(),
        source,
    })?;
    if !status.success() {
        let hint =
            format!("cargo's messages are above; `rustup target add {target}` adds a target, or {beside}");
        return Err(Failure::Input(format!(
            "cargo could not build the MLflow proxy for {target}\nhint: {hint}"
        )));
    }
    Ok(cache.join(target).join("release").join("mlflow-proxy"))
}
