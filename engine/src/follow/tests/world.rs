//! A world of stacks whose statuses and events are laid down in advance, with faults in the way of reading them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::aws::cloudformation::{
    EventPage, Output, Stack, StackEvent, StackPages, StackStatus, StackSummary,
};
use crate::aws::{ConnectOptions, Error, ErrorKind, Sessions, Transport};
use crate::clock::Clock;
use crate::event::{Event, ResourceProgress, What};
use crate::follow::operation::{Operation, OperationKind};
use crate::follow::reads::Reads;
use crate::follow::watcher::Watcher;
use crate::plan::model::BaseState;
use crate::runtime::Runtime;

/// A read, as faults see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    List,
    Stack(String),
    Stacks,
    Events(String, Option<String>),
}

/// Something in the way: the answer instead of the world's, if any.
type Fault = Box<dyn Fn(Duration, &Call) -> Option<ErrorKind> + Send>;

/// A stack's life.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// Status and "last updated" from a time on.
    pub(super) statuses: Vec<(Duration, &'static str, Option<Timestamp>)>,
    /// Events and when they show.
    pub(super) events: Vec<(Duration, StackEvent)>,
}

struct Inner {
    clock: Clock,
    lives: Mutex<BTreeMap<String, Life>>,
    fault: Mutex<Option<Fault>>,
    calls: Mutex<Vec<(Duration, Call)>>,
    told: Mutex<Vec<Event>>,
}

/// The world. Clones are the same world.
#[derive(Clone)]
pub(super) struct World(Arc<Inner>);

pub(super) const TOKEN: &str = "own-token";
pub(super) const LATENCY: Duration = Duration::from_millis(120);

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/1")
}

pub(super) fn time(at: f64) -> Timestamp {
    Timestamp::UNIX_EPOCH + seconds(1_000_000.0 + at)
}

/// An event of a resource of a stack.
pub(super) fn event(
    stack: &str,
    at: f64,
    logical_id: &str,
    status: &str,
    reason: Option<&str>,
) -> StackEvent {
    StackEvent {
        id: format!("{stack}-{logical_id}-{status}-{at}"),
        stack_id: arn(stack),
        timestamp: time(at),
        logical_id: logical_id.to_owned(),
        physical_id: Some(format!("{logical_id}-physical")),
        resource_type: "AWS::SNS::Topic".to_owned(),
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        token: Some(TOKEN.to_owned()),
        detailed_status: None,
    }
}

