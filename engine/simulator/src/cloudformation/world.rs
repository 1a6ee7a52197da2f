//! The world: all stacks, the queue of what is to happen, and the names that only one may have.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::actions;
use super::exports::Exports;
use super::faults::{Moment, ResourceFaults};
use super::ids::Ids;
use super::operation::{Engine, Step};
use super::state::{Stack, StackKey};
use super::status::StackStatus;
use super::{Context, Surroundings};
use crate::api::{ApiError, Element, Parameters};

/// How the simulated CloudFormation behaves where AWS's behaviour is a matter of taste.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Makes ids differ from those of another world.
    pub seed: u64,
    /// What typical times are multiplied by.
    pub scale: f64,
    /// How long it takes from a call to the first resource.
    pub lead: Duration,
    /// How long a change set is in the making.
    pub change_set: Duration,
    /// Whether a change set fails when an export that it imports is not there; else the execution does.
    pub imports_checked_early: bool,
    /// Whether exports in use are told in the words that CloudFormation used until 2023
    /// (`Export X cannot be deleted as it is in use by Y`).
    pub older_export_words: bool,
    /// Whether the schema of each resource is checked before a change set can be executed.
    pub early_validation: bool,
    /// How many stacks an account has in a region at most.
    pub stack_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            scale: 1.0,
            lead: Duration::from_secs(3),
            change_set: Duration::from_secs(4),
            imports_checked_early: true,
            older_export_words: false,
            early_validation: true,
            stack_limit: 2_000,
        }
    }
}

/// The stacks of all accounts and regions.
#[derive(Debug, Default)]
pub struct World {
    /// How it behaves.
    pub options: Options,
    /// What goes wrong on purpose.
    pub faults: ResourceFaults,
    pub(super) stacks: Vec<Stack>,
    pub(super) ids: Ids,
    pub(super) exports: Exports,
    /// Named resources that are there and belong to no stack: account, type, name.
    pub(super) existing: BTreeSet<(String, String, String)>,
    pub(super) attempts: BTreeMap<(String, String, Moment), u32>,
    /// What calls with a token asked for and got.
    pub(super) tokens: HashMap<String, (String, Vec<Element>)>,
    pub(super) detections: BTreeMap<String, actions::drift::Detection>,
    names: HashMap<(String, String), BTreeMap<String, StackKey>>,
    arns: HashMap<String, StackKey>,
    change_sets: HashMap<String, StackKey>,
    taken: HashMap<(String, String, String, String), StackKey>,
    queue: BinaryHeap<Reverse<(Timestamp, u64)>>,
    steps: HashMap<u64, Step>,
    sequence: u64,
}

impl World {
    /// A world with nothing in it.
    pub fn new(options: Options) -> Self {
        Self { ids: Ids::new(options.seed), options, ..Self::default() }
    }

    /// Puts a named resource there that belongs to no stack, as if somebody had made it by hand.
    pub fn put_existing(&mut self, account: &str, resource_type: &str, name: &str) {
        self.existing.insert((account.to_owned(), resource_type.to_owned(), name.to_owned()));
    }

    /// When something happens next, if anything will.
    pub fn next_step(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }

    /// Brings everything about that is due at `now` or before.
    pub fn advance(&mut self, surroundings: &mut dyn Surroundings, now: Timestamp) {
        while let Some(Reverse((at, number))) = self.queue.peek().copied() {
            if at > now {
                return;
            }
            self.queue.pop();
            if let Some(step) = self.steps.remove(&number) {
                Engine { world: self, around: surroundings, now: at }.step(step);
            }
        }
    }

    /// Answers a call: the elements inside of `<ActionResult>`. Advances to the call's time first.
    ///
    /// # Errors
    /// What the service refuses, in its words.
    pub fn call(
        &mut self,
        surroundings: &mut dyn Surroundings,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        self.advance(surroundings, context.now);
        let mut engine = Engine { world: self, around: surroundings, now: context.now };
        actions::call(&mut engine, context, action, parameters)
    }

    pub(super) fn push(&mut self, at: Timestamp, step: Step) {
        self.sequence += 1;
        self.queue.push(Reverse((at, self.sequence)));
        self.steps.insert(self.sequence, step);
    }

