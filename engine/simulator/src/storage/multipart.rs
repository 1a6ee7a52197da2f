//! Uploads in parts.

use bytes::{Bytes, BytesMut};

use super::answers::{self, Failure, document, done};
use super::body::{bad_digest, etag, etag_of_parts};
use super::bucket::parsed;
use super::object::told;
use super::{Bucket, Calling, Object, Part, Upload};
use crate::api::{ApiError, Element};
use crate::protocol::checksum::Algorithm;
use crate::protocol::encoding::base64;

/// The least size of any part but the last: 5 MiB, says S3's user guide.
const LEAST_PART: usize = 5 * 1024 * 1024;

impl Bucket {
    pub(super) fn create_upload(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let key = call.key()?;
        let headers = call.kept_headers(self)?;
        let algorithm = call.header("x-amz-checksum-algorithm").and_then(Algorithm::by_word);
        let whole_checksum = call.header("x-amz-checksum-type") == Some("FULL_OBJECT")
            || algorithm == Some(Algorithm::Crc64Nvme);
        let id = format!("upload-{:08}", call.counter);
        let upload = Upload { key: key.to_owned(), headers, algorithm, whole_checksum, ..Upload::default() };
        let mut told = Vec::new();
        if let Some(algorithm) = algorithm {
            let kind = if whole_checksum { "FULL_OBJECT" } else { "COMPOSITE" };
            told.push(("x-amz-checksum-algorithm", algorithm.word().to_uppercase()));
            told.push(("x-amz-checksum-type", kind.to_owned()));
        }
        self.uploads.insert(id.clone(), upload);
        let result = Element::of(
            "InitiateMultipartUploadResult",
            [
                Element::text("Bucket", call.asked.bucket.as_deref().unwrap_or_default()),
                Element::text("Key", key),
                Element::text("UploadId", id),
            ],
        );
        Ok(document(&result, &told))
    }

    pub(super) fn upload_part(
        &mut self,
        call: &Calling<'_>,
        source: Option<Object>,
    ) -> Result<http::Response<Bytes>, Failure> {
        let number: u32 = call
            .field("partNumber")
            .and_then(|text| text.parse().ok())
            .filter(|number| (1..=10_000).contains(number))
            .ok_or_else(|| {
                ApiError::new(
                    "InvalidArgument",
                    "Part number must be an integer between 1 and 10000, inclusive",
                )
            })?;
        let corrupts = self.corrupts;
        let is_copy = source.is_some();
        let upload = self.upload_mut(call)?;
        let (body, checksum) = match source {
            Some(source) => (source.body, None),
            None => {
                let received = call.receive()?;
                (received.body, received.checksum)
            }
        };
        if corrupts {
            return Err(bad_digest(upload.algorithm.unwrap_or(Algorithm::Crc64Nvme)));
        }
        let part = Part { etag: etag(&body), body, checksum };
        let quoted = format!("\"{}\"", part.etag);
        let checksum = part.checksum.clone();
        upload.parts.insert(number, part);
        if is_copy {
            return Ok(document(&Element::of("CopyPartResult", [Element::text("ETag", quoted)]), &[]));
        }
        let object = Object { checksum, ..Object::default() };
        let mut headers = told(&object);
        headers.retain(|(name, _)| *name != "etag" && *name != "x-amz-checksum-type");
        headers.push(("etag", quoted));
        Ok(done(200, &headers))
    }

