//! The body of a request, held until it may be sent: in memory while it is small, in a file without a name above that.
//!
//! A signature covers the body and stands before it, so the whole of it has to be there first. Held bodies can be sent
//! again, which expired credentials ask for.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::CONNECTION;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use ring::digest::{Context as Hash, SHA256};

use super::spool::Spool;
use crate::body::{self, Body, BodyError, empty, full};
use crate::held::Disk;
use crate::problem::Problem;
use crate::settings::Size;
use crate::share::{Counted, Share};
use crate::sign::Payload;

/// Pieces below this size are gathered: each keeps a whole read buffer alive.
const SMALL: usize = 4 * 1024;

/// Small pieces are gathered up to this size.
const GATHERED: usize = 64 * 1024;

/// A body that is at hand.
pub(super) struct Held {
    kind: Kind,
    pub(super) payload: Payload,
}

enum Kind {
    Empty,
    Whole(Bytes),
    Pieces(Arc<Pieces>),
    File(Arc<Spool>),
}

/// A body in memory, counted as long as it is there.
struct Pieces {
    pieces: Vec<Bytes>,
    length: u64,
    _counted: Counted,
}

/// What a body may be, and where it is held.
pub(super) struct Holder {
    /// Bodies up to this size stay in memory.
    pub(super) memory: u64,
    /// Bodies above this size are refused.
    pub(super) max_body: u64,
    /// Where larger ones wait.
    pub(super) disk: Disk,
}

impl Holder {
    /// Reads a body to its end. `declared` is what its sender says of its length.
    pub(super) async fn hold(
        &self,
        body: Body,
        declared: Option<u64>,
        share: &Share,
    ) -> Result<Held, Problem> {
        if body.is_end_stream() {
            return Ok(Held::empty());
        }
        self.check(declared.unwrap_or(0))?;
        let mut gathering = Gathering::new(body, self.max_body);
        let mut counted = share.count();
        if declared.is_none_or(|length| length <= counted.allowance(self.memory)) {
            loop {
                let before = gathering.length;
                if !gathering.more().await? {
                    return Ok(gathering.finish(counted));
                }
                counted.add(gathering.length - before)?;
                // Others have come since it began.
                if gathering.length > counted.allowance(self.memory) {
                    break;
                }
            }
        }
        let writing = Spool::write(&self.disk, &mut gathering, declared, counted, share);
        let (spool, payload) = Box::pin(writing).await?;
        Ok(Held { kind: Kind::File(Arc::new(spool)), payload })
    }

    /// Refuses a body that is too large, if possible before a byte of it is read.
    pub(super) fn check(&self, length: u64) -> Result<(), Problem> {
        if length <= self.max_body { Ok(()) } else { Err(too_large(self.max_body)) }
    }
}

impl Held {
    fn empty() -> Self {
        Self { kind: Kind::Empty, payload: Payload::EMPTY }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Empty)
    }

    /// The body, from its beginning, as often as it is asked for.
    pub(super) fn body(&self) -> Body {
        match &self.kind {
            Kind::Empty => empty(),
            Kind::Whole(bytes) => full(bytes.clone()),
            Kind::Pieces(pieces) => {
                let replay = Replay { pieces: pieces.clone(), next: 0, left: pieces.length };
                replay.boxed_unsync()
            }
            Kind::File(spool) => Spool::body(spool),
        }
    }
}

pub(super) fn too_large(limit: u64) -> Problem {
    let message = format!("the request's body is larger than {}", Size(limit));
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BAD_REQUEST", message)
        .hint("send less at once, or raise MLFLOW_PROXY_MAX_BODY at the proxy")
        .header(CONNECTION, HeaderValue::from_static("close"))
}

/// A body that is being read.
pub(super) struct Gathering {
    body: Body,
    limit: u64,
    /// Pieces that nobody has taken yet.
    pieces: VecDeque<Bytes>,
    small: BytesMut,
    /// Bytes in all, those that were taken included.
    pub(super) length: u64,
}

impl Gathering {
    fn new(body: Body, limit: u64) -> Self {
        Self { body, limit, pieces: VecDeque::new(), small: BytesMut::new(), length: 0 }
    }

    /// Reads the next piece; `false` at the end.
    pub(super) async fn more(&mut self) -> Result<bool, Problem> {
        loop {
            let frame = match self.body.frame().await {
                None => return Ok(false),
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Err(body::problem(&error)),
            };
            // Trailers belong to the connection on which they came.
            let Ok(piece) = frame.into_data() else { continue };
            if piece.is_empty() {
                continue;
            }
            self.length += piece.len() as u64;
            if self.length > self.limit {
                return Err(too_large(self.limit));
            }
            if piece.len() < SMALL {
                self.small.extend_from_slice(&piece);
                if self.small.len() >= GATHERED {
                    self.flush();
                }
            } else {
                self.flush();
                self.pieces.push_back(piece);
            }
            return Ok(true);
        }
    }

    fn flush(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push_back(self.small.split().freeze());
        }
    }

    /// What was read since the last call.
    pub(super) fn take(&mut self) -> VecDeque<Bytes> {
        self.flush();
        std::mem::take(&mut self.pieces)
    }

    fn finish(mut self, counted: Counted) -> Held {
        let mut pieces = self.take();
        let mut hash = Hash::new(&SHA256);
        pieces.iter().for_each(|piece| hash.update(piece));
        let payload = Payload::from(hash.finish());
        let kind = match pieces.len() {
            0 => return Held::empty(),
            // Most bodies: one piece, too small to be worth counting.
            1 if self.length <= GATHERED as u64 => Kind::Whole(pieces.remove(0).unwrap_or_default()),
            _ => {
                let pieces = Pieces { pieces: pieces.into(), length: self.length, _counted: counted };
                Kind::Pieces(Arc::new(pieces))
            }
        };
        Held { kind, payload }
    }
}

/// Sends pieces in memory.
struct Replay {
    pieces: Arc<Pieces>,
    next: usize,
    left: u64,
}

impl HttpBody for Replay {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let piece = self.pieces.pieces.get(self.next).cloned();
        self.next += 1;
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
