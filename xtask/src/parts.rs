//! The parts of a long run: a heading and a time for each, and at the end a table of what passed, failed or did not run.
//!
//! A failed part does not stop the others, so that one run shows all that is wrong; a part that needs a failed one is
//! reported as not run. Only parts that were declared optional may stay out.

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

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

#[derive(Debug)]
struct Part {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// What has run so far.
#[derive(Debug, Default)]
pub(crate) struct Parts(Vec<Part>);

impl Parts {
    /// Runs a part under its heading and says whether it passed.
    pub(crate) fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<(), String>) -> bool {
        println!("\n== {name} ==");
        flush();
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(error),
        };
        let time = start.elapsed();
        let part = Part { name, outcome, time };
        println!("{part}");
        flush();
        let passed = part.outcome == Outcome::Passed;
        self.0.push(part);
        passed
    }

    /// Notes that a required part could not run.
    pub(crate) fn missing(&mut self, name: &'static str, reason: impl Into<String>) {
        self.0.push(Part { name, outcome: Outcome::Missing(reason.into()), time: Duration::ZERO });
    }

    /// Notes that an optional part did not run.
    pub(crate) fn left_out(&mut self, name: &'static str, reason: impl Into<String>) {
        self.0.push(Part { name, outcome: Outcome::LeftOut(reason.into()), time: Duration::ZERO });
    }

    /// Prints the summary.
    ///
    /// # Errors
    ///
    /// A part failed, or a required one could not run: their names.
    pub(crate) fn finish(self) -> Result<(), String> {
        println!("\n== summary ==");
        let total: Duration = self.0.iter().map(|part| part.time).sum();
        for part in &self.0 {
            println!("{part}");
        }
        println!("{:<10} {:>6.1} s  all parts", "", total.as_secs_f64());
        flush();
        let bad: Vec<&str> = self
            .0
            .iter()
            .filter(|part| matches!(part.outcome, Outcome::Failed(_) | Outcome::Missing(_)))
            .map(|part| part.name)
            .collect();
        if bad.is_empty() { Ok(()) } else { Err(format!("not good: {}", bad.join(", "))) }
    }
}

impl fmt::Display for Part {
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

/// The programs that parts start write to the same output: what we said must be out before they speak. A closed pipe is
/// not a failure of the run.
fn flush() {
    let _ = io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_part_fails_the_run_and_is_named() {
        let mut parts = Parts::default();
        assert!(parts.run("first", || Ok(())));
        assert!(!parts.run("second", || Err("broken".into())));
        parts.left_out("third", "not wanted");
        assert_eq!(parts.finish(), Err("not good: second".into()));
    }

    #[test]
    fn a_required_part_that_did_not_run_fails_the_run() {
        let mut parts = Parts::default();
        parts.missing("tests", "set-up failed");
        assert_eq!(parts.finish(), Err("not good: tests".into()));
    }

    #[test]
    fn an_optional_part_that_did_not_run_does_not() {
        let mut parts = Parts::default();
        parts.run("first", || Ok(()));
        parts.left_out("slow", "--slow was not given");
        assert_eq!(parts.finish(), Ok(()));
    }
}
