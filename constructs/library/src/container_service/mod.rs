//! A program in containers that always runs: a service on AWS Fargate, in private subnets, without a public address.
//!
//! Secrets are named and fetched by ECS when a task starts, so that nobody who can read the template or the task
//! definition knows them. A deployment whose tasks do not become healthy is rolled back by ECS itself.

mod alarms;
mod checks;
mod cluster;
mod image;
mod roles;
mod scaling;
mod size;
mod task;

use formwork::{
    Dependency, IntoValue, KeyArn, LogGroupName, RemovalPolicy, Resource, ResourceId, Scope, SecretArn,
    SecurityGroupId, TargetGroupArn, TopicArn, Value,
};
use formwork_resources::ecs::{
    AwsVpcConfiguration, AwsVpcConfigurationAssignPublicIp, CapacityProviderStrategyItem, CfnService,
    DeploymentCircuitBreaker, DeploymentConfiguration, LoadBalancer, NetworkConfiguration,
    ServicePropagateTags,
};
use formwork_resources::logs::CfnLogGroup;

use crate::architecture::Architecture;
use crate::iam::{KeyUser, Role, note_key_policy};
use crate::networking::{Networking, allow_https_out, security_group};

pub use cluster::Cluster;
pub use image::ContainerImage;
pub use size::{FARGATE_SIZES, FargateSize};

/// The name of the container that a service is about.
pub const MAIN_CONTAINER: &str = "main";

/// A secret that a container gets as an environment variable when it starts.
#[derive(Clone, Debug)]
pub struct ContainerSecret<'a> {
    /// The name of the variable.
    pub name: &'a str,
    /// The secret.
    pub secret: Value<SecretArn>,
    /// The field of the secret's JSON; empty for the whole text.
    pub field: &'a str,
    /// The key that encrypts the secret, when it is not AWS's own.
    pub key: Option<Value<KeyArn>>,
}

/// A container that runs before the main one, in every task, and has to end well.
#[derive(Clone, Debug)]
pub struct InitContainer<'a> {
    /// The name: letters, digits and hyphens.
    pub name: &'a str,
    /// What it runs; it has the image, environment and secrets of the main container.
    pub entry_point: Vec<String>,
    /// The arguments of that.
    pub command: Vec<Value<String>>,
}

/// How a container shows that it works.
#[derive(Clone, Debug)]
pub struct HealthCommand {
    /// The command and its arguments, run inside the container without a shell.
    pub command: Vec<String>,
    /// The seconds in which failures do not count yet: 0 to 300.
    pub start_seconds: u32,
}

/// A way from a load balancer to a port of the tasks.
#[derive(Clone, Debug)]
pub struct ServiceTarget {
    /// The target group, whose targets are addresses.
    pub target_group: Value<TargetGroupArn>,
    /// The port of the container.
    pub port: u16,
    /// The listener or rule that forwards to the group: a service cannot start before.
    pub listener: ResourceId,
}

/// What can be said about a service.
#[derive(Clone, Debug)]
pub struct ContainerServiceProps<'a> {
    /// Where it stands: in the private subnets.
    pub networking: &'a Networking,
    /// What it is, such as `the metadata service`, for descriptions and mistakes.
    pub name: &'static str,
    /// The cluster that it runs in; without one, a cluster is made.
    pub cluster: Option<&'a Cluster>,
    /// The image.
    pub image: ContainerImage,
    /// The processors.
    pub architecture: Architecture,
    /// The share of processors: 1,024 is one.
    pub cpu: u32,
    /// The memory in MiB; which amounts go with a share of processors is up to Fargate ([`FARGATE_SIZES`]).
    pub memory_mib: u32,
    /// What is run in place of the image's own entry point; empty for that.
    pub entry_point: Vec<String>,
    /// The arguments in place of the image's own; empty for those.
    pub command: Vec<Value<String>>,
    /// Environment variables. They can be read by everyone who can see the task definition: no place for secrets.
    pub environment: Vec<(&'a str, Value<String>)>,
    /// Secrets as environment variables.
    pub secrets: Vec<ContainerSecret<'a>>,
    /// The TCP ports that the container listens on.
    pub ports: Vec<u16>,
    /// The ways from load balancers to them. Letting their groups in is up to the caller.
    pub targets: Vec<ServiceTarget>,
    /// How the container shows that it works, beside what load balancers ask it.
    pub health_command: Option<HealthCommand>,
    /// What runs before the main container, one after the other.
    pub before: Vec<InitContainer<'a>>,
    /// The disk of a task in GiB, from 21 to 200; without a number, the 20 that every task has.
    pub ephemeral_gib: Option<u32>,
    /// How many tasks run, when their number does not change by itself.
    pub desired: u32,
    /// The least and the greatest number of tasks between which it changes with the load of their processors.
    pub autoscaling: Option<(u32, u32)>,
    /// Whether tasks beyond the first run on Fargate Spot: cheaper, and stopped at two minutes' notice.
    pub spot: bool,
    /// The seconds after the start of a task in which load balancers' health checks do not count.
    pub grace_seconds: u32,
    /// The seconds that a container has to stop by itself before it is killed: 2 to 120.
    pub stop_timeout_seconds: u32,
    /// What has to be there before the first task starts, beside what is named here.
    pub waits_for: Vec<Dependency>,
    /// The days that logs are kept.
    pub log_retention_days: i64,
    /// The key that encrypts the log; its policy has to let CloudWatch Logs use it. Without one, AWS's own.
    pub key: Option<Value<KeyArn>>,
    /// The topic that alarms tell; without one they are seen in CloudWatch only.
    pub alarm_topic: Option<Value<TopicArn>>,
}

