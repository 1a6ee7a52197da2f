//! Parameters: their types, and whether their defaults keep their own rules.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.

use formwork_assembly::limits::{PARAMETER_DESCRIPTION, PARAMETER_VALUE_BYTES};
use serde_json::{Map, Value};

use super::context::{Context, hint_for, pointer};
use super::sections::{is_scalar, kind, scalar_text};

/// The types of one resource or name that CloudFormation looks up, apart from `String`, `Number` and the SSM forms.
const NAMED: [&str; 11] = [
    "AWS::EC2::AvailabilityZone::Name",
    "AWS::EC2::Image::Id",
    "AWS::EC2::Instance::Id",
    "AWS::EC2::KeyPair::KeyName",
    "AWS::EC2::SecurityGroup::GroupName",
    "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id",
    "AWS::EC2::VPC::Id",
    "AWS::EC2::Volume::Id",
    "AWS::Route53::HostedZone::Id",
    "AWS::SSM::Parameter::Name",
];

const ATTRIBUTES: [&str; 11] = [
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

/// Whether a parameter of this type gives a list.
pub(super) fn is_list(type_name: &str) -> bool {
    let inner = type_name.strip_prefix("AWS::SSM::Parameter::Value<").and_then(|rest| rest.strip_suffix('>'));
    let type_name = inner.unwrap_or(type_name);
    type_name == "CommaDelimitedList" || type_name.starts_with("List<")
}

/// How well CloudFormation knows a parameter type.
#[derive(PartialEq, Eq)]
enum Known {
    Documented,
    /// Accepted, but its values are not checked.
    Accepted,
    No,
}

fn known(type_name: &str) -> Known {
    let scalar = |name: &str| matches!(name, "String" | "Number") || NAMED.contains(&name);
    let between = |prefix: &str| type_name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
    fn list(name: &str) -> Option<&str> {
        name.strip_prefix("List<").and_then(|rest| rest.strip_suffix('>'))
    }
    let listable = |name: &str| {
        scalar(name) && !matches!(name, "AWS::EC2::KeyPair::KeyName" | "AWS::SSM::Parameter::Name")
    };
    if scalar(type_name) || type_name == "CommaDelimitedList" || list(type_name).is_some_and(listable) {
        return Known::Documented;
    }
    if let Some(inner) = between("AWS::SSM::Parameter::Value<") {
        let documented = scalar(inner) || inner == "CommaDelimitedList" || list(inner).is_some_and(listable);
        return if documented { Known::Documented } else { Known::Accepted };
    }
    if type_name.starts_with("AWS::SSM::Parameter::Value<") || type_name.starts_with("List<") {
        return Known::Accepted;
    }
    Known::No
}

pub(super) fn check(context: &mut Context<'_>) {
    for (name, parameter) in context.entries("Parameters") {
        let place = pointer(&["Parameters", name]);
        let Some(parameter) = parameter.as_object() else {
            let message = format!("the parameter `{name}` is {}, where an object is wanted", kind(parameter));
            context.error("parameter", place, message);
            continue;
        };
        if context.resources.contains_key(name) {
            context.error(
                "duplicate-name",
                place.clone(),
                format!("`{name}` names a parameter and a resource"),
            );
        }
        attributes(context, &place, name, parameter);
        let Some(type_name) = type_of(context, &place, name, parameter) else { continue };
        default(context, &place, name, type_name, parameter);
    }
}

fn attributes(context: &mut Context<'_>, place: &str, name: &str, parameter: &Map<String, Value>) {
    let type_name = parameter.get("Type").and_then(Value::as_str).unwrap_or_default();
    for (attribute, value) in parameter {
        let place = format!("{place}/{}", attribute.replace('~', "~0").replace('/', "~1"));
        let unfit = match attribute.as_str() {
            unknown if !ATTRIBUTES.contains(&unknown) => {
                let message = format!("the parameter `{name}` has the unknown attribute `{unknown}`");
                context.error("parameter", place, message).hint = hint_for(unknown, ATTRIBUTES.into_iter());
                continue;
            }
            "MinLength" | "MaxLength" | "AllowedPattern" if type_name == "Number" => {
                let message = format!("`{attribute}` does not go with a parameter of type `Number`");
                context.error("parameter", place, message).hint =
                    Some("use `MinValue`, `MaxValue` or `AllowedValues`".to_owned());
                continue;
            }
            "MinValue" | "MaxValue" if type_name == "String" || type_name == "CommaDelimitedList" => {
                let message = format!("`{attribute}` does not go with a parameter of type `{type_name}`");
                context.error("parameter", place, message).hint =
                    Some("use `MinLength`, `MaxLength` or `AllowedPattern`, or the type `Number`".to_owned());
                continue;
            }
            "Type" => continue,
            "AllowedValues" => match value.as_array() {
                Some(values) if values.iter().all(is_scalar) => continue,
                _ => "a list of texts",
            },
            "MinLength" | "MaxLength" => {
                if number(value).is_some_and(|number| number.fract() == 0.0) {
                    continue;
                }
                "a whole number"
            }
            "MinValue" | "MaxValue" => {
                if number(value).is_some() {
                    continue;
                }
                "a number"
            }
            "NoEcho" => match scalar_text(value).map(|text| text.to_lowercase()).as_deref() {
                Some("true" | "false") => continue,
                _ => "`true` or `false`",
            },
            "Description" => match value.as_str() {
                Some(text) if text.chars().count() > PARAMETER_DESCRIPTION => {
                    "a text of at most 4000 characters"
                }
                _ if is_scalar(value) => continue,
                _ => "a text",
            },
            _ if is_scalar(value) => continue,
            _ => "a text",
        };
        let message = format!("`{attribute}` of the parameter `{name}` must be {unfit}");
        context.error("parameter", place, message);
    }
}

fn type_of<'t>(
    context: &mut Context<'t>,
    place: &str,
    name: &str,
    parameter: &'t Map<String, Value>,
) -> Option<&'t str> {
    let Some(type_name) = parameter.get("Type").and_then(Value::as_str) else {
        context.error("parameter", place, format!("the parameter `{name}` has no type")).hint =
            Some("add `Type: String`".to_owned());
        return None;
    };
    let place = format!("{place}/Type");
    match known(type_name) {
        Known::Documented => {}
        Known::Accepted => {
            let message = format!(
                "CloudFormation takes the parameter type `{type_name}`, but does not check its values"
            );
            context.warning("parameter-type", place, message);
        }
        Known::No => {
            let types = ["String", "Number", "CommaDelimitedList", "List<Number>", "List<String>"];
            let message = format!("unknown parameter type `{type_name}`");
            context.error("parameter-type", place, message).hint =
                hint_for(type_name, types.into_iter().chain(NAMED));
        }
    }
    Some(type_name)
}

