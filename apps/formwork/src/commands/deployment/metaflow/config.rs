//! `formwork metaflow config`: the outputs of the stack and the key of the API as the client's configuration.

use formwork_engine::metaflow::api_key;
use formwork_engine::{Class, EngineError};
use serde_json::{Map, Value as Json};

use super::file::{self, Kept};
use super::found::{self, Metaflow, SETTINGS};
use crate::arguments::{ConfigFormat, MetaflowConfigArguments, ProgressOptions};
use crate::console::Console;
use crate::deployment::Workplace;
use crate::failure::Failure;
use crate::settings::{Settings, Surroundings};

/// The output with the id of the key; only a service behind an API has it.
const KEY_ID: &str = "ApiKeyId";
/// The client's setting for the key.
const KEY: &str = "METAFLOW_SERVICE_AUTH_KEY";

pub(super) fn run(
    arguments: &MetaflowConfigArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &ProgressOptions::default(), console)?;
    let metaflow = found::find(&arguments.metaflow, settings, &workplace, console)?;
    let configuration = configuration(&metaflow, &workplace)?;
    if arguments.format == ConfigFormat::Env {
        return console.data(&shell_lines(&configuration));
    }
    let text = serde_json::to_string_pretty(&configuration).map_err(|error| {
        Failure::from(EngineError::new(Class::Input, format!("the configuration is no JSON: {error}")))
    })? + "\n";
    if !arguments.write {
        return console.data(&text);
    }
    let path = file::place(surroundings, arguments.metaflow_profile.as_deref())?;
    match file::keep(&path, &text, &configuration, arguments.replace)? {
        Kept::Written => console.talk(&format!("{} is written\n", path.display())),
        Kept::Same => console.talk(&format!("{} says the same already\n", path.display())),
    }
    if let Some(profile) = &arguments.metaflow_profile {
        console.talk("choose it with\n");
        console.commands(&[format!("export METAFLOW_PROFILE={profile}")]);
    }
    Ok(())
}

/// The settings that the stack tells, with the value of the key.
fn configuration(metaflow: &Metaflow, workplace: &Workplace) -> Result<Map<String, Json>, Failure> {
    let text = metaflow.output(SETTINGS).unwrap_or_default();
    let mut settings: Map<String, Json> = serde_json::from_str(text).map_err(|error| {
        let message = format!("the output {SETTINGS} of {} is no JSON: {error}", metaflow.stack);
        Failure::from(EngineError::new(Class::Input, message).with_hint("`formwork deploy` writes it anew"))
    })?;
    if let Some(id) = metaflow.output(KEY_ID) {
        let key = workplace.read(api_key(&metaflow.session, id))?;
        settings.insert(KEY.to_owned(), Json::String(key));
    }
    Ok(settings)
}

/// `export NAME='value'`, quoted so that any shell takes it as it is.
fn shell_lines(configuration: &Map<String, Json>) -> String {
    let value = |value: &Json| match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let line =
        |(name, it): (&String, &Json)| format!("export {name}='{}'\n", value(it).replace('\'', r"'\''"));
    configuration.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_quoted_for_any_shell() {
        let Json::Object(settings) = serde_json::json!({"B": "it's $HOME", "A": true}) else { panic!() };
        assert_eq!(shell_lines(&settings), "export A='true'\nexport B='it'\\''s $HOME'\n");
    }
}
