//! Which values of a drifted property may be shown.
//!
//! The actual values come from the services, where somebody may have typed a secret in. So a value is hidden when its name
//! says secret, when the template takes it from a `NoEcho` parameter or a secret store, and when no template says where it
//! comes from.

use std::collections::BTreeSet;

use formwork_assembly::diff::secrecy::{self, HIDDEN};
use formwork_assembly::json;
use formwork_assembly::references::substitutions;
use serde_json::Value;

use super::report::PropertyDrift;
use crate::aws::cloudformation::{PropertyDifference, ResourceChange, ResourceDrift};
use crate::plan::stack::secrets;

/// Decides what of a stack may be shown.
pub(super) struct Shown<'t> {
    template: Option<&'t Value>,
    secrets: BTreeSet<String>,
}

impl<'t> Shown<'t> {
    /// By the template that is deployed; nothing is shown when it is not known.
    pub(super) fn of(template: Option<&'t Value>) -> Self {
        Self { template, secrets: template.map(secrets).unwrap_or_default() }
    }

    /// A property as it may be shown.
    pub(super) fn property(&self, drift: &ResourceDrift, difference: &PropertyDifference) -> PropertyDrift {
        let PropertyDifference { path, expected, actual, kind } = difference;
        let hidden = self.is_secret(&drift.logical_id, path);
        let value = |value: &Value, properties: &Value| match hidden {
            true => Value::from(HIDDEN),
            false => shown(path, value, properties),
        };
        PropertyDrift {
            path: path.clone(),
            expected: (kind != "ADD").then(|| value(expected, &drift.expected)),
            actual: (kind != "REMOVE").then(|| value(actual, &drift.actual)),
        }
    }

    fn is_secret(&self, logical_id: &str, path: &str) -> bool {
        let Some(template) = self.template else { return true };
        let mut written = &template["Resources"][logical_id]["Properties"];
        for token in path.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let below = match written {
                Value::Object(members) => members.get(&token),
                Value::Array(items) => token.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => None,
            };
            // What a function puts together has no such path: the function as a whole says where the value comes from.
            match below {
                Some(below) => written = below,
                None => break,
            }
        }
        self.comes_from_secret(written)
    }

    fn comes_from_secret(&self, written: &Value) -> bool {
        match written {
            Value::String(text) => is_from_store(text),
            Value::Array(items) => items.iter().any(|item| self.comes_from_secret(item)),
            Value::Object(members) => members.iter().any(|(name, value)| match (name.as_str(), value) {
                ("Ref", Value::String(parameter)) => self.secrets.contains(parameter),
                ("Fn::Sub", Value::String(text)) => self.substitutes(text),
                ("Fn::Sub", Value::Array(items)) => {
                    items.first().and_then(Value::as_str).is_some_and(|text| self.substitutes(text))
                        || items.iter().any(|item| self.comes_from_secret(item))
                }
                _ => self.comes_from_secret(value),
            }),
            _ => false,
        }
    }

    fn substitutes(&self, text: &str) -> bool {
        is_from_store(text) || substitutions(text).any(|name| self.secrets.contains(name))
    }
}

/// Hides what looks like a secret, or comes from one, in changes: a plan is written down and shown in logs of pipelines, and
/// one that takes drift back tells what there really is. CloudFormation itself hides the values of `NoEcho` parameters
/// only.
pub(crate) fn hide_secrets(changes: &mut [ResourceChange], template: &Value) {
    let shown = Shown::of(Some(template));
    for change in changes {
        for detail in &mut change.details {
            let place = detail.path.clone().or_else(|| detail.name.clone()).unwrap_or_default();
            let property = place.strip_prefix("/Properties");
            let is_secret = property.is_some_and(|path| shown.is_secret(&change.logical_id, path));
            for text in [&mut detail.before, &mut detail.after].into_iter().flatten() {
                *text = if is_secret { HIDDEN.to_owned() } else { by_name(&place, text) };
            }
        }
    }
}

/// A value as a change set tells it, plain text or JSON, by its name.
fn by_name(path: &str, text: &str) -> String {
    let value = match serde_json::from_str(text) {
        Ok(value @ (Value::Array(_) | Value::Object(_))) => value,
        _ => Value::from(text),
    };
    match secrecy::shown(path, &value) {
        same if same == value => text.to_owned(),
        Value::String(hidden) => hidden,
        other => json::to_compact_text(&other),
    }
}

/// Whether CloudFormation takes a text from a store of secrets.
fn is_from_store(text: &str) -> bool {
    text.contains("{{resolve:secretsmanager:") || text.contains("{{resolve:ssm-secure:")
}

