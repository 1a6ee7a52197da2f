//! What `ValidateTemplate` and `CreateChangeSet` refuse at once: shape, limits, unknown types, dangling names.
//!
//! The texts are CloudFormation's. Values of properties are not judged: CloudFormation leaves that to the resources.

use std::collections::BTreeSet;

use formwork_assembly::{ReferenceKind, limits, references as find_references};
use serde_json::Value;

use super::Template;
use crate::api::ApiError;

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

const ATTRIBUTES: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

fn format_error(message: impl AsRef<str>) -> ApiError {
    ApiError::validation(format!("Template format error: {}", message.as_ref()))
}

pub(super) fn shape(template: &Template) -> Result<(), ApiError> {
    if let Some(sections) = template.value.as_object() {
        let unknown: Vec<&str> =
            sections.keys().map(String::as_str).filter(|name| !SECTIONS.contains(name)).collect();
        if !unknown.is_empty() {
            return Err(ApiError::validation(format!(
                "Invalid template property or properties [{}]",
                unknown.join(", ")
            )));
        }
    }
    if template.resources().next().is_none() {
        return Err(format_error("At least one Resources member must be defined."));
    }
    for (name, count, limit) in [
        ("resources", template.resources().count(), limits::RESOURCES),
        ("parameters", template.parameters().count(), limits::PARAMETERS),
        ("outputs", template.outputs().count(), limits::OUTPUTS),
        ("mappings", template.entries("Mappings").count(), limits::MAPPINGS),
    ] {
        if count > limit {
            return Err(format_error(format!(
                "Number of {name}, {count}, is greater than maximum allowed, {limit}"
            )));
        }
    }
    let mut unknown_types = BTreeSet::new();
    for (id, resource) in template.resources() {
        check_resource(id, resource, &mut unknown_types)?;
    }
    if !unknown_types.is_empty() {
        let names: Vec<&str> = unknown_types.into_iter().collect();
        return Err(format_error(format!("Unrecognized resource types: [{}]", names.join(", "))));
    }
    for (name, parameter) in template.parameters() {
        if parameter.get("Type").and_then(Value::as_str).is_none() {
            return Err(format_error("Every Parameters object must contain a Type member."));
        }
        if name.len() > limits::PARAMETER_NAME || !is_alphanumeric(name) {
            return Err(format_error(format!("Parameter name {name} is non alphanumeric.")));
        }
    }
    for (name, output) in template.outputs() {
        if output.get("Value").is_none() {
            return Err(format_error(format!(
                "Output {name} is malformed. Every Outputs member must contain a Value object"
            )));
        }
        if !is_alphanumeric(name) {
            return Err(format_error(format!("Output name {name} is non alphanumeric.")));
        }
    }
    Ok(())
}

fn check_resource<'t>(
    id: &str,
    resource: &'t Value,
    unknown_types: &mut BTreeSet<&'t str>,
) -> Result<(), ApiError> {
    if id.len() > limits::RESOURCE_NAME || !is_alphanumeric(id) {
        return Err(format_error(format!("Resource name {id} is non alphanumeric.")));
    }
    let Some(members) = resource.as_object() else {
        return Err(format_error(format!("[/Resources/{id}] resource definition is malformed")));
    };
    let Some(kind) = members.get("Type").and_then(Value::as_str) else {
        return Err(format_error(format!(
            "[/Resources/{id}] Every Resources object must contain a Type member."
        )));
    };
    if let Some(name) = members.keys().find(|name| !ATTRIBUTES.contains(&name.as_str())) {
        return Err(ApiError::validation(format!("Invalid template resource property '{name}'")));
    }
    if formwork_schema::type_for(kind).is_err() {
        unknown_types.insert(kind);
    }
    Ok(())
}

fn is_alphanumeric(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub(super) fn references(template: &Template) -> Result<(), ApiError> {
    let mut dangling: BTreeSet<(&str, &str)> = BTreeSet::new();
    let found = find_references(&template.value);
    if found.macros.may_add_entries() {
        let names = template.transforms().join(", ");
        return Err(ApiError::validation(format!(
            "Transforms are not supported by this simulator: [{names}]"
        )));
    }
    for reference in &found.list {
        let target = reference.target;
        let resource = template.resource(target);
        match reference.kind {
            _ if reference.is_pseudo_parameter() => {}
            ReferenceKind::Ref | ReferenceKind::Sub if reference.attribute.is_none() => {
                let known = resource.is_some() || template.has_parameter(target);
                dangling.extend((!known).then_some((reference.section, target)));
            }
            ReferenceKind::DependsOn if resource.is_none() => {
                dangling.insert((reference.section, target));
            }
            ReferenceKind::GetAtt | ReferenceKind::Sub => {
                if resource.is_none() {
                    return Err(ApiError::validation(format!(
                        "Template error: instance of Fn::GetAtt references undefined resource {target}"
                    )));
                }
                if let Some(attribute) = reference.attribute {
                    check_attribute(template, target, attribute)?;
                }
            }
            ReferenceKind::Condition | ReferenceKind::If
                if !template.conditions().any(|(name, _)| name == target) =>
            {
                return Err(format_error(format!(
                    "Unresolved condition dependency {target} in the {} block of the template",
                    reference.section
                )));
            }
            ReferenceKind::FindInMap { top, second, default } => {
                check_mapping(template, target, top, second, default)?;
            }
            _ => {}
        }
    }
    let Some((section, _)) = dangling.iter().next().copied() else { return Ok(()) };
    let names: Vec<&str> = dangling.iter().filter(|(it, _)| *it == section).map(|(_, name)| *name).collect();
    Err(format_error(format!(
        "Unresolved resource dependencies [{}] in the {section} block of the template",
        names.join(", ")
    )))
}

fn check_attribute(template: &Template, id: &str, attribute: &str) -> Result<(), ApiError> {
    let kind = template.resource_type(id);
    let open = kind.starts_with("Custom::")
        || kind == "AWS::CloudFormation::CustomResource"
        || kind == "AWS::CloudFormation::Stack";
    let known = formwork_schema::resource_type(kind).is_none_or(|it| it.attribute(attribute).is_some());
    if open || known {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Template error: resource {id} does not support attribute type {attribute} in Fn::GetAtt"
    )))
}

fn check_mapping(
    template: &Template,
    name: &str,
    top: Option<&str>,
    second: Option<&str>,
    has_default: bool,
) -> Result<(), ApiError> {
    let missing = |what: String| Err(ApiError::validation(format!("Template error: {what}")));
    let Some(mapping) = template.section("Mappings").and_then(|mappings| mappings.get(name)) else {
        return missing(format!(
            "Mapping named '{name}' is not present in the 'Mappings' section of template."
        ));
    };
    let (Some(top), Some(second)) = (top, second) else { return Ok(()) };
    if !has_default && mapping.get(top).and_then(|entry| entry.get(second)).is_none() {
        return missing(format!("Unable to get mapping for {name}::{top}::{second}"));
    }
    Ok(())
}
