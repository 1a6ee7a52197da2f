//! Whether a reference gives what its place wants: an ARN or a name, a list or a single value.
//!
//! The formats of values on both sides decide, and where a place has none, whether it takes ARNs only. What `Ref` returns
//! stands on the page of each type, such as
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>.

use formwork_assembly::references::only_member;
use serde_json::Value;

use super::context::{Context, Resource, listing, pointer};
use super::parameters;
use crate::{JsonType, ReferenceSite, ResourceType};

/// Types of which nobody here knows what their attributes are.
const OPEN: [&str; 4] = [
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudFormation::Stack",
    "AWS::Serverless::Application",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
];

pub(super) fn check(context: &mut Context<'_>) {
    for resource in context.resources.clone().into_values() {
        let (Some(facts), Some(properties)) = (resource.facts, resource.properties()) else { continue };
        let place = pointer(&["Resources", resource.name, "Properties"]);
        for site in crate::reference_sites(facts, properties) {
            let place = format!("{place}{}", site.pointer);
            match only_member(site.value) {
                Some(("Ref", Value::String(target))) => reference(context, &place, &site, target),
                Some(("Fn::GetAtt", argument)) => {
                    if let Some((target, attribute)) = target_of(argument) {
                        get_att(context, &place, &site, target, attribute);
                    }
                }
                _ => {}
            }
        }
    }
}

