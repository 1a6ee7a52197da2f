//! The binary of the MLflow proxy for the instances that it runs on.
//!
//! A release brings it beside `formwork`; a checkout of the sources has it built, by cargo where that can build for the
//! instances' processors, else by what is there to help it. It is static where the linker can make it so, and runs on any
//! Linux of its architecture.

mod way;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::arguments::ProxyArchitecture;
use crate::console::Console;
use crate::failure::Failure;
use crate::interruption;
use crate::settings::Surroundings;

use way::{Build, Machine, Way};

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
    let machine = Machine::here();
    let Some(way) = Way::choose(processor, &machine) else {
        return Err(Failure::Input(format!(
            "nothing here can build the MLflow proxy for {processor}\nhint: {}, or {beside}",
            Way::hints(processor, &machine)
        )));
    };
    let build = Build { processor, repository, cache };
    console.talk(&format!("building the MLflow proxy for {} with {way}\n", build.target()));
    let mut command = build.command(&way);
    // Flags of the user's own would take the place of those that make it static.
    command.env_remove("CARGO_ENCODED_RUSTFLAGS").stdin(Stdio::null()).stdout(io::stderr());
    let status = interruption::run(&mut command).map_err(|source| Failure::File {
        action: "start",
        what: format!("{way}, which builds the MLflow proxy"),
        source,
    })?;
    if !status.success() {
        return Err(Failure::Input(format!(
            "{way} could not build the MLflow proxy for {}\nhint: its messages are above; or {beside}",
            build.target()
        )));
    }
    let built = build.output(&way);
    match std::fs::metadata(&built) {
        Ok(file) => {
            console.talk(&format!("{} has {:.1} MB\n", built.display(), file.len() as f64 / 1e6));
            Ok(built)
        }
        Err(source) => Err(Failure::File {
            action: "find",
            what: format!("{}, which was built", built.display()),
            source,
        }),
    }
}

/// A program on the path.
fn on_path(path: Option<OsString>, program: &str) -> bool {
    let path = path.unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
