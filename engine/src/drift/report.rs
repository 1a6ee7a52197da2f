//! What was found, as data: per stack a verdict, the resources that differ, and those that nobody could look at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::detection::Told;
use super::shown::Shown;
use crate::aws::cloudformation;
use crate::follow::Places;
use crate::plan::{Environment, Located};

/// What `formwork drift --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "formwork drift --json")]
#[serde(rename_all = "camelCase")]
pub struct DriftReport {
    /// The stacks that were asked for, each after those that it needs.
    pub stacks: Vec<StackDrift>,
}

impl DriftReport {
    /// The stacks that drifted.
    pub fn drifted(&self) -> impl Iterator<Item = &StackDrift> {
        self.stacks.iter().filter(|stack| stack.verdict == Verdict::Drifted)
    }

    /// The stacks about which not everything could be told.
    pub fn untold(&self) -> impl Iterator<Item = &StackDrift> {
        self.stacks.iter().filter(|stack| !stack.untold.is_empty())
    }

    /// Whether none of the stacks is deployed.
    pub fn is_absent(&self) -> bool {
        self.stacks.iter().all(|stack| stack.verdict == Verdict::NotDeployed)
    }
}

/// A stack compared with what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackDrift {
    /// The stack's id in the assembly.
    pub id: String,
    /// Its name in CloudFormation.
    pub name: String,
    /// Where.
    pub environment: Environment,
    /// The stack's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_id: Option<String>,
    /// How it stands, nested stacks included.
    pub verdict: Verdict,
    /// Why not everything could be told, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<String>,
    /// How many resources CloudFormation compared.
    pub checked: usize,
    /// The resources that differ. Those of nested stacks are called `Nested.Resource`.
    pub resources: Vec<ResourceDrift>,
    /// The resources that CloudFormation cannot compare.
    pub not_checked: Vec<UncheckedResource>,
}

/// How a stack stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every resource that can be compared is what the stack says.
    InSync,
    /// At least one resource is not what the stack says.
    Drifted,
    /// It could not be told.
    Unknown,
    /// There is no such stack.
    NotDeployed,
}

/// A resource that is not what its stack says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDrift {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// The physical id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// How it differs.
    pub how: HowDrifted,
    /// The properties that differ; none when the resource is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<PropertyDrift>,
    /// The construct that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub construct_path: Option<String>,
    /// The source line of the construct, `file:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// How a resource differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HowDrifted {
    /// Properties have other values.
    Modified,
    /// It is gone.
    Deleted,
}

/// A property that is not what the stack says. What looks like a secret, or comes from one, is `(hidden)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PropertyDrift {
    /// The path below the resource's properties, as a JSON pointer.
    pub path: String,
    /// What the stack says; nothing when it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What there is; nothing when there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
}

/// A resource that could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UncheckedResource {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// Why, in words.
    pub reason: String,
}

impl StackDrift {
    /// A stack of which nothing is known yet.
    pub(super) fn of(located: &Located) -> Self {
        Self {
            id: located.id.clone(),
            name: located.name.clone(),
            environment: located.environment.clone(),
            stack_id: None,
            verdict: Verdict::Unknown,
            untold: Vec::new(),
            checked: 0,
            resources: Vec::new(),
            not_checked: Vec::new(),
        }
    }

    /// Adds what could not be told of the stack, or of one nested in it.
    pub(super) fn untold(&mut self, path: &str, reason: &str) {
        self.untold.push(match path.trim_end_matches('.') {
            "" => reason.to_owned(),
            nested => format!("nested stack {nested}: {reason}"),
        });
        if self.verdict == Verdict::InSync {
            self.verdict = Verdict::Unknown;
        }
    }

    /// Adds what was told of the stack, or of one nested in it.
    pub(super) fn add(&mut self, path: &str, told: Told, places: &Places) {
        if path.is_empty() {
            self.stack_id = Some(told.stack_id);
        }
        self.checked += told.checked;
        let shown = Shown::of(told.template.as_ref());
        for drift in told.drifts {
            self.resources.push(resource(path, drift, &shown, places));
        }
        self.not_checked.extend(told.unchecked.into_iter().map(|unchecked| UncheckedResource {
            logical_id: format!("{path}{}", unchecked.logical_id),
            ..unchecked
        }));
        self.resources.sort_by(|left, right| left.logical_id.cmp(&right.logical_id));
        self.not_checked.sort_by(|left, right| left.logical_id.cmp(&right.logical_id));
        if let Some(reason) = told.reason {
            self.untold(path, &reason);
        }
        self.verdict = match () {
            () if !self.resources.is_empty() => Verdict::Drifted,
            () if !self.untold.is_empty() => Verdict::Unknown,
            () => Verdict::InSync,
        };
    }
}

fn resource(
    path: &str,
    drift: cloudformation::ResourceDrift,
    shown: &Shown<'_>,
    places: &Places,
) -> ResourceDrift {
    // A nested stack's constructs are none of this assembly's stack.
    let place = places.get(&drift.logical_id).filter(|_| path.is_empty());
    ResourceDrift {
        logical_id: format!("{path}{}", drift.logical_id),
        how: if drift.status == "DELETED" { HowDrifted::Deleted } else { HowDrifted::Modified },
        properties: drift.differences.iter().map(|difference| shown.property(&drift, difference)).collect(),
        physical_id: drift.physical_id,
        resource_type: drift.resource_type,
        construct_path: place.and_then(|place| place.construct_path.clone()),
        source: place.and_then(|place| place.source.clone()),
    }
}
