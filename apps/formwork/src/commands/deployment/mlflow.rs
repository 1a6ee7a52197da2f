//! `formwork mlflow`: what MLflow servers hold, carried about, and tracking servers started and stopped.

mod copy;
mod power;

use formwork_engine::mlflow::power::Power;

use crate::arguments::{IntoOptions, MlflowArguments, MlflowCommand};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::{Settings, Surroundings};

pub(crate) fn run(
    arguments: &MlflowArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let copied =
        |from, to, into: &IntoOptions, options| copy::Wanted { from, to, into: into.clone(), options };
    let wanted = match &arguments.command {
        MlflowCommand::Copy(copy) => copied(&copy.from, &copy.to, &copy.into, &copy.options),
        MlflowCommand::Backup(backup) => {
            copy::must_be("--to", &backup.to, true)?;
            copy::must_be("--from", &backup.from, false)?;
            copied(&backup.from, &backup.to, &IntoOptions::default(), &backup.options)
        }
        MlflowCommand::Restore(restore) => {
            copy::must_be("--from", &restore.from, true)?;
            copy::must_be("--to", &restore.to, false)?;
            copied(&restore.from, &restore.to, &restore.into, &restore.options)
        }
        MlflowCommand::Start(start) => return power::run(start, Power::Start, settings, console),
        MlflowCommand::Stop(stop) => return power::run(stop, Power::Stop, settings, console),
    };
    copy::run(&wanted, settings, surroundings, console)
}
