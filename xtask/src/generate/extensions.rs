//! The conditional rules that cfn-lint adds to the provider schemas, put beside the types that they speak of.
//!
//! Which file applies where stands in code there, so `facts/extensions.json` says it here. A file that the table does
//! not name stops the generator: a new rule is either taken or left out for a reason.

mod policies;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Report, object, provider, read_json, strings};

/// The rules by type name, and the definitions that they bring along.
pub(super) struct Extensions {
    rules: BTreeMap<String, Vec<Value>>,
    definitions: BTreeMap<String, Map<String, Value>>,
    /// The files that are left out, with the reason.
    pub(super) left_out: Value,
}

pub(super) fn read(
    cfn_lint: &Path,
    crate_folder: &Path,
    regions: &[String],
    report: &mut Report,
) -> Result<Extensions, String> {
    let folder = cfn_lint.join("data/schemas/extensions");
    let table = read_json(&crate_folder.join("facts/extensions.json"))?;
    let mut extensions = Extensions {
        rules: BTreeMap::new(),
        definitions: BTreeMap::new(),
        left_out: table["leftOut"].clone(),
    };
    let mut known: BTreeSet<&str> = object(&table["leftOut"])?.keys().map(String::as_str).collect();
    for rule in table["rules"].as_array().into_iter().flatten() {
        let file = rule["file"].as_str().unwrap_or_default();
        known.insert(file);
        // A rule may be all ours, where the source has it in code.
        let mut source = if file.is_empty() { Value::Null } else { read_json(&folder.join(file))? };
        if file.starts_with("aws_rds_") {
            ignore_case_of_engine(&mut source);
        }
        for place in strings(&rule["places"]) {
            let (name, path) = place.split_once('/').unwrap_or((place, ""));
            let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            let schema = match rule.get("schema") {
                Some(own) => own.clone(),
                None if source.get("us-east-1").is_some() => by_region(&source, regions)?,
                None => {
                    let mut schema = provider::clean(&source, report);
                    if let Some(definitions) =
                        schema.as_object_mut().and_then(|map| map.remove("definitions"))
                    {
                        let mut definitions = object(&definitions)?.clone();
                        let mut named = Value::Object(definitions.clone());
                        provider::name_references(&mut named, &Value::Null, &mut definitions);
                        extensions
                            .definitions
                            .entry(name.to_owned())
                            .or_default()
                            .extend(object(&named)?.clone());
                    }
                    provider::name_references(&mut schema, &Value::Null, &mut Map::new());
                    schema
                }
            };
            let mut entry = json!({ "name": rule["name"], "severity": rule["severity"], "schema": schema });
            if !path.is_empty() {
                entry["path"] = path.into();
            }
            extensions.rules.entry(name.to_owned()).or_default().push(entry);
        }
    }
    for rule in table["policies"].as_array().into_iter().flatten() {
        let folder = cfn_lint.join("data/schemas/other/iam");
        let (schema, definitions) = policies::read(&folder, rule, report)?;
        for place in strings(&rule["places"]) {
            let (name, path) = place.split_once('/').ok_or_else(|| format!("{place} names no property"))?;
            let path: Vec<&str> = path.split('/').collect();
            let entry = json!({ "name": "policy", "severity": "error", "path": path, "full": true, "schema": schema });
            extensions.rules.entry(name.to_owned()).or_default().push(entry);
            extensions.definitions.entry(name.to_owned()).or_default().extend(definitions.clone());
        }
    }
    for file in files(&folder)? {
        if !known.contains(file.as_str()) {
            return Err(format!(
                "the rule {file} is new\nhint: add it to constructs/schema/facts/extensions.json, with its places or under `leftOut`"
            ));
        }
    }
    Ok(extensions)
}

