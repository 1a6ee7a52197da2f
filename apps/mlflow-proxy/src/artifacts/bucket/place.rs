//! Where the bucket answers, and the signatures that count there.

use std::time::{Duration, SystemTime};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri};

use super::{encode_path, encode_query};
use crate::body::Body;
use crate::credentials::Credentials;
use crate::sign::{PathEncoding, Payload, Signer};

/// The bucket in one region.
pub(super) struct Place {
    region: String,
    /// An address that takes the place of AWS's.
    endpoint: Option<Uri>,
    scheme: Scheme,
    authority: Authority,
    /// What stands before the key: `/`, or `/BUCKET/` where the bucket is not in the host.
    base: String,
    signer: Signer,
}

impl Place {
    /// The bucket in a region, or at another address.
    ///
    /// A bucket with a dot stands in the path: no certificate of AWS's fits its host.
    pub(super) fn new(bucket: &str, region: &str, endpoint: Option<Uri>) -> Self {
        let signer = Signer::new(region, "s3", PathEncoding::Once);
        let (scheme, authority, in_path) = match &endpoint {
            Some(uri) => {
                let scheme = uri.scheme().cloned().unwrap_or(Scheme::HTTPS);
                let authority =
                    uri.authority().cloned().unwrap_or_else(|| Authority::from_static("localhost"));
                (scheme, authority, true)
            }
            None => {
                let in_path = bucket.contains('.');
                let host = match in_path {
                    true => format!("s3.{region}.amazonaws.com"),
                    false => format!("{bucket}.s3.{region}.amazonaws.com"),
                };
                let authority = host.parse().expect("a bucket and a region have letters of host names only");
                (Scheme::HTTPS, authority, in_path)
            }
        };
        let base = if in_path { format!("/{bucket}/") } else { "/".to_owned() };
        Self { region: region.to_owned(), endpoint, scheme, authority, base, signer }
    }

    /// The same bucket in another region.
    pub(super) fn elsewhere(&self, bucket: &str, region: &str) -> Self {
        Self::new(bucket, region, self.endpoint.clone())
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn is_over_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    pub(super) fn uri(&self, key: Option<&str>, query: &[(&str, &str)]) -> Uri {
        let mut target = match key {
            Some(key) => format!("{}{}", self.base, encode_path(key)),
            None if self.base.len() > 1 => self.base.trim_end_matches('/').to_owned(),
            None => self.base.clone(),
        };
        if !query.is_empty() {
            target.push('?');
            target.push_str(&encode_query(query));
        }
        let target = PathAndQuery::try_from(target).expect("what is encoded can stand in a URI");
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).expect("scheme, authority and path make a URI")
    }

    pub(super) fn sign(
        &self,
        request: Request<Body>,
        payload: Payload,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Request<Body> {
        let (mut head, body) = request.into_parts();
        self.signer.sign(&mut head, payload, credentials, now);
        Request::from_parts(head, body)
    }

    pub(super) fn link(
        &self,
        method: &Method,
        key: &str,
        query: &[(&str, &str)],
        good: Duration,
        credentials: &Credentials,
    ) -> Uri {
        self.signer.presign(method, &self.uri(Some(key), query), good, credentials, SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_host_where_it_can_be() {
        let uri = |bucket: &str, endpoint: Option<&str>, key: Option<&str>| {
            let endpoint = endpoint.map(|uri| uri.parse().unwrap());
            Place::new(bucket, "eu-west-1", endpoint).uri(key, &[]).to_string()
        };
        assert_eq!(
            uri("bucket", None, Some("a b/ü+%.txt")),
            "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC%2B%25.txt"
        );
        assert_eq!(uri("my.bucket", None, Some("x")), "https://s3.eu-west-1.amazonaws.com/my.bucket/x");
        assert_eq!(uri("my.bucket", None, None), "https://s3.eu-west-1.amazonaws.com/my.bucket");
        assert_eq!(uri("bucket", None, None), "https://bucket.s3.eu-west-1.amazonaws.com/");
        assert_eq!(uri("bucket", Some("http://127.0.0.1:4566"), Some("x")), "http://127.0.0.1:4566/bucket/x");
    }

    #[test]
    fn queries_are_encoded_as_they_are_signed() {
        let place = Place::new("bucket", "eu-west-1", None);
        let uri = place.uri(None, &[("list-type", "2"), ("prefix", "a b/ü&=+")]);
        assert_eq!(uri.query(), Some("list-type=2&prefix=a%20b%2F%C3%BC%26%3D%2B"));
        assert!(place.is_over_tls());
        assert_eq!(
            place.elsewhere("bucket", "us-west-2").uri(None, &[]).host(),
            Some("bucket.s3.us-west-2.amazonaws.com")
        );
    }
}