pub(super) fn target_of(argument: &Value) -> Option<(&str, &str)> {
    match argument {
        Value::String(dotted) => dotted.split_once('.'),
        Value::Array(items) => match items.as_slice() {
            [target, attribute] => Some((target.as_str()?, attribute.as_str()?)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a place takes single values, and whether it takes lists.
fn takes(site: &ReferenceSite<'_>) -> Option<(bool, bool)> {
    let types = &site.types;
    let scalar = |kind: &JsonType| !matches!(kind, JsonType::Array | JsonType::Object | JsonType::Null);
    (!types.is_empty()).then(|| (types.iter().any(scalar), types.contains(&JsonType::Array)))
}

fn reference(context: &mut Context<'_>, place: &str, site: &ReferenceSite<'_>, target: &str) {
    let (gives_list, what) = if let Some(parameter) = context.parameters.get(target) {
        let Some(type_name) = parameter.get("Type").and_then(Value::as_str) else { return };
        (parameters::is_list(type_name), format!("the parameter `{target}` of type `{type_name}`"))
    } else if target == "AWS::NoValue" {
        return;
    } else if target.starts_with("AWS::") {
        (target == "AWS::NotificationARNs", format!("`{target}`"))
    } else if context.resources.contains_key(target) {
        (false, format!("`Ref` of the resource `{target}`"))
    } else {
        return;
    };
    if wrong_count(context, place, site, gives_list, &what) {
        return;
    }
    let Some(resource) = context.resources.get(target).copied() else { return };
    let Some(facts) = resource.facts.filter(|_| !resource.is_custom() && !resource.is_module()) else {
        return;
    };
    let gives = reference_format(&resource, facts);
    let from: Vec<&str> = facts.ref_value().properties.iter().map(String::as_str).collect();
    if let [property] = from.as_slice()
        && wants_arn(site)
        && is_no_arn(property)
    {
        let type_name = resource.type_name;
        let message =
            format!("`Ref` of `{target}` ({type_name}) gives its `{property}`, where an ARN is wanted");
        let arn = facts.attributes().keys().find(|name| name.ends_with("Arn"));
        context.error("reference-kind", place, message).hint =
            arn.map(|name| format!("use `Fn::GetAtt: [{target}, {name}]`"));
        return;
    }
    if fits(site, &resource, gives, &from) {
        return;
    }
    let wanted = listing(site.formats.iter().copied());
    let name = match (gives, from.as_slice()) {
        (Some(format), _) => format!("`{format}`"),
        (None, [property]) => format!("its `{property}`"),
        _ => "something else".to_owned(),
    };
    let message =
        format!("`Ref` of `{target}` ({}) gives {name}, where {wanted} is wanted", resource.type_name);
    context.error("reference-kind", place, message).hint = better_attribute(site, facts, target);
}

fn get_att(context: &mut Context<'_>, place: &str, site: &ReferenceSite<'_>, target: &str, attribute: &str) {
    let Some(resource) = context.resources.get(target).copied() else { return };
    if resource.is_custom() || OPEN.contains(&resource.type_name) {
        return;
    }
    let Some(facts) = resource.facts else { return };
    let Some(known) = facts.attribute(attribute) else { return };
    if known.kind != JsonType::Object {
        let what = format!("the attribute `{attribute}` of `{target}` ({})", resource.type_name);
        if wrong_count(context, place, site, known.kind == JsonType::Array, &what) {
            return;
        }
    }
    // A parameter of Systems Manager holds any kind of text.
    let anything = resource.type_name == "AWS::SSM::Parameter" && attribute == "Value";
    if !anything && wants_arn(site) && is_no_arn(attribute) {
        let type_name = resource.type_name;
        let message =
            format!("the attribute `{attribute}` of `{target}` ({type_name}) stands where an ARN is wanted");
        let arn = facts.attributes().keys().find(|name| name.ends_with("Arn"));
        context.error("reference-kind", place, message).hint =
            arn.map(|name| format!("use `Fn::GetAtt: [{target}, {name}]`"));
        return;
    }
    if anything || fits(site, &resource, known.format.as_deref(), &[attribute]) {
        return;
    }
    let wanted = listing(site.formats.iter().copied());
    let gives = known.format.as_deref().map(|format| format!(", which is `{format}`")).unwrap_or_default();
    let message = format!(
        "the attribute `{attribute}` of `{target}` ({}){gives} stands where {wanted} is wanted",
        resource.type_name
    );
    context.error("reference-kind", place, message).hint = better_attribute(site, facts, target);
}

/// Whether a place takes ARNs only: every alternative of its pattern begins like one, and none takes a name or id.
fn wants_arn(site: &ReferenceSite<'_>) -> bool {
    const OTHERS: [&str; 4] = ["a", "stack-Name-1A2B3C4D5E6F", "i-0123456789abcdef0", "name/with/path"];
    site.formats.is_empty()
        && site.pattern.is_some_and(|pattern| {
            first_alternatives(pattern)
                .iter()
                .all(|alternative| alternative.trim_start_matches(['^', '(', '?', ':']).starts_with("arn:"))
                && !OTHERS.iter().any(|other| crate::pattern::is_match(pattern, other))
        })
}

/// The alternatives of a pattern as a whole, also when a group around all of them holds them: `^(arn:.*|fs-.*)$`.
fn first_alternatives(pattern: &str) -> Vec<&str> {
    let text = pattern.trim_start_matches('^').trim_end_matches('$');
    let (mut depth, mut in_class, mut escaped, mut start) = (0_usize, false, false, 0);
    let mut alternatives = Vec::new();
    let mut group_end = None;
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && group_end.is_none() {
                    group_end = Some(index);
                }
            }
            '|' if depth == 0 => {
                alternatives.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    alternatives.push(&text[start..]);
    match (alternatives.as_slice(), group_end) {
        ([whole], Some(end)) if whole.starts_with('(') && end + 1 == whole.len() => {
            first_alternatives(whole[1..end].trim_start_matches("?:"))
        }
        _ => alternatives,
    }
}

/// Whether a property is a name or an id by its own name, which cannot be an ARN.
fn is_no_arn(property: &str) -> bool {
    ["Name", "Id"].iter().any(|end| property.ends_with(end)) && !property.contains("Arn")
}

/// Reports a list in place of a single value, or the other way round.
fn wrong_count(
    context: &mut Context<'_>,
    place: &str,
    site: &ReferenceSite<'_>,
    gives_list: bool,
    what: &str,
) -> bool {
    let Some((scalar, list)) = takes(site) else { return false };
    let (message, hint) = match gives_list {
        true if !list => (
            format!("{what} gives a list, where a single value is wanted"),
            "choose one item with `Fn::Select`",
        ),
        false if !scalar && list => {
            (format!("{what} gives a single value, where a list is wanted"), "put it into a list")
        }
        false if !scalar => {
            (format!("{what} gives a single value, where an object is wanted"), "write the object")
        }
        _ => return false,
    };
    context.error("reference-kind", place, message).hint = Some(hint.to_owned());
    true
}

/// What `Ref` gives. That of a security group depends on whether it is in a VPC.
fn reference_format(resource: &Resource<'_>, facts: &'static ResourceType) -> Option<&'static str> {
    if resource.type_name == "AWS::EC2::SecurityGroup" {
        let in_vpc = resource.properties().is_some_and(|properties| properties.get("VpcId").is_some());
        return Some(if in_vpc { "AWS::EC2::SecurityGroup.Id" } else { "AWS::EC2::SecurityGroup.Name" });
    }
    facts.ref_value().format.as_deref()
}

/// Whether a value of a format may stand where others are wanted. Where the sources say nothing about the value, its
/// name decides: a `RoleArn`, or the `Arn` of a role, is an ARN of a role.
fn fits(site: &ReferenceSite<'_>, resource: &Resource<'_>, gives: Option<&str>, names: &[&str]) -> bool {
    let mut wanted =
        site.formats.iter().filter(|format| format.starts_with("AWS::") && format.contains('.')).peekable();
    if wanted.peek().is_none() {
        return true;
    }
    wanted.any(|wanted| {
        if let Some(gives) = gives {
            return gives == *wanted || !gives.starts_with("AWS::");
        }
        let Some((type_name, part)) = wanted.rsplit_once('.') else { return true };
        let short = type_name.rsplit("::").next().unwrap_or_default();
        names.iter().any(|name| {
            let name = name.to_lowercase();
            let whole = format!("{short}{part}").to_lowercase();
            name.ends_with(&whole)
                || (type_name == resource.type_name && name.ends_with(&part.to_lowercase()))
        })
    })
}

/// The attribute that gives what is wanted.
fn better_attribute(site: &ReferenceSite<'_>, facts: &ResourceType, target: &str) -> Option<String> {
    let wanted = site.formats.iter().find(|format| format.starts_with(facts.name()))?;
    let by_format = || facts.attributes().iter().find(|(_, known)| known.format.as_deref() == Some(*wanted));
    let by_name = || {
        let part = wanted.rsplit('.').next()?;
        facts.attributes().iter().find(|(name, _)| name.as_str() == part)
    };
    if facts.ref_value().format.as_deref() == Some(*wanted) {
        return Some(format!("use `Ref` of `{target}`"));
    }
    by_format().or_else(by_name).map(|(name, _)| format!("use `Fn::GetAtt: [{target}, {name}]`"))
}
