//! Putting a file into its bucket, whole or in parts, unless it is there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_types::base64;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use super::place::Place;
use super::source::{Content, blocking, measure, plain_file, unreadable};
use super::{PublishedAsset, Publisher, Task, stopped};
use crate::aws::storage::{NewObject, Part, Stored, Upload};
use crate::aws::{Error, ErrorKind};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::journal::{Intent, Journal};

/// From this size on a file goes in parts.
const IN_PARTS_FROM: u64 = 16 << 20;
/// The size of a part, while 10,000 of them are enough.
const PART: u64 = 8 << 20;
/// The most parts that an upload has. Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
const MOST_PARTS: u64 = 10_000;
/// How many parts of a file are on their way at once.
const PARTS_AT_ONCE: usize = 4;
/// The size of an archive with nothing in it, which is what a broken packing leaves.
const EMPTY_ARCHIVE: u64 = 22;

/// What lies at an asset's place already, if it is what has to lie there.
pub(super) async fn present(task: &Task<'_>, place: &Place) -> Result<Option<PublishedAsset>, EngineError> {
    let key = &task.destination.object_key;
    let explain = |error| place.explain(error);
    let Some(found) = place.storage.find(&place.bucket, key).await.map_err(explain)? else {
        return Ok(None);
    };
    if found.bytes <= EMPTY_ARCHIVE && key.ends_with(".zip") {
        return Ok(None);
    }
    // Only a file that goes as it is can be compared: archives and built files may well come out differently elsewhere.
    let local = match plain_file(task)? {
        Some(path) => measure(path).await.ok(),
        None => None,
    };
    if local.is_some_and(|(_, bytes)| bytes != found.bytes) {
        return Ok(None);
    }
    let known = match place.storage.head(&place.bucket, key).await {
        Ok(Some(head)) => head.sha256,
        Ok(None) => return Ok(None),
        // Whoever may list but not read can still publish.
        Err(error) if error.kind == ErrorKind::Denied && !task.digest => None,
        Err(error) => return Err(explain(error)),
    };
    if local.zip(known.as_ref()).is_some_and(|((sha256, _), known)| hex(&sha256) != *known) {
        return Ok(None);
    }
    Ok(Some(PublishedAsset {
        bucket: place.bucket.clone(),
        key: key.clone(),
        sha256: known,
        bytes: found.bytes,
        version: None,
    }))
}

/// The SHA-256 of an object by reading it, for those whose publisher recorded none.
pub(super) async fn digest_of(place: &Place, key: &str) -> Result<String, EngineError> {
    let mut hash = Sha256::new();
    place
        .storage
        .content(&place.bucket, key, |piece| hash.update(piece))
        .await
        .map_err(|error| place.explain(error))?;
    Ok(hex(&hash.finalize()))
}

impl Publisher {
    /// Puts content at an asset's place.
    pub(super) async fn upload(
        &self,
        task: &Task<'_>,
        place: &Place,
        content: &Content,
    ) -> Result<PublishedAsset, EngineError> {
        let key = &task.destination.object_key;
        let object = NewObject {
            bucket: &place.bucket,
            key,
            sha256: &content.sha256,
            content_type: Some(content.content_type),
            encryption: &place.facts.encryption,
        };
        self.tell_sent(task.id, content, 0);
        let work = async {
            if content.bytes < IN_PARTS_FROM {
                self.put_whole(task, place, &object, content).await
            } else {
                self.put_in_parts(task, place, &object, content).await
            }
        };
        let stored = tokio::select! {
            stored = work => stored?,
            // What is on its way is given up; parts that arrived are used by the next run.
            () = self.0.runtime.control.reached(Wish::Detach) => return Err(stopped(task.id)),
        };
        self.0.runtime.tell(What::AssetUploaded { asset: task.id.to_owned(), bytes: content.bytes });
        Ok(PublishedAsset {
            bucket: place.bucket.clone(),
            key: key.clone(),
            sha256: Some(hex(&content.sha256)),
            bytes: content.bytes,
            version: stored.version,
        })
    }

