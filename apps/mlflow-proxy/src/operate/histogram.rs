//! A histogram of durations without a lock: every request adds to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in milliseconds: from what the proxy itself needs to where clients give up.
const BOUNDS: [u64; 20] = [
    1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000,
    300_000,
];

/// One bucket a bound, and one for all above.
const BUCKETS: usize = BOUNDS.len() + 1;

/// Counts of durations by bucket.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    microseconds: AtomicU64,
}

/// A histogram at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    buckets: [u64; BUCKETS],
    microseconds: u64,
}

impl Histogram {
    /// Adds a duration.
    pub(super) fn observe(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| bound * 1_000 < microseconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// What it holds now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot =
            Snapshot { microseconds: self.microseconds.load(Ordering::Relaxed), ..Snapshot::default() };
        for (value, bucket) in snapshot.buckets.iter_mut().zip(&self.buckets) {
            *value = bucket.load(Ordering::Relaxed);
        }
        snapshot
    }
}

impl Snapshot {
    /// How many durations there are.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Their sum, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.microseconds as f64 / 1e6
    }

    /// Upper bounds in seconds, each with the count of its own bucket.
    pub(super) fn buckets(&self) -> [(f64, u64); BUCKETS] {
        let mut buckets = [(f64::INFINITY, 0); BUCKETS];
        for (place, bucket) in buckets.iter_mut().enumerate() {
            let bound = BOUNDS.get(place).map_or(f64::INFINITY, |bound| *bound as f64 / 1e3);
            *bucket = (bound, self.buckets[place]);
        }
        buckets
    }

    /// Both together.
    pub(super) fn add(&mut self, other: &Self) {
        for (value, more) in self.buckets.iter_mut().zip(other.buckets) {
            *value += more;
        }
        self.microseconds += other.microseconds;
    }

    /// What came after `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let mut snapshot = *self;
        for (value, before) in snapshot.buckets.iter_mut().zip(earlier.buckets) {
            *value = value.saturating_sub(before);
        }
        snapshot.microseconds = snapshot.microseconds.saturating_sub(earlier.microseconds);
        snapshot
    }

    /// The duration in milliseconds that a share of all did not exceed, taken evenly within its bucket.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let rank = share * self.count() as f64;
        let mut below = 0.0;
        for (place, count) in self.buckets.iter().enumerate() {
            let count = *count as f64;
            if count > 0.0 && below + count >= rank {
                let from = if place == 0 { 0.0 } else { BOUNDS[place - 1] as f64 };
                let to = BOUNDS.get(place).map_or(from, |bound| *bound as f64);
                return Some(from + (to - from) * ((rank - below) / count).clamp(0.0, 1.0));
            }
            below += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: &[u64]) -> Snapshot {
        let histogram = Histogram::default();
        for value in milliseconds {
            histogram.observe(Duration::from_millis(*value));
        }
        histogram.snapshot()
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let buckets = of(&[1, 2, 3, 400_000]).buckets();
        assert_eq!(buckets[..3], [(0.001, 1), (0.002, 1), (0.005, 1)]);
        assert_eq!(buckets[BUCKETS - 1], (f64::INFINITY, 1));
    }

    #[test]
    fn quantiles_lie_in_the_bucket_of_their_rank() {
        let mut values = vec![4; 980];
        values.extend([900; 20]);
        let snapshot = of(&values);
        assert!((2.0..=5.0).contains(&snapshot.quantile(0.5).unwrap()));
        assert!((500.0..=1000.0).contains(&snapshot.quantile(0.99).unwrap()));
        assert_eq!(of(&[]).quantile(0.99), None);
        assert_eq!(of(&[400_000]).quantile(0.99), Some(300_000.0));
    }

    #[test]
    fn a_minute_is_the_difference_of_two_moments() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(1));
        let before = histogram.snapshot();
        histogram.observe(Duration::from_secs(3));
        let after = histogram.snapshot().since(&before);
        assert_eq!(after.count(), 1);
        assert!((after.seconds() - 3.0).abs() < 1e-9);
        let mut both = before;
        both.add(&after);
        assert_eq!(both, histogram.snapshot());
    }
}
