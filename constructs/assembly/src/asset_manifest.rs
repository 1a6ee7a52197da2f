//! `<stack>.assets.json`: the files and container images that have to be published before a stack can be deployed.
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
    /// The container images by content hash. We write none; the CDK's assemblies have them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub docker_images: BTreeMap<String, ImageAsset>,
}

impl AssetManifest {
    /// Whether there is nothing to publish.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.docker_images.is_empty()
    }
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
    /// The external id that the role's trust asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_external_id: Option<String>,
}

/// One container image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageAsset {
    /// What the image is made from.
    pub source: ImageSource,
    /// Where the image goes, by an id of the destination.
    pub destinations: BTreeMap<String, ImageDestination>,
}

/// What a container image is made from: a directory with a Dockerfile, or a program that makes the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageSource {
    /// The directory that is built, relative to the assembly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// A program and its arguments; it prints the name of the local image that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<Vec<String>>,
    /// The Dockerfile, relative to the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker_file: Option<String>,
    /// The stage to build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker_build_target: Option<String>,
    /// Arguments of the build by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub docker_build_args: BTreeMap<String, String>,
    /// Further directories or images that the build reads, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub docker_build_contexts: BTreeMap<String, String>,
    /// Secrets that the build reads, by id: `src=file` or `type=env,env=NAME`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub docker_build_secrets: BTreeMap<String, String>,
    /// The SSH agent or keys that the build uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker_build_ssh: Option<String>,
    /// Where the build writes besides the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub docker_outputs: Vec<String>,
    /// The network of the build's `RUN` steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<String>,
    /// The system and processor that the image is for, such as `linux/arm64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Where the build reads its cache.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<ImageCache>,
    /// Where the build writes its cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_to: Option<ImageCache>,
    /// Whether the build reads no cache.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cache_disabled: bool,
}

/// A place for the cache of an image's build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageCache {
    /// The kind: `registry`, `gha`, `local` ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What the kind needs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}

/// Where a container image goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageDestination {
    /// The repository in ECR.
    pub repository_name: String,
    /// The tag.
    pub image_tag: String,
    /// The region of the repository, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The role to assume for the push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_arn: Option<String>,
    /// The external id that the role's trust asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_external_id: Option<String>,
}
