//! Fetches what the tests need beyond Rust: the Python environments and two folders of Node packages, each from a lock file.
//!
//! A stamp beside each holds the text of the lock file that it was made from, so that a second run costs nothing and a
//! changed lock file makes it anew. Packages are checked against the hashes in the lock files; none is built from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::{Paths, venv_program};
use crate::run::{output, run};

const STAMP: &str = ".stamp";

/// Makes sure that the judges of templates are installed in their Python environment.
///
/// # Errors
///
/// No Python that serves is there, or the packages cannot be fetched.
pub(crate) fn judges(paths: &Paths) -> Result<(), String> {
    python_environment(&paths.venv(), &paths.join("tests/requirements.txt"))
}

/// Makes sure that the Python environment for the tests of the Lambda sources is there.
///
/// # Errors
///
/// No Python that serves is there, or the packages cannot be fetched.
pub(crate) fn lambda_layers(paths: &Paths) -> Result<(), String> {
    python_environment(&paths.lambda_layers_venv(), &paths.join("lambda-layers/requirements-test.txt"))
}

/// Makes sure that the emulator of AWS is installed in its Python environment.
///
/// # Errors
///
/// No Python that serves is there, or the packages cannot be fetched.
pub(crate) fn emulator(paths: &Paths) -> Result<(), String> {
    python_environment(&paths.emulator_venv(), &paths.join("tests/emulator/requirements.txt"))
}

/// Makes sure that Metaflow's client is installed in its Python environment, with the AWS that it talks to in tests.
///
/// # Errors
///
/// No Python that serves is there, or the packages cannot be fetched.
pub(crate) fn metaflow(paths: &Paths) -> Result<(), String> {
    python_environment(&paths.metaflow_venv(), &paths.join("tests/metaflow/requirements.txt"))
}

/// Makes sure that a version of MLflow is installed in its Python environment; it is named as its requirements in
/// `tests/proxy/requirements` are.
///
/// # Errors
///
/// No Python that serves is there, or the packages cannot be fetched.
pub(crate) fn mlflow(paths: &Paths, version: &str) -> Result<(), String> {
    let requirements = paths.join("tests/proxy/requirements").join(format!("{version}.txt"));
    python_environment(&paths.mlflow_venv(version), &requirements)
}

/// Makes sure that there is what runs the packages: a Python and a Node that serve.
///
/// # Errors
///
/// One is not there, is too old, or cannot be installed.
pub(crate) fn interpreters() -> Result<(), String> {
    python()?;
    node_version().map(drop)
}

/// Makes sure that PostgreSQL is there, which MLflow keeps its data in. Its programs need not be on the path.
///
/// # Errors
///
/// It is not there and cannot be installed.
pub(crate) fn postgres() -> Result<(), String> {
    find_postgres().or_else(|missing| {
        install(&["postgresql"], &missing)?;
        find_postgres()
    })
}

fn find_postgres() -> Result<(), String> {
    let is_packaged = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        Some(versions.flatten().any(|version| version.path().join("bin/initdb").is_file()))
    };
    if is_packaged() == Some(true) {
        return Ok(());
    }
    let hint = "hint: install PostgreSQL (Debian: postgresql)";
    output(Command::new("initdb").arg("--version")).map(drop).map_err(|error| format!("{error}\n{hint}"))
}

/// Makes sure that a browser is there, which the proxy's pages are looked at with, and gives its program.
///
/// # Errors
///
/// It is not there and cannot be installed.
pub(crate) fn chromium() -> Result<PathBuf, String> {
    find_chromium().or_else(|missing| {
        install(&["chromium-headless-shell"], &missing)?;
        find_chromium()
    })
}

fn find_chromium() -> Result<PathBuf, String> {
    let names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
    let there = |name: &&str| output(Command::new(name).arg("--version")).is_ok();
    names.iter().find(|name| there(name)).map(PathBuf::from).ok_or_else(|| {
        format!(
            "none of {} is there\nhint: install Chromium (Debian: chromium-headless-shell)",
            names.join(", ")
        )
    })
}

/// Makes sure that the judge of shell scripts is there, and gives its program.
///
/// # Errors
///
/// It is not there and cannot be installed.
pub(crate) fn shellcheck() -> Result<PathBuf, String> {
    let find = || on_path("shellcheck", "install ShellCheck (Debian: shellcheck)");
    find().or_else(|missing| {
        install(&["shellcheck"], &missing)?;
        find()
    })
}

