//! A body taken in pieces of a bounded size, and a piece that waits to be hashed, counted, or sent again.
//!
//! Pieces up to a quarter of a megabyte wait in memory, larger ones in a file without a name that goes when it is closed.
//! Both are counted with the bodies that wait on their way to MLflow.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use ring::digest::{Context, SHA256};

use crate::body::{Body, BodyError, full};
use crate::held::{self, Disk, Room};
use crate::problem::Problem;
use crate::share::Share;

/// What waits in memory, in bytes.
const MEMORY: u64 = 256 * 1024;

/// The smallest part of several, in bytes. Source: "Amazon S3 multipart upload limits".
const LEAST: u64 = 5 * 1024 * 1024;

/// How much of a file is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// A body of which any number of bytes can be taken.
pub(super) struct Source {
    body: Body,
    rest: Bytes,
}

impl Source {
    pub(super) fn new(body: Body) -> Self {
        Self { body, rest: Bytes::new() }
    }

    /// The next bytes, at most `limit`; none at the end. They are never empty.
    pub(super) async fn take(&mut self, limit: u64) -> Result<Option<Bytes>, BodyError> {
        if !self.fill().await? {
            return Ok(None);
        }
        let taken = usize::try_from(limit).unwrap_or(usize::MAX).min(self.rest.len());
        Ok(Some(self.rest.split_to(taken)))
    }

    /// Whether nothing is left.
    pub(super) async fn is_at_end(&mut self) -> Result<bool, BodyError> {
        Ok(!self.fill().await?)
    }

    /// The body as it came, of which nothing has been taken yet.
    pub(super) fn into_body(self) -> Body {
        debug_assert!(self.rest.is_empty(), "something has been taken");
        self.body
    }

    async fn fill(&mut self) -> Result<bool, BodyError> {
        while self.rest.is_empty() {
            match self.body.frame().await {
                None => return Ok(false),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.rest = data;
                    }
                }
            }
        }
        Ok(true)
    }
}

/// Why a piece could not be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum PartError {
    /// The client's side broke off.
    #[error("the body broke off: {0}")]
    Body(BodyError),
    /// The disk does not take it.
    #[error("the disk does not take a part of an upload: {0}")]
    Disk(io::Error),
    /// Too much waits on the disk already.
    #[error("{}", .0.message)]
    Bounds(Box<Problem>),
}

impl PartError {
    fn bounds(problem: Problem) -> Self {
        Self::Bounds(Box::new(problem))
    }
}

/// A piece that waits.
pub(super) struct Part {
    store: Store,
    pub(super) length: u64,
    pub(super) hash: [u8; 32],
}

#[derive(Clone)]
enum Store {
    Memory(Bytes),
    File(Arc<Kept>, Bytes),
}

/// A file, and the room that it takes.
struct Kept {
    file: File,
    _room: Room,
}

impl Part {
    /// Takes at most `limit` bytes of what is left; fewer where the disk has no room for more, but enough for a part.
    pub(super) async fn take(
        source: &mut Source,
        limit: u64,
        disk: &Disk,
        share: &Share,
    ) -> Result<Self, PartError> {
        let mut sum = Context::new(&SHA256);
        let mut memory = BytesMut::new();
        let mut file: Option<File> = None;
        let mut place = None;
        let mut room = disk.room(share);
        let mut counted = share.count();
        let mut length = 0;
        while length < limit {
            let Some(bytes) = source.take(limit - length).await.map_err(PartError::Body)? else { break };
            length += bytes.len() as u64;
            sum.update(&bytes);
            memory.extend_from_slice(&bytes);
            counted.add(bytes.len() as u64).map_err(PartError::bounds)?;
            // Who writes already may have a full batch: there are only so many of them.
            let batch = if place.is_some() { MEMORY } else { counted.allowance(MEMORY) };
            if memory.len() as u64 >= batch && length < limit {
                if place.is_none() {
                    place = Some(disk.place(share).await.map_err(PartError::bounds)?);
                }
                match room.more(memory.len() as u64) {
                    Ok(()) => {
                        file = Some(append(file, memory.split().freeze(), disk.directory()).await?);
                        counted = share.count();
                    }
                    Err(_) if length >= LEAST => break,
                    Err(problem) => return Err(PartError::bounds(problem)),
                }
            }
        }
        let hash = sum.finish().as_ref().try_into().unwrap_or_else(|_| unreachable!("SHA-256 has 32 bytes"));
        let store = match file {
            None => Store::Memory(held::counted(memory, counted)),
            Some(file) if room.more(memory.len() as u64).is_ok() => {
                let file = append(Some(file), memory.freeze(), disk.directory()).await?;
                Store::File(Arc::new(Kept { file, _room: room }), Bytes::new())
            }
            Some(file) => Store::File(Arc::new(Kept { file, _room: room }), held::counted(memory, counted)),
        };
        Ok(Self { store, length, hash })
    }

