//! The parts of a long run: in lanes beside each other, with a time for each, and at the end a table of what passed, failed
//! or did not run.
//!
//! Much of a run waits: for downloads, for servers, for time limits that are tested. So lanes run at the same time, and
//! within a lane one part after the other. What a part says is kept in a file and shown under its heading when it ends, so
//! that the parts do not talk at once. A failed part does not stop the others, so that one run shows all that is wrong; a
//! part that needs a failed one is reported as not run. Only parts that were declared optional may stay out.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::paths::Paths;

/// What a part does, in a process of its own: with the repository, and whether what takes long is wanted too.
pub(crate) type Work = fn(&Paths, bool) -> Result<(), String>;

/// A part, before it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Its name in headings and in the summary, and for asking for it alone.
    pub(crate) name: &'static str,
    /// The parts that have to have passed before.
    pub(crate) needs: &'static [&'static str],
    /// What it does, or the reason why it stays out.
    pub(crate) work: Result<Work, &'static str>,
}

/// A part.
pub(crate) fn part(name: &'static str, needs: &'static [&'static str], work: Work) -> Part {
    Part { name, needs, work: Ok(work) }
}

/// An optional part that stays out of this run, for a reason.
pub(crate) fn left_out(name: &'static str, reason: &'static str) -> Part {
    Part { name, needs: &[], work: Err(reason) }
}

/// How a part ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    /// It could not run, for this reason, although it had to.
    Missing(String),
    /// It is optional and did not run, for this reason.
    LeftOut(String),
}

/// A part that has ended.
#[derive(Clone, Debug)]
struct Ended {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// What has ended so far, in the order of ending, and a bell that rings with each.
#[derive(Debug, Default)]
struct Board {
    ended: Mutex<Vec<Ended>>,
    bell: Condvar,
}

/// Runs the lanes beside each other, after them the last parts, and prints a summary.
///
/// `start` gives the program that does the work of a part of a name. What it says is kept in `folder`.
///
/// # Errors
///
/// A part failed, or a required one could not run: their names. Nothing runs where the folder cannot be made.
pub(crate) fn run(
    lanes: &[Vec<Part>],
    last: &[Part],
    folder: &Path,
    start: impl Fn(&str) -> Command + Sync,
) -> Result<(), String> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let (board, begun) = (Board::default(), Instant::now());
    let walk = |lane: &[Part]| {
        for part in lane {
            let log = log_of(folder, part.name);
            let ended = board.meet(part, &log, &start);
            show(&ended, &log);
            board.note(ended);
        }
    };
    thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(|| walk(lane));
        }
    });
    walk(last);
    finish(&board.now(), begun.elapsed())
}

/// The file that keeps what a part says.
fn log_of(folder: &Path, name: &str) -> PathBuf {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    folder.join(format!("{}.log", words.collect::<Vec<_>>().join("-").to_lowercase()))
}

impl Board {
    /// A thread that panicked while it noted a result does not take the results of the others with it.
    fn now(&self) -> MutexGuard<'_, Vec<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for what a part needs and runs it.
    fn meet(&self, part: &Part, log: &Path, start: &impl Fn(&str) -> Command) -> Ended {
        let missing = self.lacking(part);
        let begun = Instant::now();
        let outcome = match (missing, part.work) {
            (_, Err(reason)) => Outcome::LeftOut(reason.to_owned()),
            (Some(need), Ok(_)) => Outcome::Missing(format!("it needs `{need}`, which did not pass")),
            (None, Ok(_)) => {
                tell(format_args!("begun: {}; `tail -f {}` shows it\n", part.name, log.display()));
                keep(&mut start(part.name), log).map_or_else(Outcome::Failed, |()| Outcome::Passed)
            }
        };
        Ended { name: part.name, outcome, time: begun.elapsed() }
    }

    /// The first of the parts that a part needs which has not passed, once all of them have ended.
    fn lacking(&self, part: &Part) -> Option<&'static str> {
        let outcome = |name: &str, ended: &[Ended]| {
            ended.iter().find(|it| it.name == name).map(|it| it.outcome == Outcome::Passed)
        };
        let waits = |ended: &mut Vec<Ended>| part.needs.iter().any(|need| outcome(need, ended).is_none());
        let ended = self.bell.wait_while(self.now(), waits).unwrap_or_else(PoisonError::into_inner);
        part.needs.iter().copied().find(|need| outcome(need, &ended) != Some(true))
    }

    /// Notes a part that has ended, and lets those go on that wait for it.
    fn note(&self, part: Ended) {
        self.now().push(part);
        self.bell.notify_all();
    }
}

