//! A cloud assembly as a directory: written whole or not at all, and opened again by the other half.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::graph::Graph;
use crate::manifest::{Manifest, StackProperties};

/// The name of the table of contents in an assembly.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The name of the list of findings in an assembly.
pub const DIAGNOSTICS_FILE: &str = "diagnostics.json";
/// The name of the JSON Schema of the context that the app reads.
pub const CONTEXT_SCHEMA_FILE: &str = "context-schema.json";
/// The name of the construct tree in an assembly.
pub const TREE_FILE: &str = "tree.json";

/// Files beside an assembly that belong to the user and outlive a synth.
const KEPT: [&str; 2] = ["README.md", ".gitignore"];

/// What can go wrong with an assembly's directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssemblyError {
    /// A file or directory could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is not a valid {what}: {reason}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory holds something that is no assembly, so it is not replaced.
    #[error("{} is not a cloud assembly and is not empty: it holds {found}\nhint: name another directory with --output, or empty this one", path.display())]
    NotAnAssembly {
        /// The directory.
        path: PathBuf,
        /// A file in it.
        found: String,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AssemblyError {
    let path = path.to_path_buf();
    move |source| AssemblyError::Io { action, path, source }
}

/// The files of an assembly in memory, by path relative to its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssemblyFiles {
    files: BTreeMap<String, Vec<u8>>,
}

impl AssemblyFiles {
    /// Adds a file, replacing one of the same path.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// The bytes of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The files in order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// Writes the files into a directory, which is created when it is missing.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), AssemblyError> {
        fs::create_dir_all(directory).map_err(io_error("create", directory))?;
        for (path, bytes) in &self.files {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(io_error("create", parent))?;
            }
            fs::write(&path, bytes).map_err(io_error("write", &path))?;
        }
        Ok(())
    }
}

/// Puts a freshly written directory in the place of an older assembly by renaming, so that a reader sees the old or
/// the new one and never a mixture. A `README.md` or `.gitignore` of the old directory is carried over.
///
/// # Errors
/// When `target` holds something else than an assembly, or a rename fails; `target` is then as it was.
pub fn replace(target: &Path, fresh: &Path) -> Result<(), AssemblyError> {
    check_replaceable(target)?;
    if target.exists() {
        for name in KEPT {
            let kept = target.join(name);
            if kept.is_file() {
                fs::copy(&kept, fresh.join(name)).map_err(io_error("copy", &kept))?;
            }
        }
        let mut old = target.as_os_str().to_owned();
        old.push(format!(".old-{}", std::process::id()));
        let old = PathBuf::from(old);
        fs::rename(target, &old).map_err(io_error("rename", target))?;
        if let Err(source) = fs::rename(fresh, target) {
            // Put the old one back before speaking: a failed synth leaves the last good assembly.
            let _ = fs::rename(&old, target);
            return Err(AssemblyError::Io { action: "rename", path: fresh.to_path_buf(), source });
        }
        fs::remove_dir_all(&old).map_err(io_error("remove", &old))
    } else {
        fs::rename(fresh, target).map_err(io_error("rename", fresh))
    }
}

/// Whether a directory may be replaced by an assembly: it is absent, empty, or an assembly itself.
///
/// # Errors
/// When it holds anything else, or cannot be read.
pub fn check_replaceable(target: &Path) -> Result<(), AssemblyError> {
    if !target.exists() || target.join(MANIFEST_FILE).is_file() {
        return Ok(());
    }
    for entry in fs::read_dir(target).map_err(io_error("read", target))? {
        let name = entry.map_err(io_error("read", target))?.file_name();
        if !KEPT.iter().any(|kept| name == *kept) {
            let found = name.to_string_lossy().into_owned();
            return Err(AssemblyError::NotAnAssembly { path: target.to_path_buf(), found });
        }
    }
    Ok(())
}

/// An assembly on disk.
#[derive(Clone, Debug)]
pub struct CloudAssembly {
    directory: PathBuf,
    manifest: Manifest,
}

