//! The provider schemas as cfn-lint publishes them, turned into records of the pack.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::{Report, object, pattern, read_json, strings};

/// The records by type name, and where types exist.
pub(super) struct Types {
    /// The day of the schemas.
    pub(super) date: String,
    /// The same with the time.
    pub(super) timestamp: String,
    /// The regions whose lists are known, sorted.
    pub(super) regions: Vec<String>,
    /// The regions whose lists are copies of another one, sorted.
    pub(super) unknown_regions: Vec<String>,
    /// The records.
    pub(super) schemas: BTreeMap<String, Map<String, Value>>,
}

/// Keywords that say nothing about a value.
const DOCUMENTATION: &[&str] = &[
    "description",
    "title",
    "examples",
    "$comment",
    "insertionOrder",
    "default",
    "relationshipRef",
    "arrayType",
    "$schema",
    "$id",
    "cfnLint",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Keywords whose value is a map from a name to a schema.
const SCHEMA_MAPS: &[&str] = &["properties", "patternProperties", "definitions", "dependentSchemas"];
/// Keywords whose value is a schema.
const SCHEMAS: &[&str] =
    &["items", "not", "if", "then", "else", "propertyNames", "contains", "additionalProperties"];
/// Keywords whose value is a list of schemas.
const SCHEMA_LISTS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];

pub(super) fn read(cfn_lint: &Path, crate_folder: &Path, report: &mut Report) -> Result<Types, String> {
    let schemas = cfn_lint.join("data/schemas");
    let timestamp =
        read_json(&schemas.join("version.json"))?["schema_date"].as_str().unwrap_or_default().to_owned();
    let Regions { known: regions, unknown: unknown_regions, serverless } =
        regions(&schemas.join("providers"))?;
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    for types in regions.values().chain([&serverless]) {
        hashes.extend(types.iter().map(|(name, hash)| (name.clone(), hash.clone())));
    }
    let attributes = Attributes::read(crate_folder)?;
    refuse_stray_patches(crate_folder, &hashes)?;
    let mut records = BTreeMap::new();
    for (name, hash) in &hashes {
        let mut source = read_json(&schemas.join("resources").join(format!("{hash}.json")))?;
        patch(name, &mut source, crate_folder, report)?;
        let mut record =
            record(name, &source, &attributes, report).map_err(|error| format!("{name}: {error}"))?;
        let everywhere = serverless.contains_key(name);
        let set = regions
            .values()
            .enumerate()
            .filter(|(_, types)| everywhere || types.contains_key(name))
            .fold(0_u64, |set, (bit, _)| set | 1 << bit);
        record.insert("regions".into(), set.into());
        records.insert(name.clone(), record);
    }
    Ok(Types {
        date: timestamp.chars().take(10).collect(),
        timestamp,
        regions: regions.into_keys().collect(),
        unknown_regions,
        schemas: records,
    })
}

/// The file of each type, by type name.
type Hashes = BTreeMap<String, String>;

/// Where types exist.
struct Regions {
    /// The types of each region that has a list of its own.
    known: BTreeMap<String, Hashes>,
    /// The regions without one.
    unknown: Vec<String>,
    /// The types that a transform makes, in every region.
    serverless: Hashes,
}

/// The types of each region. A list that is a copy of the one of us-east-1 is a placeholder, so nothing is known there.
fn regions(folder: &Path) -> Result<Regions, String> {
    let mut regions = BTreeMap::new();
    let mut serverless = Hashes::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let file = entry.map_err(|error| error.to_string())?.path();
        let Some(region) = file.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")) else {
            continue;
        };
        let types: Hashes =
            serde_json::from_value(read_json(&file)?).map_err(|error| format!("{region}: {error}"))?;
        if region == "sam" {
            serverless = types;
        } else {
            regions.insert(region.to_owned(), types);
        }
    }
    let model = regions.get("us-east-1").cloned().ok_or("no list of types for us-east-1")?;
    let unknown: Vec<String> = regions
        .iter()
        .filter(|(region, types)| *region != "us-east-1" && **types == model)
        .map(|(region, _)| region.clone())
        .collect();
    regions.retain(|region, _| !unknown.contains(region));
    if regions.len() > 64 {
        return Err(format!("{} regions do not fit into the 64 bits of a region set", regions.len()));
    }
    Ok(Regions { known: regions, unknown, serverless })
}

