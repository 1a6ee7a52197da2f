//! Single values: type, allowed values, pattern, length, bounds, format.
//!
//! CloudFormation reads scalars loosely: `"80"` is a number, `"true"` a boolean, and a number is fine as text.

use serde_json::{Number, Value};

use super::lists::shortened;
use super::objects::list;
use super::{Check, Mode, Outcome, Path};
use crate::finding::Finding;
use crate::keyword::{JsonType, Keyword};
use crate::schema::Schema;
use crate::{format, pattern, spelling};

/// Where the command line may put a local path, which it replaces by the place in a bucket before deployment.
const PACKAGED: &[(&str, &str)] = &[
    ("AWS::ApiGateway::RestApi", "BodyS3Location"),
    ("AWS::Lambda::Function", "Code"),
    ("AWS::Lambda::LayerVersion", "Content"),
    ("AWS::ElasticBeanstalk::ApplicationVersion", "SourceBundle"),
    ("AWS::StepFunctions::StateMachine", "DefinitionS3Location"),
    ("AWS::AppSync::GraphQLSchema", "DefinitionS3Location"),
    ("AWS::AppSync::Resolver", "RequestMappingTemplateS3Location"),
    ("AWS::AppSync::Resolver", "ResponseMappingTemplateS3Location"),
    ("AWS::AppSync::FunctionConfiguration", "RequestMappingTemplateS3Location"),
    ("AWS::AppSync::FunctionConfiguration", "ResponseMappingTemplateS3Location"),
    ("AWS::CloudFormation::Stack", "TemplateURL"),
    ("AWS::CodeCommit::Repository", "Code/S3"),
];

impl Check<'_> {
    pub(super) fn scalar(
        &self,
        schema: &Schema,
        keyword: &Keyword,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) {
        let finding = match keyword {
            Keyword::Type(types) => self.wrong_type(types.as_slice(), value, path),
            Keyword::Enum(values) => unlisted(values, value, path, false),
            Keyword::EnumCaseInsensitive(values) => unlisted(values, value, path, true),
            Keyword::RegionalEnum(values) => self.unlisted_in_region(values, value, path),
            Keyword::Const(wanted) => (!same(wanted, value, false)).then(|| {
                Finding::error(
                    "unlisted-value",
                    path.pointer(),
                    format!("{} must be {}", shown(value), shown(wanted)),
                )
            }),
            Keyword::Pattern(pattern) => mismatch(pattern, value, path),
            Keyword::MinLength(least) => {
                length(schema, value).filter(|length| length < least).map(|length| {
                    let message =
                        format!("{} has {length} characters, at least {least} are needed", shown(value));
                    Finding::error("too-short", path.pointer(), message)
                })
            }
            Keyword::MaxLength(most) => length(schema, value).filter(|length| length > most).map(|length| {
                let message = format!("{} has {length} characters, at most {most} are allowed", shown(value));
                Finding::error("too-long", path.pointer(), message)
            }),
            Keyword::Minimum(least) => bound(value, least, path, |value, least| value < least, "at least"),
            Keyword::Maximum(most) => bound(value, most, path, |value, most| value > most, "at most"),
            Keyword::ExclusiveMinimum(limit) => {
                bound(value, limit, path, |value, limit| value <= limit, "above")
            }
            Keyword::ExclusiveMaximum(limit) => {
                bound(value, limit, path, |value, limit| value >= limit, "below")
            }
            Keyword::MultipleOf(step) => {
                bound(value, step, path, |value, step| !is_multiple(value, step), "a multiple of")
            }
            Keyword::Format(wanted) => format::mismatch(wanted, value).map(|what| {
                Finding::error("format", path.pointer(), format!("{} is not {what}", shown(value)))
            }),
            _ => None,
        };
        outcome.findings.extend(finding);
    }

    fn wrong_type(&self, types: &[JsonType], value: &Value, path: Path<'_>) -> Option<Finding> {
        if types.iter().any(|kind| is_type(*kind, value)) {
            return None;
        }
        if self.mode != Mode::Decide
            && value.is_string()
            && PACKAGED.contains(&(self.resource.name(), path.property_path().as_str()))
        {
            return None;
        }
        let message = format!("{} is wanted, found {}", any(types), shown(value));
        let finding = Finding::error("wrong-type", path.pointer(), message);
        Some(match (types, value) {
            ([JsonType::Array], Value::String(_) | Value::Number(_) | Value::Object(_)) => {
                finding.with_hint("put it into a list")
            }
            (_, Value::Null) => finding.with_hint("remove the property, or use `Ref: AWS::NoValue`"),
            _ => finding,
        })
    }

    fn unlisted_in_region(
        &self,
        values: &std::collections::BTreeMap<String, u64>,
        value: &Value,
        path: Path<'_>,
    ) -> Option<Finding> {
        let text = value.as_str()?;
        let Some(regions) = values.get(text) else {
            let finding = Finding::error(
                "unlisted-value",
                path.pointer(),
                format!("`{text}` is not offered in any region"),
            );
            return Some(match spelling::closest(text, values.keys().map(String::as_str)) {
                Some(near) => finding.with_hint(format!("did you mean `{near}`?")),
                None => finding,
            });
        };
        let region = self.context.region?;
        let bit = crate::pack::regions().binary_search_by(|known| known.as_str().cmp(region)).ok()?;
        // A region that no value has is one without a list.
        if regions & (1 << bit) != 0 || values.values().all(|regions| regions & (1 << bit) == 0) {
            return None;
        }
        let message = format!("`{text}` is not offered in {region}");
        Some(Finding::error("unlisted-value", path.pointer(), message))
    }
}

