//! Programs that build assets: started, watched, and given up when they take too long.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use formwork_assembly::diff::secrecy::{self, HIDDEN};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::runtime::Runtime;

/// How much of what a program said is repeated when it fails.
const LINES_TOLD: usize = 20;

/// A program to run.
#[derive(Debug)]
pub(super) struct Program<'a> {
    /// What to start.
    pub(super) program: &'a Path,
    /// Its arguments.
    pub(super) arguments: &'a [String],
    /// What it reads from standard input.
    pub(super) input: Option<&'a str>,
    /// Where it runs; where this process runs, when nothing is said.
    pub(super) directory: Option<&'a Path>,
    /// How long it may take.
    pub(super) limit: Duration,
    /// What it does, as a clause: `build asset X`.
    pub(super) purpose: String,
}

impl Program<'_> {
    /// Runs it to its end; what it wrote to standard output. It is killed when it takes too long, or the user wants to
    /// stop.
    pub(super) async fn run(&self, runtime: &Runtime) -> Result<String, EngineError> {
        let shown = self.program.display();
        let mut command = Command::new(self.program);
        command
            .args(self.arguments)
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        let mut child = command.spawn().map_err(|error| {
            EngineError::new(Class::Usage, format!("cannot start {shown} to {}: {error}", self.purpose))
                .with_hint("install it, or put it on the PATH")
        })?;
        let input = child.stdin.take().zip(self.input);
        let work = async {
            if let Some((mut pipe, text)) = input {
                // A program that does not read to the end says itself what is wrong.
                let _ = pipe.write_all(text.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let output = tokio::select! {
            output = runtime.clock.timeout(self.limit, work) => output,
            () = runtime.control.reached(Wish::Detach) => {
                let message = format!("stopped while {shown} was at work to {}", self.purpose);
                return Err(EngineError::new(Class::Detached, message).with_hint("run the same command again"));
            }
        };
        let Some(output) = output else {
            let message = format!(
                "{shown} took more than {} s to {}, and was ended",
                self.limit.as_secs(),
                self.purpose
            );
            return Err(EngineError::new(Class::NeedsAction, message)
                .with_hint("run it by hand to see what it waits for"));
        };
        let output = output.map_err(|error| {
            EngineError::new(Class::NeedsAction, format!("cannot hear from {shown}: {error}"))
        })?;
        if !output.status.success() {
            let message = format!(
                "{shown} could not {} ({}){}",
                self.purpose,
                output.status,
                last_lines(&String::from_utf8_lossy(&output.stderr))
            );
            return Err(EngineError::new(Class::Input, message));
        }
        String::from_utf8(output.stdout).map_err(|_| {
            EngineError::new(Class::Input, format!("what {shown} printed to {} is not UTF-8", self.purpose))
        })
    }
}

/// The last lines of a text, each on a line of its own after a line break.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES_TOLD)..].iter().map(|line| format!("\n  {line}")).collect()
}

/// A command as it may be told: values of build arguments stay out, for tokens of package registries come that way, and
/// so does whatever else looks like a secret by its name.
pub(super) fn shown(program: &str, arguments: &[String]) -> String {
    let mut told = vec![program.to_owned()];
    let mut after_build_arg = false;
    for argument in arguments {
        let pair = argument.split_once('=');
        told.push(match pair {
            Some(("--build-arg", pair)) => {
                let name = pair.split('=').next().unwrap_or_default();
                format!("--build-arg={name}={HIDDEN}")
            }
            Some((name, _)) if after_build_arg => format!("{name}={HIDDEN}"),
            Some((name, value)) => {
                let value = secrecy::shown(&format!("/{name}"), &value.into());
                format!("{name}={}", value.as_str().unwrap_or(HIDDEN))
            }
            None => argument.clone(),
        });
        after_build_arg = argument == "--build-arg";
    }
    told.join(" ")
}

/// Where a program is, by the directories of the environment.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault 74: what a build is given stands in no event, which goes to logs of pipelines.
    #[test]
    fn values_of_build_arguments_are_not_told() {
        let arguments = [
            "build",
            "--build-arg",
            "NPM_AUTH=s3cret",
            "--build-arg=PIP=s3cret",
            "--token=s3cret",
            "--tag",
            "x",
            ".",
        ];
        let told = shown("docker", &arguments.map(str::to_owned));
        assert!(!told.contains("s3cret"), "{told}");
        assert!(
            told.starts_with("docker build --build-arg NPM_AUTH=") && told.ends_with("--tag x ."),
            "{told}"
        );
    }
}
