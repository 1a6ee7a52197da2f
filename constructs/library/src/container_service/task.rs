//! The task definition: what one task of a service is made of.

use formwork::{LogGroupName, Scope, Value, pseudo, text};
use formwork_resources::ecs::{
    CfnTaskDefinition, ContainerDefinition, ContainerDependency, ContainerDependencyCondition,
    EphemeralStorage, HealthCheck, KeyValuePair, LinuxParameters, PortMapping, PortMappingProtocol,
    RuntimePlatform, RuntimePlatformCpuArchitecture, RuntimePlatformOperatingSystemFamily, Secret,
    TaskDefinitionLogConfiguration, TaskDefinitionNetworkMode, TaskDefinitionRequiresCompatibilities,
};
use std::collections::BTreeMap;

use super::roles::Roles;
use super::{ContainerSecret, ContainerServiceProps, InitContainer, MAIN_CONTAINER, size};
use crate::architecture::Architecture;

#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    props: &ContainerServiceProps<'_>,
    roles: &Roles,
    log_group: &Value<LogGroupName>,
) -> Value<String> {
    let mut containers = Vec::new();
    let mut last: Option<&str> = None;
    for init in &props.before {
        let container = init_container(props, init, log_group).essential(false);
        containers.push(after(container, last));
        last = Some(init.name);
    }
    containers.push(after(main_container(props, log_group), last));
    let processor = match props.architecture {
        Architecture::Amd64 => RuntimePlatformCpuArchitecture::X86_64,
        Architecture::Arm64 => RuntimePlatformCpuArchitecture::ARM64,
    };
    let platform = RuntimePlatform::new()
        .cpu_architecture(processor)
        .operating_system_family(RuntimePlatformOperatingSystemFamily::LINUX);
    let (cpu, memory_mib) = size::possible(props.cpu, props.memory_mib);
    let mut task = CfnTaskDefinition::new()
        .requires_compatibilities([TaskDefinitionRequiresCompatibilities::FARGATE])
        .network_mode(TaskDefinitionNetworkMode::AWSVPC)
        .runtime_platform(platform)
        .cpu(cpu.to_string())
        .memory(memory_mib.to_string())
        .execution_role_arn(&roles.execution.arn)
        .task_role_arn(&roles.task.arn)
        .container_definitions(containers);
    if let Some(gib) = props.ephemeral_gib {
        task = task.ephemeral_storage(EphemeralStorage::new().size_in_gib(i64::from(gib)));
    }
    task.define(scope, "Task").task_definition_arn()
}

fn main_container(props: &ContainerServiceProps<'_>, log_group: &Value<LogGroupName>) -> ContainerDefinition {
    let mut container = container(props, MAIN_CONTAINER, log_group)
        .essential(true)
        .stop_timeout(i64::from(props.stop_timeout_seconds));
    if !props.entry_point.is_empty() {
        container = container.entry_point(props.entry_point.clone());
    }
    if !props.command.is_empty() {
        container = container.command(props.command.clone());
    }
    if !props.ports.is_empty() {
        let ports = props.ports.iter().map(|port| {
            PortMapping::new().container_port(i64::from(*port)).protocol(PortMappingProtocol::TCP)
        });
        container = container.port_mappings(ports.collect::<Vec<_>>());
    }
    if let Some(health) = &props.health_command {
        let command = [vec!["CMD".to_owned()], health.command.clone()].concat();
        let check = HealthCheck::new()
            .command(command)
            .interval(15)
            .timeout(10)
            .retries(4)
            .start_period(i64::from(health.start_seconds));
        container = container.health_check(check);
    }
    container
}

fn init_container(
    props: &ContainerServiceProps<'_>,
    init: &InitContainer<'_>,
    log_group: &Value<LogGroupName>,
) -> ContainerDefinition {
    let mut container = container(props, init.name, log_group);
    if !init.entry_point.is_empty() {
        container = container.entry_point(init.entry_point.clone());
    }
    if !init.command.is_empty() {
        container = container.command(init.command.clone());
    }
    container
}

/// What all containers of a task have: image, environment, secrets and log.
fn container(
    props: &ContainerServiceProps<'_>,
    name: &str,
    log_group: &Value<LogGroupName>,
) -> ContainerDefinition {
    let log = BTreeMap::from([
        ("awslogs-group".to_owned(), log_group.retype::<String>()),
        ("awslogs-region".to_owned(), pseudo::region()),
        ("awslogs-stream-prefix".to_owned(), formwork::IntoValue::<String>::into_value(name)),
    ]);
    let log = TaskDefinitionLogConfiguration::new("awslogs").options(log);
    let mut container = ContainerDefinition::new(name, props.image.name())
        .log_configuration(log)
        // A process that stops its children and passes on the signal to stop.
        .linux_parameters(LinuxParameters::new().init_process_enabled(true));
    if !props.environment.is_empty() {
        let environment =
            props.environment.iter().map(|(name, value)| KeyValuePair::new().name(*name).value(value));
        container = container.environment(environment.collect::<Vec<_>>());
    }
    if !props.secrets.is_empty() {
        let secrets = props.secrets.iter().map(|secret| Secret::new(secret.name, value_from(secret)));
        container = container.secrets(secrets.collect::<Vec<_>>());
    }
    container
}

/// `ARN:FIELD::`, the form in which ECS names a field of a secret in its newest version.
fn value_from(secret: &ContainerSecret<'_>) -> Value<String> {
    match secret.field {
        "" => secret.secret.retype(),
        field => text!("{}:{}::", &secret.secret, field),
    }
}

/// A container that starts once another one has ended well.
fn after(container: ContainerDefinition, other: Option<&str>) -> ContainerDefinition {
    match other {
        None => container,
        Some(other) => {
            let ended = ContainerDependency::new()
                .container_name(other)
                .condition(ContainerDependencyCondition::SUCCESS);
            container.depends_on_([ended])
        }
    }
}
