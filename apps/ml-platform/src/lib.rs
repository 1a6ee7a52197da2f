//! The ML platform put together from the construct library.

use formwork::{App, CfnResource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The context keys of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PlatformSettings {
    /// What the name of each stack begins with.
    pub prefix: String,
}

impl Default for PlatformSettings {
    fn default() -> Self {
        Self { prefix: "sagemaker-infra".to_owned() }
    }
}

/// Grows the platform as the context says.
pub fn build(app: &App) {
    let settings: PlatformSettings = app.settings();
    let networking = app.stack(&format!("{}-networking", settings.prefix));
    CfnResource::new("AWS::SNS::Topic").define(networking, "Topic");
}
