//! Files out of the bucket, streamed, as a whole or in ranges.

use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode};

use super::bucket::{Bucket, Call};
use super::media;
use super::path::RelativePath;
use crate::body::{Body, empty};
use crate::problem::Problem;

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
        *response.body_mut() = bucket.passing(body);
    }
    Ok(response)
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
