//! When something is read that is read again and again.

use std::time::Duration;

/// Something that is read again and again.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// When the next read is due.
    pub(super) due: Duration,
    /// Whether a read is on its way.
    pub(super) busy: bool,
    /// How many reads failed in a row.
    pub(super) failures: u32,
    /// How many reads in a row brought nothing new.
    pub(super) quiet: u32,
    /// When it was last answered.
    pub(super) answered: Option<Duration>,
}
