//! The context against the JSON Schema that the app publishes.
//!
//! The app itself refuses values that it cannot read. The schema says more, such as the smallest number of something or
//! the form of a name, and says it for apps in any language.

use std::collections::BTreeSet;

use formwork::{Context, ContextEntry, Diagnostic};
use jsonschema::Validator;
use serde_json::{Value as Json, json};

use crate::suggestion::nearest;

/// What belongs to the command line, and is easily taken for context.
const OWN_SETTINGS: [&str; 4] = ["account", "awsProfile", "output", "region"];

/// Reports values that the schema does not allow, except those that the app has complained about.
pub(super) fn check(context: &Context, schema: &Json, diagnostics: &mut Vec<Diagnostic>) {
    let reported: BTreeSet<String> = diagnostics
        .iter()
        .filter(|diagnostic| super::is_about_settings(diagnostic))
        .filter_map(|diagnostic| key_of(diagnostic).map(str::to_owned))
        .collect();
    for (key, entry) in context.iter().filter(|(key, _)| !reported.contains(*key)) {
        let Some(property) = schema["properties"].get(key) else { continue };
        let whole = json!({ "$defs": schema["$defs"], "allOf": [property] });
        let Ok(validator) = jsonschema::validator_for(&whole) else { continue };
        if let Some(reason) = refusal(&validator, entry) {
            let message = format!("context {key} is {} (set by {}): {reason}", entry.value, entry.origin);
            diagnostics.push(
                Diagnostic::error("context-schema", message).with_hint(format!("correct the value of {key}")),
            );
        }
    }
}

/// Leads those on who give a setting of the command line itself as a value of the context.
pub(super) fn explain_own_settings(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.rule == "context-key") {
        let hint = match key_of(diagnostic).and_then(|key| nearest(key, OWN_SETTINGS)) {
            Some("region") => {
                "did you mean the region? name it with --region, or as `region` in formwork.toml"
            }
            Some("account") => {
                "did you mean the account? name it as `account` in formwork.toml, or in CDK_DEFAULT_ACCOUNT"
            }
            Some("awsProfile") => {
                "did you mean the AWS profile? name it with --profile, or as `awsProfile` in formwork.toml"
            }
            Some("output") => {
                "did you mean the output? name it with --output, or as `output` in formwork.toml"
            }
            _ => continue,
        };
        diagnostic.hint = Some(hint.to_owned());
    }
}

/// The key that a finding of the app is about.
fn key_of(diagnostic: &Diagnostic) -> Option<&str> {
    diagnostic.message.strip_prefix("context ")?.split(' ').next()
}

/// Why no reading of the value is allowed.
fn refusal(validator: &Validator, entry: &ContextEntry) -> Option<String> {
    let readings = readings(&entry.value);
    if readings.iter().any(|reading| validator.is_valid(reading)) {
        return None;
    }
    // The last reading is the nearest to what was meant: `0` for a number is told as a number.
    let error = validator.iter_errors(readings.last()?).next()?.to_string();
    Some(error)
}

fn map_of(entries: Vec<(&str, &str)>) -> Json {
    entries.into_iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect()
}

/// What a text from the command line may stand for: itself, a list with commas, a list of numbers, a map of
/// `name=value`, a number or a truth value.
fn readings(value: &Json) -> Vec<Json> {
    let mut readings = vec![value.clone()];
    if let Json::String(text) = value {
        let items: Vec<&str> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        readings.push(items.iter().copied().collect());
        readings.extend(items.iter().map(|item| item.parse::<i64>()).collect::<Result<Json, _>>());
        readings
            .extend(items.iter().map(|item| item.split_once('=')).collect::<Option<Vec<_>>>().map(map_of));
        readings.extend(text.parse::<bool>().map(Json::from));
        readings.extend(text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number));
        readings.extend(text.parse::<i64>().map(Json::from));
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: &str, value: &str) -> Vec<Diagnostic> {
        let schema = json!({
            "properties": {
                "instances": { "type": "integer", "minimum": 1 },
                "cidrs": { "type": "array", "items": { "$ref": "#/$defs/Cidr" } },
                "name": { "type": ["string", "null"], "pattern": "^[a-z]+$" },
                "zones": { "type": "array", "items": { "type": "integer" } },
                "tags": { "type": "object", "additionalProperties": { "type": "string" } },
            },
            "$defs": { "Cidr": { "type": "string", "pattern": "/" } },
        });
        let mut context = Context::new();
        context.set(key, value, "-c");
        let mut found = Vec::new();
        check(&context, &schema, &mut found);
        found
    }

    #[test]
    fn texts_are_read_as_what_the_schema_wants() {
        for (key, value) in [
            ("instances", "2"),
            ("cidrs", "10.0.0.0/8, 10.1.0.0/16"),
            ("name", "abc"),
            ("other", "x"),
            ("zones", "1,2"),
            ("tags", "a=b,c=d"),
        ] {
            assert_eq!(found(key, value), [], "{key}={value}");
        }
    }

    #[test]
    fn what_the_schema_does_not_allow_is_told_with_its_origin() {
        let messages: Vec<String> = [("instances", "0"), ("name", "A1")]
            .iter()
            .flat_map(|(key, value)| found(key, value))
            .map(|diagnostic| diagnostic.message)
            .collect();
        assert_eq!(messages[0], "context instances is \"0\" (set by -c): 0 is less than the minimum of 1");
        assert!(messages[1].starts_with("context name is \"A1\" (set by -c): "), "{}", messages[1]);
    }

    #[test]
    fn what_the_app_has_refused_is_not_told_twice() {
        let schema = json!({ "properties": { "instances": { "type": "integer" } } });
        let mut context = Context::new();
        context.set("instances", "many", "-c");
        let mut diagnostics =
            vec![Diagnostic::error("context-value", "context instances is `many` (set by -c): no")];
        check(&context, &schema, &mut diagnostics);
        assert_eq!(diagnostics.len(), 1);
    }

    #[test]
    fn settings_of_the_command_line_are_known_as_such() {
        let message = |key: &str| format!("context {key} (set by -c) is not a setting of this app");
        let mut diagnostics = ["regoin", "prefx"]
            .map(|key| Diagnostic::error("context-key", message(key)).with_hint("as it was"));
        explain_own_settings(&mut diagnostics);
        assert!(diagnostics[0].hint.as_ref().unwrap().contains("--region"));
        assert_eq!(diagnostics[1].hint.as_deref(), Some("as it was"));
    }
}
