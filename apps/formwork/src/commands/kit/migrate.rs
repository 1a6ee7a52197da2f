//! `formwork kit migrate`: what carries MLflow's data to PostgreSQL, for a database of anybody's or of a deployed server.

use std::path::PathBuf;

use formwork_kits::migrate::{self, MigrateSettings};
use toml::Value;

use super::{Given, add_texts, finish, settings_text};
use crate::arguments::{Arguments, MigrateKitArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::Surroundings;

/// What a server that hands out artifacts calls their place.
#[cfg(feature = "engine")]
const SERVED: &str = "mlflow-artifacts:/";

pub(super) fn run(
    kit: &MigrateKitArguments,
    arguments: &Arguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let out = surroundings.directory.join(&kit.place.out);
    let writing = &kit.place.writing;
    let (text, origin) = settings_text("migrate", writing, &out, surroundings)?;
    let mut given = Given::new();
    #[cfg(feature = "engine")]
    if let Some(stack) = &kit.to_stack {
        given.extend(of_stack(stack, arguments, surroundings, console)?);
    }
    #[cfg(not(feature = "engine"))]
    let _ = arguments;
    // What is said by hand goes before what a stack tells.
    given.extend(of_arguments(kit, surroundings));
    let settings: MigrateSettings = formwork_kits::settings(text.as_deref(), &origin, given)?;
    finish(&migrate::kit(&settings)?, &out, writing, console)
}

fn of_arguments(kit: &MigrateKitArguments, surroundings: &Surroundings) -> Given {
    let mut given = Given::new();
    // The kit reads paths from its own directory.
    let whole = |path: &PathBuf| surroundings.directory.join(path).display().to_string();
    let paths = [
        ("sourceDatabase", &kit.source_database),
        ("sourceFileStore", &kit.source_file_store),
        ("workingDirectory", &kit.working_directory),
        ("servedArtifacts", &kit.served_artifacts),
        ("databaseCertificates", &kit.database_certificates),
    ];
    for (key, path) in paths {
        add_texts(&mut given, [(key, &path.as_ref().map(whole))]);
    }
    // A store has a scheme, a folder has none.
    let store = |text: &String| if text.contains(':') { text.clone() } else { whole(&text.into()) };
    let texts = [
        ("artifactLocations", &kit.artifact_locations),
        ("artifactsTo", &kit.artifacts_to.as_ref().map(store)),
        ("databaseHost", &kit.database_host),
        ("databaseAddress", &kit.database_address),
        ("databaseName", &kit.database_name),
        ("databaseUser", &kit.database_user),
        ("databaseTls", &kit.database_tls),
        ("databaseSecret", &kit.database_secret),
    ];
    add_texts(&mut given, texts);
    given.extend(kit.database_port.map(|port| ("databasePort", Value::Integer(port.into()))));
    if !kit.artifacts_from.is_empty() {
        let folders = kit.artifacts_from.iter().map(whole).map(Value::String).collect();
        given.push(("artifactsFrom", Value::Array(folders)));
    }
    given
}

/// What a deployed server has: its database by a secret's ARN, and its bucket, from which it hands out artifacts itself.
#[cfg(feature = "engine")]
fn of_stack(
    word: &str,
    arguments: &Arguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<Given, Failure> {
    use formwork_engine::{Class, EngineError};

    let stack = super::deployed::Deployed::read(word, "mlflow-server", arguments, surroundings, console)?;
    let port = stack.output("DatabasePort")?;
    let port: u16 = port.parse().map_err(|_| {
        Failure::from(EngineError::new(
            Class::Input,
            format!("the output DatabasePort is `{port}`, which is no port"),
        ))
    })?;
    let mut given = vec![
        ("databasePort", Value::Integer(port.into())),
        ("artifactLocations", Value::String(SERVED.to_owned())),
    ];
    for (key, output) in [
        ("databaseHost", "DatabaseHost"),
        ("databaseName", "DatabaseName"),
        ("databaseUser", "DatabaseUser"),
        ("databaseSecret", "DatabaseSecretArn"),
        ("artifactsTo", "ArtifactLocation"),
    ] {
        given.push((key, Value::String(stack.output(output)?)));
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Command, KitCommand};

    fn given(words: &[&str]) -> Given {
        let whole = ["formwork", "kit", "migrate", "--out", "kit"].iter().chain(words);
        let arguments = Arguments::try_parse_from(whole).unwrap();
        let Command::Kit(kit) = arguments.command else { panic!("another command") };
        let KitCommand::Migrate(kit) = kit.kit else { panic!("another kit") };
        let surroundings = Surroundings { directory: "/home/me".into(), ..Surroundings::default() };
        of_arguments(&kit, &surroundings)
    }

    #[test]
    fn paths_begin_where_the_command_was_given_and_stores_stay() {
        let found =
            given(&["--source-database", "mlflow.db", "--artifacts-to", "copied", "--artifacts-from", "/a"]);
        let text = |text: &str| Value::String(text.to_owned());
        assert!(found.contains(&("sourceDatabase", text("/home/me/mlflow.db"))), "{found:?}");
        assert!(found.contains(&("artifactsTo", text("/home/me/copied"))), "{found:?}");
        assert!(found.contains(&("artifactsFrom", Value::Array(vec![text("/a")]))), "{found:?}");
        let found = given(&["--artifacts-to", "s3://bucket/prefix", "--database-host", "db"]);
        assert!(found.contains(&("artifactsTo", text("s3://bucket/prefix"))), "{found:?}");
        assert_eq!(found.len(), 2, "what was not said is left to the settings: {found:?}");
    }
}
