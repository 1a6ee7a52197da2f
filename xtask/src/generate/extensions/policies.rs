//! The shapes of policy documents, of which the provider schemas say no more than "JSON".

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::generate::{Report, provider, read_json};

/// The schema of a kind of policy document as a reference, and the definitions that it needs.
pub(super) fn read(
    folder: &Path,
    rule: &Value,
    report: &mut Report,
) -> Result<(Value, Map<String, Value>), String> {
    let file = rule["file"].as_str().unwrap_or_default();
    let mut kind = read_json(&folder.join(file))?;
    if rule["sameSidAllowed"] == true {
        remove(&mut kind, "uniqueKeys");
    }
    let base = read_json(&folder.join("policy.json"))?;
    let name = file.trim_end_matches(".json").replace('_', ".");
    let mut definitions = Map::new();
    definitions.insert(name.clone(), Value::Null);
    let mut root = kind.clone();
    take(&mut root, &kind, &base, &name, &mut definitions)?;
    definitions.insert(name.clone(), root);
    let mut cleaned = Map::new();
    for (name, schema) in definitions {
        let mut schema = provider::clean(&schema, report);
        if let Some(map) = schema.as_object_mut() {
            map.remove("definitions");
        }
        provider::name_references(&mut schema, &Value::Null, &mut Map::new());
        cleaned.insert(name, schema);
    }
    Ok((json!({ "ref": name }), cleaned))
}

/// Makes each reference name a definition of ours, and takes what it refers to along.
fn take(
    schema: &mut Value,
    kind: &Value,
    base: &Value,
    prefix: &str,
    definitions: &mut Map<String, Value>,
) -> Result<(), String> {
    match schema {
        Value::Array(list) => {
            list.iter_mut().try_for_each(|item| take(item, kind, base, prefix, definitions))
        }
        Value::Object(map) => {
            map.remove("definitions");
            if let Some(Value::String(reference)) = map.get_mut("$ref") {
                let (document, pointer) = reference.split_once('#').unwrap_or((reference, ""));
                // A reference without a document stays in the one that it stands in.
                let in_base = document == "policy" || prefix == "policy";
                let (document, prefix) = if in_base { (base, "policy") } else { (kind, prefix) };
                let parts: Vec<&str> = pointer
                    .split('/')
                    .filter(|part| !matches!(*part, "" | "definitions" | "properties"))
                    .collect();
                let name = format!("{prefix}.{}", parts.join("."));
                let target = document
                    .pointer(pointer)
                    .ok_or_else(|| format!("a policy refers to {pointer}, which is not there"))?;
                if !definitions.contains_key(&name) {
                    definitions.insert(name.clone(), Value::Null);
                    let mut target = target.clone();
                    take(&mut target, kind, base, prefix, definitions)?;
                    definitions.insert(name.clone(), target);
                }
                *reference = name;
            }
            map.values_mut().try_for_each(|value| take(value, kind, base, prefix, definitions))
        }
        _ => Ok(()),
    }
}

fn remove(schema: &mut Value, key: &str) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(|item| remove(item, key)),
        Value::Object(map) => {
            map.remove(key);
            map.values_mut().for_each(|value| remove(value, key));
        }
        _ => {}
    }
}
