//! The repository as data: its crates with their dependencies (by `cargo metadata`) and its files (by git).

use std::collections::{BTreeMap, BTreeSet};
use std::env;
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
    /// The packages that only its tests and examples depend on, by the name that the code uses.
    pub dev_dependencies: BTreeMap<String, String>,
    /// Every package that its code needs, over any number of steps, whatever the platform.
    pub reachable: BTreeSet<String>,
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
        let edges: BTreeMap<&str, Vec<&str>> =
            metadata.resolve.nodes.iter().map(|node| (&*node.id, node.code_dependencies())).collect();
        let packages =
            metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id));
        let packages = packages.map(|package| {
            let folder = package.manifest_path.parent().unwrap_or(Path::new("")).to_path_buf();
            let used_as = |kind: Option<&str>| {
                let of_kind = package.dependencies.iter().filter(|it| it.kind.as_deref() == kind);
                of_kind.map(|it| (it.rename.as_ref().unwrap_or(&it.name).clone(), it.name.clone())).collect()
            };
            let reachable = reach(&package.id, &edges).into_iter().map(|id| names[id].to_owned()).collect();
            let package = Package {
                name: package.name.clone(),
                folder,
                dependencies: used_as(None),
                dev_dependencies: used_as(Some("dev")),
                reachable,
            };
            (package.name.clone(), package)
        });
        Self { packages: packages.collect() }
    }
}

/// All that can be reached from a package, without itself.
fn reach<'a>(start: &str, edges: &BTreeMap<&str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = edges.get(start).cloned().unwrap_or_default();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
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
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    rename: Option<String>,
    kind: Option<String>,
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
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Node {
    fn code_dependencies(&self) -> Vec<&str> {
        let code = self.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
        code.map(|edge| &*edge.pkg).collect()
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
