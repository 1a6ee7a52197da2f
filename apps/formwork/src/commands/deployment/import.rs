//! `formwork import`: takes existing resources into a stack; without naming any it lists what could be taken in.

use std::path::Path;

use formwork_engine::apply::ApplyOptions;
use formwork_engine::journal::Journal;
use formwork_engine::plan::{self, Command, GivenIdentifier, Importable, PlanRequest};
use serde_json::Value;

use super::assembly_of;
use crate::application;
use crate::arguments::{ImportArguments, PlanOptions, StackSelection};
use crate::console::{Console, table};
use crate::deployment::approve::asking;
use crate::deployment::request::{apply_options, plan_request};
use crate::deployment::workplace::begin;
use crate::deployment::{Undertaking, Workplace};
use crate::failure::Failure;
use crate::report::{ImportReport, StackReport, to_text};
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &ImportArguments,
    settings: &Settings,
    console: &Console,
) -> Result<(), Failure> {
    let mut given: Vec<GivenIdentifier> = arguments.resources.iter().map(identifier).collect();
    if let Some(path) = &arguments.file {
        given.extend(read(path)?);
    }
    if given.is_empty() {
        return list(arguments, settings, console);
    }
    let (run, _lock) = begin(settings)?;
    let (assembly, stacks) = assembly_of(settings, console)?;
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let journal = workplace.journal_of(&run)?;
    let request = request(arguments, journal.run(), &stacks, settings)?;
    let undertaking = Undertaking { workplace: &workplace, journal: &journal, assembly: &assembly, console };
    let planned = plan::make_import(&request, &given, &assembly, &workplace.engine, &journal);
    let plan = workplace.plan(planned).inspect_err(|failure| journal.ended(failure.exit_code()))?;
    let options = ApplyOptions { parameters: request.parameters.clone(), ..apply_options(&arguments.run) };
    undertaking.go_through_with(&plan, &asking(&arguments.approval), options, None)
}

fn list(arguments: &ImportArguments, settings: &Settings, console: &Console) -> Result<(), Failure> {
    let workplace = Workplace::in_account(settings, &arguments.run.progress, console)?;
    let outcome = application::run(settings, &std::env::temp_dir())?;
    outcome.show_errors(console)?;
    let Some(assembly) = outcome.assembly() else { return Ok(()) };
    let stacks: Vec<StackReport> = outcome.stacks()?.into_iter().map(|stack| stack.report).collect();
    // Nothing is changed, so that there is nothing to write down.
    let request = request(arguments, Journal::in_memory().run(), &stacks, settings)?;
    let resources = workplace.read(plan::importable(&request, assembly, &workplace.engine))?;
    if arguments.json {
        return console.data(&to_text(&ImportReport { resources }));
    }
    if resources.is_empty() {
        console.talk("the stack has every resource of the app: nothing could be imported\n");
        return Ok(());
    }
    console.data(&text(&resources))?;
    console
        .talk(&format!("hint: name what exists: `formwork import {} LOGICAL_ID=VALUE`\n", arguments.stack));
    Ok(())
}

fn request(
    arguments: &ImportArguments,
    run: &str,
    stacks: &[StackReport],
    settings: &Settings,
) -> Result<PlanRequest, Failure> {
    let selection = StackSelection { stacks: vec![arguments.stack.clone()], all: false, exclusively: true };
    let options = PlanOptions {
        parameters: arguments.parameters.clone(),
        adopt: arguments.adopt,
        ..PlanOptions::default()
    };
    plan_request(Command::Deploy, run, &selection, stacks, &options, settings)
}

fn text(resources: &[Importable]) -> String {
    let mut rows = vec![["resource", "type", "is identified by"].map(str::to_owned).to_vec()];
    for resource in resources {
        let named = |property: &String| match resource.known.get(property) {
            Some(known) => format!("{property} ({known})"),
            None => property.clone(),
        };
        let how = match &resource.problem {
            Some(problem) => format!("- {problem}"),
            None => resource.identifier.iter().map(named).collect::<Vec<_>>().join(", "),
        };
        rows.push(vec![resource.logical_id.clone(), resource.resource_type.clone(), how]);
    }
    table(&rows)
}

/// `Logical=value` or `Logical:Property=value`.
fn identifier((name, value): &(String, String)) -> GivenIdentifier {
    let (logical_id, property) = match name.split_once(':') {
        Some((logical_id, property)) => (logical_id.to_owned(), Some(property.to_owned())),
        None => (name.clone(), None),
    };
    GivenIdentifier { logical_id, property, value: value.clone() }
}

/// The resources that a file names.
fn read(path: &Path) -> Result<Vec<GivenIdentifier>, Failure> {
    let what = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| Failure::File {
        action: "read",
        what: what.clone(),
        source,
    })?;
    let wrong = |why: String| {
        let hint = "it is [{\"LogicalResourceId\": …, \"ResourceIdentifier\": {…}}] or {\"LogicalId\": {…}}";
        Failure::Usage(format!("{what} names no resources to import: {why}\nhint: {hint}"))
    };
    let json: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let pairs: Vec<(String, Value)> = match json {
        Value::Object(members) => members.into_iter().collect(),
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, mut item)| match item["LogicalResourceId"].as_str().map(str::to_owned) {
                Some(id) => Ok((id, item["ResourceIdentifier"].take())),
                None => Err(wrong(format!("entry {} has no LogicalResourceId", index + 1))),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(wrong("it is neither a list nor an object".to_owned())),
    };
    let mut given = Vec::new();
    for (logical_id, identifier) in pairs {
        let Value::Object(values) = identifier else {
            return Err(wrong(format!("the identifier of {logical_id} is no object")));
        };
        for (property, value) in values {
            let Value::String(value) = value else {
                return Err(wrong(format!("{property} of {logical_id} is no text")));
            };
            given.push(GivenIdentifier { logical_id: logical_id.clone(), property: Some(property), value });
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_resources_in_either_form() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("resources.json");
        let wanted = GivenIdentifier {
            logical_id: "Store".to_owned(),
            property: Some("BucketName".to_owned()),
            value: "one".to_owned(),
        };
        for text in [
            r#"{"Store": {"BucketName": "one"}}"#,
            r#"[{"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "Store",
                "ResourceIdentifier": {"BucketName": "one"}}]"#,
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap(), std::slice::from_ref(&wanted));
        }
        for wrong in ["", "[{}]", "7", r#"{"Store": "one"}"#, r#"{"Store": {"BucketName": 1}}"#] {
            std::fs::write(&path, wrong).unwrap();
            assert_eq!(read(&path).unwrap_err().exit_code(), 10, "{wrong}");
        }
    }
}
