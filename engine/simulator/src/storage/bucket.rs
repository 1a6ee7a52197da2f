//! Buckets: making, deleting, listing, and their settings.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answers::{self, Failure, document, done};
use super::{Bucket, Calling, Object, Storage};
use crate::api::{ApiError, Content, Element, Request};
use crate::cloudformation::Context;
use crate::protocol::{iso_time, response, xml};

/// What S3 leaves alone in the keys of lists with `encoding-type=url`.
const URL_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/').remove(b'*');

impl Storage {
    pub(super) fn list_buckets(&self, context: &Context) -> http::Response<Bytes> {
        let mine = self.buckets.iter().filter(|(_, bucket)| bucket.owner == context.account);
        let buckets = mine.map(|(name, bucket)| {
            let created = bucket.created.unwrap_or(context.now);
            Element::of(
                "Bucket",
                [Element::text("Name", name.as_str()), Element::text("CreationDate", iso_time(created))],
            )
        });
        let owner = Element::of("Owner", [Element::text("ID", context.account.as_str())]);
        document(&Element::of("ListAllMyBucketsResult", [owner, Element::of("Buckets", buckets)]), &[])
    }

    pub(super) fn create_bucket(
        &mut self,
        context: &Context,
        name: &str,
        request: &Request,
    ) -> Result<http::Response<Bytes>, Failure> {
        let text = String::from_utf8_lossy(request.body());
        let wanted = xml::parse(&text)
            .and_then(|root| root.child_text("LocationConstraint").map(str::to_owned))
            .filter(|region| !region.is_empty())
            .unwrap_or_else(|| "us-east-1".to_owned());
        if let Some(there) = self.buckets.get(name) {
            let mine = there.owner == context.account;
            // Making one's own bucket again is fine in this region alone, says the API reference of CreateBucket.
            if mine && wanted == "us-east-1" && there.region == "us-east-1" {
                return Ok(done(200, &[("location", format!("/{name}"))]));
            }
            let (code, message) = if mine {
                (
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                )
            } else {
                (
                    "BucketAlreadyExists",
                    "The requested bucket name is not available. The bucket namespace is shared by all users of the \
                     system. Please select a different name and try again.",
                )
            };
            return Err(ApiError::new(code, message).with_status(409).into());
        }
        if wanted != context.region {
            let message = format!(
                "The {wanted} location constraint is incompatible for the region specific endpoint this request was sent to."
            );
            return Err(ApiError::new("IllegalLocationConstraintException", message).into());
        }
        let mut bucket = Bucket::of(&context.account, &wanted);
        bucket.created = Some(context.now);
        self.buckets.insert(name.to_owned(), bucket);
        Ok(done(200, &[("location", format!("/{name}"))]))
    }

    pub(super) fn delete_bucket(&mut self, name: &str) -> Result<http::Response<Bytes>, Failure> {
        if self.buckets.get(name).is_some_and(|bucket| !bucket.objects.is_empty()) {
            let message = "The bucket you tried to delete is not empty";
            return Err(ApiError::new("BucketNotEmpty", message).with_status(409).into());
        }
        self.buckets.remove(name);
        Ok(done(204, &[]))
    }
}

impl Bucket {
    /// The operations on a bucket's settings.
    pub(super) fn settings(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let operation = call.asked.operation;
        match operation {
            "HeadBucket" => return Ok(done(200, &[("x-amz-bucket-region", self.region.clone())])),
            "GetBucketLocation" => {
                // The first region has no name here.
                let word = if self.region == "us-east-1" { "" } else { &self.region };
                return Ok(document(&Element::text("LocationConstraint", word), &[]));
            }
            "GetBucketEncryption" => return Ok(self.encryption_document()),
            "GetBucketVersioning" => {
                let status = self.versioned.then(|| Element::text("Status", "Enabled"));
                return Ok(document(&Element::of("VersioningConfiguration", status), &[]));
            }
            "PutBucketVersioning" => {
                let root = parsed(call)?;
                self.versioned = root.child_text("Status") == Some("Enabled");
                return Ok(done(200, &[]));
            }
            "PutBucketEncryption" => {
                let root = parsed(call)?;
                let rule = root.child("Rule").and_then(|it| it.child("ApplyServerSideEncryptionByDefault"));
                self.kms_key = rule.and_then(|it| it.child_text("KMSMasterKeyID")).map(str::to_owned);
                return Ok(done(200, &[]));
            }
            "GetBucketPolicy" => {
                let policy = self.policy.clone().ok_or_else(|| missing("NoSuchBucketPolicy"))?;
                return Ok(response(200, &[("content-type", "application/json".to_owned())], policy));
            }
            "PutBucketPolicy" => {
                self.policy = Some(String::from_utf8_lossy(call.request.body()).into_owned());
                return Ok(done(204, &[]));
            }
            "DeleteBucketPolicy" => {
                self.policy = None;
                return Ok(done(204, &[]));
            }
            "GetBucketPolicyStatus" => {
                return Ok(document(&Element::of("PolicyStatus", [Element::text("IsPublic", "false")]), &[]));
            }
            _ => {}
        }
        self.document_setting(call)
    }

    /// Settings that are given back as they were put.
    fn document_setting(&mut self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        const ABSENT: [(&str, &str); 5] = [
            ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
            ("tagging", "NoSuchTagSet"),
            ("lifecycle", "NoSuchLifecycleConfiguration"),
            ("ownershipControls", "OwnershipControlsNotFoundError"),
            ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ];
        let (name, code) =
            ABSENT.into_iter().find(|(name, _)| call.asked.query.contains_key(*name)).ok_or_else(|| {
                ApiError::new("NotImplemented", "the simulator has no such setting").with_status(501)
            })?;
        match call.request.method().as_str() {
            "PUT" => {
                // What comes in chunks for its checksum is kept without them.
                let body = call.receive()?.body;
                self.documents.insert(name.to_owned(), body);
                Ok(done(200, &[]))
            }
            "DELETE" => {
                self.documents.remove(name);
                Ok(done(204, &[]))
            }
            _ => {
                let body = self.documents.get(name).cloned().ok_or_else(|| missing(code))?;
                Ok(response(200, &[("content-type", "application/xml".to_owned())], body))
            }
        }
    }

