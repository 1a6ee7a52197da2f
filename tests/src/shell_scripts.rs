//! Every script that a shell runs: files of this repository, and what templates hand to instances and containers.

use std::path::Path;

use serde_json::Value as Json;

use crate::oracle::OracleError;
use crate::repository::{repository_root, tracked_files};

/// What stands in a script where CloudFormation fills in what is known at deployment.
const FILLED_IN: &str = "filled-in";

/// A script, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellScript {
    /// The file, or the template with the place in it.
    pub name: String,
    /// The shell that runs it, as ShellCheck calls it.
    pub shell: &'static str,
    /// Its text.
    pub text: String,
}

/// The shell that a program is, by its path or name.
fn shell(program: &str) -> Option<&'static str> {
    match program.rsplit('/').next()? {
        "bash" => Some("bash"),
        "sh" | "dash" => Some("sh"),
        _ => None,
    }
}

/// The shell that the first line of a script names.
fn shell_of_first_line(text: &str) -> Option<&'static str> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    line.split_whitespace().find(|word| *word != "/usr/bin/env" && !word.starts_with('-')).and_then(shell)
}

impl ShellScript {
    /// The files of this repository whose first line names a shell.
    ///
    /// # Errors
    ///
    /// git is not there, or a file cannot be read.
    pub fn of_repository() -> Result<Vec<Self>, OracleError> {
        let mut scripts = Vec::new();
        for file in tracked_files()? {
            let bytes = std::fs::read(repository_root().join(&file))?;
            if !bytes.starts_with(b"#!") {
                continue;
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some(shell) = shell_of_first_line(&text) {
                scripts.push(Self { name: file.display().to_string(), shell, text });
            }
        }
        Ok(scripts)
    }

    /// The scripts in a template: user data, and commands of containers and of their health.
    pub fn of_template(name: &str, template: &Json) -> Vec<Self> {
        let mut scripts = Vec::new();
        collect(Path::new(name), template, &mut scripts);
        scripts
    }
}

fn collect(place: &Path, value: &Json, scripts: &mut Vec<ShellScript>) {
    match value {
        Json::Object(members) => {
            for (key, member) in members {
                let place = place.join(key);
                if key == "UserData" {
                    let text = rendered(member);
                    let shell = shell_of_first_line(&text).unwrap_or("bash");
                    scripts.push(ShellScript { name: place.display().to_string(), shell, text });
                }
                collect(&place, member, scripts);
            }
            let words = ["EntryPoint", "Command"].iter().filter_map(|key| members.get(*key)?.as_array());
            let words: Vec<String> = words.flatten().map(rendered).collect();
            if let Some((shell, text)) = of_words(&words) {
                scripts.push(ShellScript { name: place.display().to_string(), shell, text });
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(&place.join(index.to_string()), item, scripts);
            }
        }
        _ => {}
    }
}

/// The script in the words of a command: behind `sh -c`, or what a container's health asks a shell.
fn of_words(words: &[String]) -> Option<(&'static str, String)> {
    match words {
        [kind, text, ..] if kind == "CMD-SHELL" => Some(("sh", text.clone())),
        [kind, rest @ ..] if kind == "CMD" => of_words(rest),
        [program, options, text, ..] if options.starts_with('-') && options.contains('c') => {
            Some((shell(program)?, text.clone()))
        }
        _ => None,
    }
}

/// A value as a script has it once CloudFormation has filled in the rest.
fn rendered(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Object(members) => match members.iter().next() {
            Some((function, inner)) if function == "Fn::Base64" => rendered(inner),
            Some((function, Json::String(text))) if function == "Fn::Sub" => substituted(text),
            Some((function, Json::Array(parts))) if function == "Fn::Sub" => {
                parts.first().and_then(Json::as_str).map(substituted).unwrap_or_default()
            }
            Some((function, Json::Array(parts))) if function == "Fn::Join" => {
                let separator = parts.first().and_then(Json::as_str).unwrap_or_default();
                let items = parts.get(1).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                items.iter().map(rendered).collect::<Vec<_>>().join(separator)
            }
            _ => FILLED_IN.to_owned(),
        },
        _ => FILLED_IN.to_owned(),
    }
}

/// The text of an `Fn::Sub`: `${Name}` is filled in, `${!name}` stands for `${name}`.
fn substituted(text: &str) -> String {
    let mut parts = text.split("${");
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match (part.strip_prefix('!'), part.split_once('}')) {
            (Some(literal), _) => said.extend(["${", literal]),
            (None, Some((_, rest))) => said.extend([FILLED_IN, rest]),
            (None, None) => said.extend(["${", part]),
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scripts_of_a_template_are_found_and_filled_in() {
        let template = json!({"Resources": {
            "Instance": {"UserData": {"Fn::Base64": {"Fn::Sub": ["#!/bin/sh\na='${B}' ${!c}", {"B": {"Ref": "B"}}]}}},
            "Launch": {"UserData": {"Fn::Base64": {"Fn::Join": ["\n", ["#!/bin/bash", {"Ref": "X"}]]}}},
            "Task": {
                "ContainerDefinitions": [{
                    "EntryPoint": ["/bin/bash", "-euc"], "Command": [{"Fn::Join": ["", ["echo ", {"Ref": "Y"}]]}],
                    "HealthCheck": {"Command": ["CMD-SHELL", "curl x || exit 1"]},
                }],
                "Other": {"Command": ["python", "-c", "print(1)"]},
            },
        }});
        let found = ShellScript::of_template("t", &template);
        let found: Vec<_> = found.iter().map(|it| (&*it.name, it.shell, &*it.text)).collect();
        let container = "t/Resources/Task/ContainerDefinitions/0";
        assert_eq!(
            found,
            [
                ("t/Resources/Instance/UserData", "sh", "#!/bin/sh\na='filled-in' ${c}"),
                ("t/Resources/Launch/UserData", "bash", "#!/bin/bash\nfilled-in"),
                (&*format!("{container}/HealthCheck"), "sh", "curl x || exit 1"),
                (container, "bash", "echo filled-in"),
            ]
        );
    }

    #[test]
    fn the_first_line_names_the_shell() {
        assert_eq!(shell_of_first_line("#!/usr/bin/env bash\n"), Some("bash"));
        assert_eq!(shell_of_first_line("#!/bin/sh -e\n"), Some("sh"));
        assert_eq!(shell_of_first_line("#!/usr/bin/env python3\n"), None);
        assert_eq!(shell_of_first_line("echo\n"), None);
    }
}
