//! Which assets a stack has: the asset manifests among its dependencies.

use std::path::{Component, Path, PathBuf};

use formwork_assembly::CloudAssembly;
use formwork_assembly::asset_manifest::AssetManifest;
use formwork_assembly::cloud_assembly::{StackArtifact, read_json};
use formwork_assembly::manifest::{ASSET_MANIFEST, FileProperties};
use serde::Deserialize;

use crate::aws::Session;
use crate::error::{Class, EngineError};

/// The asset manifests of a stack, in the order of their ids.
///
/// # Errors
/// When a manifest cannot be read.
pub fn of_stack(assembly: &CloudAssembly, stack: &StackArtifact) -> Result<Vec<AssetManifest>, EngineError> {
    let artifacts = &assembly.manifest().artifacts;
    let needed =
        artifacts.get(&stack.id).map(|artifact| artifact.dependencies.as_slice()).unwrap_or_default();
    let mut manifests = Vec::new();
    for id in needed {
        let Some(artifact) = artifacts.get(id).filter(|artifact| artifact.kind == ASSET_MANIFEST) else {
            continue;
        };
        let properties = FileProperties::deserialize(&artifact.properties).map_err(|error| {
            EngineError::new(Class::Input, format!("the asset manifest {id} names no file: {error}"))
        })?;
        let path = inside(assembly, &properties.file)?;
        manifests.push(read_json(&path, "asset manifest").map_err(super::input)?);
    }
    Ok(manifests)
}

/// The path of something in an assembly. What leads out of the assembly is refused: an assembly that somebody sends must
/// not be able to have any file of this machine published. Absolute paths are the exception that the CDK makes for
/// assets that are used where they lie; they are allowed when they exist.
pub(super) fn inside(assembly: &CloudAssembly, path: &str) -> Result<PathBuf, EngineError> {
    // Assemblies that were written on Windows have its separators.
    let portable = path.replace('\\', "/");
    let relative = Path::new(&portable);
    if relative.is_absolute() {
        return Ok(relative.to_path_buf());
    }
    let mut depth = 0_usize;
    for component in relative.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::CurDir => {}
            _ => {
                let message = format!("the path {path} leads out of the assembly");
                return Err(EngineError::new(Class::Input, message)
                    .with_hint("synthesise again; a path in an assembly stays in its directory"));
            }
        }
    }
    let as_written = assembly.directory().join(path);
    Ok(if as_written.exists() { as_written } else { assembly.directory().join(relative) })
}

/// A text of a manifest with account, region and partition filled in.
pub(super) fn fill(text: &str, session: &Session) -> Result<String, EngineError> {
    let filled = session.fill_in(text);
    if filled.contains("${") {
        let message = format!(
            "the asset manifest has {text}, which names something that is not known before deployment"
        );
        return Err(EngineError::new(Class::Input, message).with_hint(
            "only ${AWS::AccountId}, ${AWS::Region} and ${AWS::Partition} can stand in an asset manifest",
        ));
    }
    Ok(filled)
}
