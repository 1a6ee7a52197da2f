//! `formwork asset`: builds what an assembly does not carry.
//!
//! The asset manifest names this command as the program that makes the file; whoever publishes the asset runs it and
//! reads the path of the file from standard output. What was built once is kept by the hash of its sources.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use formwork_lambda_layers::boto3_layer::{self, Architecture, Tools};

use crate::arguments::{AssetArguments, AssetCommand, LayerArchitecture};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::Surroundings;

pub(crate) fn run(
    arguments: &AssetArguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let AssetCommand::Boto3Layer { architecture } = arguments.asset;
    let architecture = match architecture {
        LayerArchitecture::Arm64 => Architecture::Arm64,
        LayerArchitecture::X86_64 => Architecture::X86_64,
    };
    let folder = cache(surroundings).join("boto3-layer").join(boto3_layer::source_hash(architecture));
    let path = match built(&folder) {
        Some(path) => path,
        None => {
            console.talk(&format!("building the boto3 layer for {architecture}\n"));
            let search = surroundings.variables.get("PATH").map_or("", String::as_str);
            let layer = boto3_layer::build(&Tools::search(OsStr::new(search)), architecture, &folder)
                .map_err(|error| Failure::Input(error.to_string()))?;
            console.talk(&format!("built boto3 {} with {}\n", layer.boto3_version, layer.tool));
            layer.zip_path
        }
    };
    console.data(&format!("{}\n", path.display()))
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

/// The directory for what can be made anew: that of the XDG base directory specification, else the temporary one.
fn cache(surroundings: &Surroundings) -> PathBuf {
    let variable =
        |name: &str| surroundings.variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    variable("XDG_CACHE_HOME")
        .or_else(|| Some(variable("HOME")?.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("formwork")
        .join("assets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_follows_the_xdg_directories() {
        let mut surroundings = Surroundings::default();
        surroundings.variables.insert("HOME".to_owned(), "/home/ada".to_owned());
        assert_eq!(cache(&surroundings), Path::new("/home/ada/.cache/formwork/assets"));
        surroundings.variables.insert("XDG_CACHE_HOME".to_owned(), "/cache".to_owned());
        assert_eq!(cache(&surroundings), Path::new("/cache/formwork/assets"));
        surroundings.variables.insert("XDG_CACHE_HOME".to_owned(), "not/absolute".to_owned());
        assert_eq!(cache(&surroundings), Path::new("/home/ada/.cache/formwork/assets"));
    }
}