impl Extensions {
    /// Adds the rules of a type to its record.
    pub(super) fn add(&self, name: &str, record: &mut Map<String, Value>) -> Result<(), String> {
        if let Some(rules) = self.rules.get(name) {
            record.insert("extensions".into(), rules.clone().into());
        }
        let Some(added) = self.definitions.get(name) else { return Ok(()) };
        let definitions = record.entry("definitions").or_insert_with(|| json!({}));
        let Some(definitions) = definitions.as_object_mut() else { return Ok(()) };
        for (definition, schema) in added {
            if definitions.insert(definition.clone(), schema.clone()).is_some_and(|known| known != *schema) {
                return Err(format!("{name}: a rule brings another definition of `{definition}`"));
            }
        }
        Ok(())
    }
}

/// Lists of values by region as one list with the regions of each. Where the lists depend on an engine, every value of
/// a known engine is taken: which class goes with which engine would be five times all other facts.
fn by_region(source: &Value, regions: &[String]) -> Result<Value, String> {
    let mut values: BTreeMap<String, u64> = BTreeMap::new();
    let mut engines = BTreeSet::new();
    let mut property = None;
    for (region, schema) in object(source)? {
        // A region without facts is one that nobody looks up; its values still count.
        let bit = regions.iter().position(|known| known == region).map_or(0, |position| 1_u64 << position);
        let mut add = |list: &Value| {
            for value in strings(list) {
                *values.entry(value.to_owned()).or_default() |= bit;
            }
        };
        add(&schema["enum"]);
        for branch in schema["allOf"].as_array().into_iter().flatten() {
            // The lists may also depend on the licence, or on there being none.
            let condition = &branch["if"]["properties"];
            let licence = condition.get("LicenseModel").map(Value::to_string);
            for engine in strings(&condition["Engine"]["enumCaseInsensitive"]) {
                engines.insert((licence.clone(), engine.to_owned()));
            }
            for (name, schema) in branch["then"]["properties"].as_object().into_iter().flatten() {
                property = Some(name.clone());
                add(&schema["enum"]);
            }
        }
    }
    let list = json!({ "regionalEnum": values });
    let Some(property) = property else { return Ok(list) };
    let mut by_licence: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for (licence, engine) in engines {
        by_licence.entry(licence).or_default().push(engine);
    }
    let mut known = Vec::new();
    for (licence, engines) in by_licence {
        let mut condition = json!({
            "properties": { "Engine": { "enumCaseInsensitive": engines } }, "required": ["Engine", property],
        });
        if let Some(licence) = licence {
            let licence: Value = serde_json::from_str(&licence).map_err(|error| error.to_string())?;
            if licence != false {
                condition["required"] = json!(["Engine", "LicenseModel", property]);
            }
            condition["properties"]["LicenseModel"] = licence;
        }
        known.push(condition);
    }
    Ok(json!({ "if": { "anyOf": known }, "then": { "properties": { property: list } } }))
}

/// The services read the name of an engine in any case.
fn ignore_case_of_engine(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(ignore_case_of_engine),
        Value::Object(map) => {
            if let Some(Value::Object(engine)) = map.get_mut("Engine") {
                let values = match (engine.remove("const"), engine.remove("enum")) {
                    (Some(one), _) => Some(json!([one])),
                    (None, many) => many,
                };
                if let Some(values) = values {
                    engine.insert("enumCaseInsensitive".into(), values);
                }
            }
            map.values_mut().for_each(ignore_case_of_engine);
        }
        _ => {}
    }
}

/// The paths of all rule files below a folder.
fn files(folder: &Path) -> Result<Vec<String>, String> {
    let list = |path: &Path| -> Result<Vec<_>, String> {
        let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| error.to_string())).collect()
    };
    let mut files = Vec::new();
    for path in list(folder)?.into_iter().filter(|path| path.is_dir()) {
        for file in list(&path)? {
            if file.extension().is_some_and(|extension| extension == "json") {
                let relative = file.strip_prefix(folder).map_err(|error| error.to_string())?;
                files.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files.sort();
    Ok(files)
}
