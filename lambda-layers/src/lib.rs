//! What runs in AWS Lambda: handlers as embedded bytes, and the builder of the boto3 layer.
//!
//! The handlers are Python files of this folder, compiled into the library, so that a template can be made without
//! knowing where the sources are. The boto3 layer is not: it is 30 MB that only the custom provisioner needs, so it is
//! identified by its sources at synth and built when it is published.

pub mod boto3_layer;
mod handlers;

pub use handlers::{
    EmbeddedFile, METAFLOW_MIGRATION_ENTRY_POINT, MLFLOW_APP_ENTRY_POINT, PYTHON_RUNTIME,
    metaflow_migration_handler, mlflow_app_handler,
};
