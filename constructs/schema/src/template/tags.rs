//! Tags: no key twice, and none of those that AWS keeps for itself.
//!
//! The schemas of most types say neither.
//! Source: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>.

use serde_json::Value;

use super::context::{Context, pointer};

/// What the keys of AWS's own tags begin with.
const RESERVED: &str = "aws:";

pub(super) fn check(context: &mut Context<'_>) {
    for resource in context.resources.clone().into_values() {
        let Some(tagging) = resource.facts.and_then(crate::ResourceType::tagging) else { continue };
        let tags = resource.properties().and_then(|properties| properties.get(&tagging.property));
        let place = pointer(&["Resources", resource.name, "Properties", &tagging.property]);
        match tags {
            Some(Value::Array(items)) => list(context, &place, items),
            Some(Value::Object(members)) => {
                for name in members.keys().filter(|name| name.starts_with(RESERVED)) {
                    reserved(context, format!("{place}{}", pointer(&[name])), name);
                }
            }
            _ => {}
        }
    }
}

fn list(context: &mut Context<'_>, place: &str, items: &[Value]) {
    let mut seen: Vec<&Value> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(key) = item.get("Key") else { continue };
        let place = format!("{place}/{index}");
        if let Some(text) = key.as_str().filter(|text| text.starts_with(RESERVED)) {
            reserved(context, format!("{place}/Key"), text);
        }
        if seen.contains(&key) && !context.has_finding("duplicate-item", &place) {
            let message = format!("the tag {key} is there twice").replace('"', "`");
            context.error("duplicate-item", place, message).hint = Some("keep one of them".to_owned());
        }
        seen.push(key);
    }
}

fn reserved(context: &mut Context<'_>, place: String, key: &str) {
    if !context.has_finding("pattern", &place) {
        let message =
            format!("the key `{key}` of a tag begins with `{RESERVED}`, which AWS keeps for itself");
        context.error("pattern", place, message).hint = Some("choose another key".to_owned());
    }
}
