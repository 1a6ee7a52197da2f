//! The keys of a DynamoDB table: the attributes that are defined are exactly those that keys use.
//!
//! No schema can say this, and it is what most first tables get wrong. DynamoDB refuses the table at creation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::functions::{function_of, is_loop};
use super::objects::list;
use crate::finding::Finding;

/// The properties that name attributes.
const NAMING: [&str; 4] =
    ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"];

/// Compares the names; tables with functions in these properties are left alone.
pub(super) fn check(properties: &Value, findings: &mut Vec<Finding>) {
    if NAMING.iter().any(|name| properties.get(name).is_some_and(has_function))
        || properties
            .as_object()
            .is_some_and(|map| map.keys().any(|key| key == "Fn::Transform" || is_loop(key)))
    {
        return;
    }
    let Some(defined) = names(&properties["AttributeDefinitions"]) else { return };
    let Some(mut used) = names(&properties["KeySchema"]) else { return };
    for index in [&properties["GlobalSecondaryIndexes"], &properties["LocalSecondaryIndexes"]] {
        for index in index.as_array().into_iter().flatten() {
            used.extend(names(&index["KeySchema"]).unwrap_or_default());
        }
    }
    let undefined: Vec<&&str> = used.difference(&defined).collect();
    if !undefined.is_empty() {
        let message = format!("{} is a key but not defined", list(&undefined));
        findings.push(
            Finding::error("table-keys", "/AttributeDefinitions", message)
                .with_hint("add it with its type to `AttributeDefinitions`"),
        );
    }
    let unused: Vec<&&str> = defined.difference(&used).collect();
    if !unused.is_empty() {
        let message = format!("{} is defined but no key", list(&unused));
        findings.push(
            Finding::error("table-keys", "/AttributeDefinitions", message)
                .with_hint("define attributes of keys only: all others need no definition"),
        );
    }
}

/// The attribute names of a list, unless it is no list of objects with names.
fn names(list: &Value) -> Option<BTreeSet<&str>> {
    list.as_array()?.iter().map(|item| item["AttributeName"].as_str()).collect()
}

fn has_function(value: &Value) -> bool {
    function_of(value).is_some()
        || match value {
            Value::Object(map) => map.values().any(has_function),
            Value::Array(items) => items.iter().any(has_function),
            _ => false,
        }
}