/// An event of a stack itself.
pub(super) fn of_stack(stack: &str, at: f64, status: &str) -> StackEvent {
    StackEvent {
        physical_id: Some(arn(stack)),
        resource_type: "AWS::CloudFormation::Stack".to_owned(),
        ..event(stack, at, stack, status, None)
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            clock: Clock::starting_at(time(0.0), 1.0),
            lives: Mutex::default(),
            fault: Mutex::default(),
            calls: Mutex::default(),
            told: Mutex::default(),
        }))
    }

    pub(super) fn runtime(&self) -> Runtime {
        let world = self.clone();
        let listener: crate::event::SharedListener =
            Arc::new(move |event: Event| world.0.told.lock().unwrap().push(event));
        let clock = self.0.clock;
        Runtime {
            clock,
            listener: Arc::clone(&listener),
            sessions: Sessions::new(ConnectOptions {
                profile: None,
                region: None,
                transport: Transport::Network,
                clock,
                listener,
            }),
            control: crate::Control::default(),
        }
    }

    pub(super) fn watcher(&self) -> Watcher {
        Watcher::reading(Arc::new(self.clone()), &self.runtime())
    }

    pub(super) fn fault(&self, fault: impl Fn(Duration, &Call) -> Option<ErrorKind> + Send + 'static) {
        *self.0.fault.lock().unwrap() = Some(Box::new(fault));
    }

    /// Changes a stack's life.
    pub(super) fn life<T>(&self, name: &str, change: impl FnOnce(&mut Life) -> T) -> T {
        change(self.0.lives.lock().unwrap().entry(arn(name)).or_default())
    }

    pub(super) fn status(&self, name: &str, from: f64, status: &'static str) {
        self.life(name, |life| life.statuses.push((seconds(from), status, Some(time(from)))));
    }

    /// Adds an event that shows at its time.
    pub(super) fn event(&self, stack: &str, event: StackEvent) {
        let shows = event.timestamp.duration_since(time(0.0));
        let shows = Duration::try_from(shows).unwrap_or_default();
        self.life(stack, |life| life.events.push((shows, event)));
    }

    /// A creation from second 0 that makes some topics and ends in a status.
    pub(super) fn creation(&self, name: &str, topics: usize, end: f64, status: &'static str) {
        self.life(name, |life| life.statuses.push((Duration::ZERO, "REVIEW_IN_PROGRESS", None)));
        self.status(name, 0.3, "CREATE_IN_PROGRESS");
        self.event(name, of_stack(name, 0.3, "CREATE_IN_PROGRESS"));
        for index in 0..topics {
            let logical_id = format!("Topic{index}");
            self.event(name, event(name, 0.5, &logical_id, "CREATE_IN_PROGRESS", None));
            self.event(name, event(name, end * 0.8, &logical_id, "CREATE_COMPLETE", None));
        }
        self.status(name, end, status);
        self.event(name, of_stack(name, end, status));
    }

    pub(super) fn operation(&self, name: &str, kind: OperationKind) -> Operation {
        let mut operation = Operation::new(arn(name), name, kind, self.0.clock.now());
        operation.token = Some(TOKEN.to_owned());
        operation.base = Some(BaseState {
            stack_id: arn(name),
            status: StackStatus::from(match kind {
                OperationKind::Create => "REVIEW_IN_PROGRESS",
                _ => "UPDATE_COMPLETE",
            }),
            updated: None,
        });
        operation
    }

    pub(super) fn calls(&self) -> Vec<(Duration, Call)> {
        self.0.calls.lock().unwrap().clone()
    }

    pub(super) fn told(&self) -> Vec<What> {
        self.0.told.lock().unwrap().iter().map(|event| event.what.clone()).collect()
    }

    /// The resources that were told, as `path status`.
    pub(super) fn resources(&self, stack: &str) -> Vec<String> {
        let told = self.0.told.lock().unwrap();
        told.iter()
            .filter(|event| event.stack.as_deref() == Some(stack))
            .filter_map(|event| match &event.what {
                What::Resource(ResourceProgress { path, status, .. }) => {
                    Some(format!("{} {status}", path.join("/")))
                }
                _ => None,
            })
            .collect()
    }

    /// How many stacks are being worked on at a time.
    pub(super) fn working(&self, now: Duration) -> usize {
        let arns: Vec<String> = self.0.lives.lock().unwrap().keys().cloned().collect();
        let stacks = arns.iter().filter_map(|arn| self.stack_at(arn, now));
        stacks.filter(|stack| stack.status.is_in_progress()).count()
    }

    /// How many pages all stacks have.
    pub(super) fn living(&self) -> usize {
        self.0.lives.lock().unwrap().len().div_ceil(100).max(1)
    }

    async fn enter(&self, call: Call) -> Result<Duration, Error> {
        self.0.calls.lock().unwrap().push((self.0.clock.elapsed(), call.clone()));
        self.0.clock.sleep(LATENCY).await;
        let now = self.0.clock.elapsed();
        let fault = self.0.fault.lock().unwrap().as_ref().and_then(|fault| fault(now, &call));
        match fault {
            None => Ok(now),
            Some(kind) => Err(Error {
                operation: "Read",
                kind,
                code: None,
                message: "something is in the way".to_owned(),
                request_id: None,
            }),
        }
    }

    fn stack_at(&self, arn: &str, now: Duration) -> Option<Stack> {
        let lives = self.0.lives.lock().unwrap();
        let life = lives.get(arn)?;
        let (_, status, updated) = life.statuses.iter().rev().find(|(from, ..)| *from <= now)?;
        Some(Stack {
            id: arn.to_owned(),
            name: arn.split('/').nth(1).unwrap_or_default().to_owned(),
            status: StackStatus::from(*status),
            status_reason: None,
            created: None,
            updated: *updated,
            outputs: BTreeMap::from([("Name".to_owned(), Output::default())]),
            parameters: BTreeMap::new(),
            resolved_parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            notification_arns: Vec::new(),
            role_arn: None,
            termination_protection: false,
            parent_id: None,
            change_set_id: None,
            rollback: None,
        })
    }
}

