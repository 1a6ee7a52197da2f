//! What is known of a connection while requests pass on it, and the bodies of requests that must not stall.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::body::{Body, BodyError, Stalled, TooSlow};
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
    /// Since when the answers are there that nobody comes for, by the number of each.
    untaken: Mutex<BTreeMap<u64, Instant>>,
    numbers: AtomicU64,
}

impl Traffic {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        let (unread, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        let (untaken, numbers) = (Mutex::default(), AtomicU64::new(0));
        Self { metrics, under_way: AtomicU32::new(0), unread, ended, untaken, numbers }
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

    /// Since when the client has taken nothing of the answer for which that is longest so.
    pub(super) fn untaken_since(&self) -> Option<Instant> {
        self.untaken().values().min().copied()
    }

    fn untaken(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The least rate of a request's body in bytes a second, over all the time for which it was waited. Far below every line
/// over which somebody would send a file.
const LEAST_RATE: u32 = 4 * 1024;

/// The body of a request, which fails with [`Stalled`] when no byte of it comes for too long, and with [`TooSlow`] when
/// what comes is hardly anything. Only the time counts in which it was asked for: the client may be the one who waits.
pub(super) struct Paced {
    incoming: Incoming,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Since when a byte is waited for.
    since: Option<Instant>,
    waited: Duration,
    received: u64,
    traffic: Arc<Traffic>,
}

impl Paced {
    pub(super) fn new(incoming: Incoming, limit: Duration, traffic: Arc<Traffic>) -> Self {
        traffic.unread.store(true, Ordering::Release);
        Self { incoming, limit, timer: None, since: None, waited: Duration::ZERO, received: 0, traffic }
    }

    /// What is left of the time that a body of this length may be waited for.
    fn left(&self) -> Duration {
        let fair = Duration::from_millis(self.received.saturating_mul(1000) / u64::from(LEAST_RATE));
        self.limit.saturating_add(fair).saturating_sub(self.waited)
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
                if let Some(since) = this.since.take() {
                    this.waited += since.elapsed();
                }
                this.received += length(&frame);
                this.traffic.metrics.bytes_in.inc_by(length(&frame));
                if frame.is_none() || this.incoming.is_end_stream() {
                    this.traffic.unread.store(false, Ordering::Release);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
            }
            Poll::Pending => {
                let left = this.left();
                let patience = this.limit.min(left);
                let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
                if this.since.is_none() {
                    let now = Instant::now();
                    this.since = Some(now);
                    timer.as_mut().reset(now + patience);
                }
                ready!(timer.as_mut().poll(context));
                this.since = None;
                let error =
                    if left < this.limit { TooSlow(LEAST_RATE).into() } else { Stalled(this.limit).into() };
                Poll::Ready(Some(Err(error)))
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
///
/// Where requests share a connection, flow control lets a client take nothing of one answer while the connection itself
/// looks well: that nobody asks for more of what is there is told to the guard.
pub(super) struct Answer {
    body: Body,
    under_way: UnderWay,
    /// The number by which it is told.
    number: Option<u64>,
}

impl Answer {
    pub(super) fn new(body: Body, under_way: UnderWay, multiplexed: bool) -> Self {
        let traffic = &under_way.traffic;
        let number =
            (multiplexed && !body.is_end_stream()).then(|| traffic.numbers.fetch_add(1, Ordering::Relaxed));
        let answer = Self { body, under_way, number };
        answer.tell(true);
        answer
    }

    /// Tells whether it is the client who has to come, now.
    fn tell(&self, untaken: bool) {
        let Some(number) = self.number else { return };
        let mut all = self.under_way.traffic.untaken();
        if untaken {
            all.insert(number, Instant::now());
        } else {
            all.remove(&number);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.tell(false);
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            self.tell(false);
            return Poll::Pending;
        };
        self.tell(true);
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
