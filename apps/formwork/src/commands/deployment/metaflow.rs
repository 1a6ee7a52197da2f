//! `formwork metaflow`: what is to be done with a deployed Metaflow from a laptop.

mod config;
mod file;
mod found;
mod migrate;

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
    match &arguments.command {
        MetaflowCommand::Config(config) => config::run(config, settings, surroundings, console),
        MetaflowCommand::Migrate(migrate) => migrate::run(migrate, settings, console),
    }
}
