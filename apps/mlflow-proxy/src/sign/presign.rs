//! Links that carry their signature in the query, for whoever has no credentials.

use std::time::{Duration, SystemTime};

use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, Method};

use super::canonical::{Request, encode};
use super::stamp::Stamp;
use super::{ALGORITHM, PathEncoding, Payload, Signer, UNSIGNED, host};
use crate::credentials::Credentials;

impl Signer {
    /// A link to `uri` that is good for one method until `expires` has passed, in whole seconds.
    ///
    /// Only the host is signed, so that whoever follows the link may send any header. The body is not signed for S3 and
    /// has to be empty elsewhere. A URI that is too long to take a signature (64 KiB) comes back as it was.
    pub fn presign(
        &self,
        method: &Method,
        uri: &Uri,
        expires: Duration,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Uri {
        let stamp = Stamp::at(now);
        let key = self.keys.get(stamp.day(), credentials);
        let mut target = uri.path().as_bytes().to_vec();
        target.push(b'?');
        if let Some(query) = uri.query().filter(|query| !query.is_empty()) {
            target.extend_from_slice(super::wire_query(query).as_bytes());
            target.push(b'&');
        }
        let mut credential = credentials.access_key_id.as_bytes().to_vec();
        credential.push(b'/');
        credential.extend_from_slice(stamp.day());
        credential.extend_from_slice(self.scope.as_bytes());
        let seconds = expires.as_secs().to_string();
        let mut parameter = |name: &str, value: &[u8]| {
            target.extend_from_slice(name.as_bytes());
            value.iter().for_each(|byte| encode(*byte, &mut target));
        };
        parameter("X-Amz-Algorithm=", ALGORITHM.as_bytes());
        parameter("&X-Amz-Credential=", &credential);
        parameter("&X-Amz-Date=", stamp.second());
        parameter("&X-Amz-Expires=", seconds.as_bytes());
        parameter("&X-Amz-SignedHeaders=", b"host");
        if let Some(token) = key.token() {
            parameter("&X-Amz-Security-Token=", token.as_bytes());
        }
        let Some(unsigned) = with_target(uri, target.clone()) else { return uri.clone() };
        let payload = match self.paths {
            PathEncoding::Once => HeaderValue::from_static(UNSIGNED),
            PathEncoding::Twice => Payload::EMPTY.header(),
        };
        let host = uri.authority().map_or("", |authority| host(uri.scheme(), authority));
        let request = Request { method, uri: &unsigned, paths: self.paths };
        let canonical = request.with_host(host, payload.as_bytes());
        target.extend_from_slice(b"&X-Amz-Signature=");
        target.extend_from_slice(&self.signature(&stamp, key.hmac(), &canonical.bytes));
        with_target(uri, target).unwrap_or_else(|| uri.clone())
    }
}

/// The URI with another path and query.
fn with_target(uri: &Uri, target: Vec<u8>) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(bytes::Bytes::from(target)).ok()?);
    Uri::from_parts(parts).ok()
}
