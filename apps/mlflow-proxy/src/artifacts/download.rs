//! Files out of the bucket, streamed, as a whole or in ranges.

use std::time::Duration;

use futures_util::stream;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::bucket::{Bucket, Call};
use super::media;
use super::path::RelativePath;
use crate::body::{Body, BodyError, empty};
use crate::problem::Problem;

/// How long S3 may send nothing in the middle of a file.
const SILENCE: Duration = Duration::from_secs(120);

/// The conditions that S3 understands.
const CONDITIONS: [HeaderName; 4] = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

/// What of S3's answer is the client's business. The encoding is not: `data.csv.gz` is to arrive as it was stored, and
/// clients unpack what they are told is packed.
const TOLD: [HeaderName; 5] = [ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED];

pub(super) async fn answer(
    bucket: &Bucket,
    path: &RelativePath,
    method: &Method,
    given: &HeaderMap,
) -> Result<Response<Body>, Problem> {
    let key = bucket.root().key(path);
    let only_head = method == Method::HEAD;
    let method = if only_head { Method::HEAD } else { Method::GET };
    let mut call = Call::new("GetObject", method, &key);
    call.headers = asked(given);
    let answer = bucket.send(call).await.map_err(|error| error.into_problem(path.as_str()))?;

    let (head, body) = answer.into_parts();
    let mut response = Response::new(empty());
    *response.status_mut() = head.status;
    if head.status == StatusCode::PRECONDITION_FAILED {
        let message = format!("the artifact `{path}` is not the one that the request is about");
        return Err(Problem::new(head.status, "INVALID_PARAMETER_VALUE", message));
    }
    let headers = response.headers_mut();
    for name in TOLD {
        // With HTTP/1.1 a message without a body still may tell the length of what it stands for.
        if head.status == StatusCode::NOT_MODIFIED && name == CONTENT_LENGTH {
            continue;
        }
        if let Some(value) = head.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    media::describe(headers, path.name());
    if !only_head && head.status != StatusCode::NOT_MODIFIED {
        *response.body_mut() = passing(body);
    }
    Ok(response)
}

/// The file as it comes. What breaks off or falls silent breaks off for the client too.
fn passing(body: Incoming) -> Body {
    let frames = stream::try_unfold(body, |mut body| async move {
        let error = match timeout(SILENCE, body.frame()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => return Ok(Some((frame, body))),
            Ok(Some(Err(error))) => BodyError::from(error),
            Err(_) => BodyError::from(format!("no byte came for {} s", SILENCE.as_secs())),
        };
        tracing::warn!(error, "a file from the bucket broke off");
        Err(error)
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

/// The range and the conditions of a request, as S3 takes them.
fn asked(headers: &HeaderMap) -> HeaderMap {
    let mut asked = HeaderMap::new();
    // S3 knows no `if-range`. Without the range the answer is the whole, which is always right.
    let names = CONDITIONS.into_iter().chain((!headers.contains_key(IF_RANGE)).then_some(RANGE));
    for name in names {
        if let Some(value) = headers.get(&name) {
            asked.insert(name, value.clone());
        }
    }
    asked
}
