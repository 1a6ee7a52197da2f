//! An account inside the test: the simulator behind the engine's own client, in virtual time.
//!
//! Tests run with `#[tokio::test(start_paused = true)]`: sleeps end at once, and an hour of CloudFormation passes in
//! milliseconds.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use formwork_engine::aws::{ConnectOptions, InProcess, Sessions, Transport};
use formwork_engine::event::{Event, Listener};
use formwork_engine::{Clock, Control, Runtime};
use formwork_simulator::{Reply, Simulator, SimulatorOptions};
use futures_util::future::BoxFuture;

/// An account and what a run in it shares.
pub struct Account {
    pub runtime: Runtime,
    simulator: Arc<Mutex<Simulator>>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Account {
    /// An empty account.
    pub fn new() -> Self {
        Self::with(SimulatorOptions::default())
    }

    pub fn with(options: SimulatorOptions) -> Self {
        Self::of(Arc::new(Mutex::new(Simulator::new(options))))
    }

    /// Another run, as of another process, in the same account.
    pub fn another_run(&self) -> Self {
        Self::of(Arc::clone(&self.simulator))
    }

    fn of(simulator: Arc<Mutex<Simulator>>) -> Self {
        let clock = Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap(), 1.0);
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&events);
        let listener: Arc<dyn Listener> =
            Arc::new(move |event: Event| heard.lock().unwrap_or_else(PoisonError::into_inner).push(event));
        let sessions = Sessions::new(ConnectOptions {
            profile: None,
            region: Some("us-east-1".to_owned()),
            transport: Transport::InProcess(Arc::new(Adapter { simulator: Arc::clone(&simulator), clock })),
            clock,
            listener: Arc::clone(&listener),
        });
        let runtime = Runtime { clock, listener, sessions, control: Control::default() };
        Self { runtime, simulator, events }
    }

    pub fn simulator(&self) -> MutexGuard<'_, Simulator> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was told so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Adapter {
    simulator: Arc<Mutex<Simulator>>,
    clock: Clock,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Adapter")
    }
}

impl InProcess for Adapter {
    fn call(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>> {
        let clock = self.clock;
        let reply =
            self.simulator.lock().unwrap_or_else(PoisonError::into_inner).respond(clock.now(), &request);
        Box::pin(async move {
            match reply {
                Reply::Answer { response, after } => {
                    clock.sleep(after).await;
                    Ok(response)
                }
                Reply::Broken { after } => {
                    clock.sleep(after).await;
                    Err("the connection was closed".to_owned())
                }
                Reply::Silent => {
                    // Longer than any time limit of a client.
                    clock.sleep(Duration::from_secs(86_400)).await;
                    Err("nothing came".to_owned())
                }
            }
        })
    }
}
