//! The bucket, as far as artifacts need S3: requests made, signed, sent, and tried again where that is harmless.
//!
//! Requests without a body, or with one that is at hand, are repeated after a failure that passes by: S3's operations
//! on whole objects have the same effect twice as once. A body that streams is sent once.

mod error;
mod place;
mod xml;

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::root::Root;
use crate::aws::{Client, SendError};
use crate::body::{Body, empty, full};
use crate::credentials::{CredentialCache, Credentials};
use crate::operate::metrics::{Metrics, UpstreamError};
use crate::passing::Passing;
use crate::sign::Payload;

pub(super) use error::{BucketError, Refusal};
use place::Place;
pub(super) use xml::{Listing, can_carry, deletion, deletion_failure, listing, parts_document, text_of};

/// What S3 leaves as it is in a path and in a query, besides letters and digits. Source: "Signature Version 4 signing
/// process", `UriEncode`, Amazon S3 API Reference.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: AsciiSet = UNRESERVED.remove(b'/');

const EXPECTED_OWNER: HeaderName = HeaderName::from_static("x-amz-expected-bucket-owner");

/// The most bytes of an answer that is read as a whole: a page of a list with 1000 long keys is below 4 MiB.
const DOCUMENT_LIMIT: usize = 8 * 1024 * 1024;

/// How long the whole of a document may take. S3 puts large objects together for minutes, and says so by spaces.
const DOCUMENT_TIME: Duration = Duration::from_secs(600);

/// How long S3 may send nothing in the middle of a file.
const SILENCE: Duration = Duration::from_secs(120);

/// How often a repeatable request is sent in all.
const ATTEMPTS: u32 = 3;

/// The wait before the second attempt; twice as long before the third.
const PAUSE: Duration = Duration::from_millis(150);

/// What the bucket is reached with.
pub(super) struct Bucket {
    root: Arc<Root>,
    client: Client,
    credentials: CredentialCache,
    owner: Option<HeaderValue>,
    metrics: Arc<Metrics>,
    place: ArcSwap<Place>,
    /// Whether what is sent is safe from changes on the way without a hash of ours.
    over_tls: bool,
    /// Whether the bucket's region has been asked for, before the first body that cannot be sent twice.
    asked: OnceCell<()>,
}

/// Which bucket, and how it is reached.
pub(super) struct Reach {
    pub(super) root: Arc<Root>,
    pub(super) client: Client,
    pub(super) credentials: CredentialCache,
    /// The region in which the bucket is looked for first.
    pub(super) region: String,
    /// An address that takes the place of AWS's.
    pub(super) endpoint: Option<Uri>,
    /// The account that has to own the bucket.
    pub(super) owner: Option<HeaderValue>,
    /// Where its failures are counted.
    pub(super) metrics: Arc<Metrics>,
}

/// One request to the bucket.
pub(super) struct Call<'a> {
    /// The operation's name, as in IAM: `GetObject`.
    pub(super) action: &'static str,
    pub(super) method: Method,
    /// The object's key; `None` for the bucket itself.
    pub(super) key: Option<&'a str>,
    /// Names and values, not encoded.
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

/// The body of a request to the bucket.
pub(super) enum Content {
    Nothing,
    Held(Bytes),
    /// A body that can be made again, its length, its hash.
    Repeatable(Box<dyn Fn() -> Body + Send + Sync>, u64, [u8; 32]),
    /// A body that comes once, and its length. It is not hashed, which only TLS makes safe.
    Stream(Body, u64),
}

impl<'a> Call<'a> {
    pub(super) fn new(action: &'static str, method: Method, key: &'a str) -> Self {
        let content = Content::Nothing;
        Self { action, method, key: Some(key), query: &[], headers: HeaderMap::new(), content }
    }
}

impl Bucket {
    pub(super) fn new(reach: Reach) -> Self {
        let place = Place::new(reach.root.bucket(), &reach.region, reach.endpoint);
        Self {
            root: reach.root,
            client: reach.client,
            credentials: reach.credentials,
            owner: reach.owner,
            metrics: reach.metrics,
            over_tls: place.is_over_tls(),
            place: ArcSwap::from_pointee(place),
            asked: OnceCell::new(),
        }
    }

    pub(super) fn root(&self) -> &Arc<Root> {
        &self.root
    }

    /// Whether what is sent is safe from changes on the way without a hash of ours.
    pub(super) fn is_over_tls(&self) -> bool {
        self.over_tls
    }

    /// As if the way to the bucket were safe, for tests.
    #[cfg(test)]
    pub(super) fn trusting(mut self) -> Self {
        self.over_tls = true;
        self
    }

    /// Finds out the bucket's region, once. What goes wrong here shows in the request that follows.
    pub(super) async fn settle(&self) {
        let ask = || async {
            let call = Call {
                action: "ListBucket",
                method: Method::HEAD,
                key: None,
                query: &[],
                headers: HeaderMap::new(),
                content: Content::Nothing,
            };
            let _ = self.send(call).await;
        };
        self.asked.get_or_init(ask).await;
    }

