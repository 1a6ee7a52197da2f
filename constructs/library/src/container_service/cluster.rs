//! The cluster that services run in: a name, and the figures of its tasks.

use formwork::{ResourceId, Scope, Value};
use formwork_resources::ecs::{CfnCluster, ClusterSettings};

/// A cluster on Fargate. It costs nothing by itself.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The name.
    pub name: Value<String>,
    /// The ARN.
    pub arn: Value<String>,
    /// The cluster itself, to wait for.
    pub ready: ResourceId,
}

impl Cluster {
    /// Adds a cluster, with the figures of its services and tasks in CloudWatch.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str) -> Self {
        let insights = ClusterSettings::new().name("containerInsights").value("enabled");
        let cluster = CfnCluster::new()
            .cluster_settings([insights])
            .capacity_providers(["FARGATE", "FARGATE_SPOT"])
            .define(scope, id);
        Self { name: cluster.cluster_name(), arn: cluster.arn(), ready: cluster.resource() }
    }
}
