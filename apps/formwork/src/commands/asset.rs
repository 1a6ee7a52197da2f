//! `formwork asset`: builds what an assembly does not carry.
//!
//! The asset manifest names this command as the program that makes the file; whoever publishes the asset runs it and
//! reads the path of the file from standard output. What was built once is kept by the hash of its sources.

mod boto3_layer;
mod mlflow_proxy;

use std::path::PathBuf;

use crate::arguments::{AssetArguments, AssetCommand};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::Surroundings;

pub(crate) fn run(
    arguments: &AssetArguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let cache = cache(surroundings);
    let path = match arguments.asset {
        AssetCommand::Boto3Layer { architecture } => {
            boto3_layer::build(architecture, &cache.join("boto3-layer"), surroundings, console)?
        }
        AssetCommand::MlflowProxy { architecture } => {
            mlflow_proxy::build(architecture, &cache.join("mlflow-proxy"), surroundings, console)?
        }
    };
    console.data(&format!("{}\n", path.display()))
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
    use std::path::Path;

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