/// A patch whose type is gone or misspelt would be forgotten without a word.
fn refuse_stray_patches(crate_folder: &Path, known: &Hashes) -> Result<(), String> {
    let folder = crate_folder.join("patches");
    for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let file = entry.map_err(|error| error.to_string())?.path();
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().replace('-', "::");
        if !known.contains_key(&name) {
            return Err(format!("{}: there is no type `{name}`", file.display()));
        }
    }
    Ok(())
}

/// Applies our patches for a type: a JSON Merge Patch (RFC 7396) with the reason beside it.
fn patch(name: &str, source: &mut Value, crate_folder: &Path, report: &mut Report) -> Result<(), String> {
    let file = crate_folder.join("patches").join(format!("{}.json", name.replace("::", "-")));
    if !file.exists() {
        return Ok(());
    }
    for patch in read_json(&file)?.as_array().into_iter().flatten() {
        if patch["reason"].as_str().is_none_or(str::is_empty) {
            return Err(format!("{}: a patch needs a reason", file.display()));
        }
        let before = source.clone();
        merge(source, &patch["merge"]);
        if before == *source {
            return Err(format!("{}: the patch changes nothing\nhint: remove it", file.display()));
        }
        report.patches += 1;
    }
    Ok(())
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

fn record(
    name: &str,
    source: &Value,
    attributes: &Attributes,
    report: &mut Report,
) -> Result<Map<String, Value>, String> {
    let source = object(source)?;
    let mut definitions: Map<String, Value> = Map::new();
    for (definition, schema) in source.get("definitions").and_then(Value::as_object).into_iter().flatten() {
        definitions.insert(definition.clone(), clean(schema, report));
    }
    let root: Map<String, Value> = source
        .iter()
        .filter(|(key, _)| {
            SCHEMA_LISTS.contains(&key.as_str())
                || matches!(
                    key.as_str(),
                    "properties"
                        | "patternProperties"
                        | "required"
                        | "requiredXor"
                        | "requiredOr"
                        | "dependentExcluded"
                        | "dependentRequired"
                        | "additionalProperties"
                        | "dependencies"
                        | "if"
                        | "then"
                )
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut schema = clean(&Value::Object(root), report);
    let properties = schema["properties"].clone();
    let mut named = Value::Object(definitions.clone());
    name_references(&mut schema, &properties, &mut definitions);
    name_references(&mut named, &properties, &mut definitions);
    if let Value::Object(named) = named {
        definitions.extend(named);
    }

    let mut record = Map::new();
    record.insert("name".into(), name.into());
    record.insert("schema".into(), schema);
    if !definitions.is_empty() {
        record.insert("definitions".into(), definitions.into());
    }
    for (key, target) in [
        ("readOnlyProperties", "readOnly"),
        ("writeOnlyProperties", "writeOnly"),
        ("createOnlyProperties", "createOnly"),
        ("conditionalCreateOnlyProperties", "conditionalCreateOnly"),
        ("deprecatedProperties", "deprecated"),
        ("primaryIdentifier", "primaryIdentifier"),
    ] {
        let paths: Vec<String> =
            source.get(key).map(strings).unwrap_or_default().into_iter().map(path).collect();
        if !paths.is_empty() {
            record.insert(target.into(), paths.into());
        }
    }
    record.insert("reference".into(), reference(&record));
    if let Some(permissions) = permissions(source) {
        record.insert("permissions".into(), permissions);
    }
    if let Some(tagging) = tagging(source, &record) {
        record.insert("tagging".into(), tagging);
    }
    let found = attributes.of(name, &record);
    if !found.is_empty() {
        record.insert("attributes".into(), found.into());
    }
    Ok(record)
}

/// `/properties/A/*/B` as `A/*/B`; some sources repeat `properties` or name `items` on the way.
fn path(pointer: &str) -> String {
    let parts: Vec<&str> = pointer
        .trim_start_matches('/')
        .split('/')
        .enumerate()
        .filter(|(position, part)| !(*part == "properties" && *position == 0))
        .map(|(_, part)| if part == "items" || part == "[*]" { "*" } else { part })
        .collect();
    parts.join("/")
}

/// A schema with facts only: documentation dropped, patterns made usable, references to definitions by name.
pub(super) fn clean(schema: &Value, report: &mut Report) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let mut cleaned = Map::new();
    for (key, value) in keywords {
        let key = key.as_str();
        if DOCUMENTATION.contains(&key) {
            continue;
        }
        let value = if SCHEMA_MAPS.contains(&key) {
            let mut map = Map::new();
            for (name, schema) in value.as_object().into_iter().flatten() {
                let name = if key == "patternProperties" {
                    usable(name, report).unwrap_or_else(|| ".*".into())
                } else {
                    name.clone()
                };
                map.insert(name, clean(schema, report));
            }
            Value::Object(map)
        } else if SCHEMAS.contains(&key) {
            clean(value, report)
        } else if SCHEMA_LISTS.contains(&key) {
            value.as_array().into_iter().flatten().map(|schema| clean(schema, report)).collect()
        } else {
            match key {
                "pattern" => {
                    let source = value.as_str().unwrap_or_default();
                    let (source, bounds) = pattern::without_length(source);
                    if let Some((least, most)) = bounds {
                        tighten(&mut cleaned, keywords, "minLength", least, u64::max);
                        tighten(&mut cleaned, keywords, "maxLength", most, u64::min);
                    }
                    match usable(&source, report) {
                        Some(pattern) => pattern.into(),
                        None => continue,
                    }
                }
                // Set already, and tighter, from the pattern.
                "minLength" | "maxLength" if cleaned.contains_key(key) => continue,
                "$ref" => {
                    cleaned.insert("ref".into(), value.clone());
                    continue;
                }
                "dependencies" => {
                    dependencies(value, &mut cleaned, report);
                    continue;
                }
                // A list without the rule is the rule of every list.
                "uniqueItems" if *value == false => continue,
                _ => value.clone(),
            }
        };
        cleaned.insert(key.into(), value);
    }
    Value::Object(cleaned)
}

/// Sets a length limit, or the tighter one of it and the schema's own.
fn tighten(
    cleaned: &mut Map<String, Value>,
    keywords: &Map<String, Value>,
    key: &str,
    limit: u64,
    choose: fn(u64, u64) -> u64,
) {
    let limit = keywords.get(key).and_then(Value::as_u64).map_or(limit, |own| choose(own, limit));
    cleaned.insert(key.into(), limit.into());
}

/// The older keyword `dependencies` as the two that took its place.
fn dependencies(value: &Value, cleaned: &mut Map<String, Value>, report: &mut Report) {
    let (lists, schemas): (Vec<_>, Vec<_>) =
        value.as_object().into_iter().flatten().partition(|(_, dependency)| dependency.is_array());
    if !lists.is_empty() {
        let map: Map<String, Value> =
            lists.into_iter().map(|(name, list)| (name.clone(), list.clone())).collect();
        cleaned.insert("dependentRequired".into(), map.into());
    }
    if !schemas.is_empty() {
        let map: Map<String, Value> =
            schemas.into_iter().map(|(name, schema)| (name.clone(), clean(schema, report))).collect();
        cleaned.insert("dependentSchemas".into(), map.into());
    }
}

fn usable(source: &str, report: &mut Report) -> Option<String> {
    match pattern::normalise(source) {
        Ok(pattern) => {
            report.rewritten_patterns += usize::from(pattern != source);
            Some(pattern)
        }
        Err(reason) => {
            report.dropped_patterns.insert(source.to_owned(), reason);
            None
        }
    }
}

/// Makes every reference the name of a definition. One into the properties makes that property a definition.
pub(super) fn name_references(schema: &mut Value, properties: &Value, definitions: &mut Map<String, Value>) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(|item| name_references(item, properties, definitions)),
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("ref") {
                let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
                if reference.starts_with("#/properties/") && !definitions.contains_key(&name) {
                    definitions.insert(name.clone(), properties[&name].clone());
                }
                *reference = name;
            }
            map.values_mut().for_each(|value| name_references(value, properties, definitions));
        }
        _ => {}
    }
}

