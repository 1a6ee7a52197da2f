//! What every part of a run shares: time, listener, sessions, and the wish to stop.

use crate::aws::Sessions;
use crate::clock::Clock;
use crate::control::Control;
use crate::event::{Event, SharedListener, StackRef, What};

/// What every part of a run shares. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    /// The clock.
    pub clock: Clock,
    /// Who is told.
    pub listener: SharedListener,
    /// Who we are, by account, region and role.
    pub sessions: Sessions,
    /// How far to go.
    pub control: Control,
}

impl Runtime {
    /// Tells something about the run.
    pub fn tell(&self, what: What) {
        self.listener.tell(Event { time: self.clock.now(), stack: None, environment: None, what });
    }

    /// Tells something about a stack.
    pub fn tell_of(&self, stack: impl Into<StackRef>, what: What) {
        let StackRef { name, environment } = stack.into();
        self.listener.tell(Event { time: self.clock.now(), stack: Some(name), environment, what });
    }
}
