//! What is known of a connection while requests pass on it, and the bodies of requests that must not stall.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::body::{Body, BodyError, Stalled};
use crate::operate::metrics::{self, Metrics};

/// The traffic on a connection, told by its requests to its [`Guard`](super::guard::Guard).
#[derive(Debug)]
pub(super) struct Traffic {
    metrics: Arc<Metrics>,
    under_way: AtomicU32,
    /// A body was begun and not read to its end: the connection cannot go on after its answer.
    unread: AtomicBool,
    /// Something ended since the guard looked.
    ended: AtomicBool,
}

impl Traffic {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        let (unread, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { metrics, under_way: AtomicU32::new(0), unread, ended }
    }

    pub(super) fn busy(&self) -> bool {
        self.under_way.load(Ordering::Acquire) > 0
    }

    pub(super) fn unread(&self) -> bool {
        self.unread.load(Ordering::Acquire)
    }

    /// Whether a request ended since the last call.
    pub(super) fn take_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) && self.ended.swap(false, Ordering::AcqRel)
    }

    pub(super) fn begin(self: &Arc<Self>, counted: metrics::UnderWay) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay { traffic: self.clone(), _counted: counted }
    }
}

/// A request under way, until it is dropped.
pub(super) struct UnderWay {
    traffic: Arc<Traffic>,
    _counted: metrics::UnderWay,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.traffic.ended.store(true, Ordering::Release);
        self.traffic.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of a request, which fails with [`Stalled`] when no byte of it comes for too long.
pub(super) struct Paced {
    incoming: Incoming,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Something came since the timer was set.
    heard: bool,
    traffic: Arc<Traffic>,
}

impl Paced {
    pub(super) fn new(incoming: Incoming, limit: Duration, traffic: Arc<Traffic>) -> Self {
        traffic.unread.store(true, Ordering::Release);
        Self { incoming, limit, timer: None, heard: false, traffic }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.incoming).poll_frame(context) {
            Poll::Ready(frame) => {
                this.heard = true;
                this.traffic.metrics.bytes_in.inc_by(length(&frame));
                if frame.is_none() || this.incoming.is_end_stream() {
                    this.traffic.unread.store(false, Ordering::Release);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
            }
            Poll::Pending => {
                let limit = this.limit;
                let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
                if std::mem::take(&mut this.heard) {
                    timer.as_mut().reset(Instant::now() + limit);
                }
                ready!(timer.as_mut().poll(context));
                this.heard = true;
                Poll::Ready(Some(Err(Stalled(limit).into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// The body of an answer, whose request is under way as long as it lives.
pub(super) struct Answer {
    pub(super) body: Body,
    pub(super) under_way: UnderWay,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.under_way.traffic.metrics.bytes_out.inc_by(length(&frame));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How many bytes of a body a frame has.
fn length<E>(frame: &Option<Result<Frame<Bytes>, E>>) -> u64 {
    let frame = frame.as_ref().and_then(|frame| frame.as_ref().ok());
    frame.and_then(Frame::data_ref).map_or(0, |data| data.len() as u64)
}
