//! Large bodies in files without a name: nobody else can open them, and they are gone with whoever holds them.
//!
//! The disk is touched on threads of its own, one batch behind what is read, so that memory stays flat and no other
//! request waits. How many files and how many bytes there may be is bounded over all requests.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use prometheus_client::metrics::gauge::Gauge;
use ring::digest::{Context as Hash, SHA256};
use tokio::sync::{AcquireError, Semaphore};
use tokio::task::{JoinHandle, spawn_blocking};

use super::hold::Gathering;
use crate::body::{Body, BodyError};
use crate::problem::Problem;
use crate::settings::Size;
use crate::share::{Counted, Share, busy};
use crate::sign::Payload;

/// How much is written and read at once.
const BATCH: usize = 256 * 1024;

/// How long a body waits for a place among those that are written.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where bodies are spooled, and how much of it there may be.
pub(super) struct Spools {
    directory: PathBuf,
    limit: u64,
    places: Semaphore,
    bounds: Arc<Bounds>,
}

struct Bounds {
    bytes: AtomicU64,
    told: Gauge,
}

impl Spools {
    /// At most `places` files are written at once, and all hold at most `limit` bytes. `told` shows how many they are.
    pub(super) fn new(directory: PathBuf, limit: u64, places: usize, told: Gauge) -> Self {
        let bounds = Arc::new(Bounds { bytes: AtomicU64::new(0), told });
        Self { directory, limit, places: Semaphore::new(places.min(Semaphore::MAX_PERMITS)), bounds }
    }

    /// Writes what was gathered and all that follows.
    pub(super) async fn write(
        &self,
        gathering: &mut Gathering,
        declared: Option<u64>,
        counted: Counted,
        share: &Share,
    ) -> Result<(Spool, Payload), Problem> {
        // What was only announced takes nothing: whoever announces much could keep all others out.
        if self.bounds.bytes.load(Ordering::Acquire).saturating_add(declared.unwrap_or(0)) > self.limit {
            return Err(self.full());
        }
        let mut room = Room { bounds: self.bounds.clone(), share: share.clone(), bytes: 0 };
        self.reserve(&mut room, gathering.length)?;
        let places =
            async { Ok::<_, AcquireError>((share.places().acquire().await?, self.places.acquire().await?)) };
        let Ok(Ok(_places)) = tokio::time::timeout(PATIENCE, places).await else {
            let message = "too many large bodies are being received at once";
            return Err(busy(message, "try again later, or raise MLFLOW_PROXY_MAX_SPOOLS at the proxy"));
        };
        let mut batch = gathering.take();
        drop(counted);
        let directory = self.directory.clone();
        let mut work: JoinHandle<io::Result<Writer>> = spawn_blocking(move || {
            let mut writer = Writer { file: tempfile::tempfile_in(directory)?, hash: Hash::new(&SHA256) };
            writer.write(&mut batch)?;
            Ok(writer)
        });
        loop {
            let before = gathering.length;
            let mut more = true;
            while more && gathering.length - before < BATCH as u64 {
                more = gathering.more().await?;
            }
            if gathering.length > room.bytes {
                let missing = gathering.length - room.bytes;
                self.reserve(&mut room, missing)?;
            }
            let mut writer = self.done(work).await?;
            let mut batch = gathering.take();
            work = spawn_blocking(move || writer.write(&mut batch).map(|()| writer));
            if !more {
                break;
            }
        }
        let writer = self.done(work).await?;
        let payload = Payload::from(writer.hash.finish());
        Ok((Spool { file: writer.file, length: gathering.length, _room: room }, payload))
    }

    fn reserve(&self, room: &mut Room, bytes: u64) -> Result<(), Problem> {
        let all = self.bounds.bytes.fetch_add(bytes, Ordering::AcqRel) + bytes;
        room.bytes += bytes;
        self.bounds.told.inc_by(i64::try_from(bytes).unwrap_or(i64::MAX));
        let fair = room.share.take_disk(bytes, room.bytes, self.limit);
        if all > self.limit {
            return Err(self.full());
        }
        if !fair {
            let message = format!("this user's bodies on their way take half of the {}", Size(self.limit));
            return Err(busy(&message, "send fewer large bodies at once, or try again later"));
        }
        Ok(())
    }

    fn full(&self) -> Problem {
        let message = format!("bodies on their way take all of the {} that they may", Size(self.limit));
        busy(&message, "try again later, or raise MLFLOW_PROXY_MAX_SPOOL at the proxy")
    }

    async fn done(&self, work: JoinHandle<io::Result<Writer>>) -> Result<Writer, Problem> {
        let error = match work.await {
            Ok(Ok(writer)) => return Ok(writer),
            Ok(Err(error)) => error,
            Err(error) => io::Error::other(error),
        };
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        tracing::error!(%error, directory = %self.directory.display(), "cannot hold a request's body");
        let problem = if full {
            let message = "the proxy's disk is full: a large body cannot be held there";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, "IO_ERROR", message)
        } else {
            let message = format!("the proxy cannot hold a large body: {}", error.kind());
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "IO_ERROR", message)
        };
        Err(problem.hint("look at the directory in MLFLOW_PROXY_SPOOL_DIRECTORY at the proxy"))
    }
}

/// Bytes that count as spooled until this is dropped.
struct Room {
    bounds: Arc<Bounds>,
    share: Share,
    bytes: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.share.return_disk(self.bytes);
        self.bounds.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.bounds.told.dec_by(i64::try_from(self.bytes).unwrap_or(i64::MAX));
    }
}

struct Writer {
    file: File,
    hash: Hash,
}

impl Writer {
    fn write(&mut self, batch: &mut VecDeque<Bytes>) -> io::Result<()> {
        while let Some(piece) = batch.pop_front() {
            self.hash.update(&piece);
            self.file.write_all(&piece)?;
        }
        Ok(())
    }
}

/// A body in a file.
pub(super) struct Spool {
    file: File,
    length: u64,
    _room: Room,
}

impl Spool {
    /// The body from its beginning.
    pub(super) fn body(spool: &Arc<Self>) -> Body {
        let mut reading = Reading { spool: spool.clone(), taken: 0, asked: 0, work: None };
        reading.ask();
        reading.boxed_unsync()
    }
}

/// Reads a file, one batch ahead.
struct Reading {
    spool: Arc<Spool>,
    taken: u64,
    asked: u64,
    work: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    fn ask(&mut self) {
        let size = usize::try_from(self.spool.length - self.asked).map_or(BATCH, |left| left.min(BATCH));
        if size == 0 {
            return;
        }
        let (spool, from) = (self.spool.clone(), self.asked);
        self.asked += size as u64;
        self.work = Some(spawn_blocking(move || {
            let mut buffer = BytesMut::zeroed(size);
            spool.file.read_exact_at(&mut buffer, from)?;
            Ok(buffer.freeze())
        }));
    }
}

impl HttpBody for Reading {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        let read = ready!(Pin::new(work).poll(context));
        self.work = None;
        match read {
            Ok(Ok(bytes)) => {
                self.taken += bytes.len() as u64;
                self.ask();
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Ok(Err(error)) => Poll::Ready(Some(Err(error.into()))),
            Err(error) => Poll::Ready(Some(Err(error.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.taken == self.spool.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.spool.length - self.taken)
    }
}
