//! How often to read: by the age of what is watched, and never faster than a budget for all of it.

use std::time::Duration;

/// The most reads that are sent in any second, for one caller in one account and region. AWS publishes no number; what
/// is known to be throttled are about ten a second.
pub(super) const READS_A_SECOND: f64 = 8.0;
/// How many stacks a page of `ListStacks` has.
const STACKS_A_PAGE: usize = 100;

/// The time between two looks at something that began `age` ago: the end is noticed within a tenth of its duration.
pub(super) fn interval(age: Duration) -> Duration {
    let shortest = if age < Duration::from_secs(2) { 0.5 } else { 1.0 };
    Duration::from_secs_f64((age.as_secs_f64() / 10.0).clamp(shortest, 5.0))
}

/// The wait before the next try after so many failures in a row.
pub(super) fn backoff(failures: u32) -> Duration {
    Duration::from_millis(500 * (1 << failures.min(6))).min(Duration::from_secs(30))
}

/// A bucket of reads. What it holds and what flows in within a second are together at most [`READS_A_SECOND`].
#[derive(Debug)]
pub(super) struct Budget {
    level: f64,
    at: Duration,
    pages: usize,
}

impl Budget {
    pub(super) fn new(now: Duration) -> Self {
        Self { level: 2.0, at: now, pages: 1 }
    }

    /// How many pages `ListStacks` is expected to have.
    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// Notes how many stacks the list is likely to have.
    pub(super) fn listed(&mut self, stacks: usize) {
        self.pages = stacks.div_ceil(STACKS_A_PAGE).max(1);
    }

    fn capacity(&self) -> f64 {
        self.pages.clamp(2, 6) as f64
    }

    fn rate(&self) -> f64 {
        READS_A_SECOND - self.capacity()
    }

    /// The time between two lists, so that they take half of the budget at most.
    pub(super) fn list_interval(&self) -> Duration {
        Duration::from_secs_f64(self.pages as f64 / (self.rate() / 2.0))
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.level = (self.level + passed * self.rate()).min(self.capacity());
        self.at = now;
    }

    /// Takes a number of reads if they are there.
    pub(super) fn take(&mut self, now: Duration, reads: usize) -> bool {
        self.fill(now);
        let wanted = (reads as f64).min(self.capacity());
        // A millionth is lost in the arithmetic of waiting for exactly the missing part.
        let there = self.level + 1e-6 >= wanted;
        if there {
            self.level -= reads as f64;
        }
        there
    }

    /// When a number of reads will be there.
    pub(super) fn ready(&self, reads: usize) -> Duration {
        let missing = (reads as f64).min(self.capacity()) - self.level;
        self.at + Duration::from_secs_f64((missing / self.rate()).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_noticed_within_a_tenth() {
        let seconds = |age: f64| interval(Duration::from_secs_f64(age)).as_secs_f64();
        assert_eq!([seconds(0.0), seconds(5.0), seconds(30.0), seconds(3600.0)], [0.5, 1.0, 3.0, 5.0]);
    }

    #[test]
    fn no_second_has_more_reads_than_the_budget() {
        for stacks in [1, 150, 399, 1000] {
            let mut budget = Budget::new(Duration::ZERO);
            budget.listed(stacks);
            let mut taken: Vec<Duration> = Vec::new();
            let mut now = Duration::ZERO;
            while now < Duration::from_secs(60) {
                let reads = if taken.len().is_multiple_of(7) { budget.pages() } else { 1 };
                if budget.take(now, reads) {
                    taken.extend(std::iter::repeat_n(now, reads));
                } else {
                    now = budget.ready(reads).max(now + Duration::from_millis(1));
                }
            }
            for start in &taken {
                let in_second =
                    taken.iter().filter(|at| *at >= start && **at < *start + Duration::from_secs(1)).count();
                // A list of more pages than the bucket holds goes out at once and is waited for afterwards.
                let at_most = READS_A_SECOND as usize + budget.pages().saturating_sub(6);
                assert!(in_second <= at_most, "{in_second} reads in a second with {stacks} stacks");
            }
        }
    }
}
