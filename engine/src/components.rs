//! What is deployed and how it is: the components of the app's stacks, asked of the services that run them.
//!
//! CloudFormation only knows that a resource was made. Whether a tracking server runs, a target is healthy or an endpoint
//! was rejected is known by its own service. Components are found among the resources of the deployed stacks by their
//! type, so that nothing here depends on which construct made them: what an assembly of another tool deployed is shown
//! too. The readers of `services` are shared with the doctor, which asks further.
//!
//! Nothing here fails as a whole. What cannot be read is a component or a stack whose state is unknown, with the reason.

mod addresses;
mod readers;
pub(crate) mod services;
mod survey;
pub(crate) mod words;

use futures_util::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Error;
use crate::aws::cloudformation::{Stack, StackStatus};
use crate::plan::Located;
use crate::plan::owner::{Owner, owner};

pub(crate) use readers::{custom_arn, is_custom_app};
pub(crate) use survey::{Found, Survey, survey};

/// A stack of the app, as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackHealth {
    /// The id of the stack in the assembly.
    pub id: String,
    /// The name in CloudFormation.
    pub name: String,
    /// The account's twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// CloudFormation's status; nothing when the stack is not deployed or cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StackStatus>,
    /// Why the status is what it is, as CloudFormation says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it is.
    pub health: Health,
    /// Whose stack it is by its mark; nothing when it is not deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Ownership>,
    /// When it was last changed, by CloudFormation's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub changed: Option<Timestamp>,
    /// What could not be found out about the stack as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// What is in it.
    pub components: Vec<Component>,
}

/// Whose stack it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    /// This app's.
    Ours,
    /// Another app of Formwork, by its mark.
    Another,
    /// It has no mark: Formwork did not make it.
    Nobody,
}

/// A part of a stack that people know by name: a domain, a server, a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// What it is.
    pub kind: ComponentKind,
    /// What it is called: its name, or its id where it has none.
    pub name: String,
    /// The logical id in the template; of several resources that are told together, the first.
    pub logical_id: String,
    /// The id or ARN of the resource; of several, the first.
    pub physical_id: String,
    /// The service's own word, such as `InService`, or numbers such as `1 of 2 healthy`; nothing when it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How it is.
    pub health: Health,
    /// Where it is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The version that it runs: of MLflow, or of the proxy's binary the beginning of its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// More about it: a size, a reason, or why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// A VPC.
    Network,
    /// The NAT gateways of a stack.
    NatGateways,
    /// The VPC endpoints of a stack.
    Endpoints,
    /// A domain of SageMaker Studio.
    StudioDomain,
    /// A tracking server of managed MLflow.
    TrackingServer,
    /// A serverless MLflow app, made by its native type or by a custom resource.
    MlflowApp,
    /// A load balancer, the front of the proxy.
    LoadBalancer,
    /// The targets behind a load balancer.
    Targets,
    /// An Auto Scaling group and its instances.
    Instances,
    /// A single instance.
    Instance,
    /// A bucket.
    Bucket,
}

impl ComponentKind {
    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::NatGateways => "NAT gateways",
            Self::Endpoints => "VPC endpoints",
            Self::StudioDomain => "Studio domain",
            Self::TrackingServer => "MLflow tracking server",
            Self::MlflowApp => "MLflow app",
            Self::LoadBalancer => "load balancer",
            Self::Targets => "targets",
            Self::Instances => "instances",
            Self::Instance => "instance",
            Self::Bucket => "bucket",
        }
    }
}

/// How something is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// As it should be.
    Healthy,
    /// On its way to somewhere.
    Changing,
    /// Not as it should be.
    Unhealthy,
    /// It could not be found out, or its word is not known here.
    Unknown,
    /// It is not deployed.
    Absent,
}

/// Finds out how the stacks and their components are. Only reads; stacks and components do not wait for each other.
pub async fn look(located: &[Located]) -> Vec<StackHealth> {
    let survey = survey(located).await;
    join_all(survey.stacks.iter().map(readers::stack)).await
}

/// The stacks that are deployed and carry the mark of the app: of those that an app would make in another mode, the ones
/// that it did make. Stacks that cannot be read stay, so that it is told why.
pub async fn ours(located: Vec<Located>) -> Vec<Located> {
    let asked = join_all(located.iter().map(|one| one.session.cloudformation().stack(&one.name))).await;
    let is_ours = |(one, asked): (Located, Result<Option<Stack>, Error>)| match asked {
        Ok(None) => None,
        Ok(Some(stack)) => (owner(&stack, &one.id, &[]) == Owner::Us).then_some(one),
        Err(_) => Some(one),
    };
    located.into_iter().zip(asked).filter_map(is_ours).collect()
}
