//! `formwork kit`: writes MLflow for other places into a directory.

#[cfg(feature = "engine")]
mod deployed;
#[cfg(feature = "engine")]
mod from_stack;
mod migrate;

use std::fs;
use std::path::Path;

use formwork_kits::compose::{self, ComposeSettings};
use formwork_kits::heroku::{self, HerokuSettings};
use formwork_kits::{Kit, KitError, Outcome, Report, SETTINGS_FILE, WriteOptions};
use toml::Value;

use crate::arguments::{
    Arguments, ComposeKitArguments, HerokuKitArguments, KitArguments, KitCommand, KitWriting,
};
use crate::console::{Console, count, table};
use crate::failure::Failure;
use crate::report::to_text;
use crate::settings::Surroundings;

type Given = Vec<(&'static str, Value)>;

pub(crate) fn run(
    kit: &KitArguments,
    arguments: &Arguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    match &kit.kit {
        KitCommand::Compose(compose) => of_compose(compose, surroundings, console),
        KitCommand::Heroku(heroku) => of_heroku(heroku, arguments, surroundings, console),
        KitCommand::Migrate(migrate) => migrate::run(migrate, arguments, surroundings, console),
    }
}

fn of_compose(
    arguments: &ComposeKitArguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let out = surroundings.directory.join(&arguments.place.out);
    let writing = &arguments.place.writing;
    let (text, origin) = settings_text("compose", writing, &out, surroundings)?;
    let settings: ComposeSettings =
        formwork_kits::settings(text.as_deref(), &origin, given_compose(arguments))?;
    finish(&compose::kit(&settings)?, &out, writing, console)
}

fn given_compose(arguments: &ComposeKitArguments) -> Given {
    let mut given = Given::new();
    let texts = [
        ("listen", &arguments.listen),
        ("prefix", &arguments.prefix),
        ("tls", &arguments.tls),
        ("artifacts", &arguments.artifacts),
        ("artifactLocation", &arguments.artifact_location),
        ("uploads", &arguments.uploads),
        ("database", &arguments.database),
        ("databaseHost", &arguments.database_host),
    ];
    add_texts(&mut given, texts);
    given.extend(arguments.port.map(|port| ("port", Value::Integer(port.into()))));
    if !arguments.host.is_empty() {
        given.push(("hosts", Value::Array(arguments.host.iter().cloned().map(Value::String).collect())));
    }
    given
}

fn of_heroku(
    arguments: &HerokuKitArguments,
    whole: &Arguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let writing = &arguments.writing;
    let mut given = Given::new();
    #[cfg(feature = "engine")]
    let key = match &arguments.from_stack {
        None => None,
        Some(stack) => {
            let found = from_stack::read(stack, whole, surroundings, console)?;
            given.push(("s3Location", Value::String(found.location)));
            given.push(("s3Region", Value::String(found.region)));
            Some(found.key)
        }
    };
    #[cfg(not(feature = "engine"))]
    let (key, _): (Option<formwork_kits::AccessKey>, _) = (None, whole);
    let texts =
        [("app", &arguments.app_name), ("host", &arguments.host), ("s3Location", &arguments.s3_location)];
    add_texts(&mut given, texts);
    let Some(out) = &arguments.out else {
        // Only what the stack knows: a password is the kit's to make.
        let settings: HerokuSettings = formwork_kits::settings(None, "the command line", given)?;
        let vars = heroku::config_vars(&settings, None, &key.unwrap_or_default());
        return console.data(&to_text(&vars));
    };
    let out = surroundings.directory.join(out);
    let (text, origin) = settings_text("heroku", writing, &out, surroundings)?;
    let settings: HerokuSettings = formwork_kits::settings(text.as_deref(), &origin, given)?;
    finish(&heroku::kit(&settings, key)?, &out, writing, console)
}

fn add_texts<const N: usize>(given: &mut Given, texts: [(&'static str, &Option<String>); N]) {
    let set = texts.into_iter().filter_map(|(key, text)| Some((key, Value::String(text.clone()?))));
    given.extend(set);
}

/// The text of the settings file that counts, and its name.
fn settings_text(
    kit: &'static str,
    writing: &KitWriting,
    out: &Path,
    surroundings: &Surroundings,
) -> Result<(Option<String>, String), Failure> {
    let Some(file) = &writing.settings else {
        let name = out.join(SETTINGS_FILE).display().to_string();
        return Ok((formwork_kits::kept_settings(kit, out)?, name));
    };
    let path = surroundings.directory.join(file);
    let name = file.display().to_string();
    let text = fs::read_to_string(&path).map_err(|source| Failure::File {
        action: "read",
        what: name.clone(),
        source,
    })?;
    Ok((Some(text), name))
}

fn finish(kit: &Kit, out: &Path, writing: &KitWriting, console: &Console) -> Result<(), Failure> {
    let options = WriteOptions { overwrite: writing.overwrite.clone(), beside_others: writing.beside_others };
    let report = formwork_kits::write(kit, out, &options)?;
    if writing.json {
        return console.data(&to_text(&report));
    }
    tell(&report, console)
}

fn tell(report: &Report, console: &Console) -> Result<(), Failure> {
    let shown = report.files.iter().filter(|file| file.outcome != Outcome::Unchanged);
    let rows: Vec<Vec<String>> = shown
        .map(|file| vec![file.path.clone(), file.mode.clone(), words(file.outcome).to_owned()])
        .collect();
    console.data(&table(&rows))?;
    let unchanged = report.files.len() - rows.len();
    if unchanged > 0 {
        console.talk(&format!("{} as before\n", count(unchanged, "file")));
    }
    let missing: Vec<&str> = report.to_fill_in().collect();
    if !missing.is_empty() {
        let (files, directory) = (missing.join(", "), &report.directory);
        console
            .talk(&format!("yours to fill in: {files}; README.md in {directory} says what belongs there\n"));
    }
    console.talk(&format!("go on in {}:\n", report.directory));
    console.commands(&report.next);
    Ok(())
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Overwritten => "overwritten",
        Outcome::Kept => "kept",
        Outcome::ToFillIn => "yours to fill in",
    }
}

impl From<KitError> for Failure {
    fn from(error: KitError) -> Self {
        let text = error.to_string();
        match error {
            KitError::Settings(_) => Self::Usage(text),
            KitError::Refused(_) => Self::Refused(text),
            KitError::File { action, path, source } => {
                Self::File { action, what: path.display().to_string(), source }
            }
            KitError::Random(_) | KitError::Template { .. } => Self::Input(text),
        }
    }
}
