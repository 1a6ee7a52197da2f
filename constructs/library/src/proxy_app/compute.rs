//! The instances that the proxy runs on: a group that is updated one by one, or a single one.
//!
//! Either way CloudFormation waits until the proxy answers: an instance signals only then.

use formwork::{
    Dependency, IntoValue, Json, KeyArn, Parameter, Properties, RemovalPolicy, Resource, Scope,
    SecurityGroupId, Value, pseudo, text,
};
use formwork_resources::autoscaling::{
    CfnAutoScalingGroup, CfnScalingPolicy, LaunchTemplateSpecification, PredefinedMetricSpecification,
    PredefinedMetricSpecificationPredefinedMetricType, ScalingPolicyType, TargetTrackingConfiguration,
};
use formwork_resources::ec2::{
    CfnInstance, CfnLaunchTemplate, EbsVolumeType, IamInstanceProfile, LaunchTemplateBlockDeviceMapping,
    LaunchTemplateData, LaunchTemplateEbs, LaunchTemplateSpecification as InstanceLaunchTemplate,
    MetadataOptions, MetadataOptionsHttpEndpoint, MetadataOptionsHttpTokens,
};
use formwork_resources::elasticloadbalancingv2::TargetDescription;

use super::{PROXY_PORT, ProxyAppProps, ProxyCompute};
use crate::load_balancer::{Forwarding, LoadBalancer, SignInOn, TargetKind, Targets};

/// How long an instance may take until its proxy answers, as an ISO 8601 duration.
const START_TIMEOUT: &str = "PT10M";
/// The CPU use that the group aims at, in percent.
const TARGET_CPU_PERCENT: f64 = 60.0;
/// The paths that people open in a browser.
const BROWSER_PATHS: [&str; 2] = ["/", "/ui"];
/// How long an instance that leaves may finish its requests.
const DRAIN_SECONDS: u32 = 120;
/// The size of the disk in GiB: the system, logs and the spooled bodies of large uploads.
const DISK_GIB: i64 = 20;

pub(crate) struct ComputeInput<'a> {
    pub(crate) user_data: Value<String>,
    pub(crate) instance_profile: Value<String>,
    pub(crate) security_group: Value<SecurityGroupId>,
    pub(crate) balancer: &'a LoadBalancer,
    pub(crate) waits_for: Vec<Dependency>,
}

pub(crate) struct Running {
    /// A command that opens a shell on an instance.
    pub(crate) session_command: Value<String>,
    /// A command that brings the proxy's port to the machine that it is run on.
    pub(crate) port_forward_command: Value<String>,
    /// The target group in the form of CloudWatch's metrics.
    pub(crate) targets: Value<String>,
}

impl Running {
    /// The commands for an instance, whose id may be a command's output.
    fn on(instance: impl IntoValue<String>, targets: Value<String>) -> Self {
        let session = text!("aws ssm start-session --region {} --target {}", pseudo::region(), instance);
        let port_forward = text!(
            "{} --document-name AWS-StartPortForwardingSession --parameters portNumber={},localPortNumber={}",
            &session,
            PROXY_PORT.to_string(),
            PROXY_PORT.to_string()
        );
        Self { session_command: session, port_forward_command: port_forward, targets }
    }
}

/// The id of the resource that waits for signals.
pub(crate) fn signal_resource(compute: ProxyCompute) -> &'static str {
    match compute {
        ProxyCompute::Asg => "Group",
        ProxyCompute::Single => "Instance",
    }
}

pub(crate) fn define(scope: Scope<'_>, props: &ProxyAppProps<'_>, input: ComputeInput<'_>) -> Running {
    let template = launch_template(scope, props, &input);
    match props.compute {
        ProxyCompute::Asg => group(scope, props, &input, template),
        ProxyCompute::Single => single(scope, props, &input, template),
    }
}

struct Template {
    id: Value<String>,
    version: Value<String>,
}

fn launch_template(scope: Scope<'_>, props: &ProxyAppProps<'_>, input: &ComputeInput<'_>) -> Template {
    let image = format!(
        "/aws/service/canonical/ubuntu/server/24.04/stable/current/{}/hvm/ebs-gp3/ami-id",
        props.architecture.name()
    );
    let image = Parameter::ssm("AWS::EC2::Image::Id", &image)
        .description("Ubuntu 24.04 LTS, the newest image at each deployment")
        .define(scope.stack().unwrap_or(scope), "ProxyImage");
    let instance_type =
        props.instance_type.as_deref().unwrap_or_else(|| props.architecture.default_instance_type());
    let data = LaunchTemplateData::new()
        .image_id(image)
        .instance_type(instance_type)
        .iam_instance_profile(IamInstanceProfile::new().arn(&input.instance_profile))
        .security_group_ids([&input.security_group])
        .block_device_mappings([root_disk(props.key.as_ref())])
        .ebs_optimized(true)
        // A token is needed to read credentials, and it does not leave the instance.
        .metadata_options(
            MetadataOptions::new()
                .http_endpoint(MetadataOptionsHttpEndpoint::ENABLED)
                .http_tokens(MetadataOptionsHttpTokens::REQUIRED)
                .http_put_response_hop_limit(1),
        )
        .user_data(&input.user_data);
    let template = CfnLaunchTemplate::new(data).define(scope, "LaunchTemplate");
    Template { id: template.launch_template_id(), version: template.latest_version_number() }
}

