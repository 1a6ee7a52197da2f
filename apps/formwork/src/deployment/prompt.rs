//! Questions on the terminal. Without a terminal nothing is asked: the answer is that an approval is missing.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use formwork_engine::{Class, EngineError};

use super::workplace::interrupted;
use crate::failure::Failure;
use crate::wrapping::{fitted, of_talk};

/// How often it is looked whether a signal came while an answer is waited for.
const POLL: Duration = Duration::from_millis(50);

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
    let mut stream = anstream::stderr().lock();
    let _ = write!(stream, "{}go on? [y/N] ", fitted(&format!("{question}\n"), of_talk()));
    let _ = stream.flush();
    drop(stream);
    // A read of the terminal goes on after a signal, so it gets a thread, which ends with the process.
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = String::new();
        let _ = tell.send(io::stdin().lock().read_line(&mut answer).map(|_| answer));
    });
    let answer = loop {
        match told.recv_timeout(POLL) {
            Ok(answer) => break answer.unwrap_or_default(),
            Err(RecvTimeoutError::Timeout) if is_interrupted() => {
                let _ = writeln!(anstream::stderr().lock());
                return Err(interrupted());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break String::new(),
        }
    };
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(EngineError::new(Class::Refused, "not approved; nothing was changed").into()),
    }
}
