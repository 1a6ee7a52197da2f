//! How often to read: by the age of what is watched, and never faster than a budget for all of it.

use std::time::Duration;

use crate::aws::limiter::READS_A_SECOND;

/// How many stacks a page of `ListStacks` has.
pub(super) const STACKS_A_PAGE: usize = 100;

/// The parts of a typical duration from which on the end is possible, and expected.
const POSSIBLE: f64 = 0.6;
const EXPECTED: f64 = 0.9;

/// The time between two looks at something that began `age` ago: an end that was to be expected is noticed within a
/// twentieth of its duration, or a second. Long before a typical end there are few looks, for an end that comes early is a
/// failure mostly, and nobody waits for that. So what is asked grows with the logarithm of what is waited for.
pub(super) fn interval(age: Duration, typical: Option<Duration>) -> Duration {
    let age = age.as_secs_f64();
    let Some(typical) = typical.map(|typical| typical.as_secs_f64()) else {
        return Duration::from_secs_f64((age / 20.0).clamp(1.5, 30.0));
    };
    let until = |part: f64| typical * part - age;
    let seconds = if until(POSSIBLE) > 1.0 {
        (age / 2.0).clamp(2.0, 60.0).min(until(POSSIBLE))
    } else if until(EXPECTED) > 1.0 {
        (age / 10.0).clamp(1.5, 60.0).min(until(EXPECTED))
    } else {
        (age / 20.0).clamp(1.0, 30.0)
    };
    Duration::from_secs_f64(seconds)
}

/// The longest wait for more events after so many reads without a new one: where something happens, more will soon.
pub(super) fn lively(quiet: u32) -> Duration {
    Duration::from_secs(2).mul_f64(1.5_f64.powi(quiet.min(16) as i32))
}

/// The longest time between two reads of the events of one of several stacks in which nothing happens; of many, nobody
/// looks at a single one.
pub(super) fn quiet(age: Duration, stacks: usize) -> Duration {
    let (part, most) = if stacks > MANY { (2, 300) } else { (3, 120) };
    (age / part).clamp(Duration::from_secs(15), Duration::from_secs(most))
}

/// How long a stack whose events are read is not described without a reason.
pub(super) fn patience(age: Duration) -> Duration {
    age.clamp(Duration::from_secs(30), Duration::from_secs(600))
}

/// The time between two reads of the events of one of many stacks: in turns, so that all together are read about once a
/// second, and twice as rarely where nobody can look at so many.
pub(super) fn turn(stacks: usize) -> Duration {
    let seconds = if stacks > MANY { 2 * stacks } else { stacks };
    Duration::from_secs(seconds.max(5) as u64)
}

/// More stacks than this at once are nobody's to look at one by one.
pub(super) const MANY: usize = 8;

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
        READS_A_SECOND as f64 - self.capacity()
    }

    /// The time between two lists, so that they take half of the budget at most, and no more than one a second.
    pub(super) fn list_interval(&self) -> Duration {
        Duration::from_secs_f64((self.pages as f64 / (self.rate() / 2.0)).max(1.0))
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
    fn the_end_is_noticed_within_a_twentieth_or_a_second() {
        let seconds = |age: f64, typical: Option<u64>| {
            interval(Duration::from_secs_f64(age), typical.map(Duration::from_secs)).as_secs_f64()
        };
        let unknown = [0.0, 5.0, 60.0, 3600.0].map(|age| seconds(age, None));
        assert_eq!(unknown, [1.5, 1.5, 3.0, 30.0]);
        let known = [0.0, 11.0, 18.0, 28.0, 100.0].map(|age| seconds(age, Some(30)));
        assert_eq!(known, [2.0, 5.5, 1.8, 1.4, 5.0]);
    }

    #[test]
    fn there_are_few_looks_before_a_typical_end() {
        let looks = |typical: u64, until: f64| {
            let typical = (typical > 0).then(|| Duration::from_secs(typical));
            let (mut at, mut looks) = (Duration::ZERO, 0);
            while at.as_secs_f64() < until {
                at += interval(at, typical);
                looks += 1;
            }
            looks
        };
        assert_eq!([looks(22, 22.0), looks(0, 22.0)], [12, 15]);
        assert_eq!([looks(1500, 1500.0), looks(0, 1500.0)], [37, 112]);
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
                let at_most = READS_A_SECOND + budget.pages().saturating_sub(6);
                assert!(in_second <= at_most, "{in_second} reads in a second with {stacks} stacks");
            }
        }
    }
}
