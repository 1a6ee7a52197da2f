//! The repository as data: its crates with their dependencies (by `cargo metadata`) and its files (by git).

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::oracle::OracleError;
use crate::process;

/// How long git or cargo may take; cargo may have to wait for another one.
const LIMIT: Duration = Duration::from_secs(300);

/// The root of the repository.
pub fn repository_root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The files that git keeps or would keep, relative to the root and sorted.
///
/// # Errors
///
/// git is not there, or this is no clone.
pub fn tracked_files() -> Result<Vec<PathBuf>, OracleError> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).current_dir(repository_root());
    let listed = process::run(&mut git, "", LIMIT)?.succeeded()?.stdout;
    let files: BTreeSet<PathBuf> =
        listed.split('\0').filter(|name| !name.is_empty()).map(Into::into).collect();
    Ok(files.into_iter().filter(|file| repository_root().join(file).is_file()).collect())
}

/// A crate of this repository.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The packages that its code depends on (not those of its tests or build scripts), by the name that the code uses.
    pub dependencies: BTreeMap<String, String>,
    /// Every package that its code needs, over any number of steps, whatever the platform.
    pub reachable: BTreeSet<String>,
}

impl Package {
    /// The files of its code, below `src`, as path and text.
    ///
    /// # Errors
    ///
    /// A folder or file cannot be read.
    pub fn sources(&self) -> std::io::Result<Vec<(PathBuf, String)>> {
        let mut sources = Vec::new();
        let mut folders = vec![self.folder.join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path)?;
                    sources.push((path, text));
                }
            }
        }
        sources.sort();
        Ok(sources)
    }
}

/// All crates of this repository.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The crates by name.
    pub packages: BTreeMap<String, Package>,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// cargo cannot tell.
    pub fn load() -> Result<Self, OracleError> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["metadata", "--format-version", "1", "--locked"]).current_dir(repository_root());
        let metadata: Metadata = process::run(&mut cargo, "", LIMIT)?.succeeded()?.json()?;
        Ok(Self::from(metadata))
    }

    /// The crate of a name.
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn package(&self, name: &str) -> &Package {
        self.packages.get(name).unwrap_or_else(|| panic!("no crate `{name}` in this workspace"))
    }
}

impl From<Metadata> for Workspace {
    fn from(metadata: Metadata) -> Self {
        let names: BTreeMap<&str, &str> = metadata.packages.iter().map(|it| (&*it.id, &*it.name)).collect();
        let nodes: BTreeMap<&str, &Node> =
            metadata.resolve.nodes.iter().map(|node| (&*node.id, node)).collect();
        let packages =
            metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id));
        let packages = packages.map(|package| {
            let direct = nodes.get(&*package.id).into_iter().flat_map(|node| node.code_dependencies());
            let package = Package {
                name: package.name.clone(),
                folder: package.manifest_path.parent().unwrap_or(Path::new("")).to_path_buf(),
                dependencies: direct.map(|edge| (edge.name.clone(), names[&*edge.pkg].to_owned())).collect(),
                reachable: reach(&package.id, &nodes).into_iter().map(|id| names[id].to_owned()).collect(),
            };
            (package.name.clone(), package)
        });
        Self { packages: packages.collect() }
    }
}

/// All that can be reached from a package, without itself.
fn reach<'a>(start: &'a str, nodes: &BTreeMap<&str, &'a Node>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        for edge in nodes.get(id).into_iter().flat_map(|node| node.code_dependencies()) {
            if seen.insert(&*edge.pkg) {
                open.push(&edge.pkg);
            }
        }
    }
    seen
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    /// The name that the code uses.
    name: String,
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Node {
    fn code_dependencies(&self) -> impl Iterator<Item = &Edge> {
        self.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_and_what_they_reach_are_known() {
        let workspace = Workspace::load().unwrap();
        let this = workspace.package(env!("CARGO_PKG_NAME"));
        assert_eq!(this.folder, Path::new(env!("CARGO_MANIFEST_DIR")));
        assert!(this.dependencies.contains_key("serde_json"));
        assert!(this.reachable.contains("itoa"), "over serde_json");
        assert!(!this.reachable.contains("formwork-tests"));
    }

    #[test]
    fn a_renamed_dependency_keeps_both_names() {
        let workspace = Workspace::load().unwrap();
        let dependencies = &workspace.package("formwork-assembly").dependencies;
        assert_eq!(dependencies.get("serde_yaml").map(String::as_str), Some("yaml_serde"));
    }

    #[test]
    fn this_file_is_tracked() {
        assert!(tracked_files().unwrap().contains(&PathBuf::from("tests/src/repository.rs")));
    }
}
