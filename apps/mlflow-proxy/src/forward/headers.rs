//! Which headers pass: of a request those that MLflow is meant to see, of an answer those that the client is.
//!
//! What belongs to one connection, what says who asks and what a balancer adds ends at the proxy; so does all that could
//! pass for the proxy's own word, such as a signature's headers or the ARN of another resource.

use http::header::{
    ALT_SVC, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, LOCATION, ORIGIN,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, REFERER, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::target::{APP_HEADER, TRACKING_SERVER_HEADER};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// The balancer's id of a request: passed on, never signed.
const TRACE_ID: &str = "x-amzn-trace-id";

/// What tells of the client, and what the proxy finds anew.
static ENDING: [HeaderName; 8] =
    [AUTHORIZATION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, ORIGIN, REFERER, VIA];

/// Cookies of AWS's balancers: sessions of users (`AWSELBAuthSessionCookie-0`) and the target that a client sticks to.
const BALANCER_COOKIES: [&str; 2] = ["AWSELB", "AWSALB"];

/// Takes from a request's headers what ends at the proxy.
pub(super) fn clean_request(headers: &mut HeaderMap) {
    drop_named_by_connection(headers);
    let ends_here: Vec<HeaderName> = headers.keys().filter(|name| ends_at_proxy(name)).cloned().collect();
    for name in &ends_here {
        headers.remove(name);
    }
    if headers.contains_key(COOKIE) {
        clean_cookies(headers);
    }
}

fn ends_at_proxy(name: &HeaderName) -> bool {
    let text = name.as_str();
    match text.as_bytes()[0] {
        b'x' => {
            text == TRACKING_SERVER_HEADER
                || text == APP_HEADER
                || (text.starts_with("x-amz-") || text.starts_with("x-amzn-")) && text != TRACE_ID
                || text.starts_with("x-forwarded-")
                || text.starts_with("x-http-method")
                || matches!(text, "x-method-override" | "x-original-url" | "x-rewrite-url" | "x-real-ip")
        }
        b's' => text.starts_with("sec-fetch-"),
        _ => is_of_connection(name) || ENDING.contains(name),
    }
}

/// Headers of one connection. Source: RFC 9110, section 7.6.1.
fn is_of_connection(name: &HeaderName) -> bool {
    static NAMES: [HeaderName; 9] = [
        CONNECTION,
        KEEP_ALIVE,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        PROXY_CONNECTION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    NAMES.contains(name)
}

/// Removes what `Connection` names, but for what nobody can declare to be of one connection.
fn drop_named_by_connection(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let values: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    for value in &values {
        for name in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if name.eq_ignore_ascii_case(b"close") || name.eq_ignore_ascii_case(b"keep-alive") {
                continue;
            }
            if let Ok(name) = HeaderName::from_bytes(name)
                && !name.as_str().starts_with("content-")
            {
                headers.remove(name);
            }
        }
    }
}

/// Leaves only the cookies that are not the balancer's.
fn clean_cookies(headers: &mut HeaderMap) {
    let mut kept: Vec<u8> = Vec::new();
    for value in headers.get_all(COOKIE) {
        for cookie in value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
            let balancer = BALANCER_COOKIES.iter().any(|name| cookie.starts_with(name.as_bytes()));
            if !balancer && !cookie.is_empty() {
                if !kept.is_empty() {
                    kept.extend_from_slice(b"; ");
                }
                kept.extend_from_slice(cookie);
            }
        }
    }
    headers.remove(COOKIE);
    if let Ok(value) = HeaderValue::from_bytes(&kept)
        && !kept.is_empty()
    {
        headers.insert(COOKIE, value);
    }
}

/// Takes from an answer's headers what ends at the proxy, and leads redirections to MLflow itself back through it.
pub(super) fn clean_answer(headers: &mut HeaderMap, endpoint: &Uri) {
    drop_named_by_connection(headers);
    let ends_here: Vec<HeaderName> =
        headers.keys().filter(|name| is_of_connection(name) || **name == ALT_SVC).cloned().collect();
    for name in &ends_here {
        headers.remove(name);
    }
    if let Some(location) = headers.get(LOCATION)
        && let Some(relative) = relative(location, endpoint)
    {
        headers.insert(LOCATION, relative);
    }
}

/// A location on the endpoint's own host, without the host; `None` leaves it as it is.
fn relative(location: &HeaderValue, endpoint: &Uri) -> Option<HeaderValue> {
    let text = location.to_str().ok()?;
    let rest = text.split_once("://").and_then(|(scheme, rest)| {
        matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https").then_some(rest)
    });
    let rest = rest.or_else(|| text.strip_prefix("//"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority: Authority = authority.parse().ok()?;
    let own = endpoint.authority()?;
    let default = |scheme: Option<&str>| if scheme == Some("http") { 80 } else { 443 };
    let port = own.port_u16().unwrap_or_else(|| default(endpoint.scheme_str()));
    let same = authority.host().eq_ignore_ascii_case(own.host())
        && authority.port_u16().is_none_or(|given| given == port || own.port().is_none());
    if !same {
        return None;
    }
    // Two slashes at the front would name a host again. Browsers read a backslash as one, and drop tabs.
    let path = path.trim_start_matches(['/', '\\', '\t', ' ']);
    HeaderValue::from_str(&format!("/{path}")).ok()
}