/// The schema at a path below `Properties` of a record.
pub(super) fn schema_at<'a>(record: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let definitions = record.get("definitions");
    let resolve = |mut schema: &'a Value| {
        for _ in 0..8 {
            match schema["ref"].as_str().and_then(|name| definitions?.get(name)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    };
    let mut schema = record.get("schema")?;
    for part in path.split(['/', '.']) {
        schema = match part {
            "*" => resolve(schema).get("items")?,
            name => resolve(schema).get("properties")?.get(name)?,
        };
    }
    Some(resolve(schema))
}

/// The format of the value at a path, when it has exactly one.
pub(super) fn format_of(record: &Map<String, Value>, path: &str) -> Option<String> {
    schema_at(record, path)?["format"].as_str().map(str::to_owned)
}

fn reference(record: &Map<String, Value>) -> Value {
    let properties = record.get("primaryIdentifier").map(strings).unwrap_or_default();
    let mut reference = json!({ "properties": properties });
    if let [property] = properties[..]
        && let Some(format) = format_of(record, property)
    {
        reference["format"] = format.into();
    }
    reference
}

fn permissions(source: &Map<String, Value>) -> Option<Value> {
    let handlers = source.get("handlers")?.as_object()?;
    let permissions: Map<String, Value> = handlers
        .iter()
        .filter(|(handler, _)| matches!(handler.as_str(), "create" | "read" | "update" | "delete" | "list"))
        .map(|(handler, facts)| {
            let actions: BTreeSet<&str> =
                strings(&facts["permissions"]).into_iter().filter(|action| !action.is_empty()).collect();
            (handler.clone(), actions.into_iter().collect())
        })
        .collect();
    (!permissions.is_empty()).then_some(Value::Object(permissions))
}

