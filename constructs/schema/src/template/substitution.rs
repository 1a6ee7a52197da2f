//! `${Name}` in a plain text: without `Fn::Sub` it stays as it is, which is seldom meant.

use formwork_assembly::references::{push_pointer, substitutions};
use serde_json::Value;

use super::context::Context;

pub(super) fn check(context: &mut Context<'_>) {
    let mut found = Vec::new();
    for (section, attributes) in [("Resources", ["Properties", "Metadata"]), ("Outputs", ["Value", "Export"])]
    {
        for (name, entry) in context.entries(section) {
            // Instance metadata is full of scripts with variables of their own.
            for attribute in attributes.into_iter().filter(|attribute| *attribute != "Metadata") {
                if let Some(value) = entry.get(attribute) {
                    let mut place = super::context::pointer(&[section, name, attribute]);
                    walk(context, value, &mut place, &mut found);
                }
            }
        }
    }
    for (place, name) in found {
        let message = format!("`${{{name}}}` stands in a text without `Fn::Sub`, and stays as it is");
        context.warning("missing-sub", place, message).hint = Some("wrap the text in `Fn::Sub`".to_owned());
    }
}

fn walk(context: &Context<'_>, value: &Value, place: &mut String, found: &mut Vec<(String, String)>) {
    let length = place.len();
    match value {
        Value::String(text) => {
            let known = |name: &&str| {
                let target = name.split_once('.').map_or(*name, |(target, _)| target);
                let pseudo = target.starts_with("AWS::") && !name.contains('.');
                let resource = context.resources.contains_key(target);
                pseudo || resource || (target == *name && context.parameters.contains_key(target))
            };
            if let Some(name) = substitutions(text).find(known) {
                found.push((place.clone(), name.to_owned()));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                push_pointer(place, &index.to_string());
                walk(context, item, place, found);
                place.truncate(length);
            }
        }
        Value::Object(members) => {
            // The text of `Fn::Sub` is its business, but not what its variables hold. A nested template and a state
            // machine have substitutions of their own.
            let own = ["Fn::Sub", "Fn::Transform", "TemplateBody"];
            let replaced = members.contains_key("DefinitionSubstitutions");
            for (name, member) in members {
                if own.contains(&name.as_str()) || (replaced && name.starts_with("Definition")) {
                    continue;
                }
                push_pointer(place, name);
                walk(context, member, place, found);
                place.truncate(length);
            }
        }
        _ => {}
    }
}
