//! An answer on its way to the client: passed piece by piece, and never ended as if it were whole when it is not.
//!
//! What breaks off or falls silent on its way from MLflow or the bucket breaks off for the client too, is counted, and
//! leaves a line in the log: nobody can be told by a status any more.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::body::BodyError;
use crate::operate::metrics::{Metrics, UpstreamError};

/// An answer began, and no more of it came.
#[derive(Debug, thiserror::Error)]
#[error("no byte of {what} came for {} s", .limit.as_secs())]
struct Silent {
    what: &'static str,
    limit: Duration,
}

/// The body of an answer.
pub(crate) struct Passing<B> {
    body: B,
    what: &'static str,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Something came since the timer was set.
    heard: bool,
    metrics: Arc<Metrics>,
}

impl<B> Passing<B> {
    /// A body that is given up when no byte of it comes for `limit`. `what` it is stands in errors: "MLflow's answer".
    pub(crate) fn new(body: B, what: &'static str, limit: Duration, metrics: Arc<Metrics>) -> Self {
        Self { body, what, limit, timer: None, heard: false, metrics }
    }
}

impl<B: HttpBody<Data = Bytes, Error: Into<BodyError>> + Unpin> HttpBody for Passing<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) if frame.is_data() => {
                    this.heard = true;
                    return Poll::Ready(Some(Ok(frame)));
                }
                // Trailers end at the proxy.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => {
                    let error = error.into();
                    this.metrics.upstream_error(UpstreamError::Truncated);
                    tracing::warn!(%error, "{} ended before it was complete", this.what);
                    return Poll::Ready(Some(Err(error)));
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
                    let silent = Silent { what: this.what, limit };
                    tracing::warn!("{silent}");
                    return Poll::Ready(Some(Err(silent.into())));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http::HeaderMap;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(9);

    fn pieces(pauses: &[u64]) -> impl stream::Stream<Item = Result<Frame<Bytes>, BodyError>> + use<> {
        stream::iter(pauses.to_vec()).then(async |pause| {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            Ok(Frame::data(Bytes::from_static(b"x")))
        })
    }

    async fn passed<S>(frames: S) -> (Result<usize, String>, Vec<u64>)
    where
        S: stream::Stream<Item = Result<Frame<Bytes>, BodyError>>,
    {
        let metrics = Metrics::new();
        let passing = Passing::new(Box::pin(StreamBody::new(frames)), "the file", LIMIT, metrics.clone());
        let end = passing.collect().await.map_err(|error| error.to_string());
        let end = end.map(|all| {
            assert!(all.trailers().is_none(), "trailers end here");
            all.to_bytes().len()
        });
        (end, metrics.upstream_errors().map(|(_, count)| count).collect())
    }

    fn counted(kind: UpstreamError) -> Vec<u64> {
        UpstreamError::ALL.iter().map(|other| u64::from(*other == kind)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_slowly_comes_whole_and_what_falls_silent_breaks_off() {
        let trailers = stream::iter([Ok(Frame::trailers(HeaderMap::new()))]);
        let (end, errors) = passed(pieces(&[8, 8, 0, 8, 8]).chain(trailers)).await;
        assert_eq!((end, errors.iter().sum::<u64>()), (Ok(5), 0));
        let begin = Instant::now();
        let (end, errors) = passed(pieces(&[5, 3600])).await;
        assert_eq!(end, Err("no byte of the file came for 9 s".to_owned()));
        assert_eq!((begin.elapsed().as_secs(), errors), (14, counted(UpstreamError::Timeout)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_breaks_off_is_counted() {
        let broken = stream::iter([Err::<Frame<Bytes>, BodyError>("reset".into())]);
        let (end, errors) = passed(pieces(&[1]).chain(broken)).await;
        assert_eq!((end, errors), (Err("reset".to_owned()), counted(UpstreamError::Truncated)));
    }
}
