//! The tracking server.

use formwork::{Resource, Scope, pseudo};
use formwork_resources::sagemaker::{CfnMlflowTrackingServer, MlflowTrackingServerSize};

use super::service_role::ServiceRole;
use super::{Made, ManagedMlflowProps, MlflowType, TrackingServerSize};
use crate::storage::DataBucket;

/// Adds the server. It waits for the role's policy, without which the service refuses to make it.
#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    props: &ManagedMlflowProps,
    artifacts: &DataBucket,
    role: &ServiceRole,
) -> Made {
    let size = match props.size {
        TrackingServerSize::Small => MlflowTrackingServerSize::SMALL,
        TrackingServerSize::Medium => MlflowTrackingServerSize::MEDIUM,
        TrackingServerSize::Large => MlflowTrackingServerSize::LARGE,
    };
    let uri = artifacts.uri(&props.artifact_prefix);
    let mut server = CfnMlflowTrackingServer::new(&props.name, uri, &role.role.arn)
        .tracking_server_size(size)
        .automatic_model_registration(props.automatic_model_registration)
        .weekly_maintenance_window_start(&props.maintenance_window)
        .depends_on(role.policy)
        .removal_policy(props.removal_policy);
    if let Some(version) = &props.mlflow_version {
        server = server.mlflow_version(version);
    }
    let server = server.define(scope, "TrackingServer");
    Made { arn: server.tracking_server_arn(), endpoint: MlflowType::Tracking.endpoint(pseudo::region()) }
}
