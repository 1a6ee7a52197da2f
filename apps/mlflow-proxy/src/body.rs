//! The bodies of requests and answers: a stream of chunks, wherever they come from.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, LengthLimitError};

use crate::problem::Problem;

/// What can go wrong while a body is under way.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// A body of any origin. It is never collected unless its size is bounded.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body without a byte.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is at hand as a whole.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The client sent no byte of its body for too long.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no byte of the request's body came for {} s", .0.as_secs())]
pub struct Stalled(pub Duration);

/// The client sent its body at too low a rate for too long: so many bytes a second are the least.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request's body came more slowly than {0} bytes a second")]
pub struct TooSlow(pub u32);

/// The problem to answer when the body of a request cannot be read: whoever reads one ends with this.
pub fn problem(error: &BodyError) -> Problem {
    problem_of(error.as_ref())
}

/// The same where the error has passed through the client that was sending the body on.
pub fn problem_of(error: &(dyn Error + 'static)) -> Problem {
    let problem = if error.is::<Stalled>() || error.is::<TooSlow>() {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "BAD_REQUEST", error.to_string())
    } else if error.is::<LengthLimitError>() {
        let message = "the request's body is longer than it may be";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "MAX_READ_SIZE_EXCEEDED", message)
    } else {
        // Mostly nobody is there any more to read it.
        let message = "the request's body ended before it was complete";
        Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    };
    problem.header(CONNECTION, HeaderValue::from_static("close"))
}
