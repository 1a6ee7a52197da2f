//! What of an approved run lies beside its journal: the part of the assembly that resuming needs, and the report.
//!
//! `cfn-out` is replaced by the next synth and deleted by whoever tidies up, but a run that was approved has to be able
//! to go on. Templates, asset manifests and the tree of constructs are therefore copied before the plan is written
//! down as approved, with their digests in the journal, and removed when the run ends. No value that was given for a
//! parameter is among them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use formwork_assembly::CloudAssembly;
use formwork_assembly::cloud_assembly::{MANIFEST_FILE, TREE_FILE};
use formwork_assembly::manifest::ASSET_MANIFEST;

use super::Journal;
use crate::error::{Class, EngineError};
use crate::plan::input::sha256;

/// Copies what resuming needs; nothing for a journal in memory. Gives the digests by file.
///
/// # Errors
/// When a file cannot be read or written: nothing was changed then.
pub(crate) fn keep(
    journal: &Journal,
    assembly: &CloudAssembly,
    stacks: &[&str],
) -> Result<BTreeMap<String, String>, EngineError> {
    let mut digests = BTreeMap::new();
    let Some(target) = directory(journal) else { return Ok(digests) };
    for name in files(assembly, stacks)? {
        // A path that leads elsewhere is not copied: the run is then resumed from where it lies.
        if !is_inside(&name) {
            continue;
        }
        let bytes = match std::fs::read(assembly.directory().join(&name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(cannot("read", &assembly.directory().join(&name), &error)),
        };
        let path = target.join(&name);
        write_private(&path, &bytes).map_err(|error| cannot("write", &path, &error))?;
        digests.insert(name, sha256(&bytes));
    }
    Ok(digests)
}

/// The kept assembly, when there is one and it is what was approved.
///
/// # Errors
/// When a file of it is another one now.
pub(crate) fn open(journal: &Journal) -> Result<Option<CloudAssembly>, EngineError> {
    let Some(directory) = directory(journal).filter(|directory| directory.is_dir()) else { return Ok(None) };
    let digests = journal.look(|history| history.kept_files().cloned()).unwrap_or_default();
    for (name, wanted) in &digests {
        let path = directory.join(name);
        let found = std::fs::read(&path).map(sha256);
        if found.as_ref().ok() != Some(wanted) {
            let message = format!("{} is not what was approved with run {}", path.display(), journal.run());
            return Err(EngineError::new(Class::Refused, message).with_hint(format!(
                "delete {} to go on with the assembly that was deployed, if it is still there",
                directory.display()
            )));
        }
    }
    Ok(CloudAssembly::open(&directory).ok().filter(|_| digests.contains_key(MANIFEST_FILE)))
}

/// Removes the kept assembly. That this fails is no harm: it is found beside the journal.
pub(super) fn forget(journal: &Journal) {
    if let Some(directory) = directory(journal) {
        let _ = std::fs::remove_dir_all(directory);
    }
}

/// Writes a file beside the journal, as `<run>.<suffix>`, that only its owner may read; nothing for one in memory.
pub(crate) fn write_beside(journal: &Journal, suffix: &str, bytes: &[u8]) -> std::io::Result<()> {
    match beside(journal, suffix) {
        Some(path) => write_private(&path, bytes),
        None => Ok(()),
    }
}

/// `<run>.<suffix>` beside the journal.
pub(super) fn beside(journal: &Journal, suffix: &str) -> Option<PathBuf> {
    journal.path().map(|path| path.with_extension(suffix))
}

fn directory(journal: &Journal) -> Option<PathBuf> {
    beside(journal, "assembly")
}

fn files(assembly: &CloudAssembly, stacks: &[&str]) -> Result<Vec<String>, EngineError> {
    let mut names = vec![MANIFEST_FILE.to_owned(), TREE_FILE.to_owned()];
    let artifacts = assembly.stacks().map_err(|error| crate::plan::input::assembly_error(&error))?;
    let wanted = artifacts.into_iter().filter(|stack| stacks.contains(&stack.id.as_str()));
    names.extend(wanted.map(|stack| stack.properties.template_file));
    let manifests = assembly.manifest().artifacts.values().filter(|artifact| artifact.kind == ASSET_MANIFEST);
    names.extend(manifests.filter_map(|it| it.properties["file"].as_str().map(str::to_owned)));
    Ok(names)
}

fn is_inside(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(parent)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

fn cannot(action: &str, path: &Path, error: &std::io::Error) -> EngineError {
    let message = format!("cannot {action} {}: {error}", path.display());
    EngineError::new(Class::Usage, message).with_hint(
        "a run keeps its templates beside its journal, so that it can be resumed; nothing was changed",
    )
}

#[cfg(test)]
mod tests;
