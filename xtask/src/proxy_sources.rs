//! The identity of the MLflow proxy before it is built: the hash of its sources and of the versions that it is built of.
//!
//! The proxy's binary is made only when assets are published; a stack changes exactly when this hash does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// Where the hash is kept, for the platform to embed.
const FILE: &str = "apps/ml-platform/src/proxy_sources.sha256";
const PACKAGE: &str = "apps/mlflow-proxy";

/// Writes the hash, or with `check` compares it with what would be written.
///
/// # Errors
///
/// When a source or the list of dependencies cannot be read, or, with `check`, the hash is stale.
pub(crate) fn run(repository: &Path, check: bool) -> Result<(), String> {
    let hash = format!("{}\n", hash(repository)?);
    let file = repository.join(FILE);
    if !check {
        return fs::write(&file, hash).map_err(|error| format!("{}: {error}", file.display()));
    }
    match fs::read_to_string(&file) {
        Ok(kept) if kept == hash => Ok(()),
        _ => Err(format!("{} is stale\nhint: run `cargo xtask generate`", file.display())),
    }
}

fn hash(repository: &Path) -> Result<String, String> {
    let package = repository.join(PACKAGE);
    let mut files = vec![package.join("Cargo.toml")];
    collect(&package.join("src"), &mut files)?;
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let name = file.strip_prefix(&package).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        hasher.update(format!("{name} {}\n", bytes.len()));
        hasher.update(bytes);
    }
    hasher.update(dependencies(repository)?);
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// The crates that the proxy is built of, one a line, as the lock file has them.
fn dependencies(repository: &Path) -> Result<String, String> {
    let arguments = ["tree", "--locked", "--package", "mlflow-proxy", "--edges", "normal,build"];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--prefix", "none", "--target", "all", "--no-dedupe"])
        .current_dir(repository)
        .output()
        .map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    // Name and version; what follows on a line is a path of this machine, or a mark.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<String> =
        text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines.dedup();
    Ok(lines.join("\n"))
}
