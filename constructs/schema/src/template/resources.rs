//! Resources: their attributes, their types, and their properties by the facts of the type.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html>.

use formwork_assembly::Severity;
use serde_json::Value;

use super::context::{Context, Resource, hint_for, pointer};
use super::possibility::Possibilities;
use super::sections::kind;
use crate::validate::Assumption;
use crate::{Availability, Finding};

const ATTRIBUTES: [&str; 10] = [
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
    "Version",
];

/// Attributes that only the serverless transform reads.
const SERVERLESS: [&str; 2] = ["Connectors", "IgnoreGlobals"];

pub(super) fn check(context: &mut Context<'_>) {
    for (name, body) in context.entries("Resources") {
        if !body.is_object() {
            let message = format!("the resource `{name}` is {}, where an object is wanted", kind(body));
            context.error("resource", pointer(&["Resources", name]), message);
        }
    }
    let possibilities = Possibilities::new(&context.conditions, &context.parameters, context.options.region);
    for resource in context.resources.clone().into_values() {
        let place = pointer(&["Resources", resource.name]);
        attributes(context, &place, &resource);
        if resource.body.contains_key("Fn::Transform") {
            continue;
        }
        if resource.type_name.is_empty() {
            let message = format!("the resource `{}` has no type", resource.name);
            context.error("resource", place, message).hint =
                Some("add `Type: AWS::Service::Resource`".to_owned());
            continue;
        }
        properties(context, &place, &resource, &possibilities);
    }
}

fn attributes(context: &mut Context<'_>, place: &str, resource: &Resource<'_>) {
    for (attribute, value) in resource.body {
        let place = format!("{place}{}", pointer(&[attribute]));
        let wanted = match attribute.as_str() {
            "Type" | "Condition" if !value.is_string() => "a text",
            "Properties" | "CreationPolicy" | "UpdatePolicy" if !value.is_object() => "an object",
            "DependsOn" => match value {
                Value::String(_) => continue,
                Value::Array(items) if items.iter().all(Value::is_string) => continue,
                _ => "a logical id or a list of logical ids",
            },
            "Version" if !resource.is_custom() && !context.has_unknown_macro() => {
                let message =
                    format!("`Version` belongs to custom resources, not to `{}`", resource.type_name);
                context.error("resource", place, message);
                continue;
            }
            known if ATTRIBUTES.contains(&known) => continue,
            known if SERVERLESS.contains(&known) && context.is_serverless() => continue,
            macro_call if macro_call.starts_with("Fn::") => continue,
            unknown => {
                let severity = match resource.is_serverless() {
                    _ if context.has_unknown_macro() => Severity::Note,
                    true => Severity::Warning,
                    false => Severity::Error,
                };
                let message =
                    format!("the resource `{}` has the unknown attribute `{unknown}`", resource.name);
                let hint = match resource.facts.and_then(|facts| facts.property(unknown)) {
                    Some(_) => Some(format!("move `{unknown}` into `Properties`")),
                    None => hint_for(unknown, ATTRIBUTES.into_iter()),
                };
                context.report(severity, "unknown-attribute", place, message).hint = hint;
                continue;
            }
        };
        let message =
            format!("`{attribute}` of `{}` is {}, where {wanted} is wanted", resource.name, kind(value));
        context.error("resource", place, message);
    }
}

fn properties(
    context: &mut Context<'_>,
    place: &str,
    resource: &Resource<'_>,
    possibilities: &Possibilities<'_>,
) {
    if resource.is_serverless() {
        if !context.is_serverless() && !context.has_unknown_macro() {
            let message = format!("`{}` needs the serverless transform", resource.type_name);
            context.error("unknown-type", format!("{place}/Type"), message).hint =
                Some("add `Transform: AWS::Serverless-2016-10-31`".to_owned());
        }
        return;
    }
    let facts = match crate::type_for(resource.type_name) {
        Ok(facts) => facts,
        Err(finding) => {
            let severity = match finding.severity {
                Severity::Error if context.has_unknown_macro() => Severity::Note,
                severity => severity,
            };
            context.extend([Finding { severity, pointer: format!("{place}/Type"), ..finding }]);
            return;
        }
    };
    if let Some(region) = context.options.region
        && !resource.is_custom()
        && facts.available_in(region) == Availability::No
        && resource.condition.is_none_or(|condition| possibilities.possible(&[(condition, true)]))
    {
        let message = format!("`{}` does not exist in {region}", resource.type_name);
        context.error("unavailable-type", format!("{place}/Type"), message).hint =
            Some(elsewhere(facts, region));
    }
    let empty = Value::Object(serde_json::Map::new());
    let properties = resource.properties().unwrap_or(&empty);
    if !properties.is_object() || properties.get("Fn::Transform").is_some() {
        return;
    }
    let possible = |assumptions: &[Assumption<'_>]| possibilities.possible(assumptions);
    let surroundings = crate::Context {
        region: context.options.region,
        condition: resource.condition,
        possible: Some(&possible),
    };
    let findings = crate::check_resource(facts, properties, &surroundings);
    let place = format!("{place}/Properties");
    context.extend(findings.into_iter().map(|finding| {
        let pointer = format!("{place}{}", finding.pointer);
        Finding { pointer, ..finding }
    }));
}

/// Regions that have the type, near ones first.
fn elsewhere(facts: &crate::ResourceType, region: &str) -> String {
    let mut regions = facts.regions();
    let area = region.split('-').next().unwrap_or_default();
    regions.sort_by_key(|name| (!name.starts_with(area), *name));
    regions.truncate(4);
    format!("choose a region that has it, such as {}", super::context::listing(regions))
}
