//! What is refused before anything is looked up: requests that are no business of a proxy in front of one MLflow, or
//! that two readers could read in two ways.

use http::header::{ALLOW, CONNECTION};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version};

use super::hosts::only_host;
use crate::body::Body;
use crate::problem::Problem;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// Brings a request into the one form that the rest works with: a target of path and query, and the host that was asked.
pub(super) fn normalize(request: &mut Request<Body>) -> Result<Option<Authority>, Problem> {
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        let message = format!("{} is not possible here", request.method());
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", message)
            .header(ALLOW, METHODS)
            .header(CONNECTION, HeaderValue::from_static("close")));
    }
    let host = asked_host(request.version(), request.uri(), request.headers())?;
    let target = request.uri().path_and_query();
    let Some(target) = target.filter(|target| target.as_str().starts_with('/')) else {
        return Err(bad("the request's target has no path"));
    };
    if !target.as_str().is_ascii() {
        return Err(bad("the request's target has characters that are not percent-encoded"));
    }
    if request.uri().authority().is_some() {
        *request.uri_mut() = Uri::from(target.clone());
    }
    Ok(host)
}

/// The host that was asked, which is named once, or twice alike.
fn asked_host(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, Problem> {
    let header = only_host(headers).map_err(bad)?;
    let Some(target) = uri.authority() else {
        if header.is_none() && version == Version::HTTP_11 {
            return Err(bad("the request has no Host header"));
        }
        return Ok(header);
    };
    if target.as_str().contains('@') || !matches!(uri.scheme_str(), None | Some("http" | "https")) {
        return Err(bad("the request's target is no address of this proxy"));
    }
    let same = |header: &Authority| {
        header.host().eq_ignore_ascii_case(target.host()) && header.port_u16() == target.port_u16()
    };
    match header {
        Some(header) if !same(&header) => {
            Err(bad("the request's target names another host than its Host header"))
        }
        Some(header) => Ok(Some(header)),
        None if version == Version::HTTP_11 => Err(bad("the request has no Host header")),
        None => Ok(Some(target.clone())),
    }
}

/// A request after which the connection is not to be trusted.
fn bad(message: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
        .header(CONNECTION, HeaderValue::from_static("close"))
}
