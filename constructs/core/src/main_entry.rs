//! The entry of a user's own app: from the environment to an assembly on disk.
//!
//! This is the one place under `constructs/` that reads the environment and prints. It follows the contract of the
//! `cdk` command line, so that `cdk --app 'cargo run -q'` works as well as `formwork --app 'cargo run -q'`.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use formwork_assembly::{AssemblyFiles, Diagnostic, cloud_assembly, json};
use serde_json::Value as Json;

use crate::app::{App, AppProps};
use crate::context::Context;
use crate::stack::Environment;

/// Where an assembly goes when nobody says otherwise.
const DEFAULT_OUTPUT: &str = "cfn-out";

/// The key beside the context that tells where each value was set. Whoever sends it reads the findings from
/// `diagnostics.json` and shows them, so that they are not printed here.
const ORIGINS: &str = "formwork:origins";

/// Runs an app: reads the context and the environment, lets `grow` grow the tree, and writes the assembly.
///
/// | variable | meaning |
/// |---|---|
/// | `CDK_OUTDIR` | the directory to write into; `cfn-out` without it |
/// | `CDK_CONTEXT_JSON` | the context as a JSON object |
/// | `CDK_DEFAULT_ACCOUNT`, `CDK_DEFAULT_REGION` | where stacks go that do not say so themselves |
///
/// The exit code is 0, or 1 when there were errors: then the directory gets `diagnostics.json` and
/// `context-schema.json`, and nothing else.
pub fn main(grow: impl FnOnce(&App)) -> ExitCode {
    match run(grow) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn run(grow: impl FnOnce(&App)) -> Result<ExitCode, String> {
    let given = variable("CDK_OUTDIR").map(PathBuf::from);
    let environment =
        Environment { account: variable("CDK_DEFAULT_ACCOUNT"), region: variable("CDK_DEFAULT_REGION") };
    let (context, is_shown_by_caller) = context_from_json(variable("CDK_CONTEXT_JSON").as_deref())?;
    let print = |diagnostics: &[Diagnostic]| {
        for diagnostic in diagnostics.iter().filter(|_| !is_shown_by_caller) {
            eprintln!("{diagnostic}\n");
        }
    };
    let app = App::new(AppProps { context, environment });
    grow(&app);
    let (files, code) = match app.synth() {
        Ok(synthesis) => {
            print(&synthesis.diagnostics);
            (synthesis.files, ExitCode::SUCCESS)
        }
        Err(error) => {
            print(&error.diagnostics);
            if !is_shown_by_caller {
                eprintln!("{error}");
            }
            (failure_files(&app, &error.diagnostics), ExitCode::FAILURE)
        }
    };
    match given {
        // Whoever names a directory has made it for us and looks into it afterwards.
        Some(directory) => files.write(&directory).map_err(|error| error.to_string())?,
        None if code == ExitCode::SUCCESS => {
            let target = PathBuf::from(DEFAULT_OUTPUT);
            let fresh = PathBuf::from(format!("{DEFAULT_OUTPUT}.new-{}", std::process::id()));
            cloud_assembly::check_replaceable(&target).map_err(|error| error.to_string())?;
            files
                .write(&fresh)
                .and_then(|()| cloud_assembly::replace(&target, &fresh))
                .map_err(|error| error.to_string())?;
        }
        None => {}
    }
    Ok(code)
}

/// What is written when there is no assembly to write: the findings, and the settings that the app reads.
fn failure_files(app: &App, diagnostics: &[Diagnostic]) -> AssemblyFiles {
    let mut files = AssemblyFiles::default();
    let findings = serde_json::to_value(diagnostics).expect("diagnostics have string keys only");
    files.insert(cloud_assembly::DIAGNOSTICS_FILE, json::to_text(&findings));
    files.insert(cloud_assembly::CONTEXT_SCHEMA_FILE, json::to_text(&app.context_schema()));
    files
}

/// The context of `CDK_CONTEXT_JSON`, and whether whoever sent it shows the findings. The `cdk` command line adds keys
/// of its own, which all have a colon or an `@`.
fn context_from_json(text: Option<&str>) -> Result<(Context, bool), String> {
    let mut context = Context::new();
    let Some(text) = text else { return Ok((context, false)) };
    match serde_json::from_str(text) {
        Ok(Json::Object(entries)) => {
            let origins = entries.get(ORIGINS).cloned();
            for (key, value) in entries {
                if !key.contains(':') && !key.starts_with('@') {
                    let origin = origins.as_ref().and_then(|origins| origins[key.as_str()].as_str());
                    context.set(key, value, origin.unwrap_or("CDK_CONTEXT_JSON"));
                }
            }
            Ok((context, origins.is_some()))
        }
        Ok(other) => Err(format!("CDK_CONTEXT_JSON is {other}, which is no JSON object")),
        Err(error) => Err(format!("CDK_CONTEXT_JSON is not valid JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_keeps_where_its_values_were_set_and_leaves_out_what_is_not_its_own() {
        let text = r#"{"prefix": "a", "other": 1, "@aws-cdk/core:flag": true, "aws:cdk:x": [], "formwork:origins": {"prefix": "-c"}}"#;
        let (context, is_shown_by_caller) = context_from_json(Some(text)).unwrap();
        let entries: Vec<(&str, &str)> =
            context.iter().map(|(key, entry)| (key, entry.origin.as_str())).collect();
        assert_eq!(entries, [("other", "CDK_CONTEXT_JSON"), ("prefix", "-c")]);
        assert!(is_shown_by_caller);
        assert!(!context_from_json(Some("{}")).unwrap().1);
        assert!(context_from_json(Some("[1]")).unwrap_err().contains("no JSON object"));
        assert!(context_from_json(Some("{")).unwrap_err().contains("not valid JSON"));
    }
}
