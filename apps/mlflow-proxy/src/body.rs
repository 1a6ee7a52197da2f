//! The bodies of requests and answers: a stream of chunks, wherever they come from.

use std::error::Error;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};

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
