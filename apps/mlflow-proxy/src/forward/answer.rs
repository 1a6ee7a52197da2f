//! An answer on its way to the client: passed piece by piece, and never ended as if it were whole when it is not.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::body::BodyError;
use crate::operate::metrics::{Metrics, UpstreamError};

/// MLflow began an answer and sent no more of it.
#[derive(Debug, thiserror::Error)]
#[error("no byte of MLflow's answer came for {} s", .0.as_secs())]
struct Silent(Duration);

/// The body of MLflow's answer.
pub(super) struct Passing {
    incoming: Incoming,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Something came since the timer was set.
    heard: bool,
    metrics: Arc<Metrics>,
}

impl Passing {
    pub(super) fn new(incoming: Incoming, limit: Duration, metrics: Arc<Metrics>) -> Self {
        Self { incoming, limit, timer: None, heard: false, metrics }
    }
}

impl HttpBody for Passing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            match Pin::new(&mut this.incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) if frame.is_data() => {
                    this.heard = true;
                    return Poll::Ready(Some(Ok(frame)));
                }
                // Trailers end at the proxy.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => {
                    this.metrics.upstream_error(UpstreamError::Truncated);
                    tracing::warn!(%error, "MLflow's answer ended before it was complete");
                    return Poll::Ready(Some(Err(error.into())));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    let limit = this.limit;
                    let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
                    if std::mem::take(&mut this.heard) {
                        timer.as_mut().reset(Instant::now() + limit);
                    }
                    ready!(timer.as_mut().poll(context));
                    this.heard = true;
                    this.metrics.upstream_error(UpstreamError::Timeout);
                    tracing::warn!("{}", Silent(limit));
                    return Poll::Ready(Some(Err(Silent(limit).into())));
                }
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
