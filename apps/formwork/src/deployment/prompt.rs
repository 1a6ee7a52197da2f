//! Questions on the terminal. Without a terminal nothing is asked: the answer is that an approval is missing.

use std::io::{self, BufRead, IsTerminal, Write};

use formwork_engine::{Class, EngineError};

use crate::failure::Failure;

/// Asks a question that is answered with yes or no; no is the answer of an empty line and of the end of the input.
///
/// # Errors
/// When nobody can be asked (exit code 3), or the answer is no (exit code 3).
pub(crate) fn confirm(question: &str, way_out: &str) -> Result<(), Failure> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let message = format!("{question}, and there is no terminal to ask on");
        return Err(EngineError::new(Class::Refused, message).with_hint(way_out).into());
    }
    let mut stream = anstream::stderr().lock();
    let _ = write!(stream, "{question}\ngo on? [y/N] ");
    let _ = stream.flush();
    drop(stream);
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(EngineError::new(Class::Refused, "not approved; nothing was changed").into()),
    }
}
