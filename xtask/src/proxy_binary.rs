//! The proxy as it is shipped: optimised, and static, so that it runs on any Linux of its architecture.

use std::path::{Path, PathBuf};

use crate::paths::Paths;
use crate::run::run;
use crate::test::cargo;

/// Builds the proxy for this machine and gives its place.
///
/// The target is named, so that what runs during the build (build scripts, procedural macros) stays dynamic.
///
/// # Errors
///
/// It cannot be built.
pub(crate) fn build(paths: &Paths) -> Result<PathBuf, String> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = cargo(paths);
    command.args([
        "build",
        "--quiet",
        "--profile",
        "proxy",
        "--locked",
        "--package",
        "mlflow-proxy",
        "--target",
        &target,
    ]);
    run(command.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new("target").into(), PathBuf::from);
    Ok(paths.root.join(folder).join(target).join("proxy/mlflow-proxy"))
}
