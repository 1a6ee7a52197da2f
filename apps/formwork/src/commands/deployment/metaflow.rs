//! `formwork metaflow`: what is to be done with a deployed Metaflow from a laptop.

mod config;
mod file;
mod found;

use crate::arguments::{MetaflowArguments, MetaflowCommand};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::{Settings, Surroundings};

pub(crate) fn run(
    arguments: &MetaflowArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let MetaflowCommand::Config(config) = &arguments.command;
    config::run(config, settings, surroundings, console)
}