/// The tagging facts, with the shape read from the property itself.
fn tagging(source: &Map<String, Value>, record: &Map<String, Value>) -> Option<Value> {
    let tagging = source.get("tagging");
    let flag = |name: &str| tagging.and_then(|tagging| tagging[name].as_bool()).unwrap_or(true);
    if !flag("taggable") || source.get("taggable") == Some(&Value::Bool(false)) {
        return None;
    }
    let property =
        path(tagging.and_then(|tagging| tagging["tagProperty"].as_str()).unwrap_or("/properties/Tags"));
    let schema = schema_at(record, &property)?;
    let keys = |schema: &Value| -> Vec<String> {
        schema["properties"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let shape = match schema["type"].as_str() {
        _ if property.contains('/') => "other",
        Some("object") => "map",
        Some("array") => match keys(schema_at(record, &format!("{property}/*"))?) {
            keys if keys == ["Key", "Value"] => "list",
            keys if keys == ["Key", "PropagateAtLaunch", "Value"] => "propagatedList",
            _ => "other",
        },
        _ => "other",
    };
    let mut facts = json!({
        "property": property, "shape": shape, "onCreate": flag("tagOnCreate"), "updatable": flag("tagUpdatable"),
    });
    let permissions = tagging.map(|tagging| strings(&tagging["permissions"])).unwrap_or_default();
    if !permissions.is_empty() {
        facts["permissions"] = permissions.into();
    }
    Some(facts)
}