    fn encryption_document(&self) -> http::Response<Bytes> {
        let mut default =
            vec![Element::text("SSEAlgorithm", if self.kms_key.is_some() { "aws:kms" } else { "AES256" })];
        default.extend(self.kms_key.as_ref().map(|key| Element::text("KMSMasterKeyID", key.as_str())));
        let rule = Element::of("Rule", [Element::of("ApplyServerSideEncryptionByDefault", default)]);
        document(&Element::of("ServerSideEncryptionConfiguration", [rule]), &[])
    }

    pub(super) fn list_objects(&self, call: &Calling<'_>) -> Result<http::Response<Bytes>, Failure> {
        let prefix = call.field("prefix").unwrap_or_default();
        let delimiter = call.field("delimiter").filter(|it| !it.is_empty());
        let most: usize = match call.field("max-keys").map(str::parse) {
            None => 1000,
            Some(Ok(most)) => 1000.min(most),
            Some(Err(_)) => {
                return Err(ApiError::new("InvalidArgument", "Provided max-keys not an integer").into());
            }
        };
        let second = call.asked.operation == "ListObjectsV2";
        let after = if second {
            call.field("continuation-token").or_else(|| call.field("start-after"))
        } else {
            call.field("marker")
        };
        let shown = |key: &str| {
            if call.field("encoding-type") == Some("url") {
                utf8_percent_encode(key, URL_KEY).to_string()
            } else {
                key.to_owned()
            }
        };
        let mut items = Vec::new();
        let mut last = None;
        let mut is_cut = false;
        let mut group: Option<String> = None;
        for key in self.objects.keys().filter(|key| key.starts_with(prefix)) {
            if after.is_some_and(|after| {
                key.as_str() <= after
                    || (after.ends_with('/') && key.starts_with(after) && delimiter.is_some())
            }) {
                continue;
            }
            let Some(object) = self.latest(key) else { continue };
            let common = delimiter.and_then(|delimiter| {
                key[prefix.len()..]
                    .find(delimiter)
                    .map(|at| key[..prefix.len() + at + delimiter.len()].to_owned())
            });
            if common.is_some() && common == group {
                continue;
            }
            if items.len() == most {
                is_cut = true;
                break;
            }
            last = Some(common.clone().unwrap_or_else(|| key.clone()));
            items.push(match &common {
                Some(common) => Element::of("CommonPrefixes", [Element::text("Prefix", shown(common))]),
                None => contents(&shown(key), object),
            });
            group = common;
        }
        let mut inner = vec![
            Element::text("Name", call.asked.bucket.as_deref().unwrap_or_default()),
            Element::text("Prefix", shown(prefix)),
            Element::text("MaxKeys", most.to_string()),
            Element::text("IsTruncated", is_cut.to_string()),
        ];
        inner.extend(call.field("encoding-type").map(|kind| Element::text("EncodingType", kind)));
        inner.extend(delimiter.map(|delimiter| Element::text("Delimiter", delimiter)));
        if second {
            inner.push(Element::text("KeyCount", items.len().to_string()));
        }
        if is_cut {
            let name = if second { "NextContinuationToken" } else { "NextMarker" };
            inner.extend(last.map(|key| Element::text(name, key)));
        }
        inner.extend(items);
        Ok(document(&Element::of("ListBucketResult", inner), &[]))
    }

    pub(super) fn list_versions(&self, call: &Calling<'_>) -> http::Response<Bytes> {
        let prefix = call.field("prefix").unwrap_or_default();
        let mut inner = vec![
            Element::text("Name", call.asked.bucket.as_deref().unwrap_or_default()),
            Element::text("Prefix", prefix),
            Element::text("IsTruncated", "false"),
        ];
        for (key, versions) in self.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
            for (index, object) in versions.iter().enumerate().rev() {
                let mut entry = contents(key, object);
                entry.name = if object.is_delete_marker { "DeleteMarker" } else { "Version" }.to_owned();
                if let Content::Elements(fields) = &mut entry.content {
                    let version = object.version.as_deref().unwrap_or("null");
                    fields.push(Element::text("VersionId", version));
                    fields.push(Element::text("IsLatest", (index + 1 == versions.len()).to_string()));
                }
                inner.push(entry);
            }
        }
        document(&Element::of("ListVersionsResult", inner), &[])
    }
}

fn contents(key: &str, object: &Object) -> Element {
    let mut fields = vec![
        Element::text("Key", key),
        Element::text("LastModified", iso_time(object.modified)),
        Element::text("ETag", format!("\"{}\"", object.etag)),
        Element::text("Size", object.body.len().to_string()),
        Element::text("StorageClass", "STANDARD"),
    ];
    fields.extend(
        object
            .checksum
            .as_ref()
            .map(|(algorithm, _)| Element::text("ChecksumAlgorithm", algorithm.word().to_uppercase())),
    );
    Element::of("Contents", fields)
}

fn missing(code: &str) -> Failure {
    ApiError::new(code, "The configuration does not exist").with_status(404).into()
}

pub(super) fn parsed(call: &Calling<'_>) -> Result<Element, Failure> {
    let body = call.receive()?.body;
    xml::parse(&String::from_utf8_lossy(&body)).ok_or_else(answers::malformed)
}