fn root_disk(key: Option<&Value<KeyArn>>) -> LaunchTemplateBlockDeviceMapping {
    let mut disk = LaunchTemplateEbs::new()
        .encrypted(true)
        .volume_type(EbsVolumeType::GP3)
        .volume_size(DISK_GIB)
        .delete_on_termination(true);
    if let Some(key) = key {
        disk = disk.kms_key_id(key);
    }
    LaunchTemplateBlockDeviceMapping::new().device_name("/dev/sda1").ebs(disk)
}

fn group(
    scope: Scope<'_>,
    props: &ProxyAppProps<'_>,
    input: &ComputeInput<'_>,
    template: Template,
) -> Running {
    let forwarding = forward(scope, input, Vec::new());
    let mut group =
        CfnAutoScalingGroup::new(props.min_instances.to_string(), props.max_instances.to_string())
            .vpc_zone_identifier(&props.networking.private_subnets)
            .launch_template(
                LaunchTemplateSpecification::new(&template.version).launch_template_id(&template.id),
            )
            .target_group_arns([&forwarding.target_group])
            .health_check_type("ELB")
            .health_check_grace_period(300)
            .default_instance_warmup(120)
            .creation_policy(creation_policy(props.min_instances))
            .update_policy(rolling_update(props))
            .depends_on(forwarding.listener)
            .removal_policy(RemovalPolicy::Delete);
    for dependency in &input.waits_for {
        group = group.depends_on(*dependency);
    }
    let group = group.define(scope, signal_resource(ProxyCompute::Asg));
    let cpu = PredefinedMetricSpecification::new(
        PredefinedMetricSpecificationPredefinedMetricType::ASG_AVERAGE_CPU_UTILIZATION,
    );
    CfnScalingPolicy::new(group.auto_scaling_group_name())
        .policy_type(ScalingPolicyType::TARGET_TRACKING_SCALING)
        .target_tracking_configuration(
            TargetTrackingConfiguration::new(TARGET_CPU_PERCENT).predefined_metric_specification(cpu),
        )
        .define(scope, "Scaling");
    let first_instance = text!(
        "$(aws autoscaling describe-auto-scaling-groups --region {} --auto-scaling-group-names {} --query 'AutoScalingGroups[0].Instances[0].InstanceId' --output text)",
        pseudo::region(),
        group.auto_scaling_group_name()
    );
    Running::on(first_instance, forwarding.full_name)
}

fn single(
    scope: Scope<'_>,
    props: &ProxyAppProps<'_>,
    input: &ComputeInput<'_>,
    template: Template,
) -> Running {
    let mut instance = CfnInstance::new()
        .launch_template(
            InstanceLaunchTemplate::new().version(&template.version).launch_template_id(&template.id),
        )
        .propagate_tags_to_volume_on_creation(true)
        .creation_policy(creation_policy(1))
        .removal_policy(RemovalPolicy::Delete);
    if let Some(subnet) = props.networking.private_subnets.first() {
        instance = instance.subnet_id(subnet);
    }
    for dependency in &input.waits_for {
        instance = instance.depends_on(*dependency);
    }
    let instance = instance.define(scope, signal_resource(ProxyCompute::Single));
    let targets = vec![TargetDescription::new(instance.instance_id())];
    let forwarding = forward(scope, input, targets);
    Running::on(instance.instance_id(), forwarding.full_name)
}

/// Opens the way to the instances: `instances` that are known now, or those that a group adds by itself.
fn forward(scope: Scope<'_>, input: &ComputeInput<'_>, instances: Vec<TargetDescription>) -> Forwarding {
    let targets = Targets {
        port: PROXY_PORT,
        kind: TargetKind::Instances(instances),
        health_path: "/healthz",
        drain_seconds: DRAIN_SECONDS,
        // Clients of MLflow show a token of their own, and cannot follow a redirection to a page.
        sign_in: SignInOn::Paths(BROWSER_PATHS.to_vec()),
    };
    input.balancer.forward(scope, targets)
}

fn creation_policy(signals: u32) -> Properties {
    let signal = Properties::new().with::<i64>("Count", i64::from(signals)).with("Timeout", START_TIMEOUT);
    Properties::new().with::<Json>("ResourceSignal", signal)
}

/// One instance at a time: a new one has to answer before the next old one is drained and goes.
fn rolling_update(props: &ProxyAppProps<'_>) -> Properties {
    // With a single instance allowed there is no room for a second one, and a short gap is all that can be had.
    let kept = props.min_instances.min(props.max_instances.saturating_sub(1));
    let rolling = Properties::new()
        .with::<i64>("MaxBatchSize", 1)
        .with::<i64>("MinInstancesInService", i64::from(kept))
        .with::<i64>("MinSuccessfulInstancesPercent", 100)
        .with("PauseTime", START_TIMEOUT)
        .with::<Vec<String>>(
            "SuspendProcesses",
            ["AlarmNotification", "AZRebalance", "HealthCheck", "ReplaceUnhealthy", "ScheduledActions"],
        )
        .with("WaitOnResourceSignals", true);
    Properties::new().with::<Json>("AutoScalingRollingUpdate", rolling)
}
