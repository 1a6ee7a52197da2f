//! Outputs: what each must have, and the names under which they are exported.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>.

use formwork_assembly::limits::OUTPUT_DESCRIPTION_BYTES;
use formwork_assembly::references::only_member;
use serde_json::Value;

use super::context::{Context, hint_for, pointer};
use super::sections::kind;

const ATTRIBUTES: [&str; 4] = ["Condition", "Description", "Export", "Value"];

pub(super) fn check(context: &mut Context<'_>) {
    for (name, output) in context.entries("Outputs") {
        let place = pointer(&["Outputs", name]);
        let Some(output) = output.as_object() else {
            let message = format!("the output `{name}` is {}, where an object is wanted", kind(output));
            context.error("output", place, message);
            continue;
        };
        for attribute in output.keys().filter(|attribute| !attribute.starts_with("Fn::")) {
            if !ATTRIBUTES.contains(&attribute.as_str()) {
                let place = format!("{place}{}", pointer(&[attribute]));
                let message = format!("the output `{name}` has the unknown attribute `{attribute}`");
                context.error("output", place, message).hint = hint_for(attribute, ATTRIBUTES.into_iter());
            }
        }
        match output.get("Value") {
            None if output.contains_key("Fn::Transform") => {}
            None => {
                context.error("output", place.clone(), format!("the output `{name}` has no `Value`"));
            }
            Some(value) => output_value(context, format!("{place}/Value"), name, value),
        }
        match output.get("Description") {
            Some(Value::String(text)) if text.len() > OUTPUT_DESCRIPTION_BYTES => {
                let message =
                    format!("the description has {} bytes, more than {OUTPUT_DESCRIPTION_BYTES}", text.len());
                context.error("limit", format!("{place}/Description"), message);
            }
            Some(Value::String(_)) | None => {}
            Some(other) => {
                let message = format!("the description is {}, where a text is wanted", kind(other));
                context.error("output", format!("{place}/Description"), message);
            }
        }
        if let Some(condition) = output.get("Condition").filter(|condition| !condition.is_string()) {
            let message =
                format!("`Condition` is {}, where the name of a condition is wanted", kind(condition));
            context.error("output", format!("{place}/Condition"), message);
        }
        if let Some(export) = output.get("Export") {
            export_name(context, &place, name, export);
        }
    }
}

fn output_value(context: &mut Context<'_>, place: String, name: &str, value: &Value) {
    let is_function = only_member(value).is_some_and(|(key, _)| key == "Ref" || key.starts_with("Fn::"));
    if matches!(value, Value::Array(_) | Value::Null) || (value.is_object() && !is_function) {
        let message = format!("the value of the output `{name}` is {}, where a text is wanted", kind(value));
        context.error("output", place, message).hint = match value {
            Value::Array(_) => Some("join the list with `Fn::Join`".to_owned()),
            _ => None,
        };
    } else if let Some(what) = gives_list(context, value) {
        context.error("output", place, format!("{what} gives a list, where an output wants a text")).hint =
            Some("join the list with `Fn::Join`".to_owned());
    }
}

/// Describes a function that gives a list.
fn gives_list(context: &Context<'_>, value: &Value) -> Option<String> {
    match only_member(value)? {
        ("Ref", Value::String(target)) => {
            let type_name = context.parameters.get(target.as_str())?.get("Type")?.as_str()?;
            super::parameters::is_list(type_name)
                .then(|| format!("the parameter `{target}` of type `{type_name}`"))
        }
        ("Fn::GetAtt", argument) => {
            let (target, attribute) = super::kinds::target_of(argument)?;
            let resource = context.resources.get(target)?;
            let known = resource.facts.filter(|_| !resource.is_custom())?.attribute(attribute)?;
            (known.kind == crate::JsonType::Array)
                .then(|| format!("the attribute `{attribute}` of `{target}`"))
        }
        (name @ ("Fn::Split" | "Fn::GetAZs" | "Fn::Cidr"), _) => Some(format!("`{name}`")),
        _ => None,
    }
}

fn export_name(context: &mut Context<'_>, place: &str, name: &str, export: &Value) {
    let place = format!("{place}/Export");
    let Some(members) = export.as_object() else {
        let message = format!(
            "`Export` of the output `{name}` is {}, where an object with `Name` is wanted",
            kind(export)
        );
        context.error("output", place, message);
        return;
    };
    for attribute in members.keys().filter(|attribute| *attribute != "Name" && !attribute.starts_with("Fn::"))
    {
        let message = format!("`Export` has the unknown attribute `{attribute}`");
        context.error("output", format!("{place}{}", pointer(&[attribute])), message).hint =
            Some("an export has only a `Name`".to_owned());
    }
    match members.get("Name") {
        None => {
            context.error("output", place, format!("`Export` of the output `{name}` has no `Name`"));
        }
        Some(Value::Array(_) | Value::Null) => {
            context.error("output", format!("{place}/Name"), "the name of an export must be a text");
        }
        Some(_) => {}
    }
}
