//! `formwork asset`: builds what an assembly does not carry.
//!
//! The asset manifest names this command as the program that makes the file; whoever publishes the asset runs it and
//! reads the path of the file from standard output. What was built once is kept by the hash of its sources.

mod boto3_layer;
mod mlflow_proxy;

use crate::arguments::{AssetArguments, AssetCommand};
use crate::console::Console;
use crate::failure::Failure;
use crate::settings::Surroundings;

pub(crate) fn run(
    arguments: &AssetArguments,
    surroundings: &Surroundings,
    console: &Console,
) -> Result<(), Failure> {
    let cache = surroundings.asset_cache();
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
