//! The Lambda layer with the pinned boto3.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use formwork_lambda_layers::boto3_layer::{self, Architecture, Tools};

use crate::arguments::LayerArchitecture;
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::Surroundings;

/// The archive of the layer, built unless it was built before.
pub(super) fn build(
    architecture: LayerArchitecture,
    cache: &Path,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<PathBuf, Failure> {
    let architecture = match architecture {
        LayerArchitecture::Arm64 => Architecture::Arm64,
        LayerArchitecture::X86_64 => Architecture::X86_64,
    };
    let folder = cache.join(boto3_layer::source_hash(architecture));
    if let Some(path) = built(&folder) {
        return Ok(path);
    }
    console.talk(&format!("building the boto3 layer for {architecture}\n"));
    let search = surroundings.variables.get("PATH").map_or("", String::as_str);
    let layer = boto3_layer::build(&Tools::search(OsStr::new(search)), architecture, &folder)
        .map_err(|error| Failure::Input(error.to_string()))?;
    console.talk(&format!("built boto3 {} with {}\n", layer.boto3_version, layer.tool));
    Ok(layer.zip_path)
}

/// The archive in a folder. It comes there by one rename, so whatever is there is whole.
fn built(folder: &Path) -> Option<PathBuf> {
    let mut archives: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
        .collect();
    archives.sort();
    archives.into_iter().next()
}
