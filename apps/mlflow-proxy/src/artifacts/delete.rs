//! A file, or all that is below a path, goes. In a bucket with versions that leaves markers, and the versions behind them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use ring::digest::{SHA256, digest};

use super::bucket::{Bucket, BucketError, Call, Content, Refusal, can_carry, deletion, deletion_failure};
use super::list;
use super::path::RelativePath;
use crate::body::Body;
use crate::problem::Problem;

/// What S3 wants to have with a document that deletes. Source: `DeleteObjects`, Amazon S3 API Reference.
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum-sha256");

pub(super) async fn answer(bucket: &Bucket, path: &RelativePath) -> Result<Response<Body>, Problem> {
    if path.is_root() {
        let message = "the root of the artifacts cannot be deleted";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message));
    }
    delete(bucket, path).await.map_err(|error| error.into_problem(path.as_str()))?;
    Ok(super::json("{}"))
}

async fn delete(bucket: &Bucket, path: &RelativePath) -> Result<(), BucketError> {
    let key = bucket.root().key(path);
    bucket.send(Call::new("DeleteObject", Method::DELETE, &key)).await?;
    let directory = bucket.root().directory(path);
    let mut next = None;
    loop {
        let page = list::fetch(bucket, &directory, next.as_deref(), "").await?;
        let keys = page.objects.into_iter().map(|(key, _)| key);
        let (keys, strange): (Vec<String>, Vec<String>) = keys.partition(|key| can_carry(key));
        if !keys.is_empty() {
            delete_all(bucket, &keys).await?;
        }
        for key in &strange {
            bucket.send(Call::new("DeleteObject", Method::DELETE, key)).await?;
        }
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

/// Deletes at most 1000 keys, which is what a page of a list has.
async fn delete_all(bucket: &Bucket, keys: &[String]) -> Result<(), BucketError> {
    let text = deletion(keys);
    let sum = STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let mut headers = http::HeaderMap::new();
    headers.insert(CHECKSUM, HeaderValue::from_str(&sum).expect("base64 can stand in a header"));
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    let call = Call {
        action: "DeleteObject",
        method: Method::POST,
        key: None,
        query: &[("delete", "")],
        headers,
        content: Content::Held(text.into()),
    };
    let document = bucket.document(call).await?;
    match deletion_failure(&document) {
        None => Ok(()),
        Some((code, message)) => {
            let status = if code == "AccessDenied" { StatusCode::FORBIDDEN } else { StatusCode::BAD_GATEWAY };
            Err(BucketError::Refused(Refusal::inside("DeleteObject", status, code, message)))
        }
    }
}
