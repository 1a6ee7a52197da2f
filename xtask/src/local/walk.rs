//! One step after another: the command line with the exit code that it must end with, and other clients that look.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use super::emulator::Emulator;
use super::requests::Request;
use crate::paths::Paths;
use crate::run::output;

/// The programs of a walk, and the emulator that they talk to.
pub(super) struct Walk {
    pub(super) paths: Paths,
    pub(super) folder: PathBuf,
    pub(super) emulator: Emulator,
    program: PathBuf,
}

impl Walk {
    pub(super) fn new(paths: &Paths, program: PathBuf, folder: PathBuf, emulator: Emulator) -> Self {
        Self { paths: paths.clone(), folder, emulator, program }
    }

    /// Runs `formwork` in a region, which has to end with an exit code. Gives what it says, on both outputs.
    pub(super) fn expect(&self, region: &str, code: i32, arguments: &[&str]) -> Result<String, String> {
        println!("$ formwork {}", arguments.join(" "));
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        self.emulator.environment(&mut command, region);
        let (status, said) =
            shown(&mut command).map_err(|error| format!("cannot start formwork: {error}"))?;
        if status.code() == Some(code) {
            return Ok(said);
        }
        Err(format!(
            "`formwork {}` in {region} ended with {status}, not with {code}\nthe emulator's log is {}",
            arguments.join(" "),
            self.emulator.log().display()
        ))
    }

    /// The requests that the emulator gets during some steps.
    pub(super) fn requests(
        &self,
        steps: impl FnOnce() -> Result<(), String>,
    ) -> Result<Vec<Request>, String> {
        let before = self.emulator.requests()?.len();
        steps()?;
        let requests = self.emulator.requests()?.split_off(before);
        if requests.is_empty() { Err("the emulator noted no request".to_owned()) } else { Ok(requests) }
    }

    /// Sees to it that some steps only read.
    pub(super) fn only_reads(&self, steps: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let requests = self.requests(steps)?;
        let writes: Vec<&str> = requests.iter().filter(|it| it.writes()).map(|it| &*it.operation).collect();
        if !writes.is_empty() {
            return Err(format!("nothing had to be written, but there was {}", writes.join(", ")));
        }
        println!("nothing was written: {} requests, all of them reads", requests.len());
        Ok(())
    }

    /// The stacks of a region, as another client than ours sees them: a line for each.
    pub(super) fn stacks(&self, region: &str) -> Result<Vec<String>, String> {
        Ok(self.script("stacks.py", region)?.lines().map(str::to_owned).collect())
    }

    /// Everything else that is in a region, as kind and name.
    pub(super) fn inventory(&self, region: &str) -> Result<BTreeSet<String>, String> {
        Ok(self.script("inventory.py", region)?.lines().map(str::to_owned).collect())
    }

    /// Sees to it that stacks are there, or are not.
    pub(super) fn look(&self, region: &str, stacks: &[String], wanted: bool) -> Result<(), String> {
        let found = self.stacks(region)?;
        for stack in stacks {
            let is_there = found.iter().any(|line| line.split(' ').next() == Some(stack));
            if is_there != wanted {
                let word = if wanted { "missing from" } else { "still in" };
                return Err(format!("{stack} is {word} {region}:\n{}", found.join("\n")));
            }
        }
        Ok(())
    }

    /// The command line of the AWS CDK, in the folder of an app or anywhere.
    pub(super) fn cdk(&self, region: &str, folder: &Path, arguments: &[&str]) -> Result<String, String> {
        println!("$ cdk {}", arguments.join(" "));
        let mut command = Command::new("node");
        command.arg(self.paths.cdk()).args(arguments).args(["--no-notices", "--no-color"]);
        command.current_dir(folder);
        self.emulator.environment(&mut command, region);
        command
            .env("HOME", &self.folder)
            .env("CI", "true")
            .env("NODE_PATH", self.paths.twin().join("node_modules"))
            .env("CDK_DISABLE_VERSION_CHECK", "1")
            .env("CDK_DISABLE_CLI_TELEMETRY", "true")
            // A second look at the templates, which takes longer than all the rest.
            .env("CDK_VALIDATION", "false");
        output(&mut command)
    }

    fn script(&self, name: &str, region: &str) -> Result<String, String> {
        let mut command = self.emulator.python(name);
        self.emulator.environment(&mut command, region);
        output(&mut command)
    }
}

/// Runs a program, shows what it says while it runs, and gives it: first what went to standard output.
fn shown(command: &mut Command) -> io::Result<(ExitStatus, String)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut said, told) = thread::scope(|scope| {
        let stdout = scope.spawn(|| lines(stdout));
        let stderr = scope.spawn(|| lines(stderr));
        (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default())
    });
    said.push_str(&told);
    Ok((child.wait()?, said))
}

/// Prints each line and keeps it.
fn lines(stream: Option<impl Read>) -> String {
    let mut said = String::new();
    for line in stream.into_iter().flat_map(|stream| BufReader::new(stream).lines()).map_while(Result::ok) {
        println!("{line}");
        said.push_str(&line);
        said.push('\n');
    }
    said
}
