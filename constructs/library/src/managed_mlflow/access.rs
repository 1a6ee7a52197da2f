//! Who may do what with managed MLflow: the exact actions of readers, writers and administrators.

use formwork::{MlflowArn, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MlflowType;
use super::actions::{ACTIONS, WITHOUT_RESOURCE};
use crate::iam::Statement;
use crate::storage::ObjectAccess;

/// How much a client may do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Read and search everything.
    Reader,
    /// Also create, log, change and restore.
    #[default]
    Writer,
    /// Also delete.
    Admin,
}

impl Access {
    /// The name in context.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Admin => "admin",
        }
    }

    /// The actions of the MLflow API that the access has and that can be limited to one server, with prefix, sorted.
    pub fn actions(self) -> Vec<String> {
        let granted = ACTIONS.iter().filter(|(name, least)| *least <= self && *name != WITHOUT_RESOURCE);
        granted.map(|(name, _)| format!("sagemaker-mlflow:{name}")).collect()
    }

    /// What the access means for the artifacts, which clients read and write in the bucket themselves.
    pub fn to_artifacts(self) -> ObjectAccess {
        match self {
            Self::Reader => ObjectAccess::Read,
            Self::Writer => ObjectAccess::ReadWrite,
            Self::Admin => ObjectAccess::Full,
        }
    }

    /// The statements that give the access to one server or app: its API, its description and a link to its pages.
    pub(super) fn statements(self, mlflow_type: MlflowType, arn: &Value<MlflowArn>) -> Vec<Statement> {
        let mut actions = self.actions();
        actions.extend(control_actions(mlflow_type).iter().map(|action| (*action).to_owned()));
        let user_interface = format!("sagemaker-mlflow:{WITHOUT_RESOURCE}");
        vec![
            Statement::allow(actions.iter().map(String::as_str)).sid("Mlflow").on(arn),
            Statement::allow([user_interface.as_str()]).sid("MlflowUserInterface").on_any_resource(
                "the action has no resource type; the link to a server's pages is limited above",
            ),
        ]
    }
}

/// The actions of SageMaker itself that a client of one server needs. The whole API of an app is one action, so IAM
/// cannot tell readers of an app from its administrators: the proxy can.
fn control_actions(mlflow_type: MlflowType) -> &'static [&'static str] {
    match mlflow_type {
        MlflowType::Tracking => {
            &["sagemaker:CreatePresignedMlflowTrackingServerUrl", "sagemaker:DescribeMlflowTrackingServer"]
        }
        MlflowType::Serverless => &[
            "sagemaker:CallMlflowAppApi",
            "sagemaker:CreatePresignedMlflowAppUrl",
            "sagemaker:DescribeMlflowApp",
        ],
    }
}
