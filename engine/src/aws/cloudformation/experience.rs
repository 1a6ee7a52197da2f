//! How long things take in this account and region, as far as this process has seen.
//!
//! AWS promises no times. Whoever waits for the first change set has to look again and again; whoever waits for the next
//! hundred knows from the first when it is worth looking.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;

/// The longest time that is waited for experience, and with it, before the first look.
const PATIENCE: Duration = Duration::from_secs(8);
/// The first look of whoever has no experience.
const FIRST: Duration = Duration::from_secs(1);
/// The shortest and the longest time between two looks.
const STEPS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(5)];

/// What was seen. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Experience(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The shortest time in which a change set was seen to be done. While none was, how long one took that came to nothing.
    change_set: watch::Sender<Option<Took>>,
    /// Whether somebody is finding out.
    scouted: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Took {
    time: Duration,
    done: bool,
}

impl Default for Experience {
    fn default() -> Self {
        Self(Arc::new(Inner { change_set: watch::Sender::new(None), scouted: AtomicBool::new(false) }))
    }
}

/// The one who finds out; until this is dropped, the others wait for what is found.
#[derive(Debug)]
pub(crate) struct Scout(Arc<Inner>);

impl Drop for Scout {
    fn drop(&mut self) {
        self.0.scouted.store(false, Ordering::SeqCst);
    }
}

impl Experience {
    /// Makes the caller the one who finds out, unless that is known or somebody else is at it.
    pub(crate) fn scout(&self) -> Option<Scout> {
        let known = self.0.change_set.borrow().is_some();
        (!known && !self.0.scouted.swap(true, Ordering::SeqCst)).then(|| Scout(Arc::clone(&self.0)))
    }

    /// Waits until a change set that was asked for `asked` ago, by this clock, is worth a look: at once for the one who
    /// finds out, for the others when that one knows and as much time has passed.
    pub(crate) async fn worth_a_look(&self, scout: Option<&Scout>, clock: Clock, asked: Duration) {
        let mut known = self.0.change_set.subscribe();
        if scout.is_none() {
            // The sender is here, so that an answer comes unless the time is over.
            clock.timeout(PATIENCE, known.wait_for(Option::is_some)).await;
        }
        let unknown = if scout.is_some() { FIRST } else { PATIENCE };
        let takes = known.borrow().map_or(unknown, |took| took.time).min(PATIENCE);
        clock.sleep((asked + takes).saturating_sub(clock.elapsed())).await;
    }

    /// Notes that a change set was `done`, or had come to nothing, when it was looked at so long after the call.
    pub(crate) fn change_set_took(&self, time: Duration, done: bool) {
        self.0.change_set.send_if_modified(|known| {
            let better = known.is_none_or(|known| done && (!known.done || time < known.time));
            if better {
                *known = Some(Took { time, done });
            }
            better
        });
    }

    /// The time to the next look at what is not done after a time.
    pub(crate) fn step(waited: Duration) -> Duration {
        let [shortest, longest] = STEPS;
        (waited / 8).clamp(shortest, longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    async fn waited(experience: &Experience, scout: Option<&Scout>) -> Duration {
        let clock = Clock::real();
        experience.worth_a_look(scout, clock, Duration::ZERO).await;
        Duration::from_secs(clock.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn one_finds_out_and_the_others_wait_for_it() {
        let experience = Experience::default();
        let scout = experience.scout();
        assert_eq!(waited(&experience, scout.as_ref()).await, FIRST);
        assert!(experience.scout().is_none());
        assert_eq!(waited(&experience, None).await, PATIENCE);
        experience.change_set_took(seconds(4), true);
        assert_eq!(waited(&experience, None).await, seconds(4));
        drop(scout);
        assert!(experience.scout().is_none(), "it is known");
    }

    #[tokio::test(start_paused = true)]
    async fn a_scout_that_learns_nothing_leaves_it_to_the_next() {
        let experience = Experience::default();
        drop(experience.scout());
        assert!(experience.scout().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_shortest_time_counts_and_a_long_one_makes_nobody_wait_long() {
        let experience = Experience::default();
        experience.change_set_took(seconds(60), true);
        assert_eq!(waited(&experience, None).await, PATIENCE);
        experience.change_set_took(seconds(3), true);
        experience.change_set_took(seconds(5), true);
        assert_eq!(waited(&experience, None).await, seconds(3));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_came_to_nothing_counts_until_one_was_done() {
        let experience = Experience::default();
        experience.change_set_took(seconds(2), false);
        assert_eq!(waited(&experience, None).await, seconds(2));
        experience.change_set_took(seconds(5), true);
        experience.change_set_took(seconds(2), false);
        assert_eq!(waited(&experience, None).await, seconds(5));
    }
}
