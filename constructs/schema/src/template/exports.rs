//! Names of exports that are there twice: inside a template, and across the templates that go to one account and region.

use std::collections::BTreeMap;

use formwork_assembly::Severity;
use formwork_assembly::limits::EXPORT_NAME;
use serde_json::Value;

use super::context::{Context, pointer};
use super::finding;
use crate::Finding;

pub(super) fn check(context: &mut Context<'_>) {
    let mut seen: BTreeMap<String, (&str, Option<&str>)> = BTreeMap::new();
    for (output, name, condition) in exports(context.sections.get("Outputs")) {
        let place = pointer(&["Outputs", output, "Export", "Name"]);
        if let Some(text) = name.as_str().filter(|text| text.chars().count() > EXPORT_NAME) {
            let message =
                format!("the export name has {} characters, more than {EXPORT_NAME}", text.chars().count());
            context.error("limit", place.clone(), message);
        }
        match seen.get(&name.to_string()) {
            // Two outputs under different conditions may never meet.
            Some((first, first_condition))
                if first_condition == &condition || condition.is_none() || first_condition.is_none() =>
            {
                let message = format!("the export name {} is taken by the output `{first}`", shown(name));
                context.error("duplicate-export", place, message).hint =
                    Some("names of exports are unique in an account and region: rename one".to_owned());
            }
            Some(_) => {}
            None => {
                seen.insert(name.to_string(), (output, condition));
            }
        }
    }
}

/// Finds literal names of exports that several templates use, each with the template that uses it second.
///
/// The templates are those that go to one account and region; names that a function computes are compared only inside
/// their own template, because they may depend on it.
pub fn duplicate_exports<'t>(
    templates: impl IntoIterator<Item = (&'t str, &'t Value)>,
) -> Vec<(&'t str, Finding)> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for (template, content) in templates {
        for (output, name, _) in exports(content.get("Outputs")) {
            let Some(name) = name.as_str() else { continue };
            let first = *seen.entry(name).or_insert(template);
            if first != template {
                let place = pointer(&["Outputs", output, "Export", "Name"]);
                let message = format!("the export name `{name}` is taken by `{first}`");
                let mut finding = finding(Severity::Error, "duplicate-export", place, message);
                finding.hint =
                    Some("names of exports are unique in an account and region: rename one".to_owned());
                findings.push((template, finding));
            }
        }
    }
    findings
}

fn exports(outputs: Option<&Value>) -> impl Iterator<Item = (&str, &Value, Option<&str>)> {
    outputs.and_then(Value::as_object).into_iter().flatten().filter_map(|(output, body)| {
        let name = body.get("Export")?.get("Name")?;
        Some((output.as_str(), name, body.get("Condition").and_then(Value::as_str)))
    })
}

fn shown(name: &Value) -> String {
    name.as_str().map_or_else(|| format!("`{name}`"), |text| format!("`{text}`"))
}