    /// Sends a request and gives its answer, when it is a success or one of the conditions that the client stated.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Response<Incoming>, BucketError> {
        let Call { action, method, key, query, headers, content } = call;
        let mut content = Some(content);
        let (mut renewed, mut moved) = (false, false);
        let mut attempt = 1;
        loop {
            let place = self.place.load_full();
            let credentials = self.credentials.get().await?;
            let (body, payload, length, again) = match content.take() {
                None | Some(Content::Nothing) => {
                    content = Some(Content::Nothing);
                    (empty(), Payload::EMPTY, None, true)
                }
                Some(Content::Held(bytes)) => {
                    content = Some(Content::Held(bytes.clone()));
                    let length = bytes.len() as u64;
                    (full(bytes.clone()), Payload::of(&bytes), Some(length), true)
                }
                Some(Content::Repeatable(make, length, hash)) => {
                    let body = make();
                    content = Some(Content::Repeatable(make, length, hash));
                    (body, Payload::Sha256(hash), Some(length), true)
                }
                Some(Content::Stream(body, length)) => (body, Payload::Unsigned, Some(length), false),
            };
            let mut request = Request::new(body);
            *request.method_mut() = method.clone();
            *request.uri_mut() = place.uri(key, query);
            headers.clone_into(request.headers_mut());
            if let Some(length) = length {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            if let Some(owner) = &self.owner {
                request.headers_mut().insert(EXPECTED_OWNER, owner.clone());
            }
            let request = place.sign(request, payload, &credentials, self.client.clock().now());
            let failure = match self.client.send(request).await {
                Ok(answer) if is_an_answer(answer.status()) => return Ok(answer),
                Ok(answer) => BucketError::Refused(Refusal::read(action, answer).await),
                Err(error) => BucketError::from(error),
            };
            self.count(&failure);
            match &failure {
                BucketError::Refused(refusal) if refusal.is_expired_token() && !renewed => {
                    renewed = true;
                    self.credentials.renew(&credentials).await?;
                }
                BucketError::Refused(refusal) if !moved && self.follow(&place, refusal) => moved = true,
                failure if failure.passes_by() && attempt < ATTEMPTS && again => {
                    tokio::time::sleep(PAUSE * attempt + PAUSE.mul_f64(crate::aws::jitter())).await;
                    attempt += 1;
                }
                _ => return Err(failure),
            }
            if !again {
                return Err(failure);
            }
            self.metrics.retries.inc();
        }
    }

    /// The rest of an answer, for the client.
    pub(super) fn passing(&self, body: Incoming) -> Body {
        Passing::new(body, "a file from the bucket", SILENCE, self.metrics.clone()).boxed_unsync()
    }

    fn count(&self, failure: &BucketError) {
        match failure {
            BucketError::Send(error) => self.metrics.no_answer(error),
            BucketError::Refused(refusal) if refusal.is_expired_token() => {
                self.metrics.upstream_error(UpstreamError::Credentials);
            }
            BucketError::Refused(refusal) if refusal.status.is_server_error() => {
                self.metrics.upstream_error(UpstreamError::Status);
            }
            // Of credentials that cannot be fetched others tell.
            BucketError::Refused(_) | BucketError::Credentials(_) | BucketError::Garbage { .. } => {}
        }
    }

    /// The whole of an answer that is a document.
    pub(super) async fn document(&self, call: Call<'_>) -> Result<Bytes, BucketError> {
        let answer = self.send(call).await?;
        let body = Limited::new(answer.into_body(), DOCUMENT_LIMIT);
        match timeout(DOCUMENT_TIME, body.collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) => Err(BucketError::Garbage { why: error.to_string() }),
            Err(_) => Err(BucketError::Garbage { why: "its end does not come".to_owned() }),
        }
    }

    /// What makes links to objects, with the credentials of now.
    pub(super) async fn linker(&self) -> Result<Linker, BucketError> {
        self.settle().await;
        let credentials = self.credentials.get().await?;
        Ok(Linker { place: self.place.load_full(), credentials })
    }

    /// Goes on in the region that the refusal names; whether there is a point in asking again.
    fn follow(&self, place: &Arc<Place>, refusal: &Refusal) -> bool {
        let Some(region) = refusal.region() else { return false };
        if region == place.region() {
            return false;
        }
        tracing::info!(bucket = self.root.bucket(), region, "the bucket is in another region");
        self.place.store(Arc::new(place.elsewhere(self.root.bucket(), region)));
        true
    }
}

/// Makes links to objects.
pub(super) struct Linker {
    place: Arc<Place>,
    credentials: Arc<Credentials>,
}

impl Linker {
    /// How long a link is good: no longer than the credentials that sign it.
    pub(super) fn good_for(&self, wanted: Duration, now: SystemTime) -> Duration {
        let left = self.credentials.expires.and_then(|end| end.duration_since(now).ok());
        left.unwrap_or(wanted).min(wanted)
    }

    /// A link to an object for one method.
    pub(super) fn link(&self, method: &Method, key: &str, query: &[(&str, &str)], good: Duration) -> Uri {
        self.place.link(method, key, query, good, &self.credentials)
    }
}

/// The refusal that S3 tells of inside of a success: it begins its answer before it is done.
pub(super) fn refused_inside(action: &'static str, document: &[u8]) -> Option<Refusal> {
    let code = text_of(document, "Code")?;
    let message = text_of(document, "Message").unwrap_or_default();
    let passes_by = matches!(code.as_str(), "InternalError" | "SlowDown" | "ServiceUnavailable");
    let status = if passes_by { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::BAD_REQUEST };
    Some(Refusal::inside(action, status, code, message))
}

/// Statuses that are answers to what the client asked, not failures.
fn is_an_answer(status: StatusCode) -> bool {
    status.is_success() || matches!(status, StatusCode::NOT_MODIFIED | StatusCode::PRECONDITION_FAILED)
}

/// A path, encoded as S3 signs it.
pub(super) fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, &PATH).to_string()
}

/// A query, encoded and sorted as S3 signs it.
pub(super) fn encode_query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        let (name, value) = (utf8_percent_encode(name, &UNRESERVED), utf8_percent_encode(value, &UNRESERVED));
        write!(text, "{name}={value}").expect("a string can always be written to");
    }
    text
}

impl From<SendError> for BucketError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}
