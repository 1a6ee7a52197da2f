//! The parameters of a template with the values that an operation gives them.

use std::collections::BTreeMap;

use formwork_assembly::limits;
use serde_json::Value;

use super::Template;
use crate::api::ApiError;

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterValue {
    /// The text that was given.
    pub(crate) text: String,
    /// What that text stands for in SSM, for parameters of SSM types.
    pub(crate) resolved: Option<String>,
    /// Whether it is never told.
    pub(crate) no_echo: bool,
    /// Whether it is a list.
    pub(crate) is_list: bool,
}

impl ParameterValue {
    /// What `Ref` gives.
    pub(crate) fn value(&self) -> Value {
        let text = self.resolved.as_ref().unwrap_or(&self.text);
        if self.is_list {
            Value::Array(text.split(',').map(|item| Value::from(item.trim())).collect())
        } else {
            Value::from(text.clone())
        }
    }

    /// The text as the API tells it.
    pub(crate) fn shown(&self) -> &str {
        if self.no_echo { "****" } else { &self.text }
    }
}

/// The values by parameter.
pub(crate) type Values = BTreeMap<String, ParameterValue>;

/// What a call gives for one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// This text.
    Text(String),
    /// What the stack has.
    Previous,
}

/// Gives every parameter its value and refuses what does not fit.
pub(crate) fn resolve(
    template: &Template,
    given: &BTreeMap<String, Given>,
    previous: Option<&Values>,
    store: &dyn Fn(&str) -> Option<String>,
) -> Result<Values, ApiError> {
    let unknown: Vec<&str> =
        given.keys().map(String::as_str).filter(|name| !template.has_parameter(name)).collect();
    if !unknown.is_empty() {
        return Err(refusal(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))));
    }
    let mut values = Values::new();
    let (mut missing, mut unfetched) = (Vec::new(), Vec::new());
    for (name, declaration) in template.parameters() {
        let text = match given.get(name) {
            Some(Given::Text(text)) => Some(text.clone()),
            Some(Given::Previous) => match previous.and_then(|values| values.get(name)) {
                Some(value) => Some(value.text.clone()),
                None => {
                    return Err(refusal(format!(
                        "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a \
                         parameter key not in the previous template"
                    )));
                }
            },
            None => declaration.get("Default").map(plain),
        };
        let Some(text) = text else {
            missing.push(name);
            continue;
        };
        let kind = declaration.get("Type").and_then(Value::as_str).unwrap_or("String");
        let stored =
            kind.strip_prefix("AWS::SSM::Parameter::Value<").and_then(|inner| inner.strip_suffix('>'));
        check(name, kind, declaration, &text)?;
        let resolved = match stored {
            Some(_) => match store(&text) {
                Some(value) => Some(value),
                None => {
                    unfetched.push(text.clone());
                    None
                }
            },
            None => None,
        };
        let inner = stored.unwrap_or(kind);
        values.insert(
            name.to_owned(),
            ParameterValue {
                text,
                resolved,
                no_echo: matches!(declaration.get("NoEcho"), Some(flag) if plain(flag) == "true"),
                is_list: inner == "CommaDelimitedList" || inner.starts_with("List<"),
            },
        );
    }
    if !missing.is_empty() {
        return Err(refusal(format!("Parameters: [{}] must have values", missing.join(", "))));
    }
    if !unfetched.is_empty() {
        return Err(refusal(format!(
            "Unable to fetch parameters [{}] from parameter store for this account.",
            unfetched.join(",")
        )));
    }
    Ok(values)
}

fn refusal(message: String) -> ApiError {
    ApiError::validation(message)
}

/// A scalar as text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn check(name: &str, kind: &str, declaration: &Value, text: &str) -> Result<(), ApiError> {
    if text.len() > limits::PARAMETER_VALUE_BYTES {
        return Err(refusal(format!(
            "1 validation error detected: Value at 'parameters.{name}.member.parameterValue' failed to satisfy \
             constraint: Member must have length less than or equal to {}",
            limits::PARAMETER_VALUE_BYTES
        )));
    }
    let broken = |message: String| {
        let told = declaration.get("ConstraintDescription").and_then(Value::as_str);
        Err(refusal(match told {
            Some(told) => format!("Parameter {name} failed to satisfy constraint: {told}"),
            None => format!("Parameter '{name}' {message}"),
        }))
    };
    let number = |key: &str| declaration.get(key).and_then(|limit| plain(limit).parse::<f64>().ok());
    let items: Vec<&str> = if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        text.split(',').map(str::trim).collect()
    } else {
        vec![text]
    };
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array)
        && !items.iter().all(|item| allowed.iter().any(|value| plain(value) == *item))
    {
        return broken("must be one of AllowedValues".to_owned());
    }
    if let Some(pattern) = declaration.get("AllowedPattern").and_then(Value::as_str)
        && !items.iter().all(|item| formwork_schema::pattern::is_match(&format!("^(?:{pattern})$"), item))
    {
        return broken(format!("must match pattern {pattern}"));
    }
    let length = text.chars().count() as f64;
    if let Some(limit) = number("MinLength").filter(|limit| length < *limit) {
        return broken(format!("must contain at least {limit} characters"));
    }
    if let Some(limit) = number("MaxLength").filter(|limit| length > *limit) {
        return broken(format!("must contain at most {limit} characters"));
    }
    if kind == "Number" || kind == "List<Number>" {
        for item in items {
            let Ok(value) = item.parse::<f64>() else {
                return broken("must be a number".to_owned());
            };
            if let Some(limit) = number("MinValue").filter(|limit| value < *limit) {
                return broken(format!("must be a number not less than {limit}"));
            }
            if let Some(limit) = number("MaxValue").filter(|limit| value > *limit) {
                return broken(format!("must be a number not greater than {limit}"));
            }
        }
    }
    Ok(())
}
