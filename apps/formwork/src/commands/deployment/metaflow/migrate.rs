//! `formwork metaflow migrate`: the tables of the metadata service, looked at or brought to where its image wants them.

use formwork_engine::metaflow::{SchemaStatus, migrate, schema_status};
use formwork_engine::{Class, EngineError};

use super::found;
use crate::arguments::{MetaflowMigrateArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::Workplace;
use crate::failure::{Failure, exit};
use crate::settings::Settings;

/// The output with the name of the function; only a stack with the service has it.
const FUNCTION: &str = "MigrationFunctionName";

pub(super) fn run(
    arguments: &MetaflowMigrateArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let metaflow = found::find(&arguments.metaflow, settings, &workplace, console)?;
    let function = metaflow.output(FUNCTION).ok_or_else(|| {
        let message = format!("{} has no metadata service whose tables could be migrated", metaflow.stack);
        EngineError::new(Class::Input, message).with_hint("add metadata to metaflowParts, and deploy")
    })?;
    if arguments.status {
        let status = workplace.read(schema_status(&metaflow.session, function))?;
        return console.data(&in_words(&status));
    }
    let journal = workplace.journal()?;
    let clock = workplace.engine.clock;
    let migrated: Result<SchemaStatus, Failure> =
        workplace.run(migrate(&metaflow.session, function, &clock, &journal)).map_err(Failure::from);
    journal.ended(migrated.as_ref().map_or_else(Failure::exit_code, |_| exit::OK));
    console.data(&in_words(&migrated?))
}

fn in_words(status: &SchemaStatus) -> String {
    let missing = match status.unapplied.as_slice() {
        [] => String::new(),
        names => format!(", missing {}", names.join(", ")),
    };
    format!("tables at {}: {}{missing}\n", status.version, status.words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let mut status = SchemaStatus {
            version: "1".to_owned(),
            unapplied: vec!["2".to_owned(), "3".to_owned()],
            is_up_to_date: false,
            words: "behind".to_owned(),
        };
        assert_eq!(in_words(&status), "tables at 1: behind, missing 2, 3\n");
        status.unapplied.clear();
        status.words = "up to date".to_owned();
        assert_eq!(in_words(&status), "tables at 1: up to date\n");
    }
}
