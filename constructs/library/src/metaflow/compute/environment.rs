//! An environment of AWS Batch, what its instances are made from, and its queue.
//!
//! The allocation strategy is always named and the service's own role always used: only then does CloudFormation change
//! an environment in place. AWS Batch refuses an environment on Amazon Linux 2 since June 2026.
//!
//! Sources: AWS Batch User Guide, "Updating compute environments", "Instance type allocation strategies", "Amazon ECS
//! optimized AMI", "Blocked job queues"; Amazon EC2 User Guide, "Instance metadata options".

use formwork::{Dependency, RemovalPolicy, Resource, Scope, SecurityGroupId, Value};
use formwork_resources::batch::{
    CfnComputeEnvironment, CfnJobQueue, ComputeEnvironmentOrder, ComputeEnvironmentType, ComputeResources,
    ComputeResourcesAllocationStrategy, ComputeResourcesType, Ec2ConfigurationObject,
    JobQueueJobStateTimeLimitAction, JobQueueJobStateTimeLimitAction2, JobQueueState,
    JobStateTimeLimitActionState, LaunchTemplateSpecification, UpdatePolicy,
};
use formwork_resources::ec2::{
    CfnLaunchTemplate, EbsVolumeType, LaunchTemplateBlockDeviceMapping, LaunchTemplateData,
    LaunchTemplateEbs, MetadataOptions, MetadataOptionsHttpEndpoint, MetadataOptionsHttpTokens,
};

use super::{ComputeEnvironment, ComputeKind, Queue};
use crate::networking::Networking;

/// How long jobs may go on running on an instance that is replaced by an update, in minutes.
const UPDATE_MINUTES: i64 = 60;
/// After how many seconds a job that can never run is cancelled.
const MISFIT_SECONDS: i64 = 1_800;
/// After how many seconds a job is cancelled for which AWS has had no instances: the most that there is, a day.
const NO_CAPACITY_SECONDS: i64 = 86_400;

/// What all environments have in common.
pub(super) struct Around<'a> {
    pub(super) networking: &'a Networking,
    pub(super) security_group: &'a Value<SecurityGroupId>,
    /// The profile of instances, when an environment has some.
    pub(super) instance_profile: Option<Value<String>>,
    pub(super) waits_for: Dependency,
}

/// Adds an environment with its queue.
#[track_caller]
pub(super) fn define(scope: Scope<'_>, around: &Around<'_>, own: &ComputeEnvironment) -> Queue {
    let scope = scope.child(own.kind.id());
    let mut resources = ComputeResources::new(resource_type(own.kind), i64::from(own.max_vcpus))
        .subnets(&around.networking.private_subnets)
        .security_group_ids([around.security_group]);
    if own.kind != ComputeKind::Fargate {
        resources = on_instances(scope, around, own, resources);
    }
    let mut environment = CfnComputeEnvironment::new(ComputeEnvironmentType::other("MANAGED"))
        .state("ENABLED")
        .compute_resources(resources)
        .replace_compute_environment(false)
        .depends_on(around.waits_for)
        .removal_policy(RemovalPolicy::Delete);
    if own.kind != ComputeKind::Fargate {
        environment = environment.update_policy_(
            UpdatePolicy::new().terminate_jobs_on_update(false).job_execution_timeout_minutes(UPDATE_MINUTES),
        );
    }
    let environment = environment.define(scope, "Environment");
    let queue = CfnJobQueue::new(1)
        .state(JobQueueState::ENABLED)
        .compute_environment_order([ComputeEnvironmentOrder::new(environment.compute_environment_arn(), 1)])
        .job_state_time_limit_actions(ways_out())
        .removal_policy(RemovalPolicy::Delete)
        .define(scope, "Queue");
    Queue { kind: own.kind, arn: queue.job_queue_arn() }
}

/// The names in capitals, as AWS documents them: Metaflow's client compares them with those.
fn resource_type(kind: ComputeKind) -> ComputeResourcesType {
    ComputeResourcesType::other(match kind {
        ComputeKind::Ec2 | ComputeKind::Gpu => "EC2",
        ComputeKind::Spot => "SPOT",
        ComputeKind::Fargate => "FARGATE",
    })
}

fn on_instances(
    scope: Scope<'_>,
    around: &Around<'_>,
    own: &ComputeEnvironment,
    resources: ComputeResources,
) -> ComputeResources {
    let strategy = match own.kind {
        ComputeKind::Spot => "SPOT_PRICE_CAPACITY_OPTIMIZED",
        _ => "BEST_FIT_PROGRESSIVE",
    };
    let image = match own.kind {
        ComputeKind::Gpu => "ECS_AL2023_NVIDIA",
        _ => "ECS_AL2023",
    };
    let template = CfnLaunchTemplate::new(
        LaunchTemplateData::new()
            .block_device_mappings([disk(own.disk_gib)])
            // The containers of steps ask for credentials and for the notice of a Spot instance's end themselves, which
            // is one hop further than the instance.
            .metadata_options(
                MetadataOptions::new()
                    .http_endpoint(MetadataOptionsHttpEndpoint::ENABLED)
                    .http_tokens(MetadataOptionsHttpTokens::REQUIRED)
                    .http_put_response_hop_limit(2),
            ),
    )
    .define(scope, "LaunchTemplate");
    let mut resources = resources
        .min_vcpus(i64::from(own.min_vcpus))
        .allocation_strategy(ComputeResourcesAllocationStrategy::other(strategy))
        .instance_types(own.instance_types.iter().map(String::as_str).collect::<Vec<_>>())
        .ec2_configuration([Ec2ConfigurationObject::new(image)])
        .update_to_latest_image_version(true)
        .launch_template(
            // A number, so that a change of the template is a change of the environment.
            LaunchTemplateSpecification::new()
                .launch_template_id(template.launch_template_id())
                .version(template.latest_version_number()),
        );
    if let Some(profile) = &around.instance_profile {
        resources = resources.instance_role(profile);
    }
    resources
}

fn disk(gib: u32) -> LaunchTemplateBlockDeviceMapping {
    LaunchTemplateBlockDeviceMapping::new().device_name("/dev/xvda").ebs(
        LaunchTemplateEbs::new()
            .encrypted(true)
            .volume_type(EbsVolumeType::GP3)
            .volume_size(i64::from(gib))
            .delete_on_termination(true),
    )
}

/// Jobs that cannot start do not stand in the way of all behind them.
fn ways_out() -> [JobQueueJobStateTimeLimitAction; 3] {
    let cancel = |reason: &str, seconds| {
        JobQueueJobStateTimeLimitAction::new(
            JobQueueJobStateTimeLimitAction2::other("CANCEL"),
            seconds,
            reason,
            JobStateTimeLimitActionState::RUNNABLE,
        )
    };
    [
        cancel("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", NO_CAPACITY_SECONDS),
        cancel("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE", MISFIT_SECONDS),
        cancel("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT", MISFIT_SECONDS),
    ]
}
