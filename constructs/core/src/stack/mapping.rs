//! Mappings: tables of values that a template looks up by two keys.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::tree::{NodeId, NodeKind, Scope};

pub(crate) type MappingData = BTreeMap<String, BTreeMap<String, Json>>;

/// A mapping of a stack; its values are read with [`crate::find_in_map`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping(NodeId);

impl Mapping {
    /// Adds a mapping: top-level key, then second-level key, then a text or a list of texts.
    #[track_caller]
    pub fn define(scope: Scope<'_>, id: &str, entries: BTreeMap<String, BTreeMap<String, Json>>) -> Self {
        Self(scope.add_to_stack(id, NodeKind::Mapping(entries)).node)
    }

    pub(crate) fn node(self) -> NodeId {
        self.0
    }
}
