//! What the services hold, now and some time ago.
//!
//! A read that is stale shows what was true a while before. That earlier state is kept as a second set of services that
//! hears of every change later: it does the same calls, and since nothing here is left to chance it comes to the same.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::write::Failed;
use super::{Call, Input, Output, SimulatorOptions};
use crate::api::Request;
use crate::cloudformation::{self, Context, World};
use crate::services::Services;
use crate::storage;

/// What the services hold at one time.
#[derive(Debug)]
pub(super) struct State {
    pub(super) world: World,
    pub(super) services: Services,
}

impl State {
    pub(super) fn new(options: &SimulatorOptions) -> Self {
        let mut services = Services::new(options);
        services.prepare(&options.script);
        let mut world = World::new(cloudformation::Options { seed: options.seed, ..options.world.clone() });
        world.faults = options.script.resources.clone();
        Self { world, services }
    }

    pub(super) fn advance(&mut self, now: Timestamp) {
        self.world.advance(&mut self.services, now);
    }

    /// Does a call.
    pub(super) fn perform(
        &mut self,
        context: &Context,
        call: &Call,
        request: &Request,
    ) -> Result<Output, Failed> {
        self.advance(context.now);
        let (service, operation) = (call.service.as_str(), call.operation.as_str());
        match &call.input {
            Input::Query(parameters) if service == "cloudformation" => self
                .world
                .call(&mut self.services, context, operation, parameters)
                .map(Output::Elements)
                .map_err(Failed::of),
            Input::Query(parameters) => self
                .services
                .query(context, service, operation, parameters)
                .map(Output::Elements)
                .map_err(Failed::of),
            Input::Json(input) => {
                self.services.json(context, service, operation, input).map(Output::Json).map_err(Failed::of)
            }
            Input::Storage(asked) => self
                .services
                .storage
                .call(context, asked, request)
                .map(Output::Whole)
                .map_err(|storage::Failure { error, headers }| Failed { error, headers }),
        }
    }
}

/// The states of some time ago that a script asks for.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The changes so far; kept only when somebody may ask for them.
    changes: Vec<(Context, Call, Request)>,
    states: BTreeMap<Duration, (State, usize)>,
}

impl Past {
    /// Keeps a change for the states that hear of it later.
    pub(super) fn keep(&mut self, context: &Context, call: &Call, request: &Request) {
        self.changes.push((context.clone(), call.clone(), request.clone()));
    }

    /// Does a read as it would have been answered `age` ago.
    pub(super) fn perform(
        &mut self,
        age: Duration,
        options: &SimulatorOptions,
        context: &Context,
        call: &Call,
        request: &Request,
    ) -> Result<Output, Failed> {
        let (state, heard) = self.states.entry(age).or_insert_with(|| (State::new(options), 0));
        let then = Context { now: context.now - age, ..context.clone() };
        while let Some((context, call, request)) = self.changes.get(*heard)
            && context.now <= then.now
        {
            // What failed then fails again.
            let _ = state.perform(context, call, request);
            *heard += 1;
        }
        state.perform(&then, call, request)
    }
}
