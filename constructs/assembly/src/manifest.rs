//! `manifest.json`: the table of contents of a cloud assembly, in the format that the AWS CDK command line reads.
//!
//! An artifact's properties stay JSON, so that an assembly written by another tool survives being read; the typed
//! views below exist for the three kinds that we write.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The lowest version of the cloud assembly schema that has every field we write: tags of stacks and assets made by a
/// program came with 9, names to show with 10.
pub const SCHEMA_VERSION: &str = "10.0.0";

/// The artifact type of a CloudFormation stack.
pub const STACK: &str = "aws:cloudformation:stack";
/// The artifact type of the list of assets that a stack needs.
pub const ASSET_MANIFEST: &str = "cdk:asset-manifest";
/// The artifact type of the construct tree.
pub const TREE: &str = "cdk:tree";

/// The whole manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the cloud assembly schema.
    pub version: String,
    /// The artifacts by id.
    #[serde(default)]
    pub artifacts: BTreeMap<String, Artifact>,
}

/// One artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// What it is, such as [`STACK`].
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it goes, such as `aws://123456789012/us-east-1` or `aws://unknown-account/unknown-region`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What the kind needs; see [`StackProperties`] and [`FileProperties`].
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub properties: Value,
    /// The ids of the artifacts that come before this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// The name to show to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// The properties of a stack artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackProperties {
    /// The template, relative to the assembly.
    pub template_file: String,
    /// The name of the stack in CloudFormation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Whether CloudFormation is asked to refuse the deletion of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_protection: Option<bool>,
    /// The tags of the stack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The values of template parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// The role to assume before deploying, with `${AWS::Partition}`, `${AWS::AccountId}` and `${AWS::Region}` to fill in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_arn: Option<String>,
    /// The role that CloudFormation assumes to carry the template out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_formation_execution_role_arn: Option<String>,
    /// Where the template lies once its assets are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_template_asset_object_url: Option<String>,
    /// The lowest version of the bootstrap stack that the assembly works with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_bootstrap_stack_version: Option<u32>,
    /// The SSM parameter that holds the version of the bootstrap stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap_stack_version_ssm_parameter: Option<String>,
}

/// The properties of an artifact that is one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileProperties {
    /// The file, relative to the assembly.
    pub file: String,
}

impl Artifact {
    /// The properties of a stack, or nothing when the artifact is of another kind.
    ///
    /// # Errors
    /// When a stack artifact's properties do not have the shape of [`StackProperties`].
    pub fn stack(&self) -> Result<Option<StackProperties>, serde_json::Error> {
        if self.kind != STACK {
            return Ok(None);
        }
        StackProperties::deserialize(&self.properties).map(Some)
    }
}

/// Properties as they go into an artifact.
pub fn properties(of: &impl Serialize) -> Value {
    serde_json::to_value(of).expect("artifact properties have string keys only")
}

/// The `environment` of an artifact; an account or region that is not known is written as the CDK writes it.
pub fn environment(account: Option<&str>, region: Option<&str>) -> String {
    format!("aws://{}/{}", account.unwrap_or("unknown-account"), region.unwrap_or("unknown-region"))
}