    pub(super) fn complete_upload(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let key = call.key()?;
        let root = parsed(call)?;
        self.check_conditions(call, key)?;
        let upload = self.upload_mut(call)?;
        let mut parts = Vec::new();
        let mut before = 0;
        for named in root.children().iter().filter(|it| it.name == "Part") {
            let number: u32 = named
                .child_text("PartNumber")
                .and_then(|text| text.parse().ok())
                .ok_or_else(answers::malformed)?;
            if number <= before {
                let message =
                    "The list of parts was not in ascending order. Parts must be ordered by part number.";
                return Err(ApiError::new("InvalidPartOrder", message).into());
            }
            before = number;
            let wanted = named.child_text("ETag").unwrap_or_default().trim_matches('"');
            let part =
                upload.parts.get(&number).filter(|part| part.etag == wanted).ok_or_else(invalid_part)?;
            let sent = part.checksum.as_ref();
            if sent.is_some_and(|(algorithm, value)| {
                named.child_text(algorithm.element()).is_some_and(|said| said != value)
            }) {
                return Err(invalid_part());
            }
            parts.push(part.clone());
        }
        if parts.is_empty() {
            return Err(answers::malformed());
        }
        if parts[..parts.len() - 1].iter().any(|part| part.body.len() < LEAST_PART) {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            return Err(ApiError::new("EntityTooSmall", message).into());
        }
        let mut body = BytesMut::new();
        for part in &parts {
            body.extend_from_slice(&part.body);
        }
        let body = body.freeze();
        let checksum = upload.algorithm.and_then(|algorithm| {
            let value =
                if upload.whole_checksum { algorithm.of(&body) } else { composite(algorithm, &parts) };
            value.map(|value| (algorithm, value))
        });
        let headers = upload.headers.clone();
        let object = Object {
            etag: etag_of_parts(parts.iter().map(|part| &part.body)),
            body,
            version: self.next_version(call),
            is_delete_marker: false,
            headers,
            checksum,
            modified: call.context.now,
        };
        let mut fields = vec![
            Element::text("Bucket", call.asked.bucket.as_deref().unwrap_or_default()),
            Element::text("Key", key),
            Element::text("ETag", format!("\"{}\"", object.etag)),
        ];
        fields.extend(
            object
                .checksum
                .as_ref()
                .map(|(algorithm, value)| Element::text(algorithm.element(), value.as_str())),
        );
        let mut headers = told(&object);
        headers.retain(|(name, _)| *name != "etag" && !name.starts_with("x-amz-checksum"));
        self.keep(key, object);
        self.uploads.remove(call.field("uploadId").unwrap_or_default());
        Ok(document(&Element::of("CompleteMultipartUploadResult", fields), &headers))
    }

    pub(super) fn abort_upload(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        self.upload_mut(call)?;
        self.uploads.remove(call.field("uploadId").unwrap_or_default());
        Ok(done(204, &[]))
    }

    pub(super) fn list_parts(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let key = call.key()?;
        let upload = self.upload_mut(call)?;
        let mut inner = vec![
            Element::text("Bucket", call.asked.bucket.as_deref().unwrap_or_default()),
            Element::text("Key", key),
            Element::text("UploadId", call.field("uploadId").unwrap_or_default()),
            Element::text("IsTruncated", "false"),
        ];
        inner.extend(upload.parts.iter().map(|(number, part)| {
            let mut fields = vec![
                Element::text("PartNumber", number.to_string()),
                Element::text("ETag", format!("\"{}\"", part.etag)),
                Element::text("Size", part.body.len().to_string()),
            ];
            fields.extend(
                part.checksum
                    .as_ref()
                    .map(|(algorithm, value)| Element::text(algorithm.element(), value.as_str())),
            );
            Element::of("Part", fields)
        }));
        Ok(document(&Element::of("ListPartsResult", inner), &[]))
    }

    pub(super) fn list_uploads(&self, call: &Calling<'_>) -> http::Response<Bytes> {
        let prefix = call.field("prefix").unwrap_or_default();
        let mut inner = vec![
            Element::text("Bucket", call.asked.bucket.as_deref().unwrap_or_default()),
            Element::text("IsTruncated", "false"),
        ];
        let uploads = self.uploads.iter().filter(|(_, upload)| upload.key.starts_with(prefix));
        inner.extend(uploads.map(|(id, upload)| {
            Element::of(
                "Upload",
                [Element::text("Key", upload.key.as_str()), Element::text("UploadId", id.as_str())],
            )
        }));
        document(&Element::of("ListMultipartUploadsResult", inner), &[])
    }

    fn upload_mut(&mut self, call: &Calling<'_>) -> Result<&mut Upload, Failure> {
        let key = call.key()?;
        self.uploads
            .get_mut(call.field("uploadId").unwrap_or_default())
            .filter(|upload| upload.key == key)
            .ok_or_else(answers::no_such_upload)
    }
}

/// The checksum of the parts' checksums, and how many there are.
fn composite(algorithm: Algorithm, parts: &[Part]) -> Option<String> {
    let mut digests = Vec::new();
    for part in parts {
        digests.extend(algorithm.raw(&part.body)?);
    }
    Some(format!("{}-{}", base64(&algorithm.raw(&digests)?), parts.len()))
}

fn invalid_part() -> Failure {
    let message = "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                   specified entity tag may not match the part's entity tag.";
    ApiError::new("InvalidPart", message).into()
}
