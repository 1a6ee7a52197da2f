//! The binary that instances run: a file that is there, or one that is built when the stack's assets are published.
//!
//! Either way its digest is a parameter of the stack, and every instance checks what it fetched before it runs it.

use formwork::{Asset, CommandAsset, Parameter, Scope, Value};
use sha2::{Digest, Sha256};

use super::{Architecture, ProxyAppProps, ProxyBinary};

/// The identity of a binary that is not built yet: its sources and the processors that it is built for.
fn hash_for(source_hash: &str, architecture: Architecture) -> String {
    let digest = Sha256::digest(format!("{source_hash} {}", architecture.name()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parameter that takes the SHA-256 of the binary.
const BINARY_DIGEST: &str = "ProxyBinarySha256";
/// The template's metadata that says which parameter takes the digest of which asset.
const ASSET_DIGESTS: &str = "Formwork::AssetDigests";

pub(super) struct Binary {
    pub(super) asset: Asset,
    pub(super) sha256: Value<String>,
}

pub(super) fn define(scope: Scope<'_>, props: &ProxyAppProps<'_>) -> Binary {
    let (asset, digest) = match &props.binary {
        ProxyBinary::BuiltAtPublish { source_hash } => {
            let executable =
                ["formwork", "asset", "mlflow-proxy", "--architecture", props.architecture.name()];
            let command = CommandAsset {
                executable: executable.map(str::to_owned).to_vec(),
                source_hash: hash_for(source_hash, props.architecture),
                extension: String::new(),
            };
            (Asset::command(scope, "Binary", command), None)
        }
        ProxyBinary::File(path) => {
            let asset = Asset::file(scope, "Binary", path);
            let digest = asset.hash.clone();
            (asset, Some(digest))
        }
    };
    let mut parameter = Parameter::string()
        .allowed_pattern("^[0-9a-f]{64}$")
        .constraint_description("a SHA-256 has 64 hex digits in lower case")
        .description("The SHA-256 of the proxy's binary, which every instance checks before it runs it");
    match &digest {
        Some(digest) => parameter = parameter.default(digest),
        // Whoever publishes the asset has the digest then, and fills the parameter that is named here.
        None => scope.template_metadata(ASSET_DIGESTS, serde_json::json!({ BINARY_DIGEST: asset.hash })),
    }
    let stack = scope.stack().unwrap_or(scope);
    Binary { asset, sha256: parameter.define(stack, BINARY_DIGEST) }
}
