//! A body that tells when it was last asked for more, so that a long upload is not taken for a silent answer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use crate::body::{Body, BodyError};

/// Bodies up to this size are gone into the socket's buffers at once: there is nothing to follow.
const SMALL: u64 = 64 * 1024;

/// When a body last moved, in milliseconds since it was made.
#[derive(Debug)]
pub(super) struct Progress {
    start: Instant,
    moved: AtomicU64,
}

impl Progress {
    /// The moment of the last move.
    pub(super) fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }
}

/// A body on its way out.
pub(super) struct Outgoing {
    body: Body,
    progress: Option<Arc<Progress>>,
}

impl Outgoing {
    /// The body, and its progress if it is worth following.
    pub(super) fn new(body: Body) -> (Self, Option<Arc<Progress>>) {
        let small = body.size_hint().upper().is_some_and(|size| size <= SMALL);
        let progress =
            (!small).then(|| Arc::new(Progress { start: Instant::now(), moved: AtomicU64::new(0) }));
        (Self { body, progress: progress.clone() }, progress)
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(progress) = &self.progress {
            let passed = u64::try_from(progress.start.elapsed().as_millis()).unwrap_or(u64::MAX);
            progress.moved.store(passed, Ordering::Relaxed);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
