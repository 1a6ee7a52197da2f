//! Tags: what scopes say, written in each type's own shape.

use std::collections::BTreeMap;

use formwork_schema::TagShape;
use serde_json::{Map, Value as Json, json};

use crate::tree::{Arena, NodeId};

/// The tags of a node: its own over those of the constructs around it.
fn tags_of(arena: &Arena, id: NodeId) -> BTreeMap<&str, &str> {
    let mut tags = BTreeMap::new();
    for node in arena.ancestors(id) {
        for (key, value) in &arena.node(node).tags {
            tags.entry(key.as_str()).or_insert(value.as_str());
        }
    }
    tags
}

/// Adds the tags of a resource's place to its properties. Tags that it sets itself stay as they are.
pub(crate) fn apply(arena: &Arena, id: NodeId, type_name: &str, properties: &mut Map<String, Json>) {
    let tags = tags_of(arena, id);
    if tags.is_empty() {
        return;
    }
    let Some(tagging) = formwork_schema::resource_type(type_name).and_then(|facts| facts.tagging()) else {
        return;
    };
    let own = properties.get(&tagging.property);
    let merged = match tagging.shape {
        TagShape::List => merged_list(own, &tags, |key, value| json!({"Key": key, "Value": value})),
        TagShape::PropagatedList => merged_list(
            own,
            &tags,
            |key, value| json!({"Key": key, "Value": value, "PropagateAtLaunch": true}),
        ),
        TagShape::Map => merged_map(own, &tags),
        TagShape::Other => None,
    };
    if let Some(merged) = merged {
        properties.insert(tagging.property.clone(), merged);
    }
}

fn merged_list(
    own: Option<&Json>,
    tags: &BTreeMap<&str, &str>,
    entry: impl Fn(&str, &str) -> Json,
) -> Option<Json> {
    let own = match own {
        None => Vec::new(),
        Some(Json::Array(items)) => items.clone(),
        // A list that CloudFormation makes cannot be added to.
        Some(_) => return None,
    };
    let missing = tags.iter().filter(|(key, _)| !own.iter().any(|item| item["Key"] == **key));
    let added: Vec<Json> = missing.map(|(key, value)| entry(key, value)).collect();
    Some(own.iter().cloned().chain(added).collect())
}

fn merged_map(own: Option<&Json>, tags: &BTreeMap<&str, &str>) -> Option<Json> {
    let mut map = match own {
        None => Map::new(),
        Some(Json::Object(fields)) if !fields.keys().any(|key| key == "Ref" || key.starts_with("Fn::")) => {
            fields.clone()
        }
        Some(_) => return None,
    };
    for (key, value) in tags {
        map.entry((*key).to_owned()).or_insert_with(|| (*value).into());
    }
    Some(Json::Object(map))
}
