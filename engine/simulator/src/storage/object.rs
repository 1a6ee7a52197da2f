//! Objects: putting, copying, getting and deleting.

use bytes::Bytes;

use super::answers::{self, Failure, document, done};
use super::body::{bad_digest, etag};
use super::bucket::parsed;
use super::{Bucket, Calling, Object};
use crate::api::{ApiError, Element};
use crate::protocol::checksum::Algorithm;
use crate::protocol::{http_date, iso_time, response};

impl Bucket {
    pub(super) fn put_object(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let key = call.key()?;
        self.check_conditions(call, key)?;
        let headers = call.kept_headers(self)?;
        let received = call.receive()?;
        if self.corrupts {
            return Err(bad_digest(
                received.checksum.map_or(Algorithm::Crc64Nvme, |(algorithm, _)| algorithm),
            ));
        }
        let object = Object {
            etag: etag(&received.body),
            body: received.body,
            version: self.next_version(call),
            is_delete_marker: false,
            headers,
            checksum: received.checksum,
            modified: call.context.now,
        };
        let told = told(&object);
        self.keep(key, object);
        Ok(done(200, &told))
    }

    pub(super) fn copy_object(
        &mut self,
        call: &Calling<'_>,
        source: Option<Object>,
    ) -> Result<http::Response<Bytes>, Failure> {
        let key = call.key()?;
        let source = source.ok_or_else(|| answers::no_such_key(key))?;
        let mut headers = call.kept_headers(self)?;
        if call.header("x-amz-metadata-directive") != Some("REPLACE") {
            let kept = source.headers.into_iter().filter(|(name, _)| !name.starts_with("x-amz-server-side"));
            headers.extend(kept);
        }
        let object = Object {
            etag: etag(&source.body),
            body: source.body,
            version: self.next_version(call),
            is_delete_marker: false,
            headers,
            checksum: source.checksum,
            modified: call.context.now,
        };
        let result = Element::of(
            "CopyObjectResult",
            [
                Element::text("LastModified", iso_time(object.modified)),
                Element::text("ETag", format!("\"{}\"", object.etag)),
            ],
        );
        let told = told(&object);
        self.keep(key, object);
        Ok(document(&result, &told))
    }

    pub(super) fn get_object(
        &self,
        call: &Calling<'_>,
        with_body: bool,
    ) -> Result<http::Response<Bytes>, Failure> {
        let key = call.key()?;
        let object = match call.field("versionId") {
            Some(version) => self.objects.get(key).and_then(|versions| {
                versions.iter().find(|it| it.version.as_deref().unwrap_or("null") == version)
            }),
            None => self.latest(key),
        };
        let object = object.filter(|it| !it.is_delete_marker).ok_or_else(|| answers::no_such_key(key))?;
        if call
            .header("if-match")
            .is_some_and(|wanted| wanted != "*" && wanted.trim_matches('"') != object.etag)
        {
            return Err(precondition_failed());
        }
        let mut headers = told(object);
        if call.header("x-amz-checksum-mode") != Some("ENABLED") || call.header("range").is_some() {
            headers.retain(|(name, _)| !name.starts_with("x-amz-checksum"));
        }
        let kept = object.headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
        headers.extend(kept.filter(|(name, _)| !name.starts_with("x-amz-server-side")));
        if !object.headers.contains_key("content-type") {
            headers.push(("content-type", "binary/octet-stream".to_owned()));
        }
        headers.push(("accept-ranges", "bytes".to_owned()));
        headers.push(("last-modified", http_date(object.modified)));
        let size = object.body.len();
        let (status, body) = match call.header("range").and_then(|range| bounds(range, size)) {
            Some((from, to)) => {
                headers.push(("content-range", format!("bytes {from}-{to}/{size}")));
                (206, object.body.slice(from..=to))
            }
            None => (200, object.body.clone()),
        };
        headers.push(("content-length", body.len().to_string()));
        Ok(response(status, &headers, if with_body { body } else { Bytes::new() }))
    }

    pub(super) fn delete_object(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let key = call.key()?;
        let marker = self.remove(call, key, call.field("versionId"));
        let mut headers = Vec::new();
        if let Some(version) = marker {
            headers.push(("x-amz-delete-marker", "true".to_owned()));
            headers.push(("x-amz-version-id", version));
        }
        Ok(done(204, &headers))
    }

    pub(super) fn delete_objects(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let root = parsed(call)?;
        let quiet = root.child_text("Quiet") == Some("true");
        let mut deleted = Vec::new();
        for object in root.children().iter().filter(|it| it.name == "Object") {
            let key = object.child_text("Key").ok_or_else(answers::malformed)?;
            self.remove(call, key, object.child_text("VersionId"));
            deleted.push(Element::of("Deleted", [Element::text("Key", key)]));
        }
        if quiet {
            deleted.clear();
        }
        Ok(document(&Element::of("DeleteResult", deleted), &[]))
    }

    /// Deletes a version, or the object; the version of the marker where one is left.
    fn remove(&mut self, call: &Calling<'_>, key: &str, version: Option<&str>) -> Option<String> {
        if let Some(version) = version {
            if let Some(versions) = self.objects.get_mut(key) {
                versions.retain(|it| it.version.as_deref().unwrap_or("null") != version);
                if versions.is_empty() {
                    self.objects.remove(key);
                }
            }
            return None;
        }
        if !self.versioned {
            self.objects.remove(key);
            return None;
        }
        let version = self.next_version(call);
        let marker = Object {
            version: version.clone(),
            is_delete_marker: true,
            modified: call.context.now,
            ..Object::default()
        };
        self.keep(key, marker);
        version
    }

    pub(super) fn check_conditions(&self, call: &Calling<'_>, key: &str) -> Result<(), Failure> {
        if call.header("if-none-match") == Some("*") && self.latest(key).is_some() {
            return Err(precondition_failed());
        }
        Ok(())
    }

    pub(super) fn next_version(&self, call: &Calling<'_>) -> Option<String> {
        self.versioned.then(|| format!("v{:012}", call.counter))
    }
}

/// The headers that tell what was put.
pub(super) fn told(object: &Object) -> Vec<(&'static str, String)> {
    let mut headers = vec![("etag", format!("\"{}\"", object.etag))];
    headers.extend(object.version.clone().map(|version| ("x-amz-version-id", version)));
    for name in ["x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"] {
        headers.extend(object.headers.get(name).map(|value| (name, value.clone())));
    }
    if let Some((algorithm, value)) = &object.checksum {
        let name = match algorithm {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
        };
        headers.push((name, value.clone()));
        // A value that ends in the number of parts is a checksum of checksums.
        let kind = if value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" };
        headers.push(("x-amz-checksum-type", kind.to_owned()));
    }
    headers
}

fn precondition_failed() -> Failure {
    let message = "At least one of the pre-conditions you specified did not hold";
    ApiError::new("PreconditionFailed", message).with_status(412).into()
}

/// The first and the last byte of a range header.
fn bounds(range: &str, size: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = size.checked_sub(1)?;
    if from.is_empty() {
        return Some((size.saturating_sub(to.parse().ok()?), last));
    }
    let from = from.parse().ok().filter(|from| *from <= last)?;
    Some((from, to.parse().unwrap_or(last).min(last)))
}
