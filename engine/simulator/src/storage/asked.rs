//! Which operation a request of S3 is, and about which bucket and object.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::api::{ApiError, Request};
use crate::protocol::query;

/// A call of S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The operation.
    pub operation: &'static str,
    /// The bucket; none for the list of buckets.
    pub bucket: Option<String>,
    /// The object.
    pub key: Option<String>,
    /// The fields of the address.
    pub query: BTreeMap<String, String>,
    /// Who is said to have the bucket.
    pub expected_bucket_owner: Option<String>,
    /// Bucket and key that are copied from.
    pub copy_source: Option<(String, String)>,
    /// Who is said to have the bucket that is copied from.
    pub expected_source_owner: Option<String>,
}

impl Asked {
    /// Reads a request whose host is known.
    ///
    /// # Errors
    /// `MethodNotAllowed` where S3 has no such operation.
    pub fn read(request: &Request, host: &str) -> Result<Self, ApiError> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let (bucket, key) = place(host, request.uri().path());
        let query = query::form(request.uri().query().unwrap_or_default());
        let copy_source = header("x-amz-copy-source").and_then(|source| {
            let source = percent_decode_str(source.trim_start_matches('/')).decode_utf8_lossy().into_owned();
            let source = source.split_once("?versionId=").map_or(source.as_str(), |(source, _)| source);
            source.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))
        });
        let method = request.method().as_str();
        let operation = if bucket.is_none() {
            (method == "GET").then_some("ListBuckets")
        } else if key.is_none() {
            bucket_operation(method, &query)
        } else {
            object_operation(method, &query, copy_source.is_some())
        };
        let operation = operation.ok_or_else(|| {
            let message = "The specified method is not allowed against this resource.";
            ApiError::new("MethodNotAllowed", message).with_status(405)
        })?;
        Ok(Self {
            operation,
            bucket,
            key,
            query,
            expected_bucket_owner: header("x-amz-expected-bucket-owner").map(str::to_owned),
            copy_source,
            expected_source_owner: header("x-amz-source-expected-bucket-owner").map(str::to_owned),
        })
    }
}

/// The bucket and the key of a host and a path: `bucket.s3.eu-west-1.amazonaws.com/key` or `host/bucket/key`.
pub(super) fn place(host: &str, path: &str) -> (Option<String>, Option<String>) {
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
    let not_empty = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    match by_host(host) {
        Some(bucket) => (Some(bucket.to_owned()), not_empty(&path)),
        None => match path.split_once('/') {
            Some((bucket, key)) => (not_empty(bucket), not_empty(key)),
            None => (not_empty(&path), None),
        },
    }
}

/// The bucket that a host names.
fn by_host(host: &str) -> Option<&str> {
    if let Some(bucket) = host.strip_suffix(".localhost") {
        return Some(bucket);
    }
    let stem = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    // The last label that is S3's own: a bucket's name may have dots and even be "s3".
    let at = stem
        .rfind(".s3.")
        .or_else(|| stem.rfind(".s3-"))
        .or_else(|| stem.strip_suffix(".s3").map(str::len))?;
    Some(&stem[..at])
}

/// An operation, where there is one.
type Operation = Option<&'static str>;

fn bucket_operation(method: &str, query: &BTreeMap<String, String>) -> Operation {
    let has = |name: &str| query.contains_key(name);
    // What stands in the address beside the bucket, and the operations of GET, PUT and DELETE on it.
    const SETTINGS: [(&str, Operation, Operation, Operation); 12] = [
        ("location", Some("GetBucketLocation"), None, None),
        (
            "encryption",
            Some("GetBucketEncryption"),
            Some("PutBucketEncryption"),
            Some("DeleteBucketEncryption"),
        ),
        ("versioning", Some("GetBucketVersioning"), Some("PutBucketVersioning"), None),
        ("policy", Some("GetBucketPolicy"), Some("PutBucketPolicy"), Some("DeleteBucketPolicy")),
        ("policyStatus", Some("GetBucketPolicyStatus"), None, None),
        (
            "publicAccessBlock",
            Some("GetPublicAccessBlock"),
            Some("PutPublicAccessBlock"),
            Some("DeletePublicAccessBlock"),
        ),
        ("tagging", Some("GetBucketTagging"), Some("PutBucketTagging"), Some("DeleteBucketTagging")),
        (
            "lifecycle",
            Some("GetBucketLifecycleConfiguration"),
            Some("PutBucketLifecycleConfiguration"),
            Some("DeleteBucketLifecycle"),
        ),
        (
            "ownershipControls",
            Some("GetBucketOwnershipControls"),
            Some("PutBucketOwnershipControls"),
            Some("DeleteBucketOwnershipControls"),
        ),
        ("object-lock", Some("GetObjectLockConfiguration"), Some("PutObjectLockConfiguration"), None),
        ("uploads", Some("ListMultipartUploads"), None, None),
        ("versions", Some("ListObjectVersions"), None, None),
    ];
    if let Some((_, get, put, delete)) = SETTINGS.into_iter().find(|(name, ..)| has(name)) {
        return match method {
            "GET" => get,
            "PUT" => put,
            "DELETE" => delete,
            _ => None,
        };
    }
    match method {
        "GET" if query.get("list-type").map(String::as_str) == Some("2") => Some("ListObjectsV2"),
        "GET" => Some("ListObjects"),
        "HEAD" => Some("HeadBucket"),
        "PUT" => Some("CreateBucket"),
        "DELETE" => Some("DeleteBucket"),
        "POST" if has("delete") => Some("DeleteObjects"),
        _ => None,
    }
}

fn object_operation(method: &str, query: &BTreeMap<String, String>, copies: bool) -> Operation {
    let has = |name: &str| query.contains_key(name);
    let upload = has("uploadId");
    match method {
        _ if has("tagging") || has("acl") || has("attributes") || has("retention") => None,
        "GET" if upload => Some("ListParts"),
        "GET" => Some("GetObject"),
        "HEAD" => Some("HeadObject"),
        "PUT" if upload && copies => Some("UploadPartCopy"),
        "PUT" if upload => Some("UploadPart"),
        "PUT" if copies => Some("CopyObject"),
        "PUT" => Some("PutObject"),
        "POST" if has("uploads") => Some("CreateMultipartUpload"),
        "POST" if upload => Some("CompleteMultipartUpload"),
        "DELETE" if upload => Some("AbortMultipartUpload"),
        "DELETE" => Some("DeleteObject"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_by_path_or_by_host() {
        let is = |host, path| {
            let (bucket, key) = place(host, path);
            format!("{}|{}", bucket.unwrap_or_default(), key.unwrap_or_default())
        };
        assert_eq!(is("127.0.0.1", "/b/a/c%20d"), "b|a/c d");
        assert_eq!(is("s3.eu-west-1.amazonaws.com", "/b/k"), "b|k");
        assert_eq!(is("b.s3.eu-west-1.amazonaws.com", "/k"), "b|k");
        assert_eq!(is("b.c.s3.dualstack.eu-west-1.amazonaws.com", "/"), "b.c|");
        assert_eq!(is("b.s3.amazonaws.com", "/k"), "b|k");
        assert_eq!(is("b.s3-us-west-2.amazonaws.com", "/k"), "b|k");
        assert_eq!(is("b.localhost", "/k"), "b|k");
        assert_eq!(is("localhost", "/"), "|");
    }
}
