//! Values of a template as texts that can be compared, with the conditions under which they hold.
//!
//! Texts are written as `Fn::Sub` would write them: `Ref` of a bucket is `${Bucket}`, a literal `${` is `${!`. Parameters
//! and mappings are put in where their values are known, so that a changed default is seen.

mod conditions;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Side;
use crate::json::to_compact_text;
use crate::references::{only_member, push_pointer};

/// Conditions that all have to hold, in their resolved form; a leading `!` turns one around.
pub(super) type Guards = BTreeSet<String>;

/// A side, ready to be read.
pub(super) struct Reader<'t> {
    side: Side<'t>,
    /// New logical ids of resources that have moved.
    renamed: BTreeMap<String, String>,
}

/// A value with the conditions under which it holds and its place.
#[derive(Clone, Debug)]
pub(super) struct Found<'v> {
    pub(super) value: &'v Value,
    pub(super) guards: Guards,
    pub(super) pointer: String,
}

/// A resource of a side.
pub(super) struct Resource<'t> {
    /// The logical id, the new one for a resource that moved.
    pub(super) id: String,
    /// The logical id as the template has it.
    pub(super) logical_id: &'t str,
    pub(super) kind: &'t str,
    pub(super) properties: &'t Map<String, Value>,
    pub(super) guards: Guards,
}

impl Resource<'_> {
    /// The place of a property.
    pub(super) fn pointer(&self, path: &[&str]) -> String {
        let mut pointer = "/Resources".to_owned();
        push_pointer(&mut pointer, self.logical_id);
        for part in [&["Properties"], path].concat() {
            push_pointer(&mut pointer, part);
        }
        pointer
    }

    /// A property that may lie below others.
    pub(super) fn property(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.properties.get(*first)?, |value, part| value.get(part))
    }
}

static NO_PROPERTIES: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

impl<'t> Reader<'t> {
    pub(super) fn new(side: Side<'t>, renamed: BTreeMap<String, String>) -> Self {
        Self { side, renamed }
    }

