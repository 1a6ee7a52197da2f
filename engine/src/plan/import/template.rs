//! The template of an import: what is deployed, and the resources that are taken in with whatever they need.

use std::collections::BTreeSet;

use formwork_assembly::references::references;
use serde_json::{Map, Value, json};

use crate::error::EngineError;
use crate::plan::limits::refuse;

/// The sections whose entries come along when they are needed.
const NEEDED: [&str; 3] = ["Parameters", "Conditions", "Mappings"];
/// What else a new stack takes from the app's template.
const HEAD: [&str; 3] = ["AWSTemplateFormatVersion", "Description", "Transform"];

/// Makes the template; `ids` are resources of `app` that `deployed` has not.
///
/// # Errors
/// When a resource refers to another that is neither deployed nor taken in.
pub(super) fn import_template(
    deployed: Option<&Value>,
    app: &Value,
    ids: &[&str],
) -> Result<Value, EngineError> {
    let mut template = match deployed {
        Some(deployed) => deployed.clone(),
        None => {
            let head = HEAD.iter().filter_map(|name| Some(((*name).to_owned(), app.get(name)?.clone())));
            Value::Object(head.collect())
        }
    };
    for id in ids {
        let body = app["Resources"][*id].clone();
        entries(&mut template, "Resources").insert((*id).to_owned(), body);
    }
    let all = references(app);
    let mut todo: Vec<(&str, &str)> = ids.iter().map(|id| ("Resources", *id)).collect();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    while let Some((section, owner)) = todo.pop() {
        if !seen.insert((section, owner)) {
            continue;
        }
        for reference in all.list.iter().filter(|found| found.section == section && found.owner == owner) {
            let target = reference.target;
            for name in NEEDED {
                let Some(body) = app.get(name).and_then(|section| section.get(target)) else { continue };
                let content = entries(&mut template, name);
                // What is deployed under this name stays as it is: an import must not change it.
                if !content.contains_key(target) {
                    content.insert(target.to_owned(), body.clone());
                    todo.push((name, target));
                }
            }
            let is_resource = app["Resources"].get(target).is_some();
            if is_resource && template["Resources"].get(target).is_none() {
                problems
                    .push(format!("{owner} refers to {target}, which is neither in the stack nor imported"));
            }
        }
    }
    problems.sort();
    problems.dedup();
    refuse(&problems, "problems")
        .map_err(|refused| refused.with_hint("import what is referred to as well, or deploy it first"))?;
    Ok(template)
}

fn entries<'t>(template: &'t mut Value, section: &str) -> &'t mut Map<String, Value> {
    let content = &mut template[section];
    if !content.is_object() {
        *content = json!({});
    }
    match content {
        Value::Object(entries) => entries,
        _ => unreachable!("it was just made an object"),
    }
}
