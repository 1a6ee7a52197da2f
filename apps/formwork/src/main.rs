//! The formwork command line: arguments to settings, settings to one command, its outcome to an exit code.
//!
//! Commands return what went wrong; only this file ends the process. What a command shows goes through the console, so
//! that standard output carries data and standard error carries talk.

mod application;
mod arguments;
mod commands;
mod console;
#[cfg(feature = "engine")]
mod deployment;
mod failure;
mod interruption;
mod report;
mod selection;
mod settings;
mod suggestion;
mod wrapping;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use console::Console;
use failure::{Failure, exit};
use settings::Surroundings;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    arguments.global.color.choose();
    let console = Console::new(arguments.global.quiet, arguments.global.verbose);
    interruption::watch();
    let outcome = Surroundings::of_this_process()
        .and_then(|surroundings| commands::run(&arguments, &surroundings, &console));
    let code = match outcome {
        Ok(()) => exit::OK,
        Err(failure) => {
            console.failure(&failure);
            failure.exit_code()
        }
    };
    ExitCode::from(code)
}

/// Help and version are answers; every other message of the parser is a usage error.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is as good an end here as anywhere.
    let is_shown = error.print().map_err(Failure::Output).or_else(|failure| match failure.exit_code() {
        exit::OK => Ok(()),
        code => Err(code),
    });
    ExitCode::from(match is_shown {
        Err(code) => code,
        Ok(()) if error.use_stderr() => exit::USAGE,
        Ok(()) => exit::OK,
    })
}
