//! What `Fn::GetAtt` returns, as far as the provider schemas and cfn-lint's additions to them say it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::provider::{format_of, schema_at};
use super::{object, read_json, strings};

/// Which properties are attributes, where the provider schemas do not say it.
pub(super) struct Attributes {
    whole: BTreeSet<String>,
    named: BTreeMap<String, Vec<String>>,
}

impl Attributes {
    pub(super) fn read(crate_folder: &Path) -> Result<Self, String> {
        let facts = read_json(&crate_folder.join("facts/attributes.json"))?;
        let named = object(&facts["named"])?
            .iter()
            .map(|(name, list)| (name.clone(), strings(list).into_iter().map(str::to_owned).collect()))
            .collect();
        Ok(Self { whole: strings(&facts["everyProperty"]).into_iter().map(str::to_owned).collect(), named })
    }

    pub(super) fn of(&self, name: &str, record: &Map<String, Value>) -> Map<String, Value> {
        let mut found = Map::new();
        if self.whole.contains(name) {
            let properties = record["schema"]["properties"].as_object();
            for property in properties.into_iter().flatten().map(|(name, _)| name) {
                walk(record, property, &mut found, 0);
            }
        }
        let read_only = record.get("readOnly").map(strings).unwrap_or_default();
        let named = self.named.get(name).map(Vec::as_slice).unwrap_or_default();
        for path in read_only.into_iter().chain(named.iter().map(String::as_str)) {
            if path.contains('*') && !path.ends_with(".*") {
                continue;
            }
            let attribute = path.replace('/', ".");
            found.entry(attribute).or_insert_with(|| attribute_at(record, path));
        }
        found
    }
}

/// Every value below a property that is not a list of objects, as cfn-lint walks it.
fn walk(record: &Map<String, Value>, path: &str, found: &mut Map<String, Value>, depth: usize) {
    let Some(schema) = schema_at(record, path) else { return };
    if let (Some(properties), true) = (schema["properties"].as_object(), depth < 6) {
        for name in properties.keys() {
            walk(record, &format!("{path}.{name}"), found, depth + 1);
        }
        return;
    }
    let of_objects = schema["type"] == "array"
        && schema_at(record, &format!("{path}/*"))
            .is_some_and(|items| matches!(items["type"].as_str(), Some("object" | "array")));
    if !of_objects {
        found.insert(path.to_owned(), attribute_at(record, path));
    }
}

fn attribute_at(record: &Map<String, Value>, path: &str) -> Value {
    let schema = schema_at(record, path);
    let kind = match schema.map(|schema| &schema["type"]) {
        Some(Value::String(kind)) => kind.as_str(),
        // Several types: one that is a scalar in a template.
        Some(Value::Array(kinds)) => kinds.iter().find_map(Value::as_str).unwrap_or("string"),
        _ => "string",
    };
    let mut attribute = json!({ "type": kind });
    if let Some(format) = format_of(record, path) {
        attribute["format"] = format.into();
    }
    attribute
}
