//! A body that is sent on while it comes, with a limit, which keeps what went wrong with it for the client's answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::hold::too_large;
use crate::body::{self, Body, BodyError};
use crate::problem::Problem;

/// The body.
pub(super) struct Watched {
    body: Body,
    limit: u64,
    length: u64,
    broken: Broken,
}

/// What went wrong with the body, once something has.
#[derive(Clone, Default)]
pub(super) struct Broken(Arc<Mutex<Option<Problem>>>);

impl Broken {
    pub(super) fn take(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, problem: Problem) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }
}

impl Watched {
    pub(super) fn over(body: Body, limit: u64) -> (Body, Broken) {
        let broken = Broken::default();
        (Self { body, limit, length: 0, broken: broken.clone() }.boxed_unsync(), broken)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            let frame = match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    this.broken.set(body::problem(&error));
                    return Poll::Ready(Some(Err(error)));
                }
            };
            // Trailers belong to the connection on which they came.
            let Some(data) = frame.data_ref() else { continue };
            this.length += data.len() as u64;
            if this.length > this.limit {
                let problem = too_large(this.limit);
                let error = problem.message.clone();
                this.broken.set(problem);
                return Poll::Ready(Some(Err(error.into())));
            }
            return Poll::Ready(Some(Ok(frame)));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
