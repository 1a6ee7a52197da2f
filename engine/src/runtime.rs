//! What every part of a run shares: time, listener, sessions, and the wish to stop.

use crate::aws::Sessions;
use crate::clock::Clock;
use crate::control::Control;
use crate::event::{Event, SharedListener, What};

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
        self.listener.tell(Event { time: self.clock.now(), stack: None, what });
    }

    /// Tells something about a stack, by its name in CloudFormation.
    pub fn tell_of(&self, stack: &str, what: What) {
        self.listener.tell(Event { time: self.clock.now(), stack: Some(stack.to_owned()), what });
    }
}
