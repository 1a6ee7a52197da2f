//! One command a file.

mod asset;
mod context;
#[cfg(feature = "engine")]
pub(crate) mod deployment;
pub(crate) mod diff;
mod graph;
mod kit;
mod list;
mod synth;
pub(crate) mod validate;

#[cfg(all(test, feature = "engine"))]
pub(crate) use deployment::{DoctorReport, GcReport, ProxyUsersReport, RunsReport};

use crate::arguments::{Arguments, Command};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::{Settings, Surroundings};

/// Does what the arguments ask for.
pub(crate) fn run(
    arguments: &Arguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    if let Command::Asset(asset) = &arguments.command {
        return asset::run(asset, surroundings, console);
    }
    if let Command::Kit(kit) = &arguments.command {
        return kit::run(kit, arguments, surroundings, console);
    }
    let settings = Settings::resolve(arguments, surroundings)?;
    match &arguments.command {
        Command::Synth(synth) => synth::run(synth, &settings, surroundings, console),
        Command::List(list) => list::run(list, &settings, console),
        Command::Graph(graph) => graph::run(graph, &settings, console),
        Command::Context(context) => context::run(context, &settings, surroundings, console),
        Command::Diff(diff) => diff::run(diff, &settings, console),
        Command::Validate(validate) => validate::run(validate, &settings, surroundings, console),
        #[cfg(feature = "engine")]
        Command::Deployment(command) => deployment::run(command, &settings, surroundings, console),
        Command::Asset(asset) => asset::run(asset, surroundings, console),
        Command::Kit(kit) => kit::run(kit, arguments, surroundings, console),
    }
}