/// The file of a program.
fn on_path(name: &str, hint: &str) -> Result<PathBuf, String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut files = std::env::split_paths(&folders).map(|folder| folder.join(name));
    files.find(|file| file.is_file()).ok_or_else(|| format!("{name} is not on the path\nhint: {hint}"))
}

/// Makes sure that there is what proxies are measured with: nginx, and wrk, which asks.
///
/// # Errors
///
/// They are not there and cannot be installed.
pub(crate) fn load_tools() -> Result<(), String> {
    // wrk ends with an error when it tells its version.
    let starts = |program: &str| Command::new(program).arg("-v").output().map(drop);
    let missing = |program: &str| {
        let hint = "hint: install nginx and wrk (Debian: nginx-light, wrk)";
        starts(program).map_err(|error| format!("{program} cannot be started: {error}\n{hint}"))
    };
    missing("nginx").and_then(|()| missing("wrk")).or_else(|why| {
        install(&["nginx-light", "wrk"], &why)?;
        missing("nginx").and_then(|()| missing("wrk"))
    })
}

/// Makes sure that there is what the kits run: nginx and `htpasswd`.
///
/// # Errors
///
/// They are not there and cannot be installed.
pub(crate) fn kit_programs() -> Result<(), String> {
    let find = || {
        on_path("nginx", "install nginx (Debian: nginx-light)")?;
        on_path("htpasswd", "install htpasswd (Debian: apache2-utils)").map(drop)
    };
    find().or_else(|missing| {
        install(&["nginx-light", "apache2-utils"], &missing)?;
        find()
    })
}

/// Makes sure that there is the driver `psycopg2` for a Python, which is taken from the system: its licence is the LGPL.
/// Gives the folder that has it and nothing else.
///
/// # Errors
///
/// It is not there and cannot be installed, or the system's is for another version of Python.
pub(crate) fn psycopg2(paths: &Paths, python: &Path) -> Result<PathBuf, String> {
    let folder = paths.join(".tools/psycopg2");
    find_psycopg2(&folder, python).or_else(|missing| {
        install(&["python3-psycopg2"], &missing)?;
        find_psycopg2(&folder, python)
    })?;
    Ok(folder)
}

fn find_psycopg2(folder: &Path, python: &Path) -> Result<(), String> {
    const SYSTEM: &str = "/usr/lib/python3/dist-packages/psycopg2";
    fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let link = folder.join("psycopg2");
    if !link.is_symlink() {
        std::os::unix::fs::symlink(SYSTEM, &link)
            .map_err(|error| format!("cannot create {}: {error}", link.display()))?;
    }
    let hint = "hint: install psycopg2 for the system's Python (Debian: python3-psycopg2)";
    let found = output(Command::new(python).args(["-c", "import psycopg2"]).env("PYTHONPATH", folder));
    found.map(drop).map_err(|error| format!("{} has no psycopg2: {error}\n{hint}", python.display()))
}

/// Makes sure that pgloader is there, whose faults the migration kit is without.
///
/// # Errors
///
/// It is not there and cannot be installed.
pub(crate) fn pgloader() -> Result<(), String> {
    let hint = "hint: install pgloader (Debian: pgloader)";
    let find = || output(Command::new("pgloader").arg("--version")).map(drop);
    find().map_err(|error| format!("{error}\n{hint}")).or_else(|missing| {
        install(&["pgloader"], &missing)?;
        find()
    })
}

/// Makes sure that the Node packages are installed.
///
/// # Errors
///
/// Node or npm is missing or too old, or the packages cannot be fetched.
pub(crate) fn node_packages(paths: &Paths) -> Result<(), String> {
    packages_of(&paths.join("tests/node"), &paths.node())
}

/// Makes sure that the AWS CDK is installed, which the twin of the built-in app is written with.
///
/// # Errors
///
/// Node or npm is missing or too old, or the packages cannot be fetched.
pub(crate) fn twin(paths: &Paths) -> Result<(), String> {
    packages_of(&paths.join("tests/twin"), &paths.twin())
}

fn packages_of(sources: &Path, folder: &Path) -> Result<(), String> {
    let wanted = format!("{}\n{}", node_version()?, read(&sources.join("package-lock.json"))?);
    if is_current(folder, &wanted) {
        return Ok(());
    }
    start_anew(folder)?;
    for name in ["package.json", "package-lock.json"] {
        let from = sources.join(name);
        fs::copy(&from, folder.join(name))
            .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), folder.display()))?;
    }
    run(Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(folder))?;
    finish(folder, &wanted)
}