    fn tell_sent(&self, id: &str, content: &Content, sent: u64) {
        self.0.runtime.tell(What::AssetUploading { asset: id.to_owned(), bytes: content.bytes, sent });
    }

    async fn put_whole(
        &self,
        task: &Task<'_>,
        place: &Place,
        object: &NewObject<'_>,
        content: &Content,
    ) -> Result<Stored, EngineError> {
        let path = content.path.clone();
        let bytes = blocking(move || std::fs::read(path))
            .await
            .map_err(|error| unreadable(task.id, &content.path, &error))?;
        if <[u8; 32]>::from(Sha256::digest(&bytes)) != content.sha256 {
            return Err(changed(task.id, content));
        }
        put(place, object, Bytes::from(bytes), task.journal).await
    }

    async fn put_in_parts(
        &self,
        task: &Task<'_>,
        place: &Place,
        object: &NewObject<'_>,
        content: &Content,
    ) -> Result<Stored, EngineError> {
        let (upload, there) = self.open(task, place, object, content).await?;
        let result = self.send_parts(task, place, content, &upload, there).await;
        let parts = match result {
            Ok(parts) => parts,
            Err(failure) => {
                // A line that broke may come back: the next run goes on with the parts that are there.
                if !failure.source.as_deref().is_some_and(Error::is_transient) {
                    self.abort(task, place, &upload).await;
                }
                return Err(failure);
            }
        };
        let target = format!("s3://{}/{}", object.bucket, object.key);
        let ticket = task.journal.intent(Intent::new("CompleteMultipartUpload", target))?;
        let result = place.storage.complete(&upload, &parts, &ticket).await;
        task.journal.outcome(&ticket, result.as_ref().map(|_| BTreeMap::new()));
        match result {
            // The answer to an attempt that worked was lost.
            Err(error) if error.kind == ErrorKind::NotFound => {
                let found = place.storage.find(object.bucket, object.key).await;
                let found = found.map_err(|error| place.explain(error))?;
                match found.filter(|found| found.bytes == content.bytes) {
                    Some(_) => Ok(Stored::default()),
                    None => Err(place.explain(error)),
                }
            }
            other => other.map_err(|error| place.explain(error)),
        }
    }

    /// The upload of an earlier run that was cut off with the parts that arrived, or a new one.
    async fn open(
        &self,
        task: &Task<'_>,
        place: &Place,
        object: &NewObject<'_>,
        content: &Content,
    ) -> Result<(Upload, BTreeMap<i32, Part>), EngineError> {
        if content.reproducible {
            let open = place.storage.uploads(object.bucket, object.key).await.unwrap_or_default();
            if let Some(upload) = open.into_iter().next_back()
                && let Ok(parts) = place.storage.parts(&upload).await
            {
                return Ok((upload, parts));
            }
        }
        let target = format!("s3://{}/{}", object.bucket, object.key);
        let ticket = task.journal.intent(Intent::new("CreateMultipartUpload", target))?;
        let result = place.storage.begin(object, &ticket).await;
        let names = result.as_ref().map(|upload| BTreeMap::from([("upload".to_owned(), upload.id.clone())]));
        task.journal.outcome(&ticket, names);
        Ok((result.map_err(|error| place.explain(error))?, BTreeMap::new()))
    }

