//! A bucket that files are put into and read from: the artifacts of managed MLflow, or a backup.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::client::Fetched;
use crate::aws::storage::{Encryption, Listed, NewObject, Storage, explain};
use crate::aws::{Error, Session};
use crate::error::{Class, EngineError};
use crate::journal::{Intent, Journal, Ticket};

/// From this size on a file goes in parts.
const IN_PARTS_FROM: u64 = 16 << 20;
/// The size of a part, while 10,000 of them are enough.
const PART: u64 = 8 << 20;
/// The most parts that an upload has. Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
const MOST_PARTS: u64 = 10_000;

/// A bucket of the caller's account. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    name: String,
    storage: Storage,
    encryption: Encryption,
    ticket: Arc<Ticket>,
}

impl Bucket {
    /// The bucket, which is asked how it encrypts. One line of the journal stands for all that is put there: keys say
    /// what they hold, and putting one twice leaves the same.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn open(name: &str, session: &Session, journal: &Journal) -> Result<Self, EngineError> {
        let storage = session.storage();
        // Whoever may put objects may not always ask how they are kept; S3 then decides alone.
        let encryption = storage.bucket(name).await.map_or(Encryption::Unknown, |facts| facts.encryption);
        let ticket = Arc::new(journal.intent(Intent::new("PutObject", format!("s3://{name}")))?);
        Ok(Self { name: name.to_owned(), storage, encryption, ticket })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn explain(&self, error: Error) -> EngineError {
        explain(error, &self.name, self.storage.owner(), self.storage.region())
    }

    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Listed>, EngineError> {
        self.storage.list(&self.name, prefix).await.map_err(|error| self.explain(error))
    }

    /// A small object; nothing when it is not there.
    pub(crate) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, EngineError> {
        let found = self.storage.find(&self.name, key).await.map_err(|error| self.explain(error))?;
        if found.is_none() {
            return Ok(None);
        }
        let mut content = Vec::new();
        let read = self.storage.content(&self.name, key, |piece| content.extend_from_slice(piece)).await;
        read.map_err(|error| self.explain(error)).map(|()| Some(content))
    }

    /// An object of any size, into a file.
    pub(crate) async fn fetch(&self, key: &str, into: &Path) -> Result<Fetched, EngineError> {
        use std::io::Write;
        let written = |error: std::io::Error| unwritable(into, &error);
        let mut file = std::fs::File::create(into).map_err(written)?;
        let (mut bytes, mut hash, mut failed) = (0, Sha256::new(), None);
        let read = self.storage.content(&self.name, key, |piece| {
            bytes += piece.len() as u64;
            hash.update(piece);
            if let Err(error) = file.write_all(piece) {
                failed.get_or_insert(error);
            }
        });
        read.await.map_err(|error| self.explain(error))?;
        match failed {
            Some(error) => Err(unwritable(into, &error)),
            None => Ok(Fetched { bytes, sha256: hash.finalize().into() }),
        }
    }

    /// Puts a file, in parts when it is large.
    pub(crate) async fn put(&self, key: &str, file: &Path, content: &Fetched) -> Result<(), EngineError> {
        let object = NewObject {
            bucket: &self.name,
            key,
            sha256: &content.sha256,
            content_type: None,
            encryption: &self.encryption,
        };
        if content.bytes < IN_PARTS_FROM {
            let whole = tokio::fs::read(file).await.map_err(|error| unreadable(file, &error))?;
            let put = self.storage.put(&object, Bytes::from(whole), &self.ticket).await;
            return put.map(drop).map_err(|error| self.explain(error));
        }
        let upload = self.storage.begin(&object, &self.ticket).await.map_err(|error| self.explain(error))?;
        let size = PART.max(content.bytes.div_ceil(MOST_PARTS));
        let sent = async {
            let mut parts = std::collections::BTreeMap::new();
            let mut source = File::open(file).await.map_err(|error| unreadable(file, &error))?;
            for number in 1..=MOST_PARTS {
                let from = (number - 1) * size;
                if from >= content.bytes {
                    break;
                }
                source
                    .seek(std::io::SeekFrom::Start(from))
                    .await
                    .map_err(|error| unreadable(file, &error))?;
                let mut piece = Vec::new();
                let read = (&mut source).take(size).read_to_end(&mut piece).await;
                read.map_err(|error| unreadable(file, &error))?;
                let checksum: [u8; 32] = Sha256::digest(&piece).into();
                let index = i32::try_from(number).unwrap_or(i32::MAX);
                let part =
                    self.storage.put_part(&upload, index, Bytes::from(piece), &checksum, &self.ticket).await;
                parts.insert(index, part.map_err(|error| self.explain(error))?);
            }
            self.storage.complete(&upload, &parts, &self.ticket).await.map_err(|error| self.explain(error))
        };
        let sent = sent.await.map(drop);
        if sent.is_err() {
            // What is left of it is removed by the bucket's own rule when even this cannot be said.
            let _ = self.storage.abort(&upload, &self.ticket).await;
        }
        sent
    }
}

pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::new(Class::Input, format!("{} cannot be read: {error}", path.display()))
}

pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::new(Class::NeedsAction, format!("{} cannot be written: {error}", path.display()))
        .with_hint("free some space, then give the same command again: it goes on")
}
