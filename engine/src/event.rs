//! What the engine tells while it works. Whoever renders matches on [`Event`]: a new kind of event does not compile until
//! it is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apply::Attached;
use crate::aws::Session;
use crate::aws::cloudformation::{Output, StackStatus};
use crate::plan::model::{Environment, StackPlan};

/// Something that happened. Written as one line of JSON by `--progress json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// When, by the engine's clock.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The stack that it is about, by its name in CloudFormation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Where the stack is: two stacks of a run may have one name in two places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The stack that something is told about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackRef {
    /// Its name in CloudFormation.
    pub name: String,
    /// Where it is, when that is known.
    pub environment: Option<Environment>,
}

impl StackRef {
    /// A stack by its name and its ARN, which tells where it is.
    pub fn of_arn(name: &str, arn: &str) -> Self {
        let mut parts = arn.splitn(6, ':').skip(3).map(str::to_owned);
        let environment = match (parts.next(), parts.next(), parts.next()) {
            (Some(region), Some(account), Some(_)) => Some(Environment { account, region }),
            _ => None,
        };
        Self { name: name.to_owned(), environment }
    }
}

impl From<&StackPlan> for StackRef {
    fn from(stack: &StackPlan) -> Self {
        Self { name: stack.name.clone(), environment: Some(stack.environment.clone()) }
    }
}

impl From<&Attached> for StackRef {
    fn from(attached: &Attached) -> Self {
        Self { name: attached.name.clone(), environment: Some(attached.environment.clone()) }
    }
}

/// A stack by its name, in the place of a caller.
impl From<(&str, &Session)> for StackRef {
    fn from((name, session): (&str, &Session)) -> Self {
        let environment =
            Environment { account: session.account().to_owned(), region: session.region().to_owned() };
        Self { name: name.to_owned(), environment: Some(environment) }
    }
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum What {
    /// A run began.
    RunStarted {
        /// The run's id, by which `resume`, `follow` and `cancel` find it.
        run: String,
        /// `plan`, `deploy`, `apply`, `destroy` ...
        command: String,
        /// The stacks' names in the order in which they come.
        stacks: Vec<String>,
    },
    /// It is known who acts and where.
    Identified {
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// The ARN of the caller.
        identity: String,
    },
    /// An asset lies where it has to.
    AssetPresent {
        /// The asset's id.
        asset: String,
    },
    /// An asset is being made by its program.
    AssetBuilding {
        /// The asset's id.
        asset: String,
        /// The program and its arguments.
        command: String,
    },
    /// An asset is on its way.
    AssetUploading {
        /// The asset's id.
        asset: String,
        /// Its size in bytes.
        bytes: u64,
        /// How much of it is there.
        sent: u64,
    },
    /// An asset was uploaded.
    AssetUploaded {
        /// The asset's id.
        asset: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// A stack is being planned.
    StackPlanning,
    /// A stack is planned.
    StackPlanned {
        /// How many resources change.
        changes: usize,
        /// Whether the plan waits for outputs of other stacks.
        provisional: bool,
    },
    /// A stack waits for others, or for an operation that somebody else started.
    StackWaiting {
        /// What for.
        reason: String,
    },
    /// An operation of a stack started.
    StackStarted {
        /// `create`, `update`, `delete`, `import`, `rollback`.
        operation: String,
        /// How many resources it concerns, when that is known.
        resources: Option<usize>,
        /// How long such an operation typically takes, in seconds.
        typical_seconds: Option<u64>,
    },
    /// A resource changed its status.
    Resource(ResourceProgress),
    /// A stack's operation ended.
    StackFinished {
        /// How.
        outcome: StackOutcome,
        /// The status that it has.
        status: Option<StackStatus>,
        /// How long it took, in seconds.
        seconds: f64,
        /// The outputs.
        outputs: BTreeMap<String, Output>,
    },
    /// The reason of a failure was found.
    Diagnosed(Box<crate::follow::Failure>),
    /// The service asks to be asked less often.
    Throttled {
        /// When the next read comes, in seconds.
        next_seconds: f64,
    },
    /// Something stands in the way of reading; the run goes on trying.
    Unreachable {
        /// What.
        reason: String,
        /// For how long already, in seconds.
        seconds: f64,
    },
    /// Something that the user should know.
    Note {
        /// What.
        message: String,
    },
    /// Something that the user should look at.
    Warning {
        /// What.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The run was detached: CloudFormation goes on without us.
    Detached {
        /// Why.
        reason: String,
    },
    /// The run ended.
    RunFinished {
        /// The exit code.
        code: u8,
        /// How long it took, in seconds.
        seconds: f64,
    },
}

/// A resource on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceProgress {
    /// The logical ids of nested stacks down to the resource, and its own.
    pub path: Vec<String>,
    /// The type.
    pub resource_type: String,
    /// The status.
    pub status: String,
    /// The physical id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The path of the construct that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub construct_path: Option<String>,
}

/// How a stack's part of a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StackOutcome {
    /// It was deployed.
    Deployed,
    /// It was deleted.
    Deleted,
    /// There was nothing to do.
    Unchanged,
    /// It failed and everything was taken back.
    RolledBack,
    /// It failed and needs action.
    Failed,
    /// It was not started: a stack that it needs failed, or the run was told to stop.
    Skipped,
    /// CloudFormation goes on, nobody watches.
    Detached,
}

/// Whoever wants to be told.
pub trait Listener: Send + Sync {
    /// Tells an event. It must not block.
    fn tell(&self, event: Event);
}

/// A listener shared by all that tell.
pub type SharedListener = Arc<dyn Listener>;

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Listener for Nobody {
    fn tell(&self, _: Event) {}
}

impl<F: Fn(Event) + Send + Sync> Listener for F {
    fn tell(&self, event: Event) {
        self(event);
    }
}
