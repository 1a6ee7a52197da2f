//! The sections of a template: which there are, and the shape of each.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>.

use formwork_assembly::Severity;
use formwork_assembly::limits::DESCRIPTION_BYTES;
use serde_json::Value;

use super::context::{Context, hint_for, pointer};

const SECTIONS: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
];

/// The sections whose members are entries with names.
const OBJECTS: [&str; 8] =
    ["Conditions", "Globals", "Hooks", "Mappings", "Metadata", "Outputs", "Parameters", "Rules"];

pub(super) fn check(context: &mut Context<'_>) {
    let sections = context.sections;
    for (name, content) in sections {
        let place = pointer(&[name]);
        match name.as_str() {
            "AWSTemplateFormatVersion" => format_version(context, place, content),
            "Description" => description(context, place, content),
            "Transform" => transform(context, &place, content),
            "Globals" if !context.is_serverless() && !context.has_unknown_macro() => {
                context
                    .error("unknown-section", place, "the section `Globals` needs the serverless transform")
                    .hint =
                    Some("add `Transform: AWS::Serverless-2016-10-31`, or remove the section".to_owned());
            }
            "Resources" => {}
            known if OBJECTS.contains(&known) => {
                if !content.is_object() {
                    let message = format!("`{known}` is {}, where an object is wanted", kind(content));
                    context.error("template-shape", place, message);
                }
            }
            _ if name.starts_with("Fn::Transform") => {}
            unknown => {
                let severity = if context.has_unknown_macro() { Severity::Note } else { Severity::Error };
                let hint = hint_for(unknown, SECTIONS.into_iter().chain(["Transform"]));
                context
                    .report(severity, "unknown-section", place, format!("unknown section `{unknown}`"))
                    .hint = hint;
            }
        }
    }
    resources(context);
    loops(context);
}

/// A loop among the entries of a section works through its transform only.
fn loops(context: &mut Context<'_>) {
    if context.has_language_extensions() {
        return;
    }
    for section in ["Conditions", "Outputs", "Resources"] {
        let entries = context.sections.get(section).and_then(Value::as_object).into_iter().flatten();
        for (name, _) in entries.filter(|(name, _)| name.starts_with("Fn::ForEach")) {
            let message = "`Fn::ForEach` needs the transform `AWS::LanguageExtensions`";
            context.error("function-not-allowed", pointer(&[section, name]), message).hint =
                Some("add `Transform: AWS::LanguageExtensions`".to_owned());
        }
    }
}

fn resources(context: &mut Context<'_>) {
    match context.sections.get("Resources") {
        _ if context.has_unknown_macro() => {}
        None => {
            context.error("template-shape", "", "the section `Resources` is missing");
        }
        Some(Value::Object(resources)) if resources.is_empty() => {
            // "At least one Resources member must be defined": the answer of ValidateTemplate.
            context.error(
                "template-shape",
                "/Resources",
                "`Resources` is empty, where one resource at least is wanted",
            );
        }
        Some(Value::Object(_)) => {}
        Some(other) => {
            let message = format!("`Resources` is {}, where an object is wanted", kind(other));
            context.error("template-shape", "/Resources", message);
        }
    }
}

fn format_version(context: &mut Context<'_>, place: String, content: &Value) {
    if content.as_str() != Some("2010-09-09") {
        let message = format!("the template format version is {content}, where only \"2010-09-09\" is known");
        context.error("template-format-version", place, message);
    }
}

fn description(context: &mut Context<'_>, place: String, content: &Value) {
    match content.as_str() {
        None => {
            let message = format!("the description is {}, where a text is wanted", kind(content));
            context.error("template-shape", place, message);
        }
        Some(text) if text.len() > DESCRIPTION_BYTES => {
            let message = format!("the description has {} bytes, more than {DESCRIPTION_BYTES}", text.len());
            context.error("limit", place, message);
        }
        Some(_) => {}
    }
}

fn transform(context: &mut Context<'_>, place: &str, content: &Value) {
    match content {
        Value::String(_) => {}
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if !item.is_array() {
                    transform(context, &format!("{place}/{index}"), item);
                }
            }
        }
        Value::Object(members) if members.get("Name").is_some_and(Value::is_string) => {}
        other => {
            let message =
                format!("a transform is {}, where a name or an object with `Name` is wanted", kind(other));
            context.error("template-shape", place, message);
        }
    }
}

/// What a value is, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Whether a value is a scalar, which CloudFormation reads as text.
pub(super) fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

/// A scalar as the text that CloudFormation makes of it.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}
