//! A simulated account behind a loopback port, and a project to deploy to it.

use std::process::Command;

use formwork_simulator::server::{ServeOptions, Served};
use formwork_simulator::{Simulator, SimulatorOptions};

use super::{Done, Project, app, reaching};

/// An account whose minutes pass in seconds, and a project to deploy to it.
pub(crate) struct Account {
    pub(crate) project: Project,
    pub(crate) served: Served,
}

impl Account {
    pub(crate) fn new() -> Self {
        Self::of_speed(60.0)
    }

    /// An account whose time passes so many times as fast.
    pub(crate) fn of_speed(speed: f64) -> Self {
        let options = ServeOptions { speed, ..ServeOptions::default() };
        let served = Served::start(Simulator::new(SimulatorOptions::default()), options).unwrap();
        Self { project: Project::new(), served }
    }

    /// A command with the app `good`, ready to be changed and started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of("good", arguments)
    }

    /// The same with the app of `tests/support/app.rs` that a word names.
    pub(crate) fn command_of(&self, word: &str, arguments: &[&str]) -> Command {
        let app = app(word);
        self.command_of_platform(&[arguments, &["--app", &app]].concat())
    }

    /// The same with the app that is part of the program.
    pub(crate) fn command_of_platform(&self, arguments: &[&str]) -> Command {
        reaching(self.project.command(arguments), self.served.endpoint())
    }

    /// Runs a command with the app `good`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    /// How many calls that change something were answered so far.
    pub(crate) fn writes(&self) -> usize {
        self.served.with(|simulator| simulator.log().mutating().count())
    }
}
