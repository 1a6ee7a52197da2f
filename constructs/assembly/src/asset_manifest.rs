//! `<stack>.assets.json`: the files that have to be in a bucket before a stack can be deployed.
//!
//! The format is the CDK's, so that its command line can publish what we list when the assembly is made for a bucket
//! of its bootstrap stack.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The assets of one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetManifest {
    /// The version of the cloud assembly schema.
    pub version: String,
    /// The files by content hash.
    #[serde(default)]
    pub files: BTreeMap<String, FileAsset>,
}

/// One file or archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileAsset {
    /// Where the bytes come from.
    pub source: FileSource,
    /// Where the bytes go, by an id of the destination.
    pub destinations: BTreeMap<String, FileDestination>,
}

/// Where an asset's bytes come from: a path in the assembly, or a program that makes the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSource {
    /// The path, relative to the assembly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How the path is packed: `file` as it is, `zip` a directory to be zipped at publish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packaging: Option<String>,
    /// A program and its arguments; it prints the path of the file that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<Vec<String>>,
}

/// Where an asset goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileDestination {
    /// The bucket. `{{resolve:ssm:NAME}}` stands for the value of an SSM parameter in the stack's account and region.
    pub bucket_name: String,
    /// The key in the bucket.
    pub object_key: String,
    /// The region of the bucket, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The role to assume for the upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_arn: Option<String>,
}
