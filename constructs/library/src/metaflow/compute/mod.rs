//! What runs the steps of flows: AWS Batch.
//!
//! Each environment has a queue of its own, so that a step chooses by `@batch(queue=…)` what it runs on; the first one is
//! where steps go that choose nothing. No environment keeps anything running while there is nothing to do.

mod environment;
mod roles;
#[cfg(test)]
mod tests;

use formwork::{Diagnostic, IntoValue, RoleArn, Scope, SecurityGroupId, Value, pseudo, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Datastore, Metadata, MetaflowProps, Told, watching};
use crate::iam::{Role, Statement};
use crate::networking::{Egress, allow_https_out, security_group};

/// What the containers of steps run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ComputeKind {
    /// Instances at the usual price.
    Ec2,
    /// Instances at a lower price, which AWS may take back with two minutes' notice.
    Spot,
    /// No instances of one's own: each step gets what it asks for, at most 16 vCPU and 120 GiB.
    Fargate,
    /// Instances with NVIDIA processors.
    Gpu,
}

impl ComputeKind {
    /// The kind's name, as settings have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Spot => "spot",
            Self::Fargate => "fargate",
            Self::Gpu => "gpu",
        }
    }

    /// The kind's name inside of ids and of names of outputs.
    fn id(self) -> &'static str {
        match self {
            Self::Ec2 => "Ec2",
            Self::Spot => "Spot",
            Self::Fargate => "Fargate",
            Self::Gpu => "Gpu",
        }
    }

    /// The families of instances that AWS Batch chooses from when none are named; nothing for Fargate. They are those of
    /// the current generation that the most regions have.
    ///
    /// Source: Amazon EC2 User Guide, "Amazon EC2 instance types by Region", read in November 2026.
    fn usual_instance_types(self) -> &'static [&'static str] {
        match self {
            Self::Ec2 | Self::Spot => &["c6i", "m6i", "r6i"],
            Self::Gpu => &["g5"],
            Self::Fargate => &[],
        }
    }
}

/// What can be said about an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputeEnvironment {
    /// What containers run on.
    pub kind: ComputeKind,
    /// The types or families of instances; none for Fargate. All have the same processor architecture.
    pub instance_types: Vec<String>,
    /// The vCPUs that are kept running while nothing is to be done. Fargate keeps none.
    pub min_vcpus: u32,
    /// The most vCPUs that run at a time.
    pub max_vcpus: u32,
    /// The size of each instance's disk in GiB, on which images and what steps write lie; Fargate has its own.
    pub disk_gib: u32,
}

impl ComputeEnvironment {
    /// An environment of a kind: nothing runs while there is nothing to do, and at most 64 vCPUs do else.
    pub fn new(kind: ComputeKind) -> Self {
        let instance_types = kind.usual_instance_types().iter().map(|name| (*name).to_owned()).collect();
        Self { kind, instance_types, min_vcpus: 0, max_vcpus: 64, disk_gib: 100 }
    }
}

/// What can be said about AWS Batch.
#[derive(Clone, Debug)]
pub struct ComputeProps {
    /// The environments, each of another kind; the first one is where steps run that choose no queue.
    pub environments: Vec<ComputeEnvironment>,
    /// The ARNs of managed policies that steps have beyond what Metaflow needs, such as to read a data lake.
    pub worker_policies: Vec<Value<String>>,
    /// The image of steps that name none; without one the client takes `python` of its own version from Docker Hub.
    pub container_image: Option<String>,
    /// The registry of images that name none; without one Docker Hub.
    pub container_registry: Option<String>,
}

impl Default for ComputeProps {
    fn default() -> Self {
        Self {
            environments: vec![ComputeEnvironment::new(ComputeKind::Ec2)],
            worker_policies: Vec::new(),
            container_image: None,
            container_registry: None,
        }
    }
}

/// A queue and what its jobs run on.
#[derive(Clone, Debug)]
pub struct Queue {
    /// What its jobs run on.
    pub kind: ComputeKind,
    /// The ARN.
    pub arn: Value<String>,
}

/// What runs steps.
#[derive(Clone, Debug)]
pub struct Compute {
    /// The queues, the one of steps that choose none first.
    pub queues: Vec<Queue>,
    /// The role that steps act with.
    pub job_role: Role,
    /// The role that starts containers on Fargate, when there is such an environment.
    pub execution_role: Option<Role>,
    /// The group that containers are in. What steps are to reach beyond HTTPS and the metadata service needs a rule.
    pub security_group: Value<SecurityGroupId>,
    image: Option<String>,
    registry: Option<String>,
}

impl Compute {
    #[track_caller]
    pub(super) fn new(
        scope: Scope<'_>,
        props: &MetaflowProps<'_>,
        own: &ComputeProps,
        datastore: &Datastore,
        metadata: Option<&Metadata>,
    ) -> Self {
        check(scope, props, own);
        let job_role = roles::job_role(scope, datastore, &own.worker_policies);
        let group = security_group(
            scope,
            "SecurityGroup",
            &props.networking.vpc_id,
            "The containers that run steps of flows",
        );
        // What containers need to end well: it goes after them, and is there before them.
        let reach = scope.child("Reach");
        allow_https_out(reach, "Https", &group, "HTTPS to AWS, to registries of images and of packages");
        props.networking.allow_endpoints(reach, "Endpoints", &group);
        if let Some(metadata) = metadata {
            metadata.allow_from(reach, "Metadata", &group);
        }
        let has = |wanted: fn(ComputeKind) -> bool| own.environments.iter().any(|one| wanted(one.kind));
        let on_instances = has(|kind| kind != ComputeKind::Fargate);
        let around = environment::Around {
            networking: props.networking,
            security_group: &group,
            instance_profile: on_instances.then(|| roles::instance_profile(scope)),
            waits_for: reach.into(),
        };
        let queues: Vec<Queue> =
            own.environments.iter().map(|one| environment::define(scope, &around, one)).collect();
        let execution_role = has(|kind| kind == ComputeKind::Fargate).then(|| roles::execution_role(scope));
        if let Some(topic) = &props.alarm_topic {
            watching::blocked_queues(scope, &queues, topic);
        }
        Self {
            queues,
            job_role,
            execution_role,
            security_group: group,
            image: own.container_image.clone(),
            registry: own.container_registry.clone(),
        }
    }

