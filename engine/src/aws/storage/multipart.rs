//! Large objects in parts: a broken upload goes on with the parts that are missing, or is taken back.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::base64;
use bytes::Bytes;

use super::Storage;
use super::objects::{NewObject, SHA256_METADATA, Stored, hex, version};
use crate::aws::error::{Error, ErrorKind};
use crate::journal::Ticket;

/// An upload that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// S3's id of the upload.
    pub id: String,
}

/// A part that lies in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: i32,
    /// Its size in bytes.
    pub bytes: u64,
    /// S3's mark of the content.
    pub tag: String,
    /// The SHA-256 of the content as S3 computed it, in base64.
    pub checksum: Option<String>,
}

impl Storage {
    /// The uploads of exactly this key that nobody has completed, the newest last.
    ///
    /// # Errors
    /// When the answer cannot be had; `Denied` where the caller lacks s3:ListBucketMultipartUploads.
    pub async fn uploads(&self, bucket: &str, key: &str) -> Result<Vec<Upload>, Error> {
        let call = || {
            let list = self.client.list_multipart_uploads().bucket(bucket).prefix(key);
            list.expected_bucket_owner(self.owner()).send()
        };
        let answer = self.read("ListMultipartUploads", call).await?;
        let mut found: Vec<_> = answer.uploads().iter().filter(|upload| upload.key() == Some(key)).collect();
        found.sort_by_key(|upload| upload.initiated().map(|time| time.secs()));
        let upload = |id: &str| Upload { bucket: bucket.to_owned(), key: key.to_owned(), id: id.to_owned() };
        Ok(found.into_iter().filter_map(|it| it.upload_id()).map(upload).collect())
    }

    /// The parts of an upload that are in S3, by number.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn parts(&self, upload: &Upload) -> Result<BTreeMap<i32, Part>, Error> {
        let mut parts = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let call = || {
                let list = self.client.list_parts().bucket(&upload.bucket).key(&upload.key);
                let list = list.upload_id(&upload.id).set_part_number_marker(after.clone());
                list.expected_bucket_owner(self.owner()).send()
            };
            let answer = self.read("ListParts", call).await?;
            parts.extend(answer.parts().iter().filter_map(|part| {
                let number = part.part_number()?;
                let bytes = u64::try_from(part.size()?).ok()?;
                let checksum = part.checksum_sha256().map(str::to_owned);
                Some((number, Part { number, bytes, tag: part.e_tag()?.to_owned(), checksum }))
            }));
            let next = answer.next_part_number_marker().map(str::to_owned);
            if answer.is_truncated() != Some(true) || next.is_none() || next == after {
                return Ok(parts);
            }
            after = next;
        }
    }

    /// `CreateMultipartUpload`.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn begin(&self, object: &NewObject<'_>, _ticket: &Ticket) -> Result<Upload, Error> {
        let (algorithm, key) = object.encryption.headers();
        let call = || {
            self.client
                .create_multipart_upload()
                .bucket(object.bucket)
                .key(object.key)
                .expected_bucket_owner(self.owner())
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .metadata(SHA256_METADATA, hex(object.sha256))
                .set_content_type(object.content_type.map(str::to_owned))
                .set_server_side_encryption(algorithm.clone())
                .set_ssekms_key_id(key.clone())
                .send()
        };
        let answer = self.change("CreateMultipartUpload", call).await?;
        let id = answer.upload_id().filter(|id| !id.is_empty()).ok_or_else(|| Error {
            operation: "CreateMultipartUpload",
            kind: ErrorKind::Protocol,
            code: None,
            message: "the answer has no id".to_owned(),
            request_id: None,
        })?;
        Ok(Upload { bucket: object.bucket.to_owned(), key: object.key.to_owned(), id: id.to_owned() })
    }

    /// `UploadPart`, under the ticket of the upload.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn put_part(
        &self,
        upload: &Upload,
        number: i32,
        content: Bytes,
        checksum: &[u8; 32],
        _ticket: &Ticket,
    ) -> Result<Part, Error> {
        let call = || {
            self.client
                .upload_part()
                .bucket(&upload.bucket)
                .key(&upload.key)
                .upload_id(&upload.id)
                .part_number(number)
                .expected_bucket_owner(self.owner())
                .checksum_sha256(base64::encode(checksum))
                .content_length(i64::try_from(content.len()).unwrap_or(i64::MAX))
                .body(ByteStream::from(content.clone()))
                .send()
        };
        let answer = self.change("UploadPart", call).await?;
        Ok(Part {
            number,
            bytes: content.len() as u64,
            tag: answer.e_tag().unwrap_or_default().to_owned(),
            checksum: Some(base64::encode(checksum)),
        })
    }

    /// `CompleteMultipartUpload`: the parts become the object.
    ///
    /// # Errors
    /// When the service refuses; `NotFound` when the upload is gone, which it is also after it was completed.
    pub async fn complete(
        &self,
        upload: &Upload,
        parts: &BTreeMap<i32, Part>,
        _ticket: &Ticket,
    ) -> Result<Stored, Error> {
        let parts = parts.values().map(|part| {
            CompletedPart::builder()
                .part_number(part.number)
                .e_tag(&part.tag)
                .set_checksum_sha256(part.checksum.clone())
                .build()
        });
        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let call = || {
            let complete = self.client.complete_multipart_upload().bucket(&upload.bucket).key(&upload.key);
            let complete = complete.upload_id(&upload.id).multipart_upload(whole.clone());
            complete.expected_bucket_owner(self.owner()).send()
        };
        let answer = self.change("CompleteMultipartUpload", call).await?;
        Ok(Stored { version: version(answer.version_id()) })
    }

    /// `AbortMultipartUpload`: the parts go. An upload that is gone already is no error.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn abort(&self, upload: &Upload, _ticket: &Ticket) -> Result<(), Error> {
        let call = || {
            let abort = self.client.abort_multipart_upload().bucket(&upload.bucket).key(&upload.key);
            abort.upload_id(&upload.id).expected_bucket_owner(self.owner()).send()
        };
        match self.change("AbortMultipartUpload", call).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
