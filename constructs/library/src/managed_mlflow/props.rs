//! What can be said about managed MLflow, with defaults that are safe.

use formwork::{DomainId, KeyArn, RemovalPolicy, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MlflowType;
use crate::storage::{DataBucket, DataBucketProps};

/// How big a tracking server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrackingServerSize {
    /// For teams of up to 25 people.
    #[default]
    Small,
    /// For teams of up to 50 people.
    Medium,
    /// For teams of up to 100 people.
    Large,
}

impl TrackingServerSize {
    /// The name in CloudFormation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "Small",
            Self::Medium => "Medium",
            Self::Large => "Large",
        }
    }
}

/// What makes a serverless app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provisioner {
    /// The native type, unless a property is set that only the custom resource has.
    #[default]
    Auto,
    /// The native type `AWS::SageMaker::MlflowApp`.
    Native,
    /// A custom resource: a Lambda function that calls the service's API.
    Custom,
}

/// When maintenance starts unless it is said.
pub(super) const DEFAULT_MAINTENANCE_WINDOW: &str = "Tue:03:30";

/// What can be said about managed MLflow.
#[derive(Clone, Debug)]
pub struct ManagedMlflowProps {
    /// The kind.
    pub mlflow_type: MlflowType,
    /// The name in SageMaker: letters, digits and single hyphens, 256 characters at most, unique in account and region.
    pub name: String,
    /// How big a tracking server is.
    pub size: TrackingServerSize,
    /// The version of MLflow of a tracking server, such as `3.0`; without one, the newest that the service has when it
    /// is made. A change may replace the server.
    pub mlflow_version: Option<String>,
    /// Whether models registered in MLflow also appear in the SageMaker Model Registry.
    pub automatic_model_registration: bool,
    /// When the weekly maintenance starts, in UTC: a weekday of three letters and a time, such as `Tue:03:30`.
    pub maintenance_window: String,
    /// What makes a serverless app.
    pub provisioner: Provisioner,
    /// The key that encrypts a serverless app; only the custom provisioner has it.
    pub app_key: Option<Value<KeyArn>>,
    /// Whether a serverless app is the account's default; only the custom provisioner has it.
    pub account_default: Option<bool>,
    /// The Studio domains whose default a serverless app is; only the custom provisioner has it.
    pub default_domains: Vec<Value<DomainId>>,
    /// A bucket that exists already for the artifacts; without one, a bucket is made.
    pub artifact_bucket: Option<DataBucket>,
    /// The key that encrypts the artifact bucket that is made; without one, the keys that S3 manages.
    pub artifact_key: Option<Value<KeyArn>>,
    /// All else about the artifact bucket that is made. Its key is [`ManagedMlflowProps::artifact_key`] unless it names
    /// one of its own.
    pub bucket: DataBucketProps,
    /// Where in the bucket the artifacts lie, without slashes at the ends; empty for the whole bucket.
    pub artifact_prefix: String,
    /// The days for which the log of the custom provisioner is kept: one of the numbers that CloudWatch Logs knows.
    pub log_retention_days: i64,
    /// The key that encrypts that log; its policy has to let CloudWatch Logs use it. Without one, AWS's own.
    pub log_key: Option<Value<KeyArn>>,
    /// What happens to the server or app when it leaves the stack. Experiments, runs and registered models live in it
    /// and nowhere else, so it is kept by default, with the role that it needs; only one that was never finished goes.
    /// A tracking server that is kept goes on to cost money until it is stopped or deleted by hand.
    pub removal_policy: RemovalPolicy,
}

impl ManagedMlflowProps {
    /// A kind under a name, with defaults for all else.
    pub fn new(mlflow_type: MlflowType, name: impl Into<String>) -> Self {
        Self {
            mlflow_type,
            name: name.into(),
            size: TrackingServerSize::default(),
            mlflow_version: None,
            automatic_model_registration: true,
            maintenance_window: DEFAULT_MAINTENANCE_WINDOW.to_owned(),
            provisioner: Provisioner::default(),
            app_key: None,
            account_default: None,
            default_domains: Vec::new(),
            artifact_bucket: None,
            artifact_key: None,
            bucket: DataBucketProps::default(),
            artifact_prefix: "mlflow".to_owned(),
            log_retention_days: 30,
            log_key: None,
            removal_policy: RemovalPolicy::RetainExceptOnCreate,
        }
    }

    /// The properties that are set and that the native type of an app lacks, as users and as the API name them.
    pub(super) fn beyond_native(&self) -> Vec<&'static str> {
        let mut set = Vec::new();
        if self.app_key.is_some() {
            set.push("KMS key (KmsKeyId)");
        }
        if self.account_default.is_some() {
            set.push("account default (AccountDefaultStatus)");
        }
        if !self.default_domains.is_empty() {
            set.push("default domains (DefaultDomainIdList)");
        }
        set
    }
}