/// A stack of an assembly.
#[derive(Clone, Debug)]
pub struct StackArtifact {
    /// The id of the artifact.
    pub id: String,
    /// Where it goes, such as `aws://unknown-account/us-east-1`.
    pub environment: String,
    /// Its properties.
    pub properties: StackProperties,
    /// The ids of the stacks that come before it, sorted.
    pub dependencies: Vec<String>,
}

impl StackArtifact {
    /// The name of the stack in CloudFormation.
    pub fn stack_name(&self) -> &str {
        self.properties.stack_name.as_deref().unwrap_or(&self.id)
    }
}

impl CloudAssembly {
    /// Opens an assembly.
    ///
    /// # Errors
    /// When the directory has no readable `manifest.json`.
    pub fn open(directory: &Path) -> Result<Self, AssemblyError> {
        let manifest = read_json(&directory.join(MANIFEST_FILE), "cloud assembly manifest")?;
        Ok(Self { directory: directory.to_path_buf(), manifest })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The table of contents.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The stacks in an order in which each comes after what it depends on; ties are broken by id.
    ///
    /// # Errors
    /// When the properties of a stack are not valid, or the dependencies form a circle.
    pub fn stacks(&self) -> Result<Vec<StackArtifact>, AssemblyError> {
        let manifest_path = self.directory.join(MANIFEST_FILE);
        let invalid = |reason: String| AssemblyError::Invalid {
            path: manifest_path.clone(),
            what: "cloud assembly manifest",
            reason,
        };
        let mut stacks: BTreeMap<&str, StackArtifact> = BTreeMap::new();
        for (id, artifact) in &self.manifest.artifacts {
            let Some(properties) =
                artifact.stack().map_err(|error| invalid(format!("stack {id}: {error}")))?
            else {
                continue;
            };
            let environment = artifact.environment.clone().unwrap_or_default();
            let dependencies = self.stacks_before(id);
            stacks.insert(id, StackArtifact { id: id.clone(), environment, properties, dependencies });
        }
        let mut graph: Graph<&str, ()> = Graph::new();
        stacks.keys().for_each(|id| graph.add_node(id));
        for stack in stacks.values() {
            for before in &stack.dependencies {
                graph.add_edge(&stack.id, before, ());
            }
        }
        let ordered = graph.order().map_err(|circles| {
            let names: Vec<&str> =
                circles.iter().flat_map(|circle| &circle.steps).map(|(id, ())| **id).collect();
            invalid(format!("the stacks {} depend on each other in a circle", names.join(", ")))
        })?;
        Ok(ordered.into_iter().filter_map(|id| stacks.get(id).cloned()).collect())
    }

    /// The stacks that a stack depends on, directly or through artifacts of another kind.
    fn stacks_before(&self, id: &str) -> Vec<String> {
        let mut found = std::collections::BTreeSet::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut todo: Vec<&str> = self
            .manifest
            .artifacts
            .get(id)
            .map(|artifact| artifact.dependencies.iter().map(String::as_str).collect())
            .unwrap_or_default();
        while let Some(next) = todo.pop() {
            if !seen.insert(next) {
                continue;
            }
            match self.manifest.artifacts.get(next) {
                Some(artifact) if artifact.kind == crate::manifest::STACK => {
                    found.insert(next.to_owned());
                }
                Some(artifact) => todo.extend(artifact.dependencies.iter().map(String::as_str)),
                None => {}
            }
        }
        found.into_iter().collect()
    }

    /// The text of a stack's template.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn template_text(&self, stack: &StackArtifact) -> Result<String, AssemblyError> {
        let path = self.directory.join(&stack.properties.template_file);
        fs::read_to_string(&path).map_err(io_error("read", &path))
    }

    /// A stack's template.
    ///
    /// # Errors
    /// When the file cannot be read or is not JSON.
    pub fn template(&self, stack: &StackArtifact) -> Result<Value, AssemblyError> {
        read_json(&self.directory.join(&stack.properties.template_file), "template")
    }
}

/// Reads a JSON file of an assembly.
///
/// # Errors
/// When it cannot be read or does not have the shape of `T`.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, AssemblyError> {
    let bytes = fs::read(path).map_err(io_error("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| AssemblyError::Invalid {
        path: path.to_path_buf(),
        what,
        reason: error.to_string(),
    })
}
