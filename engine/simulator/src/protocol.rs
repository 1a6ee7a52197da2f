//! The services' wire formats: AWS Query with XML, AWS JSON, S3's XML, and bodies in chunks.
//!
//! Everything here turns bytes into parsed calls and documents into bytes. No service's meaning is known here, so that
//! an answer's form cannot depend on who asks.

pub mod checksum;
pub mod chunked;
pub mod ec2;
pub mod encoding;
pub mod json;
pub mod query;
pub mod xml;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

/// The `Date` header of a moment, as RFC 9110 writes it.
pub fn http_date(time: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_else(|_| time.to_string())
}

/// A moment as XML answers write it: UTC with milliseconds.
pub fn iso_time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// A response with a body. A header that HTTP does not take is left out.
pub fn response(status: u16, headers: &[(&str, String)], body: impl Into<Bytes>) -> http::Response<Bytes> {
    let mut response = http::Response::new(body.into());
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        set_header(&mut response, name, value);
    }
    response
}

/// Sets a header. One that HTTP does not take is left out.
pub fn set_header(response: &mut http::Response<Bytes>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}
