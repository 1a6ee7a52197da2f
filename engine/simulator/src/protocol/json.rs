//! AWS JSON 1.0 and 1.1: the operation in `X-Amz-Target`, JSON in and out.

use bytes::Bytes;
use serde_json::{Value, json};

use super::response;
use crate::api::ApiError;

/// A call: the prefix that names the service, the operation, and its input.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What comes before the dot, such as `AmazonSSM`.
    pub prefix: String,
    /// The operation.
    pub operation: String,
    /// The input.
    pub input: Value,
}

/// The call of a request that has a target.
///
/// # Errors
/// `SerializationException` when the body is no JSON object.
pub fn call(request: &http::Request<Bytes>) -> Option<Result<Call, ApiError>> {
    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
    let (prefix, operation) = target.rsplit_once('.')?;
    let input =
        if request.body().is_empty() { Ok(json!({})) } else { serde_json::from_slice(request.body()) };
    Some(match input {
        Ok(input @ Value::Object(_)) => {
            Ok(Call { prefix: prefix.to_owned(), operation: operation.to_owned(), input })
        }
        _ => Err(ApiError::new("SerializationException", "the body is not a JSON object")),
    })
}

/// The content type of an answer: that of the request when it is one of the two.
pub fn content_type(request: &http::Request<Bytes>) -> &'static str {
    let asked = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match asked {
        Some(asked) if asked.starts_with("application/x-amz-json-1.0") => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    }
}

/// The answer of an operation.
pub fn answer(content_type: &str, output: &Value, request_id: &str) -> http::Response<Bytes> {
    let headers = [("content-type", content_type.to_owned()), ("x-amzn-requestid", request_id.to_owned())];
    response(200, &headers, output.to_string())
}

/// The answer of an operation that failed.
pub fn failure(content_type: &str, error: &ApiError, request_id: &str) -> http::Response<Bytes> {
    let headers = [
        ("content-type", content_type.to_owned()),
        ("x-amzn-errortype", error.code.clone()),
        ("x-amzn-requestid", request_id.to_owned()),
    ];
    let body = json!({ "__type": error.code, "message": error.message });
    response(error.status, &headers, body.to_string())
}
