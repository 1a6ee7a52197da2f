//! The two kinds of managed MLflow and what a client has to know about each.
//!
//! Source: the client plugin `sagemaker-mlflow` 0.3.0, which derives all of this from the ARN.

use formwork::{IntoValue, Value, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::networking::AwsService;

/// The kind of managed MLflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MlflowType {
    /// A tracking server: a machine of a size, always on, ready after half an hour.
    #[default]
    Tracking,
    /// An MLflow app: serverless, ready after minutes, no charge for computing.
    Serverless,
}

impl MlflowType {
    /// The name in context, stack names and resource names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tracking => "tracking",
            Self::Serverless => "serverless",
        }
    }

    /// The kind that an ARN names, or nothing when it is no ARN of managed MLflow.
    pub fn from_arn(arn: &str) -> Option<Self> {
        if arn.contains(":mlflow-tracking-server/") {
            Some(Self::Tracking)
        } else if arn.contains(":mlflow-app/") {
            Some(Self::Serverless)
        } else {
            None
        }
    }

    /// The CloudFormation type.
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Tracking => "AWS::SageMaker::MlflowTrackingServer",
            Self::Serverless => "AWS::SageMaker::MlflowApp",
        }
    }

    /// The name under which SigV4 signs requests to the MLflow API.
    pub fn signing_name(self) -> &'static str {
        match self {
            Self::Tracking => "sagemaker-mlflow",
            Self::Serverless => "sagemaker",
        }
    }

    /// The header that carries the ARN in requests to the MLflow API.
    pub fn routing_header(self) -> &'static str {
        match self {
            Self::Tracking => "x-mlflow-sm-tracking-server-arn",
            Self::Serverless => "x-sm-mlflow-app-arn",
        }
    }

    /// The service that answers the MLflow API, for [`crate::networking::Networking::require_reach`].
    pub fn data_plane(self) -> AwsService {
        match self {
            Self::Tracking => AwsService::MlflowTrackingServer,
            Self::Serverless => AwsService::MlflowApp,
        }
    }

    /// The URL of the MLflow API in a region. All servers of a region share it; the routing header tells them apart.
    ///
    /// It is known for the partitions `aws` and `aws-us-gov`, see [`has_known_endpoint`].
    pub fn endpoint(self, region: impl IntoValue<String>) -> Value<String> {
        match self {
            Self::Tracking => text!("https://{}.experiments.sagemaker.aws", region),
            Self::Serverless => text!("https://mlflow.sagemaker.{}.app.aws", region),
        }
    }
}

/// Whether the endpoint of a region is publicly known. The plugin refuses every partition but `aws` and `aws-us-gov`,
/// and no public page names an endpoint in China, the European Sovereign Cloud or the isolated regions.
pub fn has_known_endpoint(region: &str) -> bool {
    !["cn-", "eusc-", "us-iso", "eu-iso"].iter().any(|prefix| region.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_in_the_arn_of_every_partition() {
        for (arn, kind) in [
            ("arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/a", Some(MlflowType::Tracking)),
            (
                "arn:aws-us-gov:sagemaker:us-gov-west-1:111122223333:mlflow-app/app-1",
                Some(MlflowType::Serverless),
            ),
            ("arn:aws:sagemaker:us-east-1:111122223333:domain/d-abc", None),
        ] {
            assert_eq!(MlflowType::from_arn(arn), kind, "{arn}");
        }
    }

    #[test]
    fn names_in_context_are_those_of_as_str() {
        for kind in [MlflowType::Tracking, MlflowType::Serverless] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn endpoints_are_known_where_the_plugin_knows_them() {
        assert!(has_known_endpoint("eu-west-1") && has_known_endpoint("us-gov-west-1"));
        for region in ["cn-north-1", "eusc-de-east-1", "us-isob-east-1", "eu-isoe-west-1"] {
            assert!(!has_known_endpoint(region), "{region}");
        }
    }
}
