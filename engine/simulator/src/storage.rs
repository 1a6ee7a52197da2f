//! S3: buckets and objects over REST, addressed by path or by host.
//!
//! Buckets have one namespace over all accounts and regions, as the real ones do, so that one can be somebody else's, be
//! elsewhere, or be gone. Every call goes through the same checks in the same order before its operation sees it.

mod answers;
mod asked;
mod body;
mod bucket;
mod multipart;
mod object;
mod stacks;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

pub use answers::{Failure, failure};
pub use asked::Asked;

use crate::api::{ApiError, Request};
use crate::cloudformation::Context;
use crate::faults::BucketSetting;
use crate::protocol::checksum::Algorithm;

/// The buckets of all accounts.
#[derive(Clone, Debug)]
pub struct Storage {
    account: String,
    region: String,
    buckets: BTreeMap<String, Bucket>,
    counter: u64,
}

/// A bucket.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// The account that has it.
    pub owner: String,
    /// The region that it is in.
    pub region: String,
    /// Whether it keeps versions.
    pub versioned: bool,
    /// The key that objects are encrypted with; S3's own when there is none.
    pub kms_key: Option<String>,
    /// The policy, as it was put.
    pub policy: Option<String>,
    /// Documents of other settings by the name of their subresource, as they were put.
    pub documents: BTreeMap<String, Bytes>,
    /// Objects by key, the latest version last.
    pub objects: BTreeMap<String, Vec<Object>>,
    uploads: BTreeMap<String, Upload>,
    open_to_all: bool,
    denied: bool,
    kms_denied: bool,
    requires_encryption: bool,
    corrupts: bool,
    created: Option<Timestamp>,
}

/// One version of an object.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// What it holds.
    pub body: Bytes,
    /// The entity tag, without quotation marks.
    pub etag: String,
    /// The version, in buckets that keep them.
    pub version: Option<String>,
    /// Whether this version says that the object is deleted.
    pub is_delete_marker: bool,
    /// Headers to give back: content type, metadata, encryption.
    pub headers: BTreeMap<String, String>,
    /// The checksum that it was sent with.
    pub checksum: Option<(Algorithm, String)>,
    /// When it was put.
    pub modified: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Upload {
    key: String,
    headers: BTreeMap<String, String>,
    algorithm: Option<Algorithm>,
    whole_checksum: bool,
    parts: BTreeMap<u32, Part>,
}

#[derive(Clone, Debug)]
struct Part {
    body: Bytes,
    etag: String,
    checksum: Option<(Algorithm, String)>,
}

