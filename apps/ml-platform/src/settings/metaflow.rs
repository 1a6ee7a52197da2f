//! The context keys of Metaflow.

use formwork_library::load_balancer::Exposure;
use formwork_library::metaflow::{Api, ComputeKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of Metaflow that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MetaflowPart {
    /// The bucket in which flows keep their data.
    Datastore,
    /// The service that knows of flows, runs and tasks, with its database.
    Metadata,
    /// AWS Batch, which runs the steps of flows; it needs the datastore.
    Compute,
    /// What flows need on AWS Step Functions; it needs compute.
    StepFunctions,
    /// The pages that show flows and runs; they need the datastore, the service and a name.
    Ui,
    /// A SageMaker notebook instance with Metaflow's client configured.
    Notebook,
}

/// How the metadata service is reached from outside of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetaflowApi {
    /// Not at all: from inside the VPC only, or from what is connected to it.
    #[default]
    None,
    /// From the internet, with a key and from allowCidrs only.
    Public,
    /// With a key, over a VPC endpoint.
    Private,
}

impl MetaflowApi {
    /// What the construct takes.
    pub(crate) fn with_blocks(self, allow_cidrs: &[String]) -> Api {
        match self {
            Self::None => Api::None,
            Self::Public => Api::Public { allow_cidrs: allow_cidrs.to_vec() },
            Self::Private => Api::Private,
        }
    }
}

/// The context keys of Metaflow, which count when components has metaflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetaflowSettings {
    /// The parts of Metaflow to make: datastore, metadata, compute, step-functions, ui, notebook.
    pub metaflow_parts: Vec<MetaflowPart>,
    /// What steps run on, each with a queue of its own: ec2, spot, fargate, gpu. The first is for steps that choose no queue.
    pub metaflow_compute: Vec<ComputeKind>,
    /// The instance types or families of ec2 and spot, all of one processor architecture. Open: c6i, m6i and r6i.
    pub metaflow_instance_types: Vec<String>,
    /// The instance types or families of gpu. Open: g5, which not every region has.
    pub metaflow_gpu_types: Vec<String>,
    /// The most vCPUs that run at a time in each kind of metaflowCompute; none run while there is nothing to do.
    pub metaflow_max_vcpus: u32,
    /// The container image of steps that name none, such as one in Amazon ECR. Open: python of Docker Hub.
    pub metaflow_image: Option<String>,
    /// The ARNs of managed policies that steps have beyond what Metaflow needs.
    pub metaflow_worker_policies: Vec<String>,
    /// The ARNs of the roles, users or accounts that may take on the role of those who run flows. Empty: no such role.
    pub metaflow_principals: Vec<String>,
    /// How the metadata service is reached from outside of the VPC.
    pub metaflow_api: MetaflowApi,
    /// The class of the instance of the metadata service's database. Open: db.t4g.small.
    pub metaflow_database_class: Option<String>,
    /// A bucket that exists for the datastore, in place of one that is made.
    pub metaflow_bucket: Option<String>,
    /// The name by which browsers reach the pages, such as metaflow.example.com.
    pub metaflow_ui_domain_name: Option<String>,
    /// The ARN of a certificate of that name. Open: one is made and proved in hostedZoneId.
    pub metaflow_ui_certificate_arn: Option<String>,
    /// Who can reach the pages: those inside the VPC, or allowCidrs over the internet. People sign in either way.
    pub metaflow_ui_exposure: Exposure,
    /// The type of the notebook instance. Open: ml.t3.medium.
    pub metaflow_notebook_type: Option<String>,
}

impl Default for MetaflowSettings {
    fn default() -> Self {
        Self {
            metaflow_parts: vec![
                MetaflowPart::Datastore,
                MetaflowPart::Metadata,
                MetaflowPart::Compute,
                MetaflowPart::StepFunctions,
            ],
            metaflow_compute: vec![ComputeKind::Ec2],
            metaflow_instance_types: Vec::new(),
            metaflow_gpu_types: Vec::new(),
            metaflow_max_vcpus: 64,
            metaflow_image: None,
            metaflow_worker_policies: Vec::new(),
            metaflow_principals: Vec::new(),
            metaflow_api: MetaflowApi::default(),
            metaflow_database_class: None,
            metaflow_bucket: None,
            metaflow_ui_domain_name: None,
            metaflow_ui_certificate_arn: None,
            metaflow_ui_exposure: Exposure::default(),
            metaflow_notebook_type: None,
        }
    }
}

impl MetaflowSettings {
    /// Whether a part is chosen.
    pub fn has(&self, part: MetaflowPart) -> bool {
        self.metaflow_parts.contains(&part)
    }
}
