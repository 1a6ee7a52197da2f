//! The programs that can install Python packages, and how each is called.
//!
//! The programs are data, so that the order and the reasons of failure can be tested without touching this machine's.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use super::archive::{Packages, read_archive, read_tree};
use super::{Architecture, PYTHON_VERSION, REQUIREMENTS};

/// The container image in which pip runs when none works on this machine: AWS SAM's build image for Python 3.13,
/// at a version that names one build of it.
pub const CONTAINER_IMAGE: &str = "public.ecr.aws/sam/build-python3.13:1.148.0-20251122050712";

pub(super) const NOT_FOUND: &str = "not found";

/// In the container: requirements come in and the archive goes out by the standard streams. Without a shared folder
/// it works with remote engines too, and no file of another user is left behind.
const CONTAINER_SCRIPT: &str = r#"set -e
cd "$(mktemp -d)"
cat > requirements.txt
pip "$@" --target packages --requirement requirements.txt >&2
python3 -c 'import shutil; shutil.make_archive("layer", "zip", "packages")' >&2
cat layer.zip"#;

/// A way to install the packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `pip3`.
    Pip3,
    /// `pip`.
    Pip,
    /// `python3 -m pip`.
    PythonPip,
    /// pip in a container of [`CONTAINER_IMAGE`].
    Docker,
}

impl Tool {
    /// All tools in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Pip3, Self::Pip, Self::PythonPip, Self::Docker];
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pip3 => "pip3",
            Self::Pip => "pip",
            Self::PythonPip => "python3 -m pip",
            Self::Docker => "docker",
        })
    }
}

/// Where the programs are; a tool without its program is reported as not found.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The program `pip3`.
    pub pip3: Option<PathBuf>,
    /// The program `pip`.
    pub pip: Option<PathBuf>,
    /// The program `python3`.
    pub python3: Option<PathBuf>,
    /// The program `docker`, or another one that takes its arguments.
    pub docker: Option<PathBuf>,
    /// How long one tool may take.
    pub time_limit: Duration,
}

impl Tools {
    /// No program at all, and 10 minutes for each.
    pub const NONE: Self =
        Self { pip3: None, pip: None, python3: None, docker: None, time_limit: Duration::from_secs(600) };

    /// The programs that a search path (the value of `PATH`) gives.
    pub fn search(path: &OsStr) -> Self {
        let find = |name: &str| {
            let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
            std::env::split_paths(path).map(|folder| folder.join(&file)).find(|program| is_program(program))
        };
        Self {
            pip3: find("pip3"),
            pip: find("pip"),
            python3: find("python3"),
            docker: find("docker"),
            ..Self::NONE
        }
    }

    /// Install the packages by one tool. The inner error is the tool's, the outer one that of the work folder.
    pub(super) fn install(
        &self,
        tool: Tool,
        architecture: Architecture,
        work: &Path,
    ) -> io::Result<Result<Packages, String>> {
        let program = match tool {
            Tool::Pip3 => &self.pip3,
            Tool::Pip => &self.pip,
            Tool::PythonPip => &self.python3,
            Tool::Docker => &self.docker,
        };
        let Some(program) = program else { return Ok(Err(NOT_FOUND.to_owned())) };
        let (requirements, packages) = (work.join("requirements.txt"), work.join("packages"));
        fs::write(&requirements, REQUIREMENTS)?;
        fs::create_dir(&packages)?;

        let mut command = Command::new(program);
        match tool {
            Tool::Docker => {
                // A company's package index is used in the container too; Docker drops the variable where it is not set.
                command.args([
                    "run",
                    "--rm",
                    "--interactive",
                    "--env",
                    "PIP_INDEX_URL",
                    "--entrypoint",
                    "sh",
                ]);
                command
                    .args([CONTAINER_IMAGE, "-c", CONTAINER_SCRIPT, "sh"])
                    .args(pip_arguments(architecture));
            }
            Tool::PythonPip => {
                command.args(["-m", "pip"]).args(pip_arguments(architecture));
            }
            Tool::Pip3 | Tool::Pip => {
                command.args(pip_arguments(architecture));
            }
        }
        if tool != Tool::Docker {
            command.arg("--target").arg(&packages).arg("--requirement").arg(&requirements);
            // Settings of this machine that contradict a target folder.
            command.env("PIP_USER", "0").env("PIP_REQUIRE_VIRTUALENV", "0");
            command.env_remove("PIP_PREFIX").env_remove("PIP_ROOT").env_remove("PIP_TARGET");
        }
        let (stdout, stderr) = (work.join("stdout"), work.join("stderr"));
        command.stdin(File::open(&requirements)?);
        command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        if let Err(reason) = run(command, self.time_limit)? {
            return Ok(Err(with_last_lines(reason, &stderr)?));
        }
        if tool == Tool::Docker {
            return Ok(read_archive(&stdout).map_err(|error| format!("gave no zip archive: {error}")));
        }
        read_tree(&packages).map(Ok)
    }
}

/// The same for every tool: only what is pinned, only wheels, for Lambda's Python and machine instead of ours.
fn pip_arguments(architecture: Architecture) -> [&'static str; 14] {
    [
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--no-compile",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--implementation",
        "cp",
        "--python-version",
        PYTHON_VERSION,
        "--platform",
        architecture.platform(),
    ]
}

/// Run a command to its end; the inner error says how it failed.
fn run(mut command: Command, time_limit: Duration) -> io::Result<Result<(), String>> {
    let began = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Err(format!("could not be started: {error}"))),
    };
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() { Ok(()) } else { Err(ended(status)) });
        }
        if began.elapsed() > time_limit {
            child.kill()?;
            child.wait()?;
            return Ok(Err(format!("took longer than {} seconds", time_limit.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ended(status: ExitStatus) -> String {
    status
        .code()
        .map_or_else(|| format!("was ended: {status}"), |code| format!("failed with exit code {code}"))
}

/// The reason with the last lines that the tool wrote: pip's errors come last.
fn with_last_lines(reason: String, stderr: &Path) -> io::Result<String> {
    const LINES: usize = 4;
    const CHARACTERS: usize = 300;
    let text = fs::read(stderr)?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LINES));
    Ok(last.fold(reason, |reason, line| {
        let line: String = line.chars().take(CHARACTERS).collect();
        format!("{reason}\n{line}")
    }))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
