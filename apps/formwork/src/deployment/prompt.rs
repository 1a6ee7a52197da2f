//! Questions on the terminal. Without a terminal nothing is asked: the answer is that an approval is missing.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use formwork_engine::{Class, EngineError};

use super::workplace::interrupted;
use crate::failure::Failure;
use crate::wrapping::{fitted, of_talk};

/// How often it is looked whether a signal came while an answer is waited for.
const POLL: Duration = Duration::from_millis(50);
/// The most that is read of standard input for a password.
const LONGEST_INPUT: u64 = 4096;

/// Asks a question that is answered with yes or no; no is the answer of an empty line and of the end of the input.
///
/// # Errors
/// When nobody can be asked or the answer is no (exit code 3), or the waiting was interrupted (130).
pub(super) fn confirm(
    question: &str,
    way_out: &str,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let message = format!("{question}, and there is no terminal to ask on");
        return Err(EngineError::new(Class::Refused, message).with_hint(way_out).into());
    }
    ask(&format!("{}go on? [y/N] ", fitted(&format!("{question}\n"), of_talk())));
    match line(is_interrupted)?.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(EngineError::new(Class::Refused, "not approved; nothing was changed").into()),
    }
}

/// Asks for a new password, twice and without showing it; where nobody can be asked, the first line of standard input is
/// the password. Never an argument: everybody on the machine can read those.
///
/// # Errors
/// When the two differ, nothing came, or the waiting was interrupted (130).
pub(super) fn password(name: &str, is_interrupted: &dyn Fn() -> bool) -> Result<String, Failure> {
    let usage = |message: &str| Failure::from(EngineError::new(Class::Usage, message));
    if !io::stdin().is_terminal() {
        let mut text = String::new();
        let read = io::stdin().lock().take(LONGEST_INPUT).read_to_string(&mut text);
        read.map_err(|_| usage("standard input has no password that is text"))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(usage("standard input has no password"));
        }
        return Ok(password.to_owned());
    }
    let silence = Silence::begin()?;
    let once = |question: &str| {
        ask(question);
        let answer = line(is_interrupted);
        // The line's end was not shown either.
        ask("\n");
        answer.map(|answer| answer.trim_end_matches(['\r', '\n']).to_owned())
    };
    let first = once(&format!("password of {name}: "))?;
    let second = once("the same again: ")?;
    drop(silence);
    if first != second {
        return Err(usage("the two passwords differ; nothing was changed"));
    }
    Ok(first)
}

fn ask(text: &str) {
    let mut stream = anstream::stderr().lock();
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.flush();
}

/// A line of the terminal.
fn line(is_interrupted: &dyn Fn() -> bool) -> Result<String, Failure> {
    // A read of the terminal goes on after a signal, so it gets a thread, which ends with the process.
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = String::new();
        let _ = tell.send(io::stdin().lock().read_line(&mut answer).map(|_| answer));
    });
    loop {
        match told.recv_timeout(POLL) {
            Ok(answer) => return Ok(answer.unwrap_or_default()),
            Err(RecvTimeoutError::Timeout) if is_interrupted() => {
                ask("\n");
                return Err(interrupted());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(String::new()),
        }
    }
}

/// A terminal that does not show what is typed, until this is dropped.
#[cfg(unix)]
struct Silence(rustix::termios::Termios);

#[cfg(unix)]
impl Silence {
    fn begin() -> Result<Self, Failure> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let failed = |error: rustix::io::Errno| Failure::File {
            action: "hide what is typed on",
            what: "the terminal".to_owned(),
            source: error.into(),
        };
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).map_err(failed)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, &self.0);
    }
}

/// Elsewhere the way of hiding it is not known here, and a password that is shown would be worse than none.
#[cfg(not(unix))]
struct Silence;

#[cfg(not(unix))]
impl Silence {
    fn begin() -> Result<Self, Failure> {
        let error = EngineError::new(Class::Usage, "a password cannot be typed unseen on this system");
        Err(error.with_hint("give it on standard input").into())
    }
}