/// A value by its name; in a list of names and values, such as the environment of a container, by its neighbour's.
fn shown(path: &str, value: &Value, properties: &Value) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let named = properties.pointer(parent).filter(|around| around.get(name).is_some());
    match named {
        Some(around) => secrecy::shown(parent, around)[name].clone(),
        None => secrecy::shown(path, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::changes::between;

    fn difference(path: &str, expected: Value, actual: Value) -> PropertyDifference {
        PropertyDifference { path: path.to_owned(), expected, actual, kind: "NOT_EQUAL".to_owned() }
    }

    fn drift(expected: Value, actual: Value) -> ResourceDrift {
        ResourceDrift {
            logical_id: "Database".to_owned(),
            physical_id: None,
            resource_type: "AWS::RDS::DBInstance".to_owned(),
            status: "MODIFIED".to_owned(),
            reason: None,
            expected,
            actual,
            differences: Vec::new(),
        }
    }

    /// Fault 74: what a `NoEcho` parameter or a store of secrets gives is not shown, nor what stands there instead.
    #[test]
    fn values_that_come_from_secrets_are_hidden() {
        let template = json!({
            "Parameters": {"Key": {"Type": "String", "NoEcho": true}, "Size": {"Type": "Number"}},
            "Resources": {"Database": {"Type": "AWS::RDS::DBInstance", "Properties": {
                "DBName": {"Fn::Sub": "x-${Key}"},
                "Engine": {"Fn::If": ["Big", {"Ref": "Key"}, "mysql"]},
                "DBInstanceClass": "{{resolve:secretsmanager:s:SecretString:class}}",
                "AllocatedStorage": {"Ref": "Size"},
                "MasterUserPassword": "typed in",
                "Tags": [{"Key": "ApiToken", "Value": "a"}, {"Key": "Team", "Value": "b"}],
            }}}
        });
        let tags = json!({"Tags": [{"Key": "ApiToken", "Value": "a"}, {"Key": "Team", "Value": "b"}]});
        let of = drift(tags.clone(), tags);
        let shown = Shown::of(Some(&template));
        for (path, is_hidden) in [
            ("/DBName", true),
            ("/Engine", true),
            ("/DBInstanceClass", true),
            ("/MasterUserPassword", true),
            ("/Tags/0/Value", true),
            ("/AllocatedStorage", false),
            ("/Tags/1/Value", false),
        ] {
            let found = shown.property(&of, &difference(path, json!("a"), json!("b")));
            let hidden = [&found.expected, &found.actual].map(|it| it == &Some(json!(HIDDEN)));
            assert_eq!(hidden, [is_hidden; 2], "{path}");
        }
    }

    #[test]
    fn without_a_template_nothing_is_shown() {
        let found = Shown::of(None)
            .property(&drift(json!({}), json!({})), &difference("/Engine", json!("a"), json!("b")));
        assert_eq!(found.actual, Some(json!(HIDDEN)));
    }

    #[test]
    fn what_is_only_on_one_side_has_one_value() {
        let template = json!({"Resources": {"Database": {"Properties": {}}}});
        let mut added = difference("/Port", Value::Null, json!(1));
        added.kind = "ADD".to_owned();
        let found = Shown::of(Some(&template)).property(&drift(json!({}), json!({"Port": 1})), &added);
        assert_eq!((found.expected, found.actual), (None, Some(json!(1))));
    }

    /// Fault 74: a password in a template is in no plan.
    #[test]
    fn a_password_in_a_template_is_not_shown() {
        let database = |password: &str| {
            json!({"Resources": {"Database": {"Type": "AWS::RDS::DBInstance", "Properties": {
                "MasterUserPassword": password, "Engine": password.len().to_string()
            }}}})
        };
        let mut changes = between(Some(&database("correct horse")), &database("battery staple 2"));
        assert!(format!("{changes:?}").contains("battery staple"));
        hide_secrets(&mut changes, &database("battery staple 2"));
        let told = format!("{changes:?}");
        assert!(!told.contains("horse") && !told.contains("staple"), "{told}");
        assert!(told.contains("\"13\"") && told.contains("\"16\""), "{told}");
    }

    #[test]
    fn a_secret_within_a_structure_is_hidden_alone() {
        let told = by_name("/Properties/Environment", r#"{"Variables":{"API_TOKEN":"x","STAGE":"dev"}}"#);
        assert!(told.contains("dev") && !told.contains("\"x\""), "{told}");
        assert_eq!(by_name("/Properties/Name", "plain"), "plain");
    }
}
