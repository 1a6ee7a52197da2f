//! What looks like a secret is hidden in the changes of a plan: a plan is written down, and shown in logs of pipelines.
//!
//! CloudFormation itself hides the values of `NoEcho` parameters; a password that stands in a template it tells.

use formwork_assembly::diff::secrecy::shown;
use serde_json::Value;

use crate::aws::cloudformation::ResourceChange;

/// Hides values of properties that look like secrets.
pub(crate) fn conceal(changes: &mut [ResourceChange]) {
    for detail in changes.iter_mut().flat_map(|change| &mut change.details) {
        let place = detail.path.clone().or_else(|| detail.name.clone()).unwrap_or_default();
        for value in [&mut detail.before, &mut detail.after].into_iter().flatten() {
            *value = concealed(&place, value);
        }
    }
}

/// A value as the API tells it: plain text, or JSON of an object or a list.
fn concealed(place: &str, text: &str) -> String {
    let structure = text.starts_with(['{', '[']).then(|| serde_json::from_str::<Value>(text).ok()).flatten();
    match structure {
        Some(value) => formwork_assembly::json::to_compact_text(&shown(place, &value)),
        None => match shown(place, &Value::String(text.to_owned())) {
            Value::String(text) => text,
            other => formwork_assembly::json::to_compact_text(&other),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::changes::between;

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
        conceal(&mut changes);
        let told = format!("{changes:?}");
        assert!(!told.contains("horse") && !told.contains("staple"), "{told}");
        assert!(told.contains("\"13\"") && told.contains("\"16\""), "{told}");
    }

    #[test]
    fn a_secret_within_a_structure_is_hidden_alone() {
        let told = concealed("/Properties/Environment", r#"{"Variables":{"API_TOKEN":"x","STAGE":"dev"}}"#);
        assert!(told.contains("dev") && !told.contains("\"x\""), "{told}");
        assert_eq!(concealed("/Properties/Name", "plain"), "plain");
    }
}