impl<'a> ContainerServiceProps<'a> {
    /// One task of half a processor and 1 GiB.
    pub fn new(networking: &'a Networking, name: &'static str, image: ContainerImage) -> Self {
        Self {
            networking,
            name,
            cluster: None,
            image,
            architecture: Architecture::default(),
            cpu: 512,
            memory_mib: 1_024,
            entry_point: Vec::new(),
            command: Vec::new(),
            environment: Vec::new(),
            secrets: Vec::new(),
            ports: Vec::new(),
            targets: Vec::new(),
            health_command: None,
            before: Vec::new(),
            ephemeral_gib: None,
            desired: 1,
            autoscaling: None,
            spot: false,
            grace_seconds: 120,
            stop_timeout_seconds: 30,
            waits_for: Vec::new(),
            log_retention_days: 30,
            key: None,
            alarm_topic: None,
        }
    }
}

/// A service of containers.
#[derive(Clone, Debug)]
pub struct ContainerService {
    /// The group of the tasks. It lets nothing in by itself.
    pub security_group: Value<SecurityGroupId>,
    /// The role that the program in the container has.
    pub task_role: Role,
    /// The role with which ECS starts tasks: image, log and secrets.
    pub execution_role: Role,
    /// The log group.
    pub log_group: Value<LogGroupName>,
    /// The name of the service.
    pub service_name: Value<String>,
    /// The name of its cluster.
    pub cluster_name: Value<String>,
    /// The service itself, to wait for.
    pub service: ResourceId,
}

impl ContainerService {
    /// Adds a service.
    #[track_caller]
    pub fn new(scope: Scope<'_>, id: &str, props: &ContainerServiceProps<'_>) -> Self {
        let scope = scope.child(id);
        checks::check(scope, props);
        let cluster = match props.cluster {
            Some(cluster) => cluster.clone(),
            None => Cluster::new(scope, "Cluster"),
        };
        let mut log_group = CfnLogGroup::new().retention_in_days(props.log_retention_days);
        if let Some(key) = &props.key {
            log_group = log_group.kms_key_id(key);
            note_key_policy(scope, &[KeyUser::CloudWatchLogs]);
        }
        // The service and its log go together; the retention limits it until then.
        let log_group = log_group.removal_policy(RemovalPolicy::Delete).define(scope, "Logs");
        let roles = roles::define(scope, props, log_group);
        let task = task::define(scope, props, &roles, &log_group.log_group_name());
        let group =
            security_group(scope, "Group", &props.networking.vpc_id, &format!("The tasks of {}", props.name));
        let way_out = scope.child("WayOut");
        allow_https_out(way_out, "Https", &group, "HTTPS to the APIs of AWS and to registries of images");

        let network = AwsVpcConfiguration::new()
            .assign_public_ip(AwsVpcConfigurationAssignPublicIp::DISABLED)
            .security_groups([&group])
            .subnets(&props.networking.private_subnets);
        // A task that never becomes healthy would otherwise be started again for hours.
        let deployment = DeploymentConfiguration::new()
            .deployment_circuit_breaker(DeploymentCircuitBreaker::new(true, true))
            .minimum_healthy_percent(100)
            .maximum_percent(200);
        let mut service = CfnService::new()
            .cluster(&cluster.name)
            .task_definition(task)
            .capacity_provider_strategy(capacity(props.spot))
            .platform_version("LATEST")
            .network_configuration(NetworkConfiguration::new().awsvpc_configuration(network))
            .deployment_configuration(deployment)
            .enable_execute_command(false)
            .enable_ecs_managed_tags(true)
            .propagate_tags(ServicePropagateTags::SERVICE);
        // A number here would undo with every deployment what the load made of it.
        if props.autoscaling.is_none() {
            service = service.desired_count(i64::from(props.desired));
        }
        if !props.targets.is_empty() {
            let targets = props.targets.iter().map(|target| {
                LoadBalancer::new()
                    .container_name(MAIN_CONTAINER)
                    .container_port(i64::from(target.port))
                    .target_group_arn(&target.target_group)
            });
            service = service
                .load_balancers(targets.collect::<Vec<_>>())
                .health_check_grace_period_seconds(i64::from(props.grace_seconds));
        }
        let listeners = props.targets.iter().map(|target| target.listener.into());
        let own: [Dependency; 3] = [roles.ready.into(), way_out.into(), cluster.ready.into()];
        for needed in own.into_iter().chain(listeners).chain(props.waits_for.iter().cloned()) {
            service = service.depends_on(needed);
        }
        let service = service.define(scope, "Service");
        if let Some((least, greatest)) = props.autoscaling {
            scaling::define(scope, &cluster.name, &service.name(), least, greatest);
        }
        alarms::define(scope, props, &cluster.name, &service.name());
        Self {
            security_group: group,
            task_role: roles.task,
            execution_role: roles.execution,
            log_group: log_group.log_group_name(),
            service_name: service.name(),
            cluster_name: cluster.name,
            service: service.resource(),
        }
    }
}

fn capacity(spot: bool) -> Vec<CapacityProviderStrategyItem> {
    let item = |name: &str, base: i64, weight: i64| {
        CapacityProviderStrategyItem::new().capacity_provider(name.into_value()).base(base).weight(weight)
    };
    if spot { vec![item("FARGATE", 1, 0), item("FARGATE_SPOT", 0, 1)] } else { vec![item("FARGATE", 0, 1)] }
}

#[cfg(test)]
mod tests;