/// A default must be a value that the parameter allows.
fn default(
    context: &mut Context<'_>,
    place: &str,
    name: &str,
    type_name: &str,
    parameter: &Map<String, Value>,
) {
    let Some(default) = parameter.get("Default").and_then(scalar_text) else { return };
    let place = format!("{place}/Default");
    if default.len() > PARAMETER_VALUE_BYTES {
        let message =
            format!("the default of `{name}` has {} bytes, more than {PARAMETER_VALUE_BYTES}", default.len());
        context.error("limit", place.clone(), message);
    }
    // The value of such a parameter is the name of an SSM parameter; the rules hold for what is found there.
    if type_name.starts_with("AWS::SSM::Parameter::Value<") {
        return;
    }
    let items: Vec<&str> =
        if is_list(type_name) { default.split(',').map(str::trim).collect() } else { vec![&default] };
    for item in items {
        if let Some(broken) = broken_rule(parameter, type_name, item, &default) {
            let message = format!("the default `{item}` of `{name}` {broken}");
            context.error("parameter-default", place.clone(), message);
            return;
        }
    }
}

fn broken_rule(parameter: &Map<String, Value>, type_name: &str, item: &str, whole: &str) -> Option<String> {
    if matches!(type_name, "Number" | "List<Number>") && item.parse::<f64>().is_err() {
        return Some("is no number".to_owned());
    }
    if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<String> = allowed.iter().filter_map(scalar_text).collect();
        if !allowed.iter().any(|value| value == item || value == whole) {
            let listing = super::context::listing(allowed.iter().map(String::as_str));
            return Some(format!("is not among its `AllowedValues`: {listing}"));
        }
    }
    let length = item.chars().count() as f64;
    let bound = |attribute: &str| parameter.get(attribute).and_then(number);
    for (attribute, value, below) in [("MinLength", length, true), ("MaxLength", length, false)] {
        if let Some(bound) = bound(attribute)
            && if below { value < bound } else { value > bound }
        {
            return Some(format!("has {length} characters, against its `{attribute}` of {bound}"));
        }
    }
    if let Ok(value) = item.parse::<f64>() {
        if let Some(bound) = bound("MinValue").filter(|bound| value < *bound) {
            return Some(format!("is below its `MinValue` of {bound}"));
        }
        if let Some(bound) = bound("MaxValue").filter(|bound| value > *bound) {
            return Some(format!("is above its `MaxValue` of {bound}"));
        }
    }
    let pattern = parameter.get("AllowedPattern").and_then(Value::as_str)?;
    // A pattern that only Java's engine reads is not judged.
    let whole_match = fancy_regex::Regex::new(&format!("^(?:{pattern})$")).ok()?;
    matches!(whole_match.is_match(item), Ok(false))
        .then(|| format!("does not match its `AllowedPattern` `{pattern}`"))
}

fn number(value: &Value) -> Option<f64> {
    scalar_text(value)?.parse().ok()
}
