//! Which template parameters are filled with the digests of published files.
//!
//! A file that is built at publish has no digest at synth, yet whoever downloads it wants to check it. The template says
//! in its metadata which parameter takes the digest of which asset; CloudFormation ignores metadata that it does not know.

use std::collections::BTreeMap;

use formwork_assembly::asset_manifest::AssetManifest;
use serde_json::Value;

/// The name in a template's `Metadata` of the object that has parameter names as keys and ids of assets as values.
pub const DIGESTS_METADATA: &str = "Formwork::AssetDigests";

/// The end of the names of parameters that take a digest, in templates that do not declare them.
const DIGEST_SUFFIX: &str = "Sha256";

/// The parameters that take the SHA-256 of an asset as it lies in S3, with the asset's id.
///
/// A template that declares none, but has exactly one asset that is built by a program and one parameter without a default
/// whose name ends with `Sha256`, means that.
pub fn digests_wanted(template: &Value, manifests: &[AssetManifest]) -> BTreeMap<String, String> {
    let declared = template.get("Metadata").and_then(|metadata| metadata.get(DIGESTS_METADATA));
    if let Some(declared) = declared.and_then(Value::as_object) {
        let pairs = declared.iter().filter_map(|(name, id)| Some((name.clone(), id.as_str()?.to_owned())));
        return pairs.collect();
    }
    let files = || manifests.iter().flat_map(|manifest| &manifest.files);
    let mut built = files().filter(|(_, asset)| asset.source.executable.is_some()).map(|(id, _)| id);
    let parameters = template.get("Parameters").and_then(Value::as_object);
    let mut takers = parameters.into_iter().flatten().filter(|(name, parameter)| {
        name.ends_with(DIGEST_SUFFIX) && parameter.get("Default").is_none() && parameter["Type"] == "String"
    });
    match (built.next(), built.next(), takers.next(), takers.next()) {
        (Some(id), None, Some((parameter, _)), None) => BTreeMap::from([(parameter.clone(), id.clone())]),
        _ => BTreeMap::new(),
    }
}