/// Runs a program and keeps what it says.
///
/// # Errors
///
/// It cannot be started, or fails: the last error that it told.
fn keep(command: &mut Command, log: &Path) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot write {}: {error}", log.display());
    let file = File::create(log).map_err(cannot)?;
    let errors = file.try_clone().map_err(cannot)?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .status()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let told = said.lines().rev().find_map(|line| line.strip_prefix("error: "));
    Err(told.map_or_else(|| format!("it ended with {status}"), str::to_owned))
}

/// Shows what a part has said under its heading, and how it ended.
fn show(ended: &Ended, log: &Path) {
    if matches!(ended.outcome, Outcome::Passed | Outcome::Failed(_)) {
        let said = fs::read(log).unwrap_or_default();
        tell(format_args!("\n== {} ==\n{}{ended}\n", ended.name, String::from_utf8_lossy(&said)));
    }
}

/// Prints the summary.
fn finish(ended: &[Ended], time: Duration) -> Result<(), String> {
    tell(format_args!("\n== summary ==\n"));
    for part in ended {
        tell(format_args!("{part}\n"));
    }
    tell(format_args!("{:<10} {:>6.1} s  all parts\n", "", time.as_secs_f64()));
    let is_bad = |part: &&Ended| matches!(part.outcome, Outcome::Failed(_) | Outcome::Missing(_));
    let bad: Vec<&str> = ended.iter().filter(is_bad).map(|part| part.name).collect();
    if bad.is_empty() { Ok(()) } else { Err(format!("not good: {}", bad.join(", "))) }
}

/// Prints all at once, so that lanes do not come between each other. A closed pipe is not a failure of the run.
fn tell(words: fmt::Arguments<'_>) {
    let mut output = io::stdout().lock();
    let _ = output.write_fmt(words).and_then(|()| output.flush());
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, reason) = match &self.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(reason) => ("FAILED", Some(reason)),
            Outcome::Missing(reason) => ("NOT RUN", Some(reason)),
            Outcome::LeftOut(reason) => ("left out", Some(reason)),
        };
        write!(f, "{word:<10} {:>6.1} s  {}", self.time.as_secs_f64(), self.name)?;
        match reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that plays the part: it does what its name says, as a shell reads it.
    fn shell(name: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", name]);
        command
    }

    fn good(name: &'static str, needs: &'static [&'static str]) -> Part {
        part(name, needs, |_, _| Ok(()))
    }

    fn run_lanes(name: &str, lanes: &[Vec<Part>], last: &[Part]) -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("formwork-parts-{name}-{}", std::process::id()));
        let in_folder = |name: &str| {
            let mut command = shell(name);
            command.current_dir(&folder);
            command
        };
        let outcome = run(lanes, last, &folder, in_folder);
        fs::remove_dir_all(&folder).unwrap();
        outcome
    }

    #[test]
    fn a_failed_part_fails_the_run_and_stops_only_what_needs_it() {
        let lanes = [vec![
            good("true", &[]),
            good("exit 3", &[]),
            good("exit 0", &["exit 3"]),
            left_out("exit 4", "not wanted"),
            good("exit 5", &["true"]),
        ]];
        assert_eq!(run_lanes("failed", &lanes, &[]), Err("not good: exit 3, exit 0, exit 5".into()));
    }

    #[test]
    fn what_stays_out_fails_nothing() {
        let lanes = [vec![good("true", &[]), left_out("exit 1", "--slow was not given")]];
        assert_eq!(run_lanes("optional", &lanes, &[]), Ok(()));
    }

    #[test]
    fn lanes_run_beside_each_other_and_wait_for_what_they_need() {
        // Each of the two waits for the other, a minute at most.
        const ONE: &str = "touch a; for n in $(seq 600); do [ -e b ] && exit 0; sleep 0.1; done; exit 1";
        const TWO: &str = "touch b; for n in $(seq 600); do [ -e a ] && exit 0; sleep 0.1; done; exit 1";
        let lanes = [vec![good("rm a b", &[ONE, TWO])], vec![good(ONE, &[])], vec![good(TWO, &[])]];
        assert_eq!(run_lanes("lanes", &lanes, &[good("! ls a b", &[])]), Ok(()));
    }

    #[test]
    fn the_reason_is_the_last_error_that_was_told() {
        let log = std::env::temp_dir().join(format!("formwork-reason-{}.log", std::process::id()));
        let told = keep(&mut shell("echo 'error: first'; echo 'error: second' >&2; echo more; exit 1"), &log);
        assert_eq!(told, Err("second".to_owned()));
        assert_eq!(fs::read_to_string(&log).unwrap(), "error: first\nerror: second\nmore\n");
        assert_eq!(keep(&mut shell("exit 7"), &log), Err("it ended with exit status: 7".to_owned()));
        fs::remove_file(&log).unwrap();
    }

    #[test]
    fn names_make_names_of_files() {
        let log = log_of(Path::new("/logs"), "set-up: MLflow (Python)");
        assert_eq!(log, Path::new("/logs/set-up-mlflow-python.log"));
    }
}
