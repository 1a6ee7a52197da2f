//! The serverless app by its native type.

use formwork::{Resource, Scope, pseudo};
use formwork_resources::sagemaker::{CfnMlflowApp, MlflowAppModelRegistrationMode};

use super::service_role::ServiceRole;
use super::{Made, ManagedMlflowProps, MlflowType};
use crate::storage::DataBucket;

/// The registration mode. It is always written: the service's default differs, off when an app is made and on when it
/// is changed, so that an update of anything else would turn registration on.
pub(super) fn registration_mode(props: &ManagedMlflowProps) -> MlflowAppModelRegistrationMode {
    if props.automatic_model_registration {
        MlflowAppModelRegistrationMode::AUTO_MODEL_REGISTRATION_ENABLED
    } else {
        MlflowAppModelRegistrationMode::AUTO_MODEL_REGISTRATION_DISABLED
    }
}

/// Adds the app. It waits for the role's policy, without which the service refuses to make it.
#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    props: &ManagedMlflowProps,
    artifacts: &DataBucket,
    role: &ServiceRole,
) -> Made {
    let app = CfnMlflowApp::new(&props.name, artifacts.uri(&props.artifact_prefix), &role.role.arn)
        .model_registration_mode(registration_mode(props))
        .weekly_maintenance_window_start(&props.maintenance_window)
        .depends_on(role.policy)
        .removal_policy(props.removal_policy)
        .define(scope, "App");
    Made { arn: app.arn(), endpoint: MlflowType::Serverless.endpoint(pseudo::region()) }
}
