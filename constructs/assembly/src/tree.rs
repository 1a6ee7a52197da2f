//! `tree.json`: the construct tree with the source line of each construct.
//!
//! Templates carry no paths; whoever wants to go from a resource to the code that made it looks here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::SourceLocation;

/// The version of the tree format, as the CDK numbers it.
pub const TREE_VERSION: &str = "tree-0.1";

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeFile {
    /// [`TREE_VERSION`].
    pub version: String,
    /// The root.
    pub tree: TreeNode,
}

/// One construct.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeNode {
    /// The id within its parent.
    pub id: String,
    /// The path from the root, parts joined by `/`; empty for the root.
    pub path: String,
    /// The constructs below, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, TreeNode>,
    /// Facts about it: `aws:cdk:cloudformation:type` and `aws:cdk:cloudformation:logicalId` for a resource.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The line that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
}
