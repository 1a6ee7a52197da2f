//! The places of artifacts in what clients and MLflow tell each other, rewritten on the way.
//!
//! MLflow's answers name places in the bucket, which clients cannot reach; they are told the same places at this proxy,
//! and what they send back is turned around. Only the fields of a route's row are touched, as strings of JSON, while the
//! body streams through: what is held is one string of at most 16 KiB.

mod scanner;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap,
};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

pub use scanner::Direction;
use scanner::Scanner;

use super::root::Root;
use crate::body::{Body, BodyError, full};

/// Answers up to this size are rewritten as a whole, in bytes, so that they keep a length.
const WHOLE_LIMIT: u64 = 64 * 1024;

/// The names of fields that carry places, as a route's row has them.
pub type Fields = &'static [&'static str];

/// Asks MLflow for an answer that can be rewritten, and turns the places in a request's body around.
///
/// The length is taken off, as it changes: whoever sends the request on has to find it anew.
pub fn rewrite_request(
    request: Request<Body>,
    sent: Fields,
    answered: Fields,
    root: &Arc<Root>,
) -> Request<Body> {
    let (mut head, body) = request.into_parts();
    if !answered.is_empty() {
        head.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if sent.is_empty() || !may_rewrite(&head.headers, true) || body.is_end_stream() {
        return Request::from_parts(head, body);
    }
    head.headers.remove(CONTENT_LENGTH);
    let body = Rewritten::new(body, Scanner::new(sent, Direction::ToBucket, Arc::clone(root)));
    Request::from_parts(head, body.boxed_unsync())
}

/// Turns the places in an answer of MLflow's into such as the client can ask this proxy for.
pub async fn rewrite_response(
    response: Response<Body>,
    answered: Fields,
    root: &Arc<Root>,
) -> Response<Body> {
    if answered.is_empty() || !may_rewrite(response.headers(), false) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let length = head.headers.remove(CONTENT_LENGTH);
    for about_the_old_bytes in [ETAG, ACCEPT_RANGES] {
        head.headers.remove(about_the_old_bytes);
    }
    if body.is_end_stream() {
        return Response::from_parts(head, body);
    }
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let mut scanner = Scanner::new(answered, Direction::ToClient, Arc::clone(root));
    if length.is_some_and(|length| length <= WHOLE_LIMIT) {
        return match whole(body, &mut scanner).await {
            Ok(bytes) => Response::from_parts(head, full(bytes)),
            Err(error) => Response::from_parts(head, failed(error)),
        };
    }
    let body = Rewritten::new(body, scanner);
    Response::from_parts(head, body.boxed_unsync())
}

/// Whether a message's body is JSON as it stands. Clients may leave the type out, and some do.
fn may_rewrite(headers: &HeaderMap, without_type: bool) -> bool {
    let plain = match headers.get(CONTENT_ENCODING) {
        Some(encoding) => encoding.as_bytes().eq_ignore_ascii_case(b"identity"),
        None => true,
    };
    let json = match headers.get(CONTENT_TYPE).map(|kind| kind.to_str()) {
        Some(Ok(kind)) => is_json(kind),
        Some(Err(_)) => false,
        None => without_type,
    };
    plain && json
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let Some((family, name)) = kind.split_once('/') else { return false };
    let structured = name.len() > 5 && name.as_bytes()[name.len() - 5..].eq_ignore_ascii_case(b"+json");
    family.eq_ignore_ascii_case("application") && (name.eq_ignore_ascii_case("json") || structured)
}

/// The whole of a body whose length is told and bounded.
async fn whole(mut body: Body, scanner: &mut Scanner) -> Result<Bytes, BodyError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            scanner.feed(&data).iter().for_each(|piece| bytes.extend_from_slice(piece));
        }
    }
    scanner.finish().iter().for_each(|piece| bytes.extend_from_slice(piece));
    Ok(bytes.into())
}

/// A body that breaks off, as the one that it stands for did: a cut answer never looks like a whole one.
fn failed(error: BodyError) -> Body {
    let stream = futures_util::stream::once(async move { Err::<Frame<Bytes>, _>(error) });
    BodyExt::boxed_unsync(http_body_util::StreamBody::new(stream))
}

/// A body whose places are rewritten as it goes by. Trailers are dropped: they may speak of the old bytes.
struct Rewritten {
    body: Body,
    scanner: Scanner,
    ready: std::collections::VecDeque<Bytes>,
    ended: bool,
}

impl Rewritten {
    fn new(body: Body, scanner: Scanner) -> Self {
        Self { body, scanner, ready: std::collections::VecDeque::new(), ended: false }
    }
}

impl HttpBody for Rewritten {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        this.ready.extend(this.scanner.feed(&data));
                    }
                }
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    this.ended = true;
                    this.ready.extend(this.scanner.finish());
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.ready.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
#[path = "locations/tests.rs"]
mod tests;
