//! Whether what a reference names is there: resources, parameters, attributes, conditions, mappings and their keys.

use formwork_assembly::{Reference, ReferenceKind, Severity};
use serde_json::Value;

use super::context::{Context, Resource, hint_for, listing};

const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

pub(super) fn check(context: &mut Context<'_>) {
    for reference in context.references.list.clone() {
        match reference.kind {
            ReferenceKind::Ref => name(context, &reference),
            ReferenceKind::Sub if reference.attribute.is_none() => name(context, &reference),
            ReferenceKind::GetAtt | ReferenceKind::Sub => attribute(context, &reference),
            ReferenceKind::DependsOn => depends_on(context, &reference),
            ReferenceKind::Condition | ReferenceKind::If => condition(context, &reference),
            ReferenceKind::FindInMap { top, second, default } => {
                mapping(context, &reference, top, second, default);
            }
            ReferenceKind::ValueOf => parameter(context, &reference),
            ReferenceKind::ImportValue | ReferenceKind::GetStackOutput => {}
        }
    }
}

/// Reports a name that is not there: an error, unless a macro may bring it.
fn missing(
    context: &mut Context<'_>,
    rule: &'static str,
    reference: &Reference<'_>,
    message: String,
    hint: Option<String>,
) {
    let severity = if context.has_unknown_macro() { Severity::Note } else { Severity::Error };
    context.report(severity, rule, &reference.pointer, message).hint = hint;
}

fn name(context: &mut Context<'_>, reference: &Reference<'_>) {
    let target = reference.target;
    if reference.is_pseudo_parameter() {
        if !PSEUDO_PARAMETERS.contains(&target) {
            let message = format!("unknown pseudo parameter `{target}`");
            let hint = hint_for(target, PSEUDO_PARAMETERS.into_iter());
            context.error("unknown-reference", &reference.pointer, message).hint = hint;
        }
        return;
    }
    if context.parameters.contains_key(target) {
        return;
    }
    let only_parameters = matches!(reference.section, "Conditions" | "Rules");
    if context.resources.contains_key(target) {
        if let Some(place) = parameters_only(reference) {
            let message = format!("`{target}` is a resource, and {place} may refer to parameters only");
            context.error("reference-not-allowed", &reference.pointer, message);
        }
        return;
    }
    if context.may_be_made_by_resource(target) {
        return;
    }
    if reference.kind == ReferenceKind::Sub && !is_name(target) {
        let message = format!("`${{{target}}}` is no name that `Fn::Sub` can substitute");
        let hint = format!("write `${{!{target}}}` if the text itself is meant");
        context.error("unknown-reference", &reference.pointer, message).hint = Some(hint);
        return;
    }
    let message = format!("`{target}` is no resource or parameter of this template");
    let parameters = context.parameters.keys().copied();
    let hint = if only_parameters {
        hint_for(target, parameters)
    } else {
        closest(target, parameters.chain(context.resources.keys().copied()))
    };
    let hint = hint.or_else(|| {
        let text = format!("write `${{!{target}}}` if the text itself is meant");
        (reference.kind == ReferenceKind::Sub).then_some(text)
    });
    missing(context, "unknown-reference", reference, message, hint);
}

/// The place of a reference in words where it may name parameters only.
fn parameters_only(reference: &Reference<'_>) -> Option<&'static str> {
    match reference.section {
        "Conditions" | "Rules" => Some("a condition or rule"),
        "Outputs" if reference.pointer.split('/').nth(3) == Some("Export") => Some("the name of an export"),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte))
}

fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    crate::spelling::closest(name, known).map(|closest| format!("did you mean `{closest}`?"))
}

fn attribute(context: &mut Context<'_>, reference: &Reference<'_>) {
    let target = reference.target;
    let Some(resource) = context.resources.get(target).copied() else {
        if context.may_be_made_by_resource(target) {
            return;
        }
        let (message, hint) = if context.parameters.contains_key(target) {
            let message = format!("`{target}` is a parameter, and parameters have no attributes");
            (message, Some(format!("use `Ref` of `{target}`")))
        } else {
            let message = format!("`{target}` is no resource of this template");
            (message, closest(target, context.resources.keys().copied()))
        };
        missing(context, "unknown-reference", reference, message, hint);
        return;
    };
    if let Some(place) = parameters_only(reference) {
        let message = format!("`{target}` is a resource, and {place} may refer to parameters only");
        context.error("reference-not-allowed", &reference.pointer, message);
        return;
    }
    if let Some(attribute) = reference.attribute {
        known_attribute(context, reference, &resource, attribute);
    }
}