/// Whether CloudFormation reads a value as a type.
fn is_type(kind: JsonType, value: &Value) -> bool {
    match (kind, value) {
        (JsonType::Object, Value::Object(_))
        | (JsonType::Array, Value::Array(_))
        | (JsonType::Null, Value::Null) => true,
        (JsonType::String, value) => !(value.is_object() || value.is_array() || value.is_null()),
        (JsonType::Number, Value::Number(_)) => true,
        (JsonType::Integer, Value::Number(number)) => {
            number.as_f64().is_none_or(|number| number.fract() == 0.0)
        }
        (JsonType::Number, Value::String(text)) => text.trim().parse::<f64>().is_ok(),
        (JsonType::Integer, Value::String(text)) => text.trim().parse::<i64>().is_ok(),
        (JsonType::Boolean, Value::Bool(_)) => true,
        (JsonType::Boolean, Value::String(text)) => {
            matches!(text.as_str(), "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
        }
        _ => false,
    }
}

/// The number that a value is read as.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn bound(
    value: &Value,
    limit: &Number,
    path: Path<'_>,
    is_outside: fn(f64, f64) -> bool,
    relation: &str,
) -> Option<Finding> {
    let (number, limit_number) = (number(value)?, limit.as_f64()?);
    is_outside(number, limit_number).then(|| {
        let message = format!("{} must be {relation} {limit}", shown(value));
        Finding::error("out-of-range", path.pointer(), message)
    })
}

fn is_multiple(value: f64, step: f64) -> bool {
    let quotient = value / step;
    // Steps such as 0.0001 have no exact binary form.
    (quotient - quotient.round()).abs() < 1e-6
}

/// Whether two scalars are the same to CloudFormation, which compares them as text.
fn same(a: &Value, b: &Value, ignore_case: bool) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) if ignore_case => a.to_lowercase() == b.to_lowercase(),
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Object(_) | Value::Array(_) | Value::Null, _)
        | (_, Value::Object(_) | Value::Array(_) | Value::Null) => a == b,
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
            _ => text(a).to_lowercase() == text(b).to_lowercase(),
        },
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn unlisted(values: &[Value], value: &Value, path: Path<'_>, ignore_case: bool) -> Option<Finding> {
    if values.iter().any(|known| same(known, value, ignore_case)) {
        return None;
    }
    let finding =
        Finding::error("unlisted-value", path.pointer(), format!("{} is not an allowed value", shown(value)));
    let names: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    let near = value.as_str().and_then(|text| spelling::closest(text, names.iter().copied()));
    Some(match near {
        Some(near) => finding.with_hint(format!("did you mean `{near}`?")),
        None if values.len() <= 20 => {
            let names: Vec<String> = values.iter().map(text).collect();
            finding.with_hint(format!("use {}", list(&names).replace(" and ", " or ")))
        }
        None => finding,
    })
}

fn mismatch(pattern: &str, value: &Value, path: Path<'_>) -> Option<Finding> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    (!pattern::is_match(pattern, &text)).then(|| {
        let message = format!("{} does not match the pattern `{pattern}`", shown(value));
        Finding::error("pattern", path.pointer(), message)
    })
}

/// The length in characters that a limit speaks of: for JSON, of its most compact form without functions.
fn length(schema: &Schema, value: &Value) -> Option<u64> {
    let characters = match value {
        Value::String(text) if schema.format() == Some("json") => {
            let json: Value = serde_json::from_str(text).ok()?;
            json.to_string().chars().count()
        }
        Value::String(text) => text.chars().count(),
        Value::Object(_) if schema.types().contains(&JsonType::Object) => {
            // Function calls vanish at deployment, and what takes their place is not known.
            without_functions(value).to_string().chars().count()
        }
        _ => return None,
    };
    Some(characters as u64)
}

fn without_functions(value: &Value) -> Value {
    match value {
        _ if super::function_of(value).is_some() => Value::String(String::new()),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), without_functions(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_functions).collect(),
        other => other.clone(),
    }
}

/// Types for a message: "a string or a list".
pub(super) fn any(types: &[JsonType]) -> String {
    let names: Vec<String> = types
        .iter()
        .map(|kind| match kind {
            JsonType::Integer | JsonType::Object => format!("an {kind}"),
            JsonType::Null => kind.to_string(),
            _ => format!("a {kind}"),
        })
        .collect();
    names.join(" or ")
}

/// A value for a message.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", shortened(text)),
        Value::Object(_) => "an object".into(),
        Value::Array(_) => "a list".into(),
        other => format!("`{other}`"),
    }
}
