//! The profiles: one table of what dev and production differ in.

use formwork_library::managed_mlflow::TrackingServerSize;
use formwork_library::networking::EndpointPreset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table of defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Small, cheap and easy to remove.
    #[default]
    Dev,
    /// Survives the loss of a zone and a slip of the hand.
    Production,
}

/// What a profile decides where the context leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileDefaults {
    /// Whether each zone has a NAT gateway, or all share one.
    pub nat_gateway_in_each_zone: bool,
    /// The interface endpoints.
    pub endpoints: EndpointPreset,
    /// The size of a tracking server.
    pub tracking_server_size: TrackingServerSize,
    /// The least number of proxy instances, and of tasks of the MLflow server.
    pub min_instances: u32,
    /// The greatest number of proxy instances, and of tasks of the MLflow server.
    pub max_instances: u32,
    /// The class of a database.
    pub database_class: &'static str,
    /// Whether a database has a second instance in another zone, which takes over.
    pub database_in_two_zones: bool,
    /// The days that logs are kept.
    pub log_retention_days: i64,
    /// Whether CloudFormation refuses to delete the stacks.
    pub termination_protection: bool,
    /// Whether the load balancer refuses to be deleted.
    pub deletion_protection: bool,
}

impl Profile {
    /// The profile's table.
    pub fn defaults(self) -> ProfileDefaults {
        match self {
            Self::Dev => ProfileDefaults {
                nat_gateway_in_each_zone: false,
                endpoints: EndpointPreset::Minimal,
                tracking_server_size: TrackingServerSize::Small,
                min_instances: 1,
                max_instances: 2,
                database_class: "db.t4g.small",
                database_in_two_zones: false,
                log_retention_days: 30,
                termination_protection: false,
                deletion_protection: false,
            },
            Self::Production => ProfileDefaults {
                nat_gateway_in_each_zone: true,
                endpoints: EndpointPreset::Studio,
                tracking_server_size: TrackingServerSize::Medium,
                min_instances: 2,
                max_instances: 4,
                database_class: "db.t4g.medium",
                database_in_two_zones: true,
                log_retention_days: 365,
                termination_protection: true,
                deletion_protection: true,
            },
        }
    }
}