    fn section(&self, name: &str) -> Option<&'t Map<String, Value>> {
        self.side.template.get(name)?.as_object()
    }

    /// The resources whose conditions may hold.
    pub(super) fn resources(&self) -> Vec<Resource<'t>> {
        let Some(resources) = self.section("Resources") else { return Vec::new() };
        let read = |(logical_id, resource): (&'t String, &'t Value)| {
            let guards = match resource.get("Condition").and_then(Value::as_str) {
                Some(condition) => self.with(&Guards::new(), condition, true)?,
                None => Guards::new(),
            };
            Some(Resource {
                id: self.new_name(logical_id).to_owned(),
                logical_id,
                kind: resource.get("Type")?.as_str()?,
                properties: resource.get("Properties").and_then(Value::as_object).unwrap_or(&NO_PROPERTIES),
                guards,
            })
        };
        resources.iter().filter_map(read).collect()
    }

    /// Whether a resource of this (new) logical id is there.
    pub(super) fn has(&self, id: &str) -> bool {
        self.section("Resources")
            .is_some_and(|resources| resources.keys().any(|known| self.new_name(known) == id))
    }

    /// The type of a resource.
    pub(super) fn type_of(&self, id: &str) -> Option<&'t str> {
        let resources = self.section("Resources")?;
        let (_, resource) = resources.iter().find(|(known, _)| self.new_name(known) == id)?;
        resource.get("Type")?.as_str()
    }

    fn new_name<'n>(&'n self, logical_id: &'n str) -> &'n str {
        self.renamed.get(logical_id).map_or(logical_id, String::as_str)
    }

    /// The value behind functions that choose: each branch of `Fn::If` that may hold, nothing for `AWS::NoValue`.
    pub(super) fn choices<'v>(&self, value: &'v Value, guards: &Guards, pointer: &str) -> Vec<Found<'v>> {
        let mut found = Vec::new();
        self.choose(value, guards, pointer.to_owned(), false, &mut found);
        found
    }

    /// The items of a list, or the one value that stands for a list, behind functions that choose.
    pub(super) fn items<'v>(&self, value: &'v Value, guards: &Guards, pointer: &str) -> Vec<Found<'v>> {
        let mut found = Vec::new();
        self.choose(value, guards, pointer.to_owned(), true, &mut found);
        found
    }

    fn choose<'v>(
        &self,
        value: &'v Value,
        guards: &Guards,
        pointer: String,
        opens_lists: bool,
        found: &mut Vec<Found<'v>>,
    ) {
        match (only_member(value), value) {
            (Some(("Fn::If", Value::Array(arguments))), _) if arguments.len() == 3 => {
                let name = arguments[0].as_str().unwrap_or_default();
                for (index, wanted) in [(1, true), (2, false)] {
                    if let Some(guards) = self.with(guards, name, wanted) {
                        self.choose(
                            &arguments[index],
                            &guards,
                            format!("{pointer}/Fn::If/{index}"),
                            opens_lists,
                            found,
                        );
                    }
                }
            }
            (Some(("Ref", Value::String(name))), _) if name == "AWS::NoValue" => {}
            (_, Value::Array(items)) if opens_lists => {
                for (index, item) in items.iter().enumerate() {
                    self.choose(item, guards, format!("{pointer}/{index}"), true, found);
                }
            }
            _ => found.push(Found { value, guards: guards.clone(), pointer }),
        }
    }

    /// The texts of a list, each with its conditions. A parameter that is a list is taken apart.
    pub(super) fn texts(
        &self,
        value: &Value,
        guards: &Guards,
        pointer: &str,
    ) -> Vec<(String, Guards, String)> {
        let mut texts = Vec::new();
        for item in self.items(value, guards, pointer) {
            let text = self.text(item.value);
            let is_list = matches!(only_member(item.value), Some(("Ref", Value::String(name)))
                if self.parameter(name).is_some_and(|(_, kind)| kind.contains("List")));
            let parts: Vec<&str> =
                if is_list { text.split(',').map(str::trim).collect() } else { vec![&text] };
            texts.extend(
                parts.into_iter().map(|part| (part.to_owned(), item.guards.clone(), item.pointer.clone())),
            );
        }
        texts
    }

    /// The known value of a parameter, and its type.
    fn parameter(&self, name: &str) -> Option<(String, &'t str)> {
        let parameter = self.section("Parameters")?.get(name)?;
        let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or("String");
        let is_secret = match parameter.get("NoEcho") {
            Some(Value::Bool(truth)) => *truth,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        };
        if is_secret || kind.starts_with("AWS::SSM::") {
            return None;
        }
        match self.side.parameters.get(name) {
            Some(value) => Some((value.clone(), kind)),
            None => Some((plain(parameter.get("Default")?)?, kind)),
        }
    }

    /// A value as a text.
    pub(super) fn text(&self, value: &Value) -> String {
        if let Some(text) = plain(value) {
            return text.replace("${", "${!");
        }
        match only_member(value) {
            Some(("Ref", Value::String(name))) => self.named(name),
            Some(("Fn::GetAtt", Value::String(dotted))) => self.named(dotted),
            Some(("Fn::GetAtt", Value::Array(parts))) => match parts.as_slice() {
                [Value::String(target), Value::String(attribute)] => {
                    self.named(&format!("{target}.{attribute}"))
                }
                _ => whole(value),
            },
            Some(("Fn::Sub", Value::String(text))) => self.substituted(text, &NO_PROPERTIES),
            Some(("Fn::Sub", Value::Array(parts))) => match parts.as_slice() {
                [Value::String(text), Value::Object(variables)] => self.substituted(text, variables),
                _ => whole(value),
            },
            Some(("Fn::Join", Value::Array(parts))) => match parts.as_slice() {
                [Value::String(separator), Value::Array(items)] => {
                    items.iter().map(|item| self.text(item)).collect::<Vec<_>>().join(separator)
                }
                _ => whole(value),
            },
            Some(("Fn::FindInMap", Value::Array(keys))) => self.mapped(keys).unwrap_or_else(|| whole(value)),
            Some(("Fn::ImportValue", export)) => format!("${{import {}}}", self.text(export)),
            _ => whole(value),
        }
    }

    /// What a name with or without an attribute stands for.
    fn named(&self, name: &str) -> String {
        if let Some((value, _)) = self.parameter(name) {
            return value.replace("${", "${!");
        }
        match name.split_once('.') {
            Some((target, attribute)) => format!("${{{}.{attribute}}}", self.new_name(target)),
            None => format!("${{{}}}", self.new_name(name)),
        }
    }

    fn substituted(&self, text: &str, variables: &Map<String, Value>) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            let name = &rest[start + 2..start + length];
            result.push_str(&rest[..start]);
            match variables.get(name.trim()) {
                _ if name.starts_with('!') => result.push_str(&rest[start..=start + length]),
                Some(variable) => result.push_str(&self.text(variable)),
                None => result.push_str(&self.named(name.trim())),
            }
            rest = &rest[start + length + 1..];
        }
        result + rest
    }

    fn mapped(&self, keys: &[Value]) -> Option<String> {
        let [mapping, top, second] = keys else { return None };
        let value = self.section("Mappings")?.get(&self.text(mapping))?;
        plain(value.get(self.text(top))?.get(self.text(second))?)
    }
}

/// A scalar as a text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn whole(value: &Value) -> String {
    format!("${{{}}}", to_compact_text(value))
}

/// The logical id that a text such as `${Role}` or `${Role.Arn}` names as a whole.
pub(super) fn named_resource(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    let name = name.split('.').next()?;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}

/// A text as people read it.
pub(super) fn shown(text: &str) -> String {
    text.replace("${!", "${")
}

/// Whether two values, of which at least one is a function, always give the same text: `Fn::Join` and `Fn::Sub` of the
/// same parts, both forms of `Fn::GetAtt`.
pub(crate) fn give_the_same(one: &Value, other: &Value) -> bool {
    let reader = Reader::new(Side::of(&Value::Null), BTreeMap::new());
    let is_text = |value: &Value| value.is_string() || is_readable(value);
    (one.is_object() || other.is_object())
        && is_text(one)
        && is_text(other)
        && reader.text(one) == reader.text(other)
}

/// A value on one line as people read it: functions as `Fn::Sub` would write them, lists and objects as JSON.
pub fn readable(value: &Value) -> String {
    let reader = Reader::new(Side::of(&Value::Null), BTreeMap::new());
    match value {
        Value::String(text) => text.clone(),
        _ if is_readable(value) => shown(&reader.text(value)),
        other => to_compact_text(other),
    }
}

/// Whether a value is a function that has a text.
fn is_readable(value: &Value) -> bool {
    match only_member(value) {
        Some(("Fn::Join", Value::Array(parts))) => {
            matches!(parts.as_slice(), [Value::String(_), Value::Array(_)])
        }
        Some(("Fn::Sub", Value::Array(parts))) => {
            matches!(parts.as_slice(), [Value::String(_), Value::Object(_)])
        }
        Some((name, _)) => ["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::ImportValue"].contains(&name),
        None => false,
    }
}