fn known_attribute(
    context: &mut Context<'_>,
    reference: &Reference<'_>,
    resource: &Resource<'_>,
    attribute: &str,
) {
    // What a custom resource returns is up to its handler; what the others return, nobody here knows.
    if resource.is_custom() || resource.is_module() || resource.is_serverless() {
        return;
    }
    let Some(facts) = resource.facts else { return };
    if facts.attribute(attribute).is_some() {
        return;
    }
    let names: Vec<&str> = facts.attributes().keys().map(String::as_str).collect();
    let type_name = resource.type_name;
    let message = format!("`{}` of type `{type_name}` has no attribute `{attribute}`", resource.name);
    let hint = match crate::spelling::closest(attribute, names.iter().copied()) {
        Some(closest) => format!("did you mean `{closest}`?"),
        None if facts.ref_value().properties.iter().any(|property| property == attribute) => {
            format!("use `Ref`, which gives the `{attribute}`")
        }
        None if names.is_empty() => "the type has no attributes: use `Ref`".to_owned(),
        None => format!("the type has {}", listing(names)),
    };
    context.error("unknown-attribute", &reference.pointer, message).hint = Some(hint);
}

fn depends_on(context: &mut Context<'_>, reference: &Reference<'_>) {
    let target = reference.target;
    if context.resources.contains_key(target) || context.may_be_made_by_resource(target) {
        return;
    }
    let message = if context.parameters.contains_key(target) {
        format!("`DependsOn` names `{target}`, which is a parameter")
    } else {
        format!("`DependsOn` names `{target}`, which is no resource of this template")
    };
    let hint = closest(target, context.resources.keys().copied());
    missing(context, "unknown-dependency", reference, message, hint);
}

fn condition(context: &mut Context<'_>, reference: &Reference<'_>) {
    if context.conditions.contains_key(reference.target) {
        return;
    }
    let message = format!("the condition `{}` is not defined", reference.target);
    let hint = hint_for(reference.target, context.conditions.keys().copied());
    missing(context, "unknown-condition", reference, message, hint);
}

fn parameter(context: &mut Context<'_>, reference: &Reference<'_>) {
    if context.parameters.contains_key(reference.target) {
        return;
    }
    let message = format!("`{}` is no parameter of this template", reference.target);
    let hint = hint_for(reference.target, context.parameters.keys().copied());
    missing(context, "unknown-reference", reference, message, hint);
}

fn mapping(
    context: &mut Context<'_>,
    reference: &Reference<'_>,
    top: Option<&str>,
    second: Option<&str>,
    default: bool,
) {
    let name = reference.target;
    let mappings = context.sections.get("Mappings").and_then(Value::as_object);
    let includes = mappings.is_some_and(|mappings| mappings.keys().any(|name| name.starts_with("Fn::")));
    if includes || default {
        return;
    }
    let Some(mapping) = mappings.and_then(|mappings| mappings.get(name)).and_then(Value::as_object) else {
        let names = mappings.into_iter().flatten().map(|(name, _)| name.as_str());
        let hint = hint_for(name, names);
        missing(context, "unknown-mapping", reference, format!("the mapping `{name}` is not defined"), hint);
        return;
    };
    if mapping.keys().any(|name| name.starts_with("Fn::")) {
        return;
    }
    let second_level = |key: &str| mapping.get(key).and_then(Value::as_object);
    match (top, second) {
        (Some(top), second) => {
            let Some(values) = second_level(top) else {
                let message = format!("the mapping `{name}` has no key `{top}`");
                let hint = hint_for(top, mapping.keys().map(String::as_str));
                missing(context, "unknown-mapping-key", reference, message, hint);
                return;
            };
            if let Some(second) = second.filter(|second| !values.contains_key(*second)) {
                let message = format!("`{top}` of the mapping `{name}` has no `{second}`");
                let hint = hint_for(second, values.keys().map(String::as_str));
                missing(context, "unknown-mapping-key", reference, message, hint);
            }
        }
        // The first key is known at deployment only: whatever it is, the second one cannot be found when no key has it
        // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-findinmap.html>).
        (None, Some(second)) => {
            let mut keys = mapping.values().filter_map(Value::as_object);
            if !mapping.is_empty() && !keys.any(|values| values.contains_key(second)) {
                let message = format!("no key of the mapping `{name}` has `{second}`");
                let known =
                    mapping.values().filter_map(Value::as_object).flatten().map(|(name, _)| name.as_str());
                let hint =
                    crate::spelling::closest(second, known).map(|name| format!("did you mean `{name}`?"));
                missing(context, "unknown-mapping-key", reference, message, hint);
            }
        }
        (None, None) => {}
    }
}