impl Reads for World {
    fn stack(&self, arn: String) -> BoxFuture<'static, Result<Option<Stack>, Error>> {
        let world = self.clone();
        Box::pin(async move {
            let now = world.enter(Call::Stack(arn.clone())).await?;
            Ok(world.stack_at(&arn, now))
        })
    }

    fn stacks(&self, most: usize) -> BoxFuture<'static, Result<StackPages, Error>> {
        let world = self.clone();
        Box::pin(async move {
            let now = world.enter(Call::Stacks).await?;
            let arns: Vec<String> = world.0.lives.lock().unwrap().keys().cloned().collect();
            let mut stacks: Vec<Stack> = arns.iter().filter_map(|arn| world.stack_at(arn, now)).collect();
            stacks.retain(|stack| stack.status != StackStatus::DeleteComplete);
            let pages = stacks.len().div_ceil(100).max(1);
            stacks.truncate(most * 100);
            Ok(StackPages { stacks, pages: pages.min(most), whole: pages <= most })
        })
    }

    fn in_progress(&self) -> BoxFuture<'static, Result<Vec<StackSummary>, Error>> {
        let world = self.clone();
        Box::pin(async move {
            let now = world.enter(Call::List).await?;
            let arns: Vec<String> = world.0.lives.lock().unwrap().keys().cloned().collect();
            let stacks = arns.iter().filter_map(|arn| world.stack_at(arn, now));
            Ok(stacks
                .filter(|stack| stack.status.is_in_progress())
                .map(|stack| StackSummary {
                    id: stack.id,
                    name: stack.name,
                    status: stack.status,
                    status_reason: None,
                    parent_id: None,
                })
                .collect())
        })
    }

    fn events(&self, arn: String, page: Option<String>) -> BoxFuture<'static, Result<EventPage, Error>> {
        let world = self.clone();
        Box::pin(async move {
            let now = world.enter(Call::Events(arn.clone(), page.clone())).await?;
            let lives = world.0.lives.lock().unwrap();
            let shown = lives.get(&arn).into_iter().flat_map(|life| &life.events);
            let mut events: Vec<StackEvent> =
                shown.filter(|(shows, _)| *shows <= now).map(|(_, event)| event.clone()).collect();
            events.sort_by_key(|event| event.timestamp);
            events.reverse();
            let from: usize = page.map_or(0, |page| page.parse().unwrap());
            let next = (events.len() > from + 100).then(|| (from + 100).to_string());
            Ok(EventPage { events: events.into_iter().skip(from).take(100).collect(), next })
        })
    }

    fn decode(&self, encoded: String) -> BoxFuture<'static, Option<String>> {
        let decoded = encoded.starts_with("may-be-decoded").then(|| {
            r#"{"allowed":false,"explicitDeny":false,"matchedStatements":{"items":[]},"context":{
            "principal":{"id":"AROA:me","arn":"arn:aws:sts::123456789012:assumed-role/deployer/me"},
            "action":"ec2:RunInstances","resource":"arn:aws:ec2:us-east-1:123456789012:instance/*",
            "conditions":{"items":[{"key":"secret","values":{"items":[{"value":"hidden"}]}}]}}}"#
                .to_owned()
        });
        Box::pin(async move { decoded })
    }
}
