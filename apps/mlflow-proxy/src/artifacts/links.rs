//! Links to objects, for clients that reach S3 by themselves: large files then do not pass through the proxy.
//!
//! They are off unless an operator turns them on: a link can be used by whoever has it, until it ends, and a client behind
//! a proxy is not promised a way to S3. Turned off, the answers make MLflow's clients go through the proxy.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::bucket::{Bucket, BucketError, Call, Content, Linker, parts_document, refused_inside, text_of};
use super::media;
use super::path::RelativePath;
use crate::body::{Body, BodyError};
use crate::held;
use crate::problem::Problem;
use crate::share::Share;

/// How long a link is good at most. It ends earlier when the credentials do that signed it.
const GOOD: Duration = Duration::from_secs(3600);

/// The most bytes of a request: ten thousand parts, each with the link that it was sent by.
const REQUEST_LIMIT: usize = 32 * 1024 * 1024;

/// The most parts of an object. Source: "Amazon S3 multipart upload limits".
const PARTS: u32 = 10_000;

/// How many links are written into one piece of an answer.
const PIECE: u32 = 50;

/// Source: `CreateMultipartUpload` of MLflow's `mlflow_artifacts.proto`.
#[derive(Deserialize)]
struct Create {
    path: String,
    num_parts: u32,
}

/// Source: `CompleteMultipartUpload` and `AbortMultipartUpload` of the same.
#[derive(Deserialize)]
struct Under {
    path: String,
    upload_id: String,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    part_number: u32,
    etag: String,
}

/// Begins an upload in parts to a file in `directory` and gives a link for each part.
pub(super) async fn create(
    bucket: &Arc<Bucket>,
    directory: &RelativePath,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let asked: Create = read(request).await?;
    if !(1..=PARTS).contains(&asked.num_parts) {
        let message = format!("num_parts is {}, which is not a number from 1 to {PARTS}", asked.num_parts);
        return Err(wrong(message));
    }
    let path = file(directory, &asked.path)?;
    let problem = |error: BucketError| error.into_problem(path.as_str());
    let key = bucket.root().key(&path);
    let mut call = Call::new("PutObject", Method::POST, &key);
    call.query = &[("uploads", "")];
    call.headers =
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media::guess(path.name())))]);
    let document = bucket.document(call).await.map_err(problem)?;
    let id = text_of(&document, "UploadId").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| problem(BucketError::Garbage { why: "a new upload has no id".to_owned() }))?;
    let linker = bucket.linker().await.map_err(problem)?;
    Ok(credentials(linker, key, id, asked.num_parts))
}

/// The answer with the links. It is written as it is read: ten thousand links are megabytes.
fn credentials(linker: Linker, key: String, id: String, parts: u32) -> Response<Body> {
    let good = linker.good_for(GOOD, SystemTime::now());
    let pieces = (0..parts.div_ceil(PIECE)).map(move |piece| {
        let mut text = String::new();
        if piece == 0 {
            let id = serde_json::Value::from(id.as_str());
            write!(text, "{{\"upload_id\":{id},\"credentials\":[")
                .expect("a string can always be written to");
        }
        let last = ((piece + 1) * PIECE).min(parts);
        for number in piece * PIECE + 1..=last {
            let text_of_number = number.to_string();
            let query = [("partNumber", text_of_number.as_str()), ("uploadId", id.as_str())];
            let link = linker.link(&Method::PUT, &key, &query, good).to_string();
            let entry = json!({"url": link, "part_number": number, "headers": {}});
            write!(text, "{}{entry}", if number == 1 { "" } else { "," })
                .expect("a string can always be written to");
        }
        if last == parts {
            text.push_str("]}");
        }
        Ok::<_, BodyError>(Frame::data(Bytes::from(text)))
    });
    let mut response = super::json(Bytes::new());
    *response.body_mut() = BodyExt::boxed_unsync(StreamBody::new(stream::iter(pieces)));
    response
}

/// Makes the object of its parts.
pub(super) async fn complete(
    bucket: &Bucket,
    directory: &RelativePath,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let asked: Under = read(request).await?;
    let path = file(directory, &asked.path)?;
    if asked.parts.is_empty() || asked.parts.iter().any(|part| !(1..=PARTS).contains(&part.part_number)) {
        return Err(wrong("the parts are none, or not numbered from 1 to 10000".to_owned()));
    }
    let parts: Vec<_> = asked.parts.into_iter().map(|part| (part.part_number, part.etag)).collect();
    let key = bucket.root().key(&path);
    let query = [("uploadId", asked.upload_id.as_str())];
    let mut call = Call::new("PutObject", Method::POST, &key);
    (call.query, call.content) = (&query, Content::Held(parts_document(&parts).into()));
    let document = bucket.document(call).await.map_err(|error| error.into_problem(path.as_str()))?;
    match refused_inside("PutObject", &document) {
        Some(refusal) => Err(BucketError::Refused(refusal).into_problem(path.as_str())),
        None => Ok(super::json("{}")),
    }
}

/// Gives an upload up.
pub(super) async fn abort(
    bucket: &Bucket,
    directory: &RelativePath,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let asked: Under = read(request).await?;
    let path = file(directory, &asked.path)?;
    let key = bucket.root().key(&path);
    let query = [("uploadId", asked.upload_id.as_str())];
    let mut call = Call::new("AbortMultipartUpload", Method::DELETE, &key);
    call.query = &query;
    bucket.send(call).await.map_err(|error| error.into_problem(path.as_str()))?;
    Ok(super::json("{}"))
}

/// A link to download a file, with its size.
pub(super) async fn download(bucket: &Bucket, path: &RelativePath) -> Result<Response<Body>, Problem> {
    let problem = |error: BucketError| error.into_problem(path.as_str());
    let key = bucket.root().key(path);
    // A link to nothing would fail where nobody explains it.
    let head = bucket.send(Call::new("GetObject", Method::HEAD, &key)).await.map_err(problem)?;
    let size = head.headers().get(CONTENT_LENGTH).and_then(|size| size.to_str().ok()?.parse::<u64>().ok());
    let linker = bucket.linker().await.map_err(problem)?;
    let good = linker.good_for(GOOD, SystemTime::now());
    let link = linker.link(&Method::GET, &key, &[("response-content-disposition", "attachment")], good);
    let mut body = json!({"url": link.to_string(), "headers": {}});
    if let Some(size) = size {
        body["file_size"] = size.into();
    }
    Ok(super::json(body.to_string()))
}

/// The file that a client means: the name of its own file, in the directory.
fn file(directory: &RelativePath, local: &str) -> Result<RelativePath, Problem> {
    let name = local.rsplit(['/', '\\']).next().unwrap_or_default();
    if name.is_empty() {
        return Err(wrong(format!("the path `{directory}` has no file: `path` ends without a name")));
    }
    Ok(directory.join(name)?)
}

async fn read<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Problem> {
    let (mut parts, body) = request.into_parts();
    let text = held::collect(body, REQUEST_LIMIT, Share::take(&mut parts.extensions).count()).await?;
    serde_json::from_slice(&text).map_err(|error| wrong(format!("the request cannot be read: {error}")))
}

fn wrong(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)
}
