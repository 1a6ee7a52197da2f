//! The CDK's service specification: attributes, what `Ref` returns, replacement, tags, state.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use super::strings;

/// The part of the specification that the pack takes, by type name.
pub(super) struct Specification {
    resources: BTreeMap<String, Value>,
}

pub(super) fn read(file: &Path) -> Result<Specification, String> {
    let packed = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut text = String::new();
    GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let mut database: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let Value::Array(entities) = database["schema"]["resource"]["entities"].take() else {
        return Err(format!("{}: no list schema.resource.entities", file.display()));
    };
    let resources = entities
        .into_iter()
        .filter_map(|resource| Some((resource["cloudFormationType"].as_str()?.to_owned(), resource)))
        .collect();
    Ok(Specification { resources })
}

impl Specification {
    pub(super) fn knows(&self, name: &str) -> bool {
        self.resources.contains_key(name)
    }

    pub(super) fn is_stateful(&self, name: &str) -> bool {
        self.resources.get(name).is_some_and(|resource| resource["isStateful"] == true)
    }

    /// Adds to a record what the provider schema does not say.
    pub(super) fn merge(&self, name: &str, record: &mut Map<String, Value>) {
        let Some(resource) = self.resources.get(name) else { return };
        merge_attributes(resource, record);
        let identifier = strings(&resource["cfnRefIdentifier"]);
        if !identifier.is_empty() {
            // The format belongs to the property that the provider schema names, so it goes with it.
            let same = strings(&record["reference"]["properties"]) == identifier;
            if !same {
                let format =
                    super::provider::format_of(record, identifier.first().copied().unwrap_or_default());
                let mut reference = json!({ "properties": identifier });
                if let (Some(format), 1) = (format, identifier.len()) {
                    reference["format"] = format.into();
                }
                record.insert("reference".into(), reference);
            }
        }
        if let Some(template) = resource["arnTemplate"].as_str() {
            record.insert("arnTemplate".into(), template.into());
        }
        merge_replacement(resource, record);
        merge_tagging(&resource["tagInformation"], record);
    }
}

fn merge_attributes(resource: &Value, record: &mut Map<String, Value>) {
    let Some(known) = resource["attributes"].as_object() else { return };
    let mut attributes = record.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, attribute) in known {
        let kind = match attribute["type"]["type"].as_str().unwrap_or_default() {
            "integer" => "integer",
            "number" => "number",
            "boolean" => "boolean",
            "array" => "array",
            "ref" | "map" | "json" => "object",
            _ => "string",
        };
        attributes.entry(name.clone()).or_insert_with(|| {
            let mut entry = json!({ "type": kind });
            if let Some(format) = super::provider::format_of(record, name) {
                entry["format"] = format.into();
            }
            entry
        });
    }
    if !attributes.is_empty() {
        record.insert("attributes".into(), attributes.into());
    }
}

fn merge_replacement(resource: &Value, record: &mut Map<String, Value>) {
    let create_only = strings(&record.get("createOnly").cloned().unwrap_or_default()).join("\n");
    let mut replacement = Map::new();
    for (name, property) in resource["properties"].as_object().into_iter().flatten() {
        let kind = match property["causesReplacement"].as_str() {
            Some("yes") => "always",
            Some("maybe") => "conditional",
            _ => continue,
        };
        // What the provider schema says of a property, it says better: with paths inside it.
        let said = create_only.lines().any(|path| path == name || path.starts_with(&format!("{name}/")));
        if !said {
            replacement.insert(name.clone(), kind.into());
        }
    }
    if !replacement.is_empty() {
        record.insert("replacement".into(), replacement.into());
    }
}

fn merge_tagging(information: &Value, record: &mut Map<String, Value>) {
    let Some(property) = information["tagPropertyName"].as_str() else { return };
    let shape = match information["variant"].as_str() {
        Some("standard") => "list",
        Some("map") => "map",
        Some("asg") => "propagatedList",
        _ => "other",
    };
    match record.get_mut("tagging").and_then(Value::as_object_mut) {
        Some(tagging) if tagging["property"] == property => {
            tagging.insert("shape".into(), shape.into());
        }
        Some(_) => {}
        None => {
            let tagging =
                json!({ "property": property, "shape": shape, "onCreate": true, "updatable": true });
            record.insert("tagging".into(), tagging);
        }
    }
}
