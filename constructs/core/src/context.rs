//! Context: the settings that an app reads, declared once as a type.
//!
//! A settings type is a struct that serde can read and schemars can describe. Its fields are the keys; a key that no
//! settings type declares is an error, and so is a value of the wrong form. All are reported together at synth.

use std::collections::BTreeMap;

use formwork_assembly::Diagnostic;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::stack::CrossStackReferences;

/// Where assets go, as the context key `assets` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AssetDestination {
    /// The bucket that Formwork's bootstrap stack made; templates read its name from an SSM parameter.
    #[default]
    Formwork,
    /// The bucket that the CDK's bootstrap stack made, so that the `cdk` command line can deploy the assembly.
    Cdk,
    /// A bucket by name.
    Bucket(String),
}

/// The context keys that the framework itself reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FrameworkSettings {
    /// Where assets go: `formwork` (the bucket of our bootstrap stack), `cdk` (that of the CDK's), or the name of a bucket.
    pub assets: String,
    /// The qualifier of the bootstrap stack, which tells several of them in one account apart.
    pub qualifier: Option<String>,
    /// How values of one stack reach another: `strong` exports and imports them, `weak` reads outputs.
    pub cross_stack_references: CrossStackReferences,
    /// The name or ARN of a managed policy that becomes the permissions boundary of every role and user.
    pub permissions_boundary: Option<String>,
}

impl Default for FrameworkSettings {
    fn default() -> Self {
        Self {
            assets: "formwork".to_owned(),
            qualifier: None,
            cross_stack_references: CrossStackReferences::default(),
            permissions_boundary: None,
        }
    }
}

impl FrameworkSettings {
    /// Where assets go.
    pub fn destination(&self) -> AssetDestination {
        match self.assets.as_str() {
            "formwork" => AssetDestination::Formwork,
            "cdk" => AssetDestination::Cdk,
            bucket => AssetDestination::Bucket(bucket.to_owned()),
        }
    }

    /// What cannot be meant by the values; each is a mistake in the context.
    pub(crate) fn mistakes(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut refuse = |key: &str, value: &str, hint: &str| {
            let message = format!("context {key} is `{value}`, which AWS does not take");
            found.push(Diagnostic::error("context-value", message).with_hint(hint));
        };
        let plain = |text: &str, more: &str| {
            text.chars().all(|character| character.is_ascii_alphanumeric() || more.contains(character))
        };
        if let AssetDestination::Bucket(name) = self.destination()
            && !is_bucket_name(&name)
        {
            refuse("assets", &name, "set it to formwork, to cdk, or to the name of a bucket");
        }
        if let Some(qualifier) = self.qualifier.as_deref()
            && (qualifier.is_empty() || qualifier.len() > 10 || !plain(qualifier, ""))
        {
            refuse("qualifier", qualifier, "use 1 to 10 letters and digits");
        }
        if let Some(policy) = self.permissions_boundary.as_deref()
            && (policy.is_empty() || !plain(policy, "+=,.@_/:-"))
        {
            refuse("permissionsBoundary", policy, "name a managed policy of the account, or give its ARN");
        }
        found
    }

    /// The qualifier of the bootstrap stack: the one given, else `formwork`, or `hnb659fds` as the CDK has it.
    pub fn qualifier(&self) -> &str {
        match (&self.qualifier, self.destination()) {
            (Some(qualifier), _) => qualifier,
            (None, AssetDestination::Cdk) => "hnb659fds",
            (None, _) => "formwork",
        }
    }
}

/// Whether S3 takes a text as the name of a bucket of one's own.
///
/// Source: Amazon S3 User Guide, "General purpose bucket naming rules".
pub fn is_bucket_name(text: &str) -> bool {
    let taken_beginning = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|part| text.starts_with(part));
    let taken_end =
        ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|part| text.ends_with(part));
    let is_allowed = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '.' | '-')
    };
    (3..=63).contains(&text.len())
        && text.chars().all(is_allowed)
        && !text.starts_with(['.', '-'])
        && !text.ends_with(['.', '-'])
        && !text.contains("..")
        && text.parse::<std::net::Ipv4Addr>().is_err()
        && !taken_beginning
        && !taken_end
}

/// One value of the context and where it was set.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextEntry {
    /// The value.
    pub value: Json,
    /// Where it was set, in words for people: `-c`, or `formwork.toml:12`.
    pub origin: String,
}

/// The values that an app is given, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    entries: BTreeMap<String, ContextEntry>,
}

impl Context {
    /// No values: every setting has its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value, replacing an earlier one. A text is read as a number, a truth value, a list with commas or a
    /// map of `name=value` where the setting wants one.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Json>, origin: impl Into<String>) {
        self.entries.insert(key.into(), ContextEntry { value: value.into(), origin: origin.into() });
    }

    /// The context with one more value, set by code.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.set(key, value, "the app's code");
        self
    }

    /// A value by key.
    pub fn get(&self, key: &str) -> Option<&ContextEntry> {
        self.entries.get(key)
    }

    /// All values in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextEntry)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry))
    }
}

/// A type of settings: its fields are context keys.
pub trait Settings: Default + Serialize + DeserializeOwned + JsonSchema {}

impl<T: Default + Serialize + DeserializeOwned + JsonSchema> Settings for T {}

/// The JSON Schema of settings, with the default of each key.
pub(crate) fn schema_of<T: Settings>() -> Schema {
    SchemaGenerator::default().into_root_schema_for::<T>()
}