    async fn send_parts(
        &self,
        task: &Task<'_>,
        place: &Place,
        content: &Content,
        upload: &Upload,
        mut there: BTreeMap<i32, Part>,
    ) -> Result<BTreeMap<i32, Part>, EngineError> {
        let target = format!("s3://{}/{}", upload.bucket, upload.key);
        let ticket = task.journal.intent(Intent::new("UploadPart", target))?;
        let unread = |error| unreadable(task.id, &content.path, &error);
        let path = content.path.clone();
        let file = blocking(move || File::open(path)).await.map_err(unread)?;
        let reading = Arc::new(Mutex::new((file, Sha256::new())));
        let size = part_size(content.bytes);
        let count = i32::try_from(content.bytes.div_ceil(size)).unwrap_or(i32::MAX);
        let sent = std::sync::atomic::AtomicU64::new(0);
        let parts = futures_util::stream::iter(1..=count)
            // Reading goes in order, for the digest of the whole; only the sending is parallel.
            .then(|number| {
                let reading = reading.clone();
                async move { blocking(move || read_part(&reading, size)).await.map(|part| (number, part)) }
            })
            .map_err(unread)
            .map_ok(|(number, (bytes, digest))| {
                let known = there.remove(&number).filter(|part| is_same(part, &bytes, &digest));
                let (sent, ticket) = (&sent, &ticket);
                async move {
                    let size = bytes.len() as u64;
                    let part = match known {
                        Some(part) => part,
                        None => {
                            let put = place.storage.put_part(upload, number, bytes, &digest, ticket);
                            put.await.map_err(|error| place.explain(error))?
                        }
                    };
                    let before = sent.fetch_add(size, std::sync::atomic::Ordering::Relaxed);
                    self.tell_sent(task.id, content, before + size);
                    Ok::<_, EngineError>((number, part))
                }
            })
            .try_buffer_unordered(PARTS_AT_ONCE)
            .try_collect::<BTreeMap<_, _>>()
            .await;
        let failed = parts.as_ref().err().and_then(|failure| failure.source.as_deref());
        task.journal.outcome(&ticket, failed.map_or_else(|| Ok(BTreeMap::new()), Err));
        let parts = parts?;
        let (_, hash) = &*reading.lock().unwrap_or_else(PoisonError::into_inner);
        if <[u8; 32]>::from(hash.clone().finalize()) != content.sha256 {
            return Err(changed(task.id, content));
        }
        Ok(parts)
    }

    async fn abort(&self, task: &Task<'_>, place: &Place, upload: &Upload) {
        let target = format!("s3://{}/{}", upload.bucket, upload.key);
        // What cannot be aborted is cleared away by the bucket's rule after a day.
        if let Ok(ticket) = task.journal.intent(Intent::new("AbortMultipartUpload", target)) {
            let result = place.storage.abort(upload, &ticket).await;
            task.journal.outcome(&ticket, result.as_ref().map(|()| BTreeMap::new()));
        }
    }
}

/// `PutObject` with its lines in the journal.
pub(super) async fn put(
    place: &Place,
    object: &NewObject<'_>,
    bytes: Bytes,
    journal: &Journal,
) -> Result<Stored, EngineError> {
    let target = format!("s3://{}/{}", object.bucket, object.key);
    let ticket = journal.intent(Intent::new("PutObject", target))?;
    let result = place.storage.put(object, bytes, &ticket).await;
    let version =
        |stored: &Stored| stored.version.iter().map(|it| ("version".to_owned(), it.clone())).collect();
    journal.outcome(&ticket, result.as_ref().map(version));
    result.map_err(|error| place.explain(error))
}

fn read_part(reading: &Mutex<(File, Sha256)>, size: u64) -> std::io::Result<(Bytes, [u8; 32])> {
    let (file, hash) = &mut *reading.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(size).read_to_end(&mut bytes)?;
    hash.update(&bytes);
    let digest = Sha256::digest(&bytes).into();
    Ok((Bytes::from(bytes), digest))
}

fn is_same(part: &Part, bytes: &Bytes, digest: &[u8; 32]) -> bool {
    part.bytes == bytes.len() as u64 && part.checksum.as_deref() == Some(base64::encode(digest).as_str())
}

fn part_size(bytes: u64) -> u64 {
    PART.max(bytes.div_ceil(MOST_PARTS).next_multiple_of(1 << 20))
}

fn changed(id: &str, content: &Content) -> EngineError {
    let message = format!("asset {id} changed while it was published: {}", content.path.display());
    EngineError::new(Class::Input, message)
        .with_hint("wait until nothing writes to it any more, then run the same command again")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
