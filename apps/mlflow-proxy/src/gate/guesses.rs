//! A line for each failed login, so that whoever guesses can be found; not so many that guessing fills the log.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::problem::Problem;

/// Lines in a second; of what is beyond only the number is told, by the next line.
const LINES: u32 = 20;

/// Failed logins, told.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    start: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Second {
    /// Whether a line may be written now, with the number of those that were left out before it.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if self.start.is_none_or(|start| now.duration_since(start) >= Duration::from_secs(1)) {
            (self.start, self.lines) = (Some(now), 0);
        }
        if self.lines == LINES {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

impl Guesses {
    /// Tells of somebody who offered something and was not let in. What was offered is not in the line.
    pub(super) fn tell(&self, problem: &Problem, client: IpAddr, request_id: &str) {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        let Some(left_out) = line else { return };
        tracing::warn!(
            target: "access",
            event = "login_failed",
            status = problem.status.as_u16(),
            reason = problem.message,
            client = %client,
            left_out,
            request_id,
            "a login failed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_rationed_and_what_is_left_out_is_counted() {
        let (mut second, now) = (Second::default(), Instant::now());
        for _ in 0..LINES {
            assert_eq!(second.take(now), Some(0));
        }
        assert_eq!((second.take(now), second.take(now)), (None, None));
        let later = now + Duration::from_secs(1);
        assert_eq!((second.take(later), second.take(later)), (Some(2), Some(0)));
    }
}
