//! Ctrl-C: the app that was started is stopped and what is half written is removed, then the process ends.
//!
//! A signal comes on a thread of its own, so whatever has to be cleaned up is kept in one place that both threads can
//! reach.

use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io, thread};

/// How often a started app is asked whether it has ended. The wait is not noticed beside the start of a process.
const POLL: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Unfinished {
    directories: Vec<PathBuf>,
    app: Option<Child>,
    answer: Option<Box<dyn FnMut() -> Answer + Send>>,
}

/// What becomes of a signal that somebody takes care of.
#[cfg_attr(not(feature = "engine"), allow(dead_code, reason = "only the engine's commands answer signals"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The process goes on; whoever answered sees to its end.
    GoOn,
    /// The process ends.
    End,
}

static UNFINISHED: Mutex<Unfinished> =
    Mutex::new(Unfinished { directories: Vec::new(), app: None, answer: None });

fn unfinished() -> MutexGuard<'static, Unfinished> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to watch for signals.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // Without the watch a signal still ends the process, only less tidily.
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    thread::spawn(move || {
        for signal in signals.forever() {
            let mut unfinished = unfinished();
            if let Some(answer) = &mut unfinished.answer
                && answer() == Answer::GoOn
            {
                continue;
            }
            if let Some(mut app) = unfinished.app.take() {
                let _ = app.kill();
                let _ = app.wait();
            }
            for directory in unfinished.directories.drain(..) {
                let _ = fs::remove_dir_all(directory);
            }
            // As shells count: 128 and the number of the signal, which makes 130 for Ctrl-C.
            std::process::exit(128 + signal);
        }
    });
}

/// Signals are left to the operating system where there are none of POSIX.
#[cfg(not(unix))]
pub(crate) fn watch() {}

/// Lets signals be answered instead of ending the process, for as long as the value lives.
#[cfg(feature = "engine")]
pub(crate) struct Answered(());

#[cfg(feature = "engine")]
impl Answered {
    /// Every signal calls `answer` from now on.
    pub(crate) fn by(answer: impl FnMut() -> Answer + Send + 'static) -> Self {
        unfinished().answer = Some(Box::new(answer));
        Self(())
    }
}

#[cfg(feature = "engine")]
impl Drop for Answered {
    fn drop(&mut self) {
        unfinished().answer = None;
    }
}

/// Does something that must not be left half done; a signal waits until it is over.
pub(crate) fn hold_off<T>(action: impl FnOnce() -> T) -> T {
    let _held = unfinished();
    action()
}

/// Starts a process and waits for its end.
pub(crate) fn run(command: &mut std::process::Command) -> io::Result<ExitStatus> {
    {
        // A signal in between would find an app that nobody knows of yet.
        let mut unfinished = unfinished();
        unfinished.app = Some(command.spawn()?);
    }
    loop {
        if let Some(app) = &mut unfinished().app
            && let Some(status) = app.try_wait()?
        {
            return Ok(status);
        }
        thread::sleep(POLL);
    }
}

/// A directory for what is being made. It is removed in the end, unless its content was moved away.
#[derive(Debug)]
pub(crate) struct WorkDirectory(PathBuf);

impl WorkDirectory {
    /// A new directory inside another.
    pub(crate) fn new_in(parent: &Path, prefix: &str) -> io::Result<Self> {
        let mut unfinished = unfinished();
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix);
        // Temporary directories are private; this one may become the output, which others may read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let path = builder.tempdir_in(parent)?.keep();
        unfinished.directories.push(path.clone());
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        let mut unfinished = unfinished();
        unfinished.directories.retain(|directory| *directory != self.0);
        let _ = fs::remove_dir_all(&self.0);
    }
}
