//! A program of ours, built as it is needed here.

use std::path::PathBuf;
use std::process::Command;

use crate::paths::Paths;
use crate::run::run;
use crate::test::cargo;

/// Which build of a program is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// A build of its own.
    Alone,
    /// The build that the tests have made: its features are those of all crates together, so that a build of its own
    /// would compile much once more.
    OfTests,
}

impl Build {
    /// Where the program of a package is, once it is built.
    ///
    /// # Errors
    ///
    /// It cannot be built.
    pub(crate) fn program(self, paths: &Paths, package: &str, name: &str) -> Result<PathBuf, String> {
        let mut command: Command = cargo(paths);
        match self {
            Self::Alone => command.args(["build", "--quiet", "--package", package, "--bin", name]),
            Self::OfTests => command.args(["test", "--quiet", "--workspace", "--no-run"]),
        };
        run(&mut command)?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        Ok(paths.root.join(target).join("debug").join(name))
    }
}