    /// The stack of a name or an ARN; by its name only while it is there.
    pub(super) fn find(&self, account: &str, region: &str, name: &str) -> Option<StackKey> {
        if name.starts_with("arn:") {
            let key = self.arns.get(name).copied()?;
            let stack = &self.stacks[key];
            return (stack.account == account && stack.region == region).then_some(key);
        }
        self.names.get(&(account.to_owned(), region.to_owned()))?.get(name).copied()
    }

    /// The stacks of an account and region that are there, by name.
    pub(super) fn living(&self, account: &str, region: &str) -> impl Iterator<Item = StackKey> {
        self.names.get(&(account.to_owned(), region.to_owned())).into_iter().flatten().map(|(_, key)| *key)
    }

    /// The stack that a change set belongs to, by the change set's ARN.
    pub(super) fn stack_of_change_set(&self, arn: &str) -> Option<StackKey> {
        self.change_sets.get(arn).copied()
    }

    pub(super) fn index_change_set(&mut self, arn: &str, key: StackKey) {
        self.change_sets.insert(arn.to_owned(), key);
    }

    /// Adds a stack with nothing in it, in review.
    pub(super) fn add_stack(
        &mut self,
        account: &str,
        region: &str,
        partition: &str,
        name: &str,
        now: Timestamp,
    ) -> StackKey {
        let key = self.stacks.len();
        let unique = self.ids.uuid();
        let id = format!("arn:{partition}:cloudformation:{region}:{account}:stack/{name}/{unique}");
        self.arns.insert(id.clone(), key);
        self.names.entry((account.to_owned(), region.to_owned())).or_default().insert(name.to_owned(), key);
        self.stacks.push(Stack {
            id,
            name: name.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            partition: partition.to_owned(),
            status: StackStatus::ReviewInProgress,
            reason: None,
            created: now,
            updated: None,
            deleted: None,
            revision: None,
            stable: None,
            resources: BTreeMap::new(),
            outputs: Vec::new(),
            imports: BTreeSet::new(),
            events: Vec::new(),
            change_sets: Vec::new(),
            change_set_id: None,
            operation: None,
            last_operations: Vec::new(),
            disable_rollback: false,
            express: false,
            retain_except_on_create: false,
            termination_protection: false,
            policy: None,
            timeout_minutes: None,
            parent: None,
            deletion_mode: None,
            drift: None,
            serial: 0,
        });
        key
    }

    /// Takes back the stack that was added last, since nothing came of it.
    pub(super) fn drop_last_stack(&mut self, key: StackKey) {
        self.forget(key);
        if key + 1 == self.stacks.len()
            && let Some(stack) = self.stacks.pop()
        {
            self.arns.remove(&stack.id);
        }
    }

    /// A stack is gone: its name is free again, its ARN still finds it.
    pub(super) fn forget(&mut self, key: StackKey) {
        let stack = &self.stacks[key];
        if let Some(names) = self.names.get_mut(&(stack.account.clone(), stack.region.clone()))
            && names.get(&stack.name) == Some(&key)
        {
            names.remove(&stack.name);
        }
    }

    fn name_key(&self, key: StackKey, kind: &str, name: &str) -> (String, String, String, String) {
        let stack = &self.stacks[key];
        // Names of buckets are taken in all accounts and regions, those of IAM in all regions of an account.
        let (account, region) = match kind {
            "AWS::S3::Bucket" => (String::new(), String::new()),
            _ if kind.starts_with("AWS::IAM::") => (stack.account.clone(), String::new()),
            _ => (stack.account.clone(), stack.region.clone()),
        };
        (account, region, kind.to_owned(), name.to_owned())
    }

    pub(super) fn taken_by(&self, key: StackKey, kind: &str, name: &str) -> Option<StackKey> {
        self.taken.get(&self.name_key(key, kind, name)).copied()
    }

    pub(super) fn take_name(&mut self, key: StackKey, kind: &str, name: &str) {
        let name = self.name_key(key, kind, name);
        self.taken.insert(name, key);
    }

    pub(super) fn free_name(&mut self, key: StackKey, kind: &str, name: &str) {
        let name = self.name_key(key, kind, name);
        self.taken.remove(&name);
    }
}