impl Storage {
    /// No bucket yet; the account and region are those of [`Storage::set`].
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), buckets: BTreeMap::new(), counter: 0 }
    }

    /// A bucket.
    pub fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.get(name)
    }

    /// The names of all buckets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.buckets.keys().map(String::as_str)
    }

    /// Makes a bucket of the simulator's own account and region if it is not there, and sets something about it.
    pub fn set(&mut self, name: &str, setting: &BucketSetting) {
        let (account, region) = (self.account.clone(), self.region.clone());
        let bucket = self.buckets.entry(name.to_owned()).or_insert_with(|| Bucket::of(&account, &region));
        match setting {
            BucketSetting::Exists => {}
            BucketSetting::Owner(account) => {
                bucket.owner.clone_from(account);
                bucket.open_to_all = true;
            }
            BucketSetting::Region(region) => bucket.region.clone_from(region),
            BucketSetting::Denied => bucket.denied = true,
            BucketSetting::KmsKey(key) => bucket.kms_key = Some(key.clone()),
            BucketSetting::KmsDenied => bucket.kms_denied = true,
            BucketSetting::RequiresEncryption => bucket.requires_encryption = true,
            BucketSetting::Versioned => bucket.versioned = true,
            BucketSetting::Corrupts => bucket.corrupts = true,
        }
    }

    /// Puts an object as if somebody had done so before, or behind the client's back.
    pub fn put(&mut self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        let (account, region) = (self.account.clone(), self.region.clone());
        let bucket = self.buckets.entry(bucket.to_owned()).or_insert_with(|| Bucket::of(&account, &region));
        let body = body.into();
        let object = Object { etag: body::etag(&body), body, ..Object::default() };
        bucket.keep(key, object);
    }

    /// Answers a call.
    ///
    /// # Errors
    /// What S3 refuses.
    pub fn call(
        &mut self,
        context: &Context,
        asked: &Asked,
        request: &Request,
    ) -> Result<http::Response<Bytes>, Failure> {
        self.counter += 1;
        let Some(name) = &asked.bucket else { return Ok(self.list_buckets(context)) };
        if asked.operation == "CreateBucket" {
            return self.create_bucket(context, name, request);
        }
        self.admit(context, asked, name)?;
        // The source may be another bucket than the one that is written to.
        let source = self.copy_source(context, asked)?;
        let counter = self.counter;
        if asked.operation == "DeleteBucket" {
            return self.delete_bucket(name);
        }
        let bucket = self.buckets.get_mut(name).ok_or_else(|| answers::no_such_bucket(name))?;
        bucket.call(context, asked, request, source, counter)
    }

    /// The checks that come before every operation.
    fn admit(&self, context: &Context, asked: &Asked, name: &str) -> Result<(), Failure> {
        let bucket = self.buckets.get(name).ok_or_else(|| answers::no_such_bucket(name))?;
        if bucket.region != context.region && asked.operation != "GetBucketLocation" {
            return Err(answers::elsewhere(name, &bucket.region));
        }
        let is_expected = asked.expected_bucket_owner.as_ref().is_none_or(|owner| *owner == bucket.owner);
        let may = bucket.owner == context.account || bucket.open_to_all || bucket.policy.is_some();
        if !is_expected || !may || bucket.denied {
            return Err(answers::access_denied().into());
        }
        Ok(())
    }

    fn copy_source(&self, context: &Context, asked: &Asked) -> Result<Option<Object>, Failure> {
        let Some((name, key)) = &asked.copy_source else { return Ok(None) };
        let source = Asked { expected_bucket_owner: asked.expected_source_owner.clone(), ..asked.clone() };
        self.admit(context, &source, name)?;
        let object = self.buckets.get(name).and_then(|bucket| bucket.latest(key));
        object.cloned().map(Some).ok_or_else(|| answers::no_such_key(key).into())
    }
}

impl Bucket {
    fn of(owner: &str, region: &str) -> Self {
        Self { owner: owner.to_owned(), region: region.to_owned(), ..Self::default() }
    }

    /// The object that a reader sees.
    pub fn latest(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)?.last().filter(|object| !object.is_delete_marker)
    }

    /// Keeps an object as the latest version.
    fn keep(&mut self, key: &str, object: Object) {
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !self.versioned {
            versions.clear();
        }
        versions.push(object);
    }

    fn call(
        &mut self,
        context: &Context,
        asked: &Asked,
        request: &Request,
        source: Option<Object>,
        counter: u64,
    ) -> Result<http::Response<Bytes>, Failure> {
        let call = Calling { context, asked, request, counter };
        match asked.operation {
            "PutObject" => self.put_object(&call),
            "CopyObject" => self.copy_object(&call, source),
            "GetObject" => self.get_object(&call, true),
            "HeadObject" => self.get_object(&call, false),
            "DeleteObject" => self.delete_object(&call),
            "DeleteObjects" => self.delete_objects(&call),
            "CreateMultipartUpload" => self.create_upload(&call),
            "UploadPart" | "UploadPartCopy" => self.upload_part(&call, source),
            "CompleteMultipartUpload" => self.complete_upload(&call),
            "AbortMultipartUpload" => self.abort_upload(&call),
            "ListParts" => self.list_parts(&call),
            "ListMultipartUploads" => Ok(self.list_uploads(&call)),
            "ListObjectsV2" | "ListObjects" => self.list_objects(&call),
            "ListObjectVersions" => Ok(self.list_versions(&call)),
            _ => self.settings(&call),
        }
    }
}

/// A call on a bucket that may be made.
struct Calling<'c> {
    context: &'c Context,
    asked: &'c Asked,
    request: &'c Request,
    counter: u64,
}

impl<'c> Calling<'c> {
    fn header(&self, name: &str) -> Option<&'c str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    fn field(&self, name: &str) -> Option<&'c str> {
        self.asked.query.get(name).map(String::as_str)
    }

    fn key(&self) -> Result<&'c str, Failure> {
        self.asked
            .key
            .as_deref()
            .ok_or_else(|| ApiError::new("InvalidRequest", "the request names no object").into())
    }
}
