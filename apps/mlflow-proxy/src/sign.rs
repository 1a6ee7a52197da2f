//! Signature Version 4, as AWS's own clients compute it for this service.
//!
//! The canonical form is made here, because what a proxy signs has to be, byte for byte, what it sends; the signing key is
//! kept for its day. Source: AWS General Reference, "Signature Version 4".
//!
//! Where clients and services differ in what they sign, this keeps to what both read alike. A space in a query goes out
//! as `%20` ([`wire_query`]): AWS's plugin sends it so for GET and DELETE, but it changes a plus sign in the path too,
//! which here stays what it is. Headers that are not ASCII are sent unsigned: clients and services disagree on whether
//! their bytes are Latin-1 or UTF-8.

mod canonical;
mod key;
mod presign;
mod stamp;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue};
use ring::digest::{Digest, SHA256, digest};
use ring::hmac;

use crate::credentials::Credentials;
use canonical::Request;
pub use canonical::wire_query;
use key::Keys;
use stamp::Stamp;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What the signature says about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Its SHA-256.
    Sha256([u8; 32]),
    /// Nothing. S3 takes that over TLS; whether others do is not known.
    Unsigned,
}

impl Payload {
    /// A body without a byte.
    pub const EMPTY: Self = Self::Sha256([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// The hash of a body that is at hand.
    pub fn of(body: &[u8]) -> Self {
        if body.is_empty() { Self::EMPTY } else { Self::from(digest(&SHA256, body)) }
    }

    fn header(&self) -> HeaderValue {
        match *self {
            Self::Unsigned => HeaderValue::from_static(UNSIGNED),
            Self::EMPTY => {
                HeaderValue::from_static("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            }
            Self::Sha256(hash) => {
                HeaderValue::from_bytes(&hex(&hash)).expect("hexadecimal digits can stand in a header")
            }
        }
    }
}

impl From<Digest> for Payload {
    fn from(digest: Digest) -> Self {
        Self::Sha256(digest.as_ref().try_into().unwrap_or_else(|_| unreachable!("SHA-256 has 32 bytes")))
    }
}

/// How a service reads the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEncoding {
    /// Without dot segments and empty ones, and with what is on the wire encoded once more: all services but S3.
    Twice,
    /// As it is: S3, whose keys may hold dots and slashes of any number.
    Once,
}

/// Signs requests to one service in one region.
#[derive(Debug)]
pub struct Signer {
    /// `/REGION/SERVICE/aws4_request`: the scope without its day.
    scope: String,
    paths: PathEncoding,
    keys: Keys,
}

impl Signer {
    /// A signer for the service with this name in the signature's scope.
    pub fn new(region: &str, service: &str, paths: PathEncoding) -> Self {
        let scope = format!("/{region}/{service}/{TERMINATOR}");
        Self { scope, paths, keys: Keys::new(region, service) }
    }

    /// Signs a request whose URI has its authority and whose headers are complete.
    ///
    /// Sets `host`, `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` and `authorization`, whatever they were.
    /// Every other header is signed, but for those that belong to a connection or that others on the way may change (the
    /// list is botocore's) and those that are not ASCII.
    pub fn sign(&self, parts: &mut Parts, payload: Payload, credentials: &Credentials, now: SystemTime) {
        let stamp = Stamp::at(now);
        let key = self.keys.get(stamp.day(), credentials);
        let headers = &mut parts.headers;
        headers.remove(AUTHORIZATION);
        if let Some(host) = parts.uri.authority().map(|authority| host(parts.uri.scheme(), authority)) {
            // The caller may have set it already from what it keeps.
            if headers.get(HOST).is_none_or(|given| given.as_bytes() != host.as_bytes())
                || headers.get_all(HOST).iter().nth(1).is_some()
            {
                let host = HeaderValue::from_str(host).expect("an authority can stand in a header");
                headers.insert(HOST, host);
            }
        }
        headers.insert(AMZ_DATE, stamp.header());
        let payload = payload.header();
        headers.insert(AMZ_CONTENT_SHA256, payload.clone());
        match key.token() {
            Some(token) => headers.insert(AMZ_SECURITY_TOKEN, token.clone()),
            None => headers.remove(AMZ_SECURITY_TOKEN),
        };
        let request = Request { method: &parts.method, uri: &parts.uri, paths: self.paths };
        let canonical = request.with_headers(&parts.headers, payload.as_bytes());
        let signature = self.signature(&stamp, key.hmac(), &canonical.bytes);

        let signed = canonical.signed_headers();
        let length =
            ALGORITHM.len() + credentials.access_key_id.len() + self.scope.len() + signed.len() + 128;
        let mut value = Vec::with_capacity(length);
        for part in [
            ALGORITHM.as_bytes(),
            b" Credential=",
            credentials.access_key_id.as_bytes(),
            b"/",
            stamp.day(),
            self.scope.as_bytes(),
            b", SignedHeaders=",
            signed,
            b", Signature=",
            &signature,
        ] {
            value.extend_from_slice(part);
        }
        // Without the header the other side says what is missing; an access key that breaks it is refused when it is read.
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
            parts.headers.insert(AUTHORIZATION, value);
        }
    }

    /// The signature of a canonical request, in hexadecimal digits.
    fn signature(&self, stamp: &Stamp, key: &hmac::Key, canonical: &[u8]) -> [u8; 64] {
        let mut text = hmac::Context::with_key(key);
        for part in [
            ALGORITHM.as_bytes(),
            b"\n",
            stamp.second(),
            b"\n",
            stamp.day(),
            self.scope.as_bytes(),
            b"\n",
            &hex(digest(&SHA256, canonical).as_ref()),
        ] {
            text.update(part);
        }
        hex(text.sign().as_ref())
    }
}

/// The value of the host header: without the port that the scheme has anyway.
fn host<'a>(scheme: Option<&Scheme>, authority: &'a Authority) -> &'a str {
    let text = authority.as_str();
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let default = match scheme.map(Scheme::as_str) {
        Some("https") => ":443",
        Some("http") => ":80",
        _ => return text,
    };
    text.strip_suffix(default).unwrap_or(text)
}

/// 32 bytes in 64 hexadecimal digits, lower case.
fn hex(bytes: &[u8]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    text
}
