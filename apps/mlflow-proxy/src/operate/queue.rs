//! Lines that wait to be sent to the log group: bounded in number and in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Lines that may wait.
const WAITING_LINES: usize = 10_000;

/// Bytes that may wait: a few batches, since the service takes one a few times a second.
const WAITING_BYTES: usize = 4 << 20;

/// A line and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) time: SystemTime,
    pub(super) line: Arc<str>,
}

/// The end that takes lines.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: Sender<Entry>,
    bytes: Arc<AtomicUsize>,
}

/// The end that gives them.
#[derive(Debug)]
pub(super) struct Waiting {
    receiver: Receiver<Entry>,
    bytes: Arc<AtomicUsize>,
}

/// An empty queue.
pub(super) fn queue() -> (Queue, Waiting) {
    let (sender, receiver) = channel(WAITING_LINES);
    let bytes = Arc::new(AtomicUsize::new(0));
    (Queue { sender, bytes: bytes.clone() }, Waiting { receiver, bytes })
}

impl Queue {
    /// Adds a line, if there is room.
    pub(super) fn push(&self, entry: Entry) -> bool {
        let length = entry.line.len();
        if self.bytes.fetch_add(length, Ordering::Relaxed) + length <= WAITING_BYTES
            && self.sender.try_send(entry).is_ok()
        {
            return true;
        }
        self.bytes.fetch_sub(length, Ordering::Relaxed);
        false
    }
}

impl Waiting {
    /// The next line, once there is one.
    pub(super) async fn next(&mut self) -> Option<Entry> {
        let entry = self.receiver.recv().await?;
        self.bytes.fetch_sub(entry.line.len(), Ordering::Relaxed);
        Some(entry)
    }

    /// The next line, if there is one.
    pub(super) fn next_now(&mut self) -> Option<Entry> {
        let entry = self.receiver.try_recv().ok()?;
        self.bytes.fetch_sub(entry.line.len(), Ordering::Relaxed);
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(length: usize) -> Entry {
        Entry { time: SystemTime::UNIX_EPOCH, line: "x".repeat(length).into() }
    }

    #[test]
    fn bytes_are_bounded_and_given_back() {
        let (queue, mut waiting) = queue();
        assert!(queue.push(entry(WAITING_BYTES)));
        assert!(!queue.push(entry(1)));
        assert!(waiting.next_now().is_some());
        assert!(queue.push(entry(1)));
    }

    #[test]
    fn lines_are_bounded() {
        let (queue, _waiting) = queue();
        for _ in 0..WAITING_LINES {
            assert!(queue.push(entry(1)));
        }
        assert!(!queue.push(entry(1)));
    }
}
