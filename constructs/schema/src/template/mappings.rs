//! Mappings: two levels of names above a value.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html>.

use formwork_assembly::limits::{MAPPING_ATTRIBUTES, MAPPING_NAME};
use serde_json::Value;

use super::context::{Context, pointer};
use super::sections::kind;

pub(super) fn check(context: &mut Context<'_>) {
    for (name, mapping) in context.entries("Mappings") {
        let place = pointer(&["Mappings", name]);
        let Some(keys) = level(context, &place, &format!("the mapping `{name}`"), mapping) else { continue };
        for (key, values) in keys {
            let place = format!("{place}{}", pointer(&[key]));
            if !is_key(key, b".-") {
                let message = format!("`{key}` is no top-level key of a mapping");
                context.error("mapping", place.clone(), message).hint =
                    Some("use letters, digits, dots and hyphens".to_owned());
            }
            let Some(values) = level(context, &place, &format!("`{key}` in the mapping `{name}`"), values)
            else {
                continue;
            };
            for (attribute, value) in values {
                let place = format!("{place}{}", pointer(&[attribute]));
                if !is_key(attribute, b"") {
                    let message = format!("`{attribute}` is no name for a value of a mapping");
                    context.error("mapping", place.clone(), message).hint =
                        Some("use letters and digits".to_owned());
                }
                if value.is_object() || value.is_null() {
                    let message = format!(
                        "`{attribute}` in the mapping `{name}` is {}, where a text or a list is wanted",
                        kind(value)
                    );
                    context.error("mapping", place, message);
                }
            }
        }
    }
}

/// One level of a mapping: an object with at least one and not too many members.
fn level<'t>(
    context: &mut Context<'t>,
    place: &str,
    what: &str,
    value: &'t Value,
) -> Option<Vec<(&'t String, &'t Value)>> {
    let Some(members) = value.as_object() else {
        context.error("mapping", place, format!("{what} is {}, where an object is wanted", kind(value)));
        return None;
    };
    // An include may bring the members.
    if members.keys().any(|name| name.starts_with("Fn::")) {
        return None;
    }
    if members.is_empty() {
        context.error("mapping", place, format!("{what} is empty"));
    }
    if members.len() > MAPPING_ATTRIBUTES {
        let message = format!("{what} has {} entries, more than {MAPPING_ATTRIBUTES}", members.len());
        context.error("limit", place, message);
    }
    Some(members.iter().collect())
}

fn is_key(key: &str, extra: &[u8]) -> bool {
    let length = key.chars().count();
    (1..=MAPPING_NAME).contains(&length)
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
}