fn python_environment(folder: &Path, requirements: &Path) -> Result<(), String> {
    let (python, version) = python()?;
    // The programs of an environment hold its path: one that was moved or copied is made anew.
    let wanted = format!("{version} {}\n{}", folder.display(), read(requirements)?);
    if is_current(folder, &wanted) {
        return Ok(());
    }
    start_anew(folder)?;
    run(Command::new(&python).args(["-m", "venv"]).arg(folder))?;
    run(Command::new(venv_program(folder, "python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--require-hashes", "--only-binary=:all:", "--requirement"])
        .arg(requirements))?;
    finish(folder, &wanted)
}

/// A Python of version 3.10 or newer that can make virtual environments, and its version.
fn python() -> Result<(PathBuf, String), String> {
    find_python().or_else(|missing| {
        install(&["python3", "python3-venv"], &missing)?;
        find_python()
    })
}

fn find_python() -> Result<(PathBuf, String), String> {
    const PROBE: &str = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])";
    let hint = "hint: install Python 3.10 or newer with its venv module (Debian: python3 and python3-venv)";
    let mut reasons = Vec::new();
    for name in ["python3", "python"] {
        match output(Command::new(name).args(["-c", PROBE])) {
            Ok(version) if at_least(&version, &[3, 10]) => return Ok((name.into(), version)),
            Ok(version) => reasons.push(format!("{name} is version {version}")),
            Err(error) => reasons.push(error),
        }
    }
    Err(format!("no Python that serves: {}\n{hint}", reasons.join("; ")))
}

/// The version of Node, after a look that npm is there too.
fn node_version() -> Result<String, String> {
    find_node().or_else(|missing| {
        install(&["nodejs", "npm"], &missing)?;
        find_node()
    })
}

fn find_node() -> Result<String, String> {
    let hint = "hint: install Node 18 or newer with npm (Debian: nodejs and npm)";
    let version =
        output(Command::new("node").arg("--version")).map_err(|error| format!("{error}\n{hint}"))?;
    output(Command::new("npm").arg("--version")).map_err(|error| format!("{error}\n{hint}"))?;
    if at_least(version.trim_start_matches('v'), &[18]) {
        Ok(version)
    } else {
        Err(format!("node is version {version}\n{hint}"))
    }
}

/// Installs Debian packages where that is possible without asking (a container in which we are root), else gives back
/// the reason why something is missing.
fn install(packages: &[&str], missing: &str) -> Result<(), String> {
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    let has_apt = output(Command::new("apt-get").arg("--version")).is_ok();
    if !is_root || !has_apt {
        return Err(missing.to_owned());
    }
    println!(
        "{missing}\ninstalling {} by apt-get, as this is a Debian-like machine and we are root",
        packages.join(" ")
    );
    run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
    run(Command::new("apt-get")
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether a dotted version is at least the given numbers.
fn at_least(version: &str, wanted: &[u32]) -> bool {
    let numbers: Vec<u32> = version.split('.').map_while(|number| number.parse().ok()).collect();
    numbers.as_slice() >= wanted
}

fn is_current(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == wanted)
}

fn start_anew(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))
}

/// The stamp comes last: a set-up that broke off is not taken for a whole one.
fn finish(folder: &Path, stamp: &str) -> Result<(), String> {
    let path = folder.join(STAMP);
    fs::write(&path, stamp).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(at_least("3.11.7", &[3, 10]));
        assert!(at_least("3.10", &[3, 10]));
        assert!(!at_least("3.9.18", &[3, 10]));
        assert!(at_least("20.20.2", &[18]));
        assert!(!at_least("16.0.0", &[18]));
        assert!(!at_least("what", &[18]));
    }

    #[test]
    fn only_a_finished_folder_with_the_same_lock_file_is_current() {
        let folder = std::env::temp_dir().join(format!("formwork-xtask-{}", std::process::id()));
        start_anew(&folder).unwrap();
        assert!(!is_current(&folder, "lock"));
        finish(&folder, "lock").unwrap();
        assert!(is_current(&folder, "lock"));
        assert!(!is_current(&folder, "another lock"));
        start_anew(&folder).unwrap();
        assert!(!is_current(&folder, "lock"), "a folder that was started anew is not current");
        fs::remove_dir_all(&folder).unwrap();
    }
}
