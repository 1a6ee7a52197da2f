//! Objects: whether they are there, what is known of them, and putting and deleting them.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, Delete, ObjectIdentifier};
use aws_smithy_types::base64;
use bytes::Bytes;
use jiff::Timestamp;

use super::{Encryption, Storage};
use crate::aws::error::{Error, ErrorKind};
use crate::journal::Ticket;

/// The metadata in which we keep the SHA-256 of an object, 64 hex digits: the checksum that S3 itself keeps of an object
/// that came in parts is one of the parts' checksums.
pub(super) const SHA256_METADATA: &str = "formwork-sha256";

/// The most keys that one `DeleteObjects` takes.
const MOST_DELETED_AT_ONCE: usize = 1000;

/// An object as a listing tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub bytes: u64,
    /// When it was put there.
    pub modified: Option<Timestamp>,
}

/// What S3 knows of an object besides its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256 of the content, 64 hex digits, when S3 or whoever put it there recorded it.
    pub sha256: Option<String>,
    /// The version, in a bucket that keeps versions.
    pub version: Option<String>,
}

/// An object to put.
#[derive(Clone, Debug)]
pub struct NewObject<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// The SHA-256 of the whole content.
    pub sha256: &'a [u8; 32],
    /// The media type.
    pub content_type: Option<&'a str>,
    /// How it is encrypted at rest.
    pub encryption: &'a Encryption,
}

/// An object that was put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The version, in a bucket that keeps versions.
    pub version: Option<String>,
}

impl Storage {
    /// The object with exactly this key, by a listing.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn find(&self, bucket: &str, key: &str) -> Result<Option<Listed>, Error> {
        let call = || {
            let list = self.client.list_objects_v2().bucket(bucket).prefix(key).max_keys(1);
            list.expected_bucket_owner(self.owner()).send()
        };
        let answer = self.read("ListObjectsV2", call).await?;
        // A key comes before those that it is the beginning of.
        Ok(answer.contents().iter().filter_map(listed).find(|object| object.key == key))
    }

    /// All objects whose keys begin so, in the order of their keys.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, Error> {
        let mut objects = Vec::new();
        let mut page: Option<String> = None;
        loop {
            let call = || {
                let list = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
                list.set_continuation_token(page.clone()).expected_bucket_owner(self.owner()).send()
            };
            let answer = self.read("ListObjectsV2", call).await?;
            objects.extend(answer.contents().iter().filter_map(listed));
            let next = answer.next_continuation_token().map(str::to_owned);
            // A token that comes again would go on for ever.
            if answer.is_truncated() != Some(true) || next.is_none() || next == page {
                return Ok(objects);
            }
            page = next;
        }
    }

    /// What S3 knows of an object that a listing has shown; `None` when it is gone meanwhile.
    ///
    /// # Errors
    /// When the answer cannot be had.
    pub async fn head(&self, bucket: &str, key: &str) -> Result<Option<Head>, Error> {
        let call = || {
            let head = self.client.head_object().bucket(bucket).key(key).checksum_mode(ChecksumMode::Enabled);
            head.expected_bucket_owner(self.owner()).send()
        };
        let answer = match self.read("HeadObject", call).await {
            Ok(answer) => answer,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let recorded = answer.metadata().and_then(|metadata| metadata.get(SHA256_METADATA)).cloned();
        let whole = answer.checksum_type() != Some(&ChecksumType::Composite);
        let checksum = answer.checksum_sha256().filter(|_| whole).and_then(hex_of_base64);
        Ok(Some(Head {
            bytes: answer.content_length().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
            // S3 has computed its checksum itself; what the metadata says was only claimed.
            sha256: checksum.or_else(|| recorded.filter(|digest| is_digest(digest))),
            version: version(answer.version_id()),
        }))
    }

    /// The content of an object, handed on piece by piece.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub async fn content(
        &self,
        bucket: &str,
        key: &str,
        mut piece: impl FnMut(&[u8]) + Send,
    ) -> Result<(), Error> {
        let call =
            || self.client.get_object().bucket(bucket).key(key).expected_bucket_owner(self.owner()).send();
        let mut body = self.read("GetObject", call).await?.body;
        loop {
            match body.try_next().await {
                Ok(Some(bytes)) => piece(&bytes),
                Ok(None) => return Ok(()),
                Err(error) => {
                    return Err(Error {
                        operation: "GetObject",
                        kind: ErrorKind::Unreachable,
                        code: None,
                        message: format!("the content of {key} breaks off: {error}"),
                        request_id: None,
                    });
                }
            }
        }
    }

    /// `PutObject`. S3 computes the SHA-256 of what arrives and refuses it when it differs.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn put(
        &self,
        object: &NewObject<'_>,
        content: Bytes,
        _ticket: &Ticket,
    ) -> Result<Stored, Error> {
        let (algorithm, key) = object.encryption.headers();
        let call = || {
            self.client
                .put_object()
                .bucket(object.bucket)
                .key(object.key)
                .expected_bucket_owner(self.owner())
                .checksum_sha256(base64::encode(object.sha256))
                .metadata(SHA256_METADATA, hex(object.sha256))
                .set_content_type(object.content_type.map(str::to_owned))
                .set_server_side_encryption(algorithm.clone())
                .set_ssekms_key_id(key.clone())
                .content_length(i64::try_from(content.len()).unwrap_or(i64::MAX))
                .body(ByteStream::from(content.clone()))
                .send()
        };
        let answer = self.change("PutObject", call).await?;
        Ok(Stored { version: version(answer.version_id()) })
    }

    /// `DeleteObjects`: the keys that could not be deleted, and why. In a bucket that keeps versions the objects can be
    /// brought back until the bucket's rule clears them away.
    ///
    /// # Errors
    /// When the service refuses altogether.
    pub async fn delete(
        &self,
        bucket: &str,
        keys: &[String],
        _ticket: &Ticket,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut failed = BTreeMap::new();
        for keys in keys.chunks(MOST_DELETED_AT_ONCE) {
            let objects = keys.iter().filter_map(|key| ObjectIdentifier::builder().key(key).build().ok());
            let delete = Delete::builder().set_objects(Some(objects.collect())).quiet(true).build().map_err(
                |error| Error {
                    operation: "DeleteObjects",
                    kind: ErrorKind::Invalid,
                    code: None,
                    message: error.to_string(),
                    request_id: None,
                },
            )?;
            let call = || {
                let call = self.client.delete_objects().bucket(bucket).delete(delete.clone());
                call.expected_bucket_owner(self.owner()).send()
            };
            let answer = self.change("DeleteObjects", call).await?;
            failed.extend(answer.errors().iter().map(|error| {
                let reason = error.message().or(error.code()).unwrap_or("no reason is given");
                (error.key().unwrap_or_default().to_owned(), reason.to_owned())
            }));
        }
        Ok(failed)
    }
}

/// The version as far as it is one: buckets that stopped keeping versions answer `null`.
pub(super) fn version(id: Option<&str>) -> Option<String> {
    id.filter(|id| !id.is_empty() && *id != "null").map(str::to_owned)
}

fn listed(object: &aws_sdk_s3::types::Object) -> Option<Listed> {
    Some(Listed {
        key: object.key()?.to_owned(),
        bytes: object.size().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
        modified: object.last_modified().and_then(|time| Timestamp::from_second(time.secs()).ok()),
    })
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_of_base64(text: &str) -> Option<String> {
    base64::decode(text).ok().filter(|bytes| bytes.len() == 32).map(|bytes| hex(&bytes))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
