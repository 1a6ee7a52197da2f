//! What passes in bodies, counted for the account of a request that may change something.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::access::audit::Entry;
use crate::body::{Body, BodyError};

/// A body that counts what passes.
struct Counting {
    body: Body,
    count: Arc<AtomicU64>,
    /// The account to end when the body does.
    account: Option<Account>,
}

struct Account {
    entry: Entry,
    status: StatusCode,
    received: Arc<AtomicU64>,
}

/// The body of a request, and where its bytes are counted.
pub(super) fn count(body: Body) -> (Body, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    if body.is_end_stream() {
        return (body, count);
    }
    (Counting { body, count: count.clone(), account: None }.boxed_unsync(), count)
}

/// The body of an answer, with whose end the account ends too.
pub(super) fn close(body: Body, entry: Entry, status: StatusCode, received: Arc<AtomicU64>) -> Body {
    let account = Account { entry, status, received };
    if body.is_end_stream() {
        account.end(0);
        return body;
    }
    Counting { body, count: Arc::new(AtomicU64::new(0)), account: Some(account) }.boxed_unsync()
}

impl Account {
    fn end(self, sent: u64) {
        self.entry.finish(self.status, self.received.load(Ordering::Relaxed), sent);
    }

    fn cut(self, sent: u64) {
        self.entry.cut(self.status, self.received.load(Ordering::Relaxed), sent);
    }
}

impl Counting {
    fn end(&mut self) {
        if let Some(account) = self.account.take() {
            account.end(self.count.load(Ordering::Relaxed));
        }
    }
}

/// The client went away, or the answer broke off: what was asked for has been done, and its status is known.
impl Drop for Counting {
    fn drop(&mut self) {
        let is_whole = self.body.is_end_stream() || self.body.size_hint().exact() == Some(0);
        match self.account.take() {
            Some(account) if is_whole => account.end(self.count.load(Ordering::Relaxed)),
            Some(account) => account.cut(self.count.load(Ordering::Relaxed)),
            None => {}
        }
    }
}

impl HttpBody for Counting {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.count.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        // A body of known length is not asked again after its last byte. After an error it is dropped.
        if frame.is_none() || (matches!(frame, Some(Ok(_))) && self.body.is_end_stream()) {
            self.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
