//! Time as the engine sees it: real, or running faster for a rehearsal.
//!
//! One type serves both, because Tokio's own clock can be paused in tests: there every sleep then ends at once and
//! time is what the sleeps add up to.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// A clock that never jumps backwards: it counts from the system's time at its making with the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    origin: Timestamp,
    speed: f64,
}

impl Clock {
    /// The time of this machine.
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// A clock that runs `speed` times as fast as the machine's; 60 makes a minute of a second.
    pub fn scaled(speed: f64) -> Self {
        Self { started: Instant::now(), origin: Timestamp::now(), speed }
    }

    /// A clock that starts at a given time, for output that has to be the same twice.
    pub fn starting_at(origin: Timestamp, speed: f64) -> Self {
        Self { started: Instant::now(), origin, speed }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.origin + self.elapsed()
    }

    /// The time since the clock was made.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed().mul_f64(self.speed)
    }

    /// Waits for a duration of this clock.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.speed)).await;
    }

    /// Waits for a future at most `limit` of this clock; `None` when the limit came first.
    pub async fn timeout<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(limit.div_f64(self.speed), future).await.ok()
    }
}
