//! Runs a program to its end or to a time limit.
//!
//! Output is read while the program runs, so that a full pipe cannot stop it, and a program that passes its limit is
//! killed, so that no test hangs.

use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::oracle::OracleError;

/// How a program ended and what it wrote.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What was started: enough of it to know it again.
    pub program: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ended {
    /// Its standard output as JSON.
    ///
    /// # Errors
    ///
    /// It is none of that form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, OracleError> {
        read_json(&self.program, &self.stdout)
    }

    /// Nothing is wrong, or the error that says how it failed.
    pub(crate) fn succeeded(self) -> Result<Self, OracleError> {
        if self.status.success() { Ok(self) } else { Err(self.failed()) }
    }

    /// The error that says how it failed.
    pub(crate) fn failed(self) -> OracleError {
        let said = format!("{}{}", self.stderr, self.stdout);
        OracleError::Failed { program: self.program, status: self.status, said }
    }
}

/// Text of a program as JSON.
pub(crate) fn read_json<T: DeserializeOwned>(program: &str, text: &str) -> Result<T, OracleError> {
    serde_json::from_str(text).map_err(|source| OracleError::Unreadable {
        program: program.to_owned(),
        source,
        said: text.chars().take(1000).collect(),
    })
}

/// Runs a program with the given standard input.
///
/// # Errors
///
/// It could not be started, or it did not end within the limit.
pub(crate) fn run(command: &mut Command, input: &str, limit: Duration) -> Result<Ended, OracleError> {
    let program = name(command);
    let start_error = |source| OracleError::Start { program: program.clone(), source };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start_error)?;
    let deadline = Instant::now() + limit;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let stdout = scope.spawn(|| read(stdout));
        let stderr = scope.spawn(|| read(stderr));
        scope.spawn(move || {
            // A program that ends without reading its input says why by its status and on standard error.
            stdin.map(|mut stdin| stdin.write_all(input.as_bytes()))
        });
        let status = loop {
            if let Some(status) = child.try_wait().map_err(start_error)? {
                break Some(status);
            }
            if Instant::now() >= deadline {
                child.kill().map_err(start_error)?;
                child.wait().map_err(start_error)?;
                break None;
            }
            thread::sleep(Duration::from_millis(10));
        };
        let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        match status {
            Some(status) => Ok(Ended { program: program.clone(), status, stdout, stderr }),
            None => Err(OracleError::TimeLimit { program: program.clone(), limit }),
        }
    })
}

/// The program and its first argument: enough to know it again.
fn name(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args().take(1))
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn read(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read before an error is still worth showing.
        let _ = stream.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn both_outputs_and_the_status_come_back() {
        let ended = run(Command::new("sh").args(["-c", "cat; echo err >&2; exit 3"]), "in", LIMIT).unwrap();
        assert_eq!((ended.status.code(), &*ended.stdout, &*ended.stderr), (Some(3), "in", "err\n"));
    }

    #[test]
    fn more_than_a_pipe_holds_does_not_stop_it() {
        let ended = run(Command::new("sh").args(["-c", "head -c 1000000 /dev/zero"]), "", LIMIT).unwrap();
        assert_eq!(ended.stdout.len(), 1_000_000);
    }

    #[test]
    fn what_takes_too_long_is_killed() {
        let start = Instant::now();
        let error = run(Command::new("sleep").arg("60"), "", Duration::from_millis(100)).unwrap_err();
        assert!(matches!(error, OracleError::TimeLimit { .. }), "{error}");
        assert!(start.elapsed() < LIMIT);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program"), "", LIMIT).unwrap_err();
        assert!(error.to_string().starts_with("cannot start no-such-program"), "{error}");
    }
}
