//! The ML platform put together from the construct library: stacks and settings, no logic of its own.
//!
//! | stack | what is in it | made when |
//! |---|---|---|
//! | `{prefix}-networking` | VPC, endpoints, flow logs | no `vpcId` is given |
//! | `{prefix}-sagemaker-domain` | Studio domain, its role and bucket | `mlflow` is chosen and no `domainId` is given |
//! | `{prefix}-mlflow-{type}` | tracking server or serverless app | `mlflow` is chosen; with `mlflowArn` only the access of Studio's role |
//! | `{prefix}-proxyapp-{type}` | the proxy in front of it | `proxy` is chosen |
//! | `{prefix}-metaflow` | Metaflow: datastore, service, AWS Batch, Step Functions | `metaflow` is chosen |
//! | `{prefix}-s3-only` | a bucket and a key that reaches it, for an app outside of AWS | `s3-only` is chosen |
//! | `{prefix}-mlflow-server` | a self-hosted MLflow server, its database and bucket | `mlflow-server` is chosen |
//!
//! The first two are shared: their templates do not depend on the kind of MLflow, so both kinds can stand side by side.

mod checks;
mod profile;
mod settings;
mod stacks;

pub use profile::{Profile, ProfileDefaults};
pub use settings::{
    Component, MetaflowApi, MetaflowPart, MetaflowSettings, MlflowRemoval, PlatformSettings, ServerSettings,
};

use formwork::App;

/// Grows the platform as the context says.
pub fn build(app: &App) {
    let server = app.settings();
    let (settings, metaflow) = checks::check(app, app.settings(), app.settings(), &server);
    stacks::grow(app, &settings, &metaflow, &server);
}
