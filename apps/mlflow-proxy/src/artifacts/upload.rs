//! Files into the bucket, streamed, so that memory does not grow with them and no half file ever shows.
//!
//! Over TLS, with a length: one object up to 64 MiB, and a multipart upload above, each part straight from the client.
//! Without TLS the bytes have to be hashed before they are sent, and without a length they have to be counted: then
//! parts wait on disk, one an upload. What fails is aborted, whether or not the client is still there.

mod multipart;

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Body as _;

use super::bucket::{Bucket, BucketError, Call, Content};
use super::media;
use super::part::{Part, PartError, Source};
use super::path::RelativePath;
use crate::body::{self, Body};
use crate::held::Disk;
use crate::problem::Problem;
use crate::share::Share;
use multipart::Multipart;

const MIB: u64 = 1024 * 1024;

/// The largest body that is sent as one, in bytes.
const SINGLE: u64 = 64 * MIB;

/// The smallest part, in bytes.
const PART: u64 = 16 * MIB;

/// The most parts of an object. Source: "Amazon S3 multipart upload limits".
const PARTS: u64 = 10_000;

/// The largest object, in bytes. Source: the same.
const LARGEST: u64 = 5 * 1024 * 1024 * MIB;

/// After so many parts of unknown number the next are twice as large.
const STEP: u64 = 700;

/// How often they grow: up to a gibibyte, of which each upload may hold one on disk.
const STEPS: u64 = 6;

/// Why an upload came to nothing.
#[derive(Debug)]
enum UploadError {
    Bucket(BucketError),
    Part(PartError),
}

pub(super) async fn answer(
    bucket: &Arc<Bucket>,
    disk: &Disk,
    path: &RelativePath,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let (head, body) = request.into_parts();
    let told = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let length = told.or_else(|| body.size_hint().exact());
    if length.is_some_and(|length| length > LARGEST) {
        return Err(too_large(path));
    }
    let upload = Upload {
        bucket,
        disk,
        share: Share::find(&head.extensions),
        key: bucket.root().key(path),
        headers: describe(&head.headers, path),
        source: Source::new(body),
    };
    let result = match length {
        Some(length) if bucket.is_over_tls() => upload.straight(length).await,
        length => upload.waiting(length).await,
    };
    match result {
        Ok(()) => Ok(super::json("{}")),
        Err(UploadError::Bucket(error)) => Err(error.into_problem(path.as_str())),
        Err(UploadError::Part(PartError::Body(error))) => {
            tracing::debug!(error, "an upload broke off");
            Err(body::problem(&error))
        }
        Err(UploadError::Part(PartError::Bounds(problem))) => Err(*problem),
        Err(UploadError::Part(PartError::Disk(error))) => {
            tracing::error!(%error, "a part of an upload could not be kept");
            let message = format!("the proxy has no room for a part of `{path}`");
            Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, "TEMPORARILY_UNAVAILABLE", message)
                .hint("whoever runs the proxy makes room in MLFLOW_PROXY_SPOOL_DIRECTORY"))
        }
    }
}

fn too_large(path: &RelativePath) -> Problem {
    let message = format!("the artifact `{path}` is larger than the 5 TiB that S3 takes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "INVALID_PARAMETER_VALUE", message)
}

/// The headers that the object keeps: its type, as the client tells it or by its name.
fn describe(given: &HeaderMap, path: &RelativePath) -> HeaderMap {
    let kind = given.get(CONTENT_TYPE).filter(|kind| kind.to_str().is_ok_and(|kind| kind.contains('/')));
    let kind = kind.cloned().unwrap_or_else(|| HeaderValue::from_static(media::guess(path.name())));
    HeaderMap::from_iter([(CONTENT_TYPE, kind)])
}

/// A file on its way.
struct Upload<'a> {
    bucket: &'a Arc<Bucket>,
    disk: &'a Disk,
    share: Share,
    key: String,
    headers: HeaderMap,
    source: Source,
}

impl Upload<'_> {
    /// Sends bytes on as they come.
    async fn straight(mut self, length: u64) -> Result<(), UploadError> {
        // A body that comes once cannot follow the bucket to another region.
        self.bucket.settle().await;
        if length <= SINGLE {
            let content = match length {
                0 => Content::Held(bytes::Bytes::new()),
                _ => Content::Stream(self.source.into_body(), length),
            };
            return put(self.bucket, &self.key, self.headers, content).await;
        }
        let mut multipart = Multipart::begin(self.bucket, &self.key, self.headers).await?;
        let mut left = length;
        let size = part_size(length);
        while left > 0 {
            let taken = left.min(size);
            multipart.stream(&mut self.source, taken).await?;
            left -= taken;
        }
        multipart.complete().await
    }

    /// Keeps each part until it is hashed and counted. It can be sent again, too.
    async fn waiting(mut self, length: Option<u64>) -> Result<(), UploadError> {
        let size = length.map_or(PART, part_size);
        let first =
            Part::take(&mut self.source, size, self.disk, &self.share).await.map_err(UploadError::Part)?;
        if self.at_end().await? {
            let content = Content::Repeatable(first.maker(), first.length, first.hash);
            return put(self.bucket, &self.key, self.headers, content).await;
        }
        let mut multipart =
            Multipart::begin(self.bucket, &self.key, std::mem::take(&mut self.headers)).await?;
        multipart.send(first).await?;
        while !self.at_end().await? {
            let size = if length.is_some() { size } else { growing(multipart.parts()) };
            let part = Part::take(&mut self.source, size, self.disk, &self.share)
                .await
                .map_err(UploadError::Part)?;
            multipart.send(part).await?;
        }
        multipart.complete().await
    }

    async fn at_end(&mut self) -> Result<bool, UploadError> {
        self.source.is_at_end().await.map_err(|error| UploadError::Part(PartError::Body(error)))
    }
}

async fn put(bucket: &Bucket, key: &str, headers: HeaderMap, content: Content) -> Result<(), UploadError> {
    let mut call = Call::new("PutObject", Method::PUT, key);
    (call.headers, call.content) = (headers, content);
    bucket.send(call).await.map(|_| ()).map_err(UploadError::Bucket)
}

/// The size of a part, such that there are never too many: whole mebibytes.
fn part_size(length: u64) -> u64 {
    length.div_ceil(PARTS).div_ceil(MIB).saturating_mul(MIB).max(PART)
}

/// The size of a part of an upload of unknown length, after so many parts.
fn growing(parts: usize) -> u64 {
    PART << (parts as u64 / STEP).min(STEPS)
}

impl From<BucketError> for UploadError {
    fn from(error: BucketError) -> Self {
        Self::Bucket(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_are_enough() {
        assert_eq!(part_size(SINGLE + 1), PART);
        assert_eq!(part_size(200 * MIB), PART);
        for length in [PARTS * PART, PARTS * PART + 1, LARGEST - 1, LARGEST] {
            let size = part_size(length);
            assert!(length.div_ceil(size) <= PARTS, "{length}");
            assert!(size <= 5 * 1024 * MIB, "S3 takes no larger parts");
        }
        let all: u64 = (0..10_000).map(growing).sum();
        assert!(all >= LARGEST, "{all}");
        assert_eq!((growing(0), growing(9_999)), (PART, 1024 * MIB));
    }
}
