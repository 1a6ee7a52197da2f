//! S3's own form of answers and errors.

use bytes::Bytes;

use crate::api::{ApiError, Element, Request};
use crate::protocol::{response, xml};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// An error and the headers that come with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error.
    pub error: ApiError,
    /// Headers by name.
    pub headers: Vec<(&'static str, String)>,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self { error, headers: Vec::new() }
    }
}

/// The answer of a call that failed. A HEAD has no body, so that only the status tells.
pub fn failure(request: &Request, error: &ApiError, request_id: &str) -> http::Response<Bytes> {
    let headers =
        [("content-type", "application/xml".to_owned()), ("x-amz-request-id", request_id.to_owned())];
    if request.method() == http::Method::HEAD {
        return response(error.status, &headers[1..], Bytes::new());
    }
    let root = Element::of(
        "Error",
        [
            Element::text("Code", error.code.as_str()),
            Element::text("Message", error.message.as_str()),
            Element::text("RequestId", request_id),
            Element::text("HostId", "simulated"),
        ],
    );
    response(error.status, &headers, xml::document(&root, None))
}

/// An answer with a document.
pub(super) fn document(root: &Element, headers: &[(&str, String)]) -> http::Response<Bytes> {
    let mut all = vec![("content-type", "application/xml".to_owned())];
    all.extend_from_slice(headers);
    response(200, &all, xml::document(root, Some(NAMESPACE)))
}

/// An answer without a body.
pub(super) fn done(status: u16, headers: &[(&str, String)]) -> http::Response<Bytes> {
    response(status, headers, Bytes::new())
}

pub(super) fn access_denied() -> ApiError {
    ApiError::new("AccessDenied", "Access Denied").with_status(403)
}

pub(super) fn no_such_bucket(_name: &str) -> Failure {
    ApiError::new("NoSuchBucket", "The specified bucket does not exist").with_status(404).into()
}

pub(super) fn no_such_key(_key: &str) -> ApiError {
    ApiError::new("NoSuchKey", "The specified key does not exist.").with_status(404)
}

pub(super) fn no_such_upload() -> Failure {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                   aborted or completed.";
    ApiError::new("NoSuchUpload", message).with_status(404).into()
}

pub(super) fn malformed() -> Failure {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    ApiError::new("MalformedXML", message).into()
}

/// The bucket is in another region than the one that was asked.
pub(super) fn elsewhere(_name: &str, region: &str) -> Failure {
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send \
                   all future requests to this endpoint.";
    Failure {
        error: ApiError::new("PermanentRedirect", message).with_status(301),
        headers: vec![("x-amz-bucket-region", region.to_owned())],
    }
}
