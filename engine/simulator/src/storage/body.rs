//! The body of an upload: out of its chunks, and compared with every checksum that came with it.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::Calling;
use super::answers::Failure;
use crate::api::ApiError;
use crate::protocol::checksum::Algorithm;
use crate::protocol::chunked;
use crate::protocol::encoding::{base64, hex};

/// A body that arrived whole, and the checksum that it was sent with.
pub(super) struct Received {
    pub(super) body: Bytes,
    pub(super) checksum: Option<(Algorithm, String)>,
}

/// Headers that are kept with an object.
const KEPT: [&str; 5] =
    ["cache-control", "content-disposition", "content-language", "content-type", "expires"];

impl Calling<'_> {
    /// The body of the request.
    pub(super) fn receive(&self) -> Result<Received, Failure> {
        let declared = self.header("x-amz-content-sha256").unwrap_or_default();
        let encoding = self.header("content-encoding").unwrap_or_default();
        let mut trailers = Vec::new();
        let mut body = self.request.body().clone();
        if declared.starts_with("STREAMING-") || encoding.split(',').any(|it| it.trim() == "aws-chunked") {
            let decoded = chunked::decode(&body).ok_or_else(incomplete)?;
            let length =
                self.header("x-amz-decoded-content-length").and_then(|text| text.parse::<usize>().ok());
            if length.is_some_and(|length| length != decoded.body.len()) {
                return Err(incomplete());
            }
            (body, trailers) = (decoded.body, decoded.trailers);
        } else if declared.len() == 64 && declared != hex(&Sha256::digest(&body)) {
            let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            return Err(ApiError::new("XAmzContentSHA256Mismatch", message).into());
        }
        if self.header("content-md5").is_some_and(|sent| sent != base64(&Md5::digest(&body))) {
            let message = "The Content-MD5 you specified did not match what we received.";
            return Err(ApiError::new("BadDigest", message).into());
        }
        let mut checksum = None;
        for algorithm in Algorithm::ALL {
            let header = algorithm.header();
            let trailer = trailers.iter().find(|(name, _)| *name == header).map(|(_, value)| value.as_str());
            let Some(sent) = self.header(&header).or(trailer) else { continue };
            if algorithm.of(&body).is_some_and(|computed| computed != sent) {
                return Err(bad_digest(algorithm));
            }
            checksum = Some((algorithm, sent.to_owned()));
        }
        Ok(Received { body, checksum })
    }

    /// The headers to keep with an object, with the bucket's encryption where the request has none.
    pub(super) fn kept_headers(&self, bucket: &super::Bucket) -> Result<BTreeMap<String, String>, Failure> {
        let mut kept = BTreeMap::new();
        for (name, value) in self.request.headers() {
            let name = name.as_str();
            if (KEPT.contains(&name) || name.starts_with("x-amz-meta-"))
                && let Ok(value) = value.to_str()
            {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
        let encoding: Vec<&str> = self
            .header("content-encoding")
            .into_iter()
            .flat_map(|text| text.split(',').map(str::trim))
            .filter(|it| *it != "aws-chunked")
            .collect();
        if !encoding.is_empty() {
            kept.insert("content-encoding".to_owned(), encoding.join(","));
        }
        kept.extend(self.encryption(bucket)?);
        Ok(kept)
    }

    fn encryption(&self, bucket: &super::Bucket) -> Result<BTreeMap<String, String>, Failure> {
        let asked = self.header("x-amz-server-side-encryption");
        if asked.is_none() && bucket.requires_encryption {
            return Err(ApiError::new(
                "AccessDenied",
                format!(
                    "User: {} is not authorized to perform: s3:PutObject with an explicit deny in a resource-based policy",
                    self.context.caller
                ),
            )
            .with_status(403)
            .into());
        }
        let kind = asked.unwrap_or(if bucket.kms_key.is_some() { "aws:kms" } else { "AES256" });
        let mut headers = BTreeMap::from([("x-amz-server-side-encryption".to_owned(), kind.to_owned())]);
        if kind.starts_with("aws:kms") {
            if bucket.kms_denied {
                let message = format!(
                    "User: {} is not authorized to perform: kms:GenerateDataKey on this resource because no \
                     resource-based policy allows the kms:GenerateDataKey action",
                    self.context.caller
                );
                return Err(ApiError::new("AccessDenied", message).with_status(403).into());
            }
            let key =
                self.header("x-amz-server-side-encryption-aws-kms-key-id").or(bucket.kms_key.as_deref());
            headers.extend(
                key.map(|key| ("x-amz-server-side-encryption-aws-kms-key-id".to_owned(), key.to_owned())),
            );
        }
        Ok(headers)
    }
}

/// The entity tag of an object that was put in one piece.
pub(super) fn etag(body: &[u8]) -> String {
    hex(&Md5::digest(body))
}

/// The entity tag of an object that was put in parts.
pub(super) fn etag_of_parts<'b>(parts: impl Iterator<Item = &'b Bytes>) -> String {
    let mut digests = Vec::new();
    let mut count = 0;
    for part in parts {
        digests.extend_from_slice(&Md5::digest(part));
        count += 1;
    }
    format!("{}-{count}", hex(&Md5::digest(&digests)))
}

pub(super) fn bad_digest(algorithm: Algorithm) -> Failure {
    let word = algorithm.word().to_uppercase();
    ApiError::new("BadDigest", format!("The {word} you specified did not match the calculated checksum."))
        .into()
}

fn incomplete() -> Failure {
    ApiError::new(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
    .into()
}