    /// Something that makes the piece's body, any number of times, one after the other.
    pub(super) fn maker(&self) -> Box<dyn Fn() -> Body + Send + Sync> {
        let store = self.store.clone();
        Box::new(move || match &store {
            Store::Memory(bytes) => full(bytes.clone()),
            Store::File(kept, rest) => read(Arc::clone(kept), rest.clone()),
        })
    }
}

/// Writes to the end of a file, which begins with the first bytes. Disks may be slow: not on the threads of the server.
async fn append(file: Option<File>, bytes: Bytes, directory: &Path) -> Result<File, PartError> {
    let directory = directory.to_owned();
    let written = tokio::task::spawn_blocking(move || {
        let mut file = match file {
            Some(file) => file,
            None => tempfile::tempfile_in(directory)?,
        };
        file.write_all(&bytes)?;
        Ok(file)
    });
    written.await.map_err(|error| PartError::Disk(io::Error::other(error)))?.map_err(PartError::Disk)
}

/// The whole of a file as a body, and what comes after it.
fn read(kept: Arc<Kept>, rest: Bytes) -> Body {
    let chunks = stream::try_unfold((kept, 0u64), |(kept, at)| async move {
        let same = Arc::clone(&kept);
        let chunk = tokio::task::spawn_blocking(move || {
            let mut file = &same.file;
            file.seek(SeekFrom::Start(at))?;
            let mut chunk = Vec::with_capacity(CHUNK);
            file.take(CHUNK as u64).read_to_end(&mut chunk)?;
            Ok::<_, io::Error>(chunk)
        });
        let chunk = chunk.await.map_err(BodyError::from)??;
        if chunk.is_empty() {
            return Ok(None);
        }
        let next = at + chunk.len() as u64;
        Ok::<_, BodyError>(Some((Frame::data(Bytes::from(chunk)), (kept, next))))
    });
    let rest = stream::iter((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
    BodyExt::boxed_unsync(StreamBody::new(chunks.chain(rest)))
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::gauge::Gauge;

    use super::*;

    fn anybody() -> Share {
        crate::share::Shares::new(0, 2).of_anybody()
    }

    fn disk(directory: &Path, limit: u64) -> Disk {
        Disk::new(directory.to_owned(), limit, 2, Gauge::default())
    }

    fn source(sizes: &[usize]) -> (Source, Vec<u8>) {
        let mut all = Vec::new();
        let mut frames = Vec::new();
        for (number, size) in sizes.iter().enumerate() {
            let chunk: Vec<u8> =
                (0..*size).map(|at| u8::try_from((at * 31 + number) % 251).unwrap()).collect();
            all.extend_from_slice(&chunk);
            frames.push(Ok::<_, BodyError>(Frame::data(Bytes::from(chunk))));
        }
        (Source::new(BodyExt::boxed_unsync(StreamBody::new(stream::iter(frames)))), all)
    }

    #[tokio::test]
    async fn pieces_have_the_size_that_was_asked_for() {
        let (mut source, all) = source(&[10, 0, 25, 1]);
        let mut taken = Vec::new();
        while let Some(bytes) = source.take(7).await.unwrap() {
            assert!(!bytes.is_empty() && bytes.len() <= 7);
            taken.extend_from_slice(&bytes);
        }
        assert_eq!(taken, all);
        assert!(source.is_at_end().await.unwrap());
    }

    #[tokio::test]
    async fn a_part_is_given_out_again_and_again_from_memory_and_from_a_file() {
        let spool = tempfile::tempdir().unwrap();
        for (sizes, limit) in
            [(vec![100, 50], 120), (vec![700_000; 5], 3_000_000), (vec![700_000; 5], u64::MAX), (vec![], 9)]
        {
            let (mut source, all) = source(&sizes);
            let part =
                Part::take(&mut source, limit, &disk(spool.path(), 8 << 30), &anybody()).await.unwrap();
            let expected = &all[..all.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
            assert_eq!(part.length, expected.len() as u64);
            assert_eq!(part.hash, ring::digest::digest(&SHA256, expected).as_ref());
            let make = part.maker();
            for _ in 0..2 {
                assert_eq!(make().collect().await.unwrap().to_bytes(), expected);
            }
            assert_eq!(source.is_at_end().await.unwrap(), all.len() as u64 <= limit);
        }
        assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0, "files have no name");
    }

    #[tokio::test]
    async fn where_room_is_short_a_part_ends_sooner_or_is_refused() {
        let spool = tempfile::tempdir().unwrap();
        let disk = disk(spool.path(), 8_000_000);
        let (mut one, all) = source(&[700_000; 20]);
        let first = Part::take(&mut one, 12_000_000, &disk, &anybody()).await.unwrap();
        assert!(first.length >= LEAST && first.length < 9_000_000, "{}", first.length);
        let length = usize::try_from(first.length).unwrap();
        assert_eq!(first.maker()().collect().await.unwrap().to_bytes(), all[..length]);
        let (mut other, _) = source(&[700_000; 20]);
        let refused = Part::take(&mut other, 12_000_000, &disk, &anybody()).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, PartError::Bounds(problem) if problem.status == 503));
        let small = Part::take(&mut source(&[200_000]).0, 12_000_000, &disk, &anybody()).await.unwrap();
        assert_eq!(small.length, 200_000);
        drop(first);
        let rest = Part::take(&mut one, 12_000_000, &disk, &anybody()).await.unwrap();
        assert_eq!(rest.length + length as u64, all.len() as u64);
        assert_eq!(rest.maker()().collect().await.unwrap().to_bytes(), all[length..]);
    }

    #[tokio::test]
    async fn what_waits_in_memory_is_counted_and_goes_to_a_file_where_memory_is_short() {
        let (spool, told) = (tempfile::tempdir().unwrap(), Gauge::default());
        let disk = Disk::new(spool.path().to_owned(), 8 << 30, 2, told.clone());
        let shares = crate::share::Shares::with_most(300_000, 2);
        let take =
            async |size, share: &Share| Part::take(&mut source(&[size]).0, 500_000, &disk, share).await;
        let first = take(200_000, &shares.of_anybody()).await.unwrap();
        let refused = take(200_000, &shares.of_anybody()).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, PartError::Bounds(problem) if problem.status == 503));
        drop(first);
        assert!(take(200_000, &shares.of_anybody()).await.is_ok(), "a part that is gone counts no more");
        assert_eq!(told.get(), 0);

        let shares = crate::share::Shares::new(0, 2);
        let mut others = shares.of_anybody().count();
        others.add(16 << 20).unwrap();
        let in_file = take(200_000, &shares.of_anybody()).await.unwrap();
        assert_eq!(told.get(), 200_000);
        drop(in_file);
        assert_eq!(told.get(), 0);
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_is_told() {
        let (mut source, _) = source(&[300_000, 10]);
        let result = Part::take(
            &mut source,
            u64::MAX,
            &disk(Path::new("/proc/no/such/directory"), 8 << 30),
            &anybody(),
        )
        .await;
        assert!(matches!(result, Err(PartError::Disk(_))));
    }
}
