//! The role with which the service reaches the artifacts and registers models: nothing more than that.

use formwork::{ResourceId, Scope, pseudo, text};

use super::ManagedMlflowProps;
use crate::iam::{Role, RoleProps, ServicePrincipal, Statement};
use crate::storage::{DataBucket, ObjectAccess};

/// The role and the policy that has to be there before the service assumes it.
pub(super) struct ServiceRole {
    pub(super) role: Role,
    pub(super) policy: ResourceId,
}

impl ServiceRole {
    #[track_caller]
    pub(super) fn new(scope: Scope<'_>, props: &ManagedMlflowProps, artifacts: &DataBucket) -> Self {
        let description = format!("Reaches the artifacts of MLflow {}", props.name);
        let role = Role::for_service(
            scope,
            "Role",
            ServicePrincipal::SageMaker,
            RoleProps { description, ..RoleProps::default() },
        );
        let mut statements = artifacts.statements(&props.artifact_prefix, ObjectAccess::Full);
        if let Some(key) = &props.app_key {
            statements.push(
                Statement::allow(["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"])
                    .sid("AppKey")
                    .on(key),
            );
        }
        if props.automatic_model_registration {
            statements.extend(model_registration());
        }
        let policy = role.grant(scope, "RolePolicy", statements);
        Self { role, policy }
    }
}

/// What automatic registration does in the Model Registry. Groups and packages are named after models, which nobody
/// knows yet, so the statements name the account's groups and packages in this region.
///
/// Source: Amazon SageMaker AI Developer Guide, "Automatically register SageMaker AI models with SageMaker Model
/// Registry".
fn model_registration() -> [Statement; 2] {
    let all_of = |kind: &str| {
        text!(
            "arn:{}:sagemaker:{}:{}:{}/*",
            pseudo::partition(),
            pseudo::region(),
            pseudo::account_id(),
            kind
        )
    };
    [
        Statement::allow([
            "sagemaker:AddTags",
            "sagemaker:CreateModelPackageGroup",
            "sagemaker:DescribeModelPackageGroup",
        ])
        .sid("ModelGroups")
        .on(all_of("model-package-group")),
        // Making a package is checked against its group as well.
        Statement::allow([
            "sagemaker:AddTags",
            "sagemaker:CreateModelPackage",
            "sagemaker:UpdateModelPackage",
        ])
        .sid("ModelPackages")
        .on(all_of("model-package"))
        .on(all_of("model-package-group")),
    ]
}
