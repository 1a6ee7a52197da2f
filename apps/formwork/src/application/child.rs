//! An app that is a program of its own, started with the environment variables that the AWS CDK's command line sets.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use formwork_assembly::cloud_assembly::{CONTEXT_SCHEMA_FILE, DIAGNOSTICS_FILE, MANIFEST_FILE, read_json};
use serde_json::{Map, Value as Json};

use super::Answer;
use crate::failure::Failure;
use crate::interruption;
use crate::settings::Settings;

/// The key beside the context under which an app finds where each value was set. Whoever sends it reads the app's
/// findings from the assembly, so the app does not print them.
const ORIGINS: &str = "formwork:origins";

/// Starts the app and waits for what it writes into the directory.
pub(super) fn run(
    words: &[String],
    directory: &Path,
    settings: &Settings,
    output: &Path,
) -> Result<Answer, Failure> {
    let [program, arguments @ ..] = words else {
        return Err(Failure::Usage("the app is empty\nhint: give a command line".to_owned()));
    };
    let shown = shell_words::join(words);
    let environment = settings.default_environment();
    let given = [("CDK_DEFAULT_ACCOUNT", environment.account), ("CDK_DEFAULT_REGION", environment.region)];
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(directory)
        .env("CDK_OUTDIR", output)
        .env("CDK_CONTEXT_JSON", context_json(settings))
        .envs(given.into_iter().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        // Standard output is for the command's own data; what the app prints is talk.
        .stdout(io::stderr());
    let status = interruption::run(&mut command).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => {
                "\nhint: give a program that is installed, or a directory that holds an assembly"
            }
            _ => "",
        };
        Failure::Usage(format!(
            "cannot start the app `{shown}` (set by {}): {}{hint}",
            settings.application_origin,
            error.to_string().to_lowercase()
        ))
    })?;
    let diagnostics = match output.join(DIAGNOSTICS_FILE) {
        path if path.is_file() => read_json(&path, "list of findings")?,
        _ => Vec::new(),
    };
    let context_schema = match output.join(CONTEXT_SCHEMA_FILE) {
        path if path.is_file() => Some(read_json(&path, "schema of the context")?),
        _ => None,
    };
    let answer = Answer { diagnostics, context_schema };
    let told = answer.diagnostics.iter().any(|diagnostic| diagnostic.severity == formwork::Severity::Error);
    if !status.success() && !told {
        return Err(Failure::Input(format!(
            "the app `{shown}` failed: {status}\nhint: its own messages are above"
        )));
    }
    if status.success() && !output.join(MANIFEST_FILE).is_file() {
        let hint =
            "an app calls formwork::main, or writes an assembly into the directory that CDK_OUTDIR names";
        return Err(Failure::Input(format!("the app `{shown}` wrote no assembly\nhint: {hint}")));
    }
    Ok(answer)
}

fn context_json(settings: &Settings) -> String {
    let mut context: Map<String, Json> =
        settings.context.iter().map(|(key, entry)| (key.to_owned(), entry.value.clone())).collect();
    let origins: BTreeMap<&str, &str> =
        settings.context.iter().map(|(key, entry)| (key, entry.origin.as_str())).collect();
    context.insert(ORIGINS.to_owned(), serde_json::json!(origins));
    Json::Object(context).to_string()
}
