//! Where a resource refers to others, and what is wanted in each place.
//!
//! The validator of a template knows what a `Ref` or `Fn::GetAtt` returns; this tells it what the place wants.

use serde_json::Value;

use super::{Path, function_of};
use crate::facts::ResourceType;
use crate::keyword::{JsonType, Keyword};
use crate::schema::Schema;

/// A `Ref` or `Fn::GetAtt` in the place of a value.
#[derive(Clone, Debug)]
pub struct ReferenceSite<'v> {
    /// The place as a JSON pointer below `Properties`.
    pub pointer: String,
    /// The function: `{"Ref": …}` or `{"Fn::GetAtt": …}`.
    pub value: &'v Value,
    /// The JSON types that the place takes; empty when it takes any.
    pub types: Vec<JsonType>,
    /// The kinds of text that the place takes, such as `AWS::IAM::Role.Arn`; several when they are alternatives, and
    /// empty when nothing is known.
    pub formats: Vec<&'static str>,
    /// The regular expression that the text must match.
    pub pattern: Option<&'static str>,
}

/// Every `Ref` and `Fn::GetAtt` that stands for a property or an item, also in branches of `Fn::If`. Those inside other
/// functions are left out: `Fn::Sub` and `Fn::Join` make a new text.
pub fn reference_sites<'v>(resource: &'static ResourceType, properties: &'v Value) -> Vec<ReferenceSite<'v>> {
    let mut sites = Vec::new();
    walk(resource, resource.schema(), properties, Path::ROOT, &mut sites);
    sites
}

fn walk<'v>(
    resource: &'static ResourceType,
    schema: &'static Schema,
    value: &'v Value,
    path: Path<'_>,
    sites: &mut Vec<ReferenceSite<'v>>,
) {
    let schema = resource.resolve(schema);
    match function_of(value) {
        Some(("Ref" | "Fn::GetAtt", _)) => {
            sites.push(ReferenceSite {
                pointer: path.pointer(),
                value,
                types: schema.types().to_vec(),
                formats: formats(schema),
                pattern: schema.pattern(),
            });
            return;
        }
        Some(("Fn::If", Value::Array(arguments))) => {
            for (position, branch) in arguments.iter().enumerate().skip(1) {
                walk(resource, schema, branch, path.function("Fn::If", position), sites);
            }
            return;
        }
        Some(_) => return,
        None => {}
    }
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if let Some(schema) = property(resource, schema, name, 0) {
                    walk(resource, schema, value, path.property(name), sites);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                for (position, item) in items.iter().enumerate() {
                    walk(resource, schema, item, path.item(position), sites);
                }
            }
        }
        _ => {}
    }
}

/// The schema of a property, also when only an alternative names it.
fn property(
    resource: &'static ResourceType,
    schema: &'static Schema,
    name: &str,
    depth: usize,
) -> Option<&'static Schema> {
    let schema = resource.resolve(schema);
    let own = schema.properties().and_then(|known| known.get(name));
    let values = || schema.pattern_properties().and_then(|patterns| patterns.values().next());
    own.or_else(|| {
        (depth < 4)
            .then(|| schema.branches().find_map(|branch| property(resource, branch, name, depth + 1)))
            .flatten()
    })
    .or_else(values)
}

/// The formats that a schema takes: its own, or those of its alternatives when every one has one.
fn formats(schema: &'static Schema) -> Vec<&'static str> {
    if let Some(format) = schema.format() {
        return vec![format];
    }
    schema
        .keywords()
        .iter()
        .find_map(|keyword| match keyword {
            Keyword::AnyOf(branches) | Keyword::OneOf(branches) => {
                branches.iter().map(Schema::format).collect()
            }
            _ => None,
        })
        .unwrap_or_default()
}
