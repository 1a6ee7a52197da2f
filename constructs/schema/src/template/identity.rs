//! Two resources of one type that would be one and the same to AWS, because their identifying properties are equal.

use std::collections::BTreeMap;

use serde_json::Value;

use super::context::{Context, Resource, pointer};
use super::possibility::Possibilities;

pub(super) fn check(context: &mut Context<'_>) {
    let mut seen: BTreeMap<(&str, Vec<String>), Vec<Resource<'_>>> = BTreeMap::new();
    for resource in context.resources.values() {
        if let Some(identifier) = identifier(resource) {
            seen.entry((resource.type_name, identifier)).or_default().push(*resource);
        }
    }
    let possibilities = Possibilities::new(&context.conditions, &context.parameters, context.options.region);
    for resources in seen.into_values().filter(|resources| resources.len() > 1) {
        for (index, second) in resources.iter().enumerate().skip(1) {
            let together = |first: &&Resource<'_>| {
                let conditions: Vec<(&str, bool)> = [first.condition, second.condition]
                    .into_iter()
                    .flatten()
                    .map(|name| (name, true))
                    .collect();
                conditions.is_empty() || possibilities.possible(&conditions)
            };
            let Some(first) = resources[..index].iter().find(together) else { continue };
            let names = second.facts.map(|facts| facts.primary_identifier().join("`, `")).unwrap_or_default();
            let message = format!("`{}` and `{}` have the same `{names}`", second.name, first.name);
            context
                .error("duplicate-identifier", pointer(&["Resources", second.name, "Properties"]), message)
                .hint = Some("AWS makes one resource of a name: rename one, or remove the name".to_owned());
        }
    }
}

/// The values that name the resource to AWS; `None` where AWS chooses one of them.
fn identifier(resource: &Resource<'_>) -> Option<Vec<String>> {
    let facts = resource.facts.filter(|_| !resource.is_custom())?;
    let properties = resource.properties()?;
    let paths = facts.primary_identifier();
    let own = !paths.is_empty()
        && paths.iter().all(|path| !path.contains('/') && !facts.read_only().contains(path));
    let value = |path: &String| {
        let value = properties.get(path).filter(|value| !value.is_null())?;
        // What a function gives may be different each time.
        (!depends(value)).then(|| value.to_string())
    };
    if own { paths.iter().map(value).collect() } else { None }
}

/// Whether a value may come out differently although it is written alike.
fn depends(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{resolve:"),
        Value::Object(members) => {
            members.contains_key("Fn::Transform")
                || members.contains_key("Fn::If")
                || members.get("Ref").and_then(Value::as_str) == Some("AWS::NoValue")
                || members.values().any(depends)
        }
        Value::Array(items) => items.iter().any(depends),
        _ => false,
    }
}
