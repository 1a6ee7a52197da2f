//! `formwork context`: every setting, its value, where it was set and what it means.

use std::fmt::Write as _;
use std::path::Path;

use formwork::Diagnostic;
use formwork_assembly::json;
use serde_json::Value as Json;

use crate::application::{self, is_about_settings};
use crate::arguments::ContextCommandArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::report::{ContextReport, FindingReport, SettingReport, to_text};
use crate::settings::{Application, Setting, Settings, Surroundings};

pub(crate) fn run(
    arguments: &ContextCommandArguments,
    settings: &Settings,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let outcome = application::run(settings, &std::env::temp_dir())?;
    let Some(schema) = &outcome.context_schema else {
        let hint = "apps that call formwork::main tell their settings";
        return Err(Failure::Input(format!("the app does not tell which settings it reads\nhint: {hint}")));
    };
    if arguments.schema {
        return console.data(&json::to_text(schema));
    }
    // Other findings are for synth to tell; here they would hide the answer.
    let findings: Vec<Diagnostic> =
        outcome.diagnostics.iter().filter(|found| is_about_settings(found)).cloned().collect();
    let report = ContextReport {
        settings: own_settings(settings, surroundings),
        context: context(settings, schema),
        findings: findings.iter().map(FindingReport::from).collect(),
    };
    console.data(&if arguments.json { to_text(&report) } else { text(&report) })?;
    console.diagnostics(&findings);
    if findings.is_empty() { Ok(()) } else { Err(Failure::SettingsFindings) }
}

/// The settings of the command line itself.
fn own_settings(settings: &Settings, surroundings: &Surroundings) -> Vec<SettingReport> {
    let row = |key: &str, value: Option<(String, &str)>, description: &str| SettingReport {
        key: key.to_owned(),
        origin: value.as_ref().map_or("not set", |(_, origin)| origin).to_owned(),
        value: value.map_or(Json::Null, |(value, _)| Json::String(value)),
        default: Json::Null,
        choices: Vec::new(),
        description: description.to_owned(),
    };
    let path = |path: &Path| path.strip_prefix(&surroundings.directory).unwrap_or(path).display().to_string();
    fn set(setting: &Option<Setting>) -> Option<(String, &str)> {
        setting.as_ref().map(|setting| (setting.value.clone(), setting.origin.as_str()))
    }
    let app = match &settings.application {
        Application::BuiltIn => "the built-in ML platform".to_owned(),
        Application::Command { words, .. } => shell_words::join(words),
        Application::Assembly(directory) => path(directory),
    };
    vec![
        row(
            "file",
            settings.project_file.as_ref().map(|file| (path(file), "found")),
            "The formwork.toml that is read",
        ),
        row("env", settings.environment.clone().map(|name| (name, "--env")), "The environment of the file"),
        row("app", Some((app, &settings.application_origin)), "Where the assembly comes from"),
        row("output", Some((path(&settings.output), &settings.output_origin)), "Where the assembly goes"),
        row("account", set(&settings.account), "The account of stacks that do not say theirs"),
        row("region", set(&settings.region), "The region of stacks that do not say theirs"),
    ]
}

/// The settings that the app reads, and those that were given to it although it does not read them.
fn context(settings: &Settings, schema: &Json) -> Vec<SettingReport> {
    let known = schema["properties"].as_object().into_iter().flatten();
    let mut rows: Vec<SettingReport> = known
        .map(|(key, property)| {
            let given = settings.context.get(key);
            let default = property["default"].clone();
            SettingReport {
                key: key.clone(),
                value: given.map_or_else(|| default.clone(), |entry| entry.value.clone()),
                origin: given.map_or_else(|| "default".to_owned(), |entry| entry.origin.clone()),
                default,
                choices: choices(property, schema),
                description: property["description"].as_str().unwrap_or_default().replace('\n', " "),
            }
        })
        .collect();
    for (key, entry) in settings.context.iter().filter(|(key, _)| schema["properties"].get(key).is_none()) {
        rows.push(SettingReport {
            key: key.to_owned(),
            value: entry.value.clone(),
            origin: entry.origin.clone(),
            default: Json::Null,
            choices: Vec::new(),
            description: "The app does not read it".to_owned(),
        });
    }
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    rows
}

/// The texts that a property takes, when they are a closed set.
fn choices(property: &Json, root: &Json) -> Vec<String> {
    let mut found: Vec<String> = property["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(property.get("const"))
        .filter_map(|choice| choice.as_str().map(str::to_owned))
        .collect();
    let target = property["$ref"].as_str().and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    let branches =
        ["anyOf", "oneOf", "allOf"].iter().filter_map(|keyword| property[keyword].as_array()).flatten();
    for schema in target.into_iter().chain(branches) {
        found.extend(choices(schema, root));
    }
    found
}

fn text(report: &ContextReport) -> String {
    let mut text = String::new();
    for setting in &report.settings {
        let _ = writeln!(text, "{:<8} {}  ({})", setting.key, shown(&setting.value), setting.origin);
    }
    for setting in &report.context {
        let _ = write!(text, "\n{} = {}  ({}", setting.key, shown(&setting.value), setting.origin);
        if setting.origin != "default" && !setting.default.is_null() {
            let _ = write!(text, "; default {}", shown(&setting.default));
        }
        text.push_str(")\n");
        if !setting.choices.is_empty() {
            let _ = writeln!(text, "  One of {}.", setting.choices.join(", "));
        }
        if !setting.description.is_empty() {
            let _ = writeln!(text, "  {}", setting.description);
        }
    }
    text
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn choices_are_found_behind_references_and_branches() {
        let root = json!({ "$defs": { "Kind": { "oneOf": [{ "const": "tracking" }, { "enum": ["serverless"] }] } } });
        let property = json!({ "anyOf": [{ "$ref": "#/$defs/Kind" }, { "type": "null" }] });
        assert_eq!(choices(&property, &root), ["tracking", "serverless"]);
    }
}
