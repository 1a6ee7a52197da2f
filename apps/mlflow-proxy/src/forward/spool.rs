//! Large bodies in files without a name: nobody else can open them, and they are gone with whoever holds them.
//!
//! The disk is touched on threads of its own, one batch behind what is read, so that memory stays flat and no other
//! request waits. How many files and how many bytes there may be is bounded over all requests.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use ring::digest::{Context as Hash, SHA256};
use tokio::task::{JoinHandle, spawn_blocking};

use super::hold::Gathering;
use crate::body::{Body, BodyError};
use crate::held::{Disk, Room};
use crate::problem::Problem;
use crate::share::{Counted, Share};
use crate::sign::Payload;

/// How much is written and read at once.
const BATCH: usize = 256 * 1024;

/// A body in a file.
pub(super) struct Spool {
    file: File,
    length: u64,
    _room: Room,
}

impl Spool {
    /// Writes what was gathered and all that follows.
    pub(super) async fn write(
        disk: &Disk,
        gathering: &mut Gathering,
        declared: Option<u64>,
        counted: Counted,
        share: &Share,
    ) -> Result<(Self, Payload), Problem> {
        // What was only announced takes nothing: whoever announces much could keep all others out.
        disk.look(declared.unwrap_or(0))?;
        let mut room = disk.room(share);
        room.more(gathering.length)?;
        let _place = disk.place(share).await?;
        let mut batch = gathering.take();
        drop(counted);
        let directory = disk.directory().to_owned();
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
            room.more(gathering.length.saturating_sub(room.bytes()))?;
            let mut writer = done(work, disk).await?;
            let mut batch = gathering.take();
            work = spawn_blocking(move || writer.write(&mut batch).map(|()| writer));
            if !more {
                break;
            }
        }
        let writer = done(work, disk).await?;
        let payload = Payload::from(writer.hash.finish());
        Ok((Self { file: writer.file, length: gathering.length, _room: room }, payload))
    }

    /// The body from its beginning.
    pub(super) fn body(spool: &Arc<Self>) -> Body {
        let mut reading = Reading { spool: spool.clone(), taken: 0, asked: 0, work: None };
        reading.ask();
        reading.boxed_unsync()
    }
}

/// The writer, when it has written.
async fn done(work: JoinHandle<io::Result<Writer>>, disk: &Disk) -> Result<Writer, Problem> {
    let error = match work.await {
        Ok(Ok(writer)) => return Ok(writer),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    };
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    tracing::error!(%error, directory = %disk.directory().display(), "cannot hold a request's body");
    let problem = if full {
        let message = "the proxy's disk is full: a large body cannot be held there";
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "IO_ERROR", message)
    } else {
        let message = format!("the proxy cannot hold a large body: {}", error.kind());
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "IO_ERROR", message)
    };
    Err(problem.hint("look at the directory in MLFLOW_PROXY_SPOOL_DIRECTORY at the proxy"))
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