/// Reads settings out of a context. A key with a wrong value keeps its default and is reported.
pub(crate) fn read<T: Settings>(context: &Context, diagnostics: &mut Vec<Diagnostic>) -> T {
    let schema = schema_of::<T>().to_value();
    let mut accepted = match serde_json::to_value(T::default()) {
        Ok(Json::Object(defaults)) => defaults,
        _ => Map::new(),
    };
    for key in property_names(&schema) {
        let Some(entry) = context.get(&key) else { continue };
        let mut candidate = accepted.clone();
        candidate.insert(key.clone(), coerce(&entry.value, &schema["properties"][&key], &schema));
        match serde_json::from_value::<T>(Json::Object(candidate.clone())) {
            Ok(_) => accepted = candidate,
            Err(error) => diagnostics.push(wrong_value(&key, entry, &schema, &error)),
        }
    }
    serde_json::from_value(Json::Object(accepted)).unwrap_or_default()
}

fn wrong_value(key: &str, entry: &ContextEntry, schema: &Json, error: &serde_json::Error) -> Diagnostic {
    let shown = match &entry.value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let message = format!("context {key} is `{shown}` (set by {}): {error}", entry.origin);
    let choices = choices(&schema["properties"][key], schema);
    let hint = if choices.is_empty() {
        format!("correct the value of {key}")
    } else {
        let near = choices.iter().find(|choice| strsim::damerau_levenshtein(choice, &shown) <= 2);
        match near {
            Some(near) => format!("did you mean {key}={near}? it takes {}", choices.join(" or ")),
            None => format!("{key} takes {}", choices.join(" or ")),
        }
    };
    Diagnostic::error("context-value", message).with_hint(hint)
}

/// Reports the keys of a context that no settings declare.
pub(crate) fn report_unknown(context: &Context, schemas: &[Schema], diagnostics: &mut Vec<Diagnostic>) {
    let known: Vec<String> = schemas.iter().flat_map(|schema| property_names(schema.as_value())).collect();
    for (key, entry) in context.iter() {
        if known.iter().any(|name| name == key) {
            continue;
        }
        let message = format!("context {key} (set by {}) is not a setting of this app", entry.origin);
        let near = known
            .iter()
            .map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &key.to_lowercase()), name))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|left, right| left.0.total_cmp(&right.0));
        let hint = match near {
            Some((_, name)) => format!("did you mean {name}?"),
            None => format!("it reads {}", known.join(", ")),
        };
        diagnostics.push(Diagnostic::error("context-key", message).with_hint(hint));
    }
}

/// One schema out of several, for people and editors.
pub(crate) fn merge_schemas(schemas: &[Schema]) -> Json {
    let mut properties = Map::new();
    let mut definitions = Map::new();
    for schema in schemas {
        for (from, into) in [("properties", &mut properties), ("$defs", &mut definitions)] {
            if let Some(Json::Object(entries)) = schema.as_value().get(from) {
                into.extend(entries.clone());
            }
        }
    }
    let mut merged = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Context",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if !definitions.is_empty() {
        merged["$defs"] = Json::Object(definitions);
    }
    merged
}

fn property_names(schema: &Json) -> Vec<String> {
    schema["properties"]
        .as_object()
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

/// The schemas that a value may satisfy: the schema itself, what it refers to, and the branches of its choices.
fn alternatives<'a>(schema: &'a Json, root: &'a Json) -> Vec<&'a Json> {
    let mut found = vec![schema];
    if let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'))
        && let Some(target) = root.pointer(pointer)
    {
        found.extend(alternatives(target, root));
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        for branch in schema[keyword].as_array().into_iter().flatten() {
            found.extend(alternatives(branch, root));
        }
    }
    found
}

fn has_type(schema: &Json, name: &str) -> bool {
    match &schema["type"] {
        Json::String(one) => one == name,
        Json::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    }
}

/// The texts that a setting takes, when they are a closed set.
fn choices(schema: &Json, root: &Json) -> Vec<String> {
    alternatives(schema, root)
        .into_iter()
        .flat_map(|schema| {
            let listed = schema["enum"].as_array().into_iter().flatten();
            listed.chain(schema.get("const"))
        })
        .filter_map(|choice| choice.as_str().map(str::to_owned))
        .collect()
}

/// A text as the number, truth value or list that the schema wants; everything else as it is.
fn coerce(value: &Json, schema: &Json, root: &Json) -> Json {
    let Json::String(text) = value else { return value.clone() };
    let wanted = alternatives(schema, root);
    let takes = |name: &str| wanted.iter().any(|schema| has_type(schema, name));
    if takes("string") {
        return value.clone();
    }
    if takes("boolean")
        && let Ok(truth) = text.parse::<bool>()
    {
        return truth.into();
    }
    if takes("integer")
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    if takes("number")
        && let Ok(number) = text.parse::<f64>()
    {
        return number.into();
    }
    let items = || text.split(',').map(str::trim).filter(|item| !item.is_empty());
    if let Some(list) = wanted.iter().find(|schema| has_type(schema, "array")) {
        return items().map(|item| coerce(&item.into(), &list["items"], root)).collect();
    }
    // A map is written as a list of `name=value`.
    if takes("object") && items().all(|item| item.contains('=')) {
        return items()
            .filter_map(|item| item.split_once('='))
            .map(|(name, value)| (name.to_owned(), Json::from(value)))
            .collect();
    }
    value.clone()
}

#[cfg(test)]
mod tests;