    /// The roles that jobs are given, which whoever submits jobs has to be allowed to give.
    pub fn roles_of_jobs(&self) -> Vec<&Value<RoleArn>> {
        let execution = self.execution_role.as_ref().map(|role| &role.arn);
        std::iter::once(&self.job_role.arn).chain(execution).collect()
    }

    /// A statement that lets its holder put jobs of Metaflow into the queues. The client names all its job definitions
    /// `metaflow_` and a hash.
    pub(super) fn submitting(&self) -> Statement {
        let submit = Statement::allow(["batch:SubmitJob"]).sid("SubmitJobs");
        self.queues.iter().fold(submit, |statement, queue| statement.on(&queue.arn)).on(job_definitions())
    }

    pub(super) fn told(&self) -> Vec<Told> {
        let mut told = Vec::new();
        if let Some(first) = self.queues.first() {
            told.push(Told::setting(
                "BatchJobQueueArn",
                "METAFLOW_BATCH_JOB_QUEUE",
                "The queue of steps that choose none",
                first.arn.clone(),
            ));
        }
        for queue in &self.queues {
            let (name, about) = match queue.kind {
                ComputeKind::Ec2 => ("BatchJobQueueEc2", "The queue of instances, for @batch(queue=...)"),
                ComputeKind::Spot => {
                    ("BatchJobQueueSpot", "The queue of Spot instances, for @batch(queue=...)")
                }
                ComputeKind::Fargate => {
                    ("BatchJobQueueFargate", "The queue of Fargate, for @batch(queue=...)")
                }
                ComputeKind::Gpu => {
                    ("BatchJobQueueGpu", "The queue of instances with GPUs, for @batch(queue=...)")
                }
            };
            told.push(Told::output(name, about, queue.arn.clone()));
        }
        told.push(Told::setting(
            "ECSJobRoleForBatchJobs",
            "METAFLOW_ECS_S3_ACCESS_IAM_ROLE",
            "The role that steps act with",
            self.job_role.arn.retype(),
        ));
        if let Some(role) = &self.execution_role {
            told.push(Told::setting(
                "ECSFargateExecutionRole",
                "METAFLOW_ECS_FARGATE_EXECUTION_ROLE",
                "The role that starts containers on Fargate",
                role.arn.retype(),
            ));
        }
        let given = [
            ("METAFLOW_BATCH_CONTAINER_IMAGE", &self.image),
            ("METAFLOW_BATCH_CONTAINER_REGISTRY", &self.registry),
        ];
        for (setting, value) in given {
            if let Some(value) = value {
                told.push(Told::only_setting(setting, value.as_str().into_value()));
            }
        }
        told
    }
}

/// An ARN of AWS Batch in this account and region.
pub(super) fn batch(resource: &str) -> Value<String> {
    text!("arn:{}:batch:{}:{}:{}", pseudo::partition(), pseudo::region(), pseudo::account_id(), resource)
}

/// The job definitions of Metaflow in all their revisions.
pub(super) fn job_definitions() -> Value<String> {
    batch("job-definition/metaflow_*")
}

fn check(scope: Scope<'_>, props: &MetaflowProps<'_>, own: &ComputeProps) {
    let refuse = |message: String, hint: &str| {
        scope.report(Diagnostic::error("metaflow-compute", message).with_hint(hint));
    };
    if own.environments.is_empty() {
        refuse("AWS Batch has no environment to run steps on".to_owned(), "name one, or leave compute out");
    }
    for (index, one) in own.environments.iter().enumerate() {
        let kind = one.kind.name();
        if own.environments.iter().take(index).any(|other| other.kind == one.kind) {
            refuse(format!("there are two environments of the kind {kind}"), "name each kind once");
        }
        if one.max_vcpus == 0 || one.min_vcpus > one.max_vcpus {
            refuse(
                format!("the environment {kind} has {} to {} vCPUs", one.min_vcpus, one.max_vcpus),
                "let at least one run, and keep no more running than may run",
            );
        }
        if one.kind == ComputeKind::Fargate {
            if one.min_vcpus > 0 || !one.instance_types.is_empty() {
                refuse(
                    "the environment fargate has types of instances or vCPUs that are kept running"
                        .to_owned(),
                    "leave both out: Fargate has no instances",
                );
            }
            continue;
        }
        if one.instance_types.is_empty() {
            refuse(format!("the environment {kind} has no type of instances"), "name types or families");
        }
        // The image of Amazon ECS takes 30 GiB; a disk of EBS has 16,384 at most.
        if !(30..=16_384).contains(&one.disk_gib) {
            refuse(format!("the environment {kind} has disks of {} GiB", one.disk_gib), "choose 30 to 16384");
        }
    }
    if props.networking.egress == Egress::None {
        refuse(
            "the containers of steps cannot reach Amazon ECS, Docker Hub and PyPI: the network has no NAT gateway"
                .to_owned(),
            "set natGateways to 1 or more",
        );
    }
}
