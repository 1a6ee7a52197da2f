//! What the stack tells: the settings of Metaflow's client, under the names that the public template gave them.
//!
//! The description of an output ends with the client's own name of the setting, and one output has all settings at once
//! as the client reads them.

use formwork::{Expression, Output, Scope, Value};

/// Something that a part tells those who use it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The name of the output; nothing for a setting that only the whole configuration has.
    pub output: Option<&'static str>,
    /// The client's name of the setting, `METAFLOW_…`, if it is one.
    pub setting: Option<&'static str>,
    /// What it is.
    pub about: &'static str,
    /// The value.
    pub value: Value<String>,
}

impl Told {
    /// An output that is a setting of the client.
    pub fn setting(
        output: &'static str,
        setting: &'static str,
        about: &'static str,
        value: Value<String>,
    ) -> Self {
        Self { output: Some(output), setting: Some(setting), about, value }
    }

    /// A setting of the client that is the same wherever Metaflow stands, and has no output of its own.
    pub fn only_setting(setting: &'static str, value: Value<String>) -> Self {
        Self { output: None, setting: Some(setting), about: "", value }
    }

    /// An output for people.
    pub fn output(output: &'static str, about: &'static str, value: Value<String>) -> Self {
        Self { output: Some(output), setting: None, about, value }
    }
}

/// The name of the output with the whole configuration.
pub(super) const PROFILE: &str = "MetaflowProfileJson";

/// Shows what is told.
pub(super) fn define(scope: Scope<'_>, told: &[Told]) {
    for Told { output, setting, about, value } in told {
        let Some(output) = output else { continue };
        let description = match setting {
            Some(setting) => format!("{about} [{setting}]"),
            None => (*about).to_owned(),
        };
        Output::new(value).description(description).define(scope, output);
    }
    Output::new(profile(told))
        .description("All settings of Metaflow's client but the API key: `formwork metaflow config` adds it")
        .define(scope, PROFILE);
}

/// The configuration of the client, as JSON. It is text with values in it, because making JSON of values is left to
/// templates that need a transform.
pub(super) fn profile(told: &[Told]) -> Value<String> {
    let mut parts = Vec::new();
    for Told { setting, value, .. } in told {
        let Some(setting) = setting else { continue };
        let separator = if parts.is_empty() { '{' } else { ',' };
        parts.push(Expression::from(format!("{separator}\"{setting}\":\"")));
        parts.push(value.expression().clone());
        parts.push(Expression::from("\""));
    }
    parts.push(Expression::from(if parts.is_empty() { "{}" } else { "}" }));
    Value::from_expression(Expression::Text(parts))
}

#[cfg(test)]
mod tests;
