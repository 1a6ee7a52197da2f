//! As much of S3 as the tests need, in this process. It verifies every signature and every hash.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ring::digest::{Context, SHA256};
use tokio::net::TcpListener;

use super::bucket::{Bucket, Reach};
use super::root::Root;
use crate::aws;
use crate::credentials::{CredentialCache, Credentials};
use crate::operate::metrics::{Metrics, UpstreamError};
use crate::sign::{PathEncoding, Payload, Signer};

pub(super) const REGION: &str = "eu-west-1";

/// What is kept of an object: its bytes, or only how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) bytes: Bytes,
    pub(super) length: u64,
    pub(super) kind: String,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) query: String,
}

/// Something that goes wrong with the next request that it is for.
pub(super) struct Fault {
    pub(super) method: Method,
    /// What the query has to begin with.
    pub(super) query: &'static str,
    pub(super) status: u16,
    pub(super) document: String,
    /// Answers before the body has come.
    pub(super) early: bool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: BTreeMap<String, (String, BTreeMap<u32, Object>)>,
    pub(super) seen: Vec<Seen>,
    pub(super) faults: VecDeque<Fault>,
    /// Where the bucket is; others are sent there.
    pub(super) region: String,
    pub(super) page: usize,
    /// Counts bytes instead of keeping them.
    pub(super) forgets: bool,
    /// Credentials that are refused.
    pub(super) revoked: String,
    pub(super) aborted: usize,
}

#[derive(Clone)]
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    /// What the proxy counts of it.
    pub(super) metrics: Arc<Metrics>,
    state: Arc<Mutex<State>>,
}

pub(super) fn credentials(name: &str) -> Credentials {
    Credentials {
        access_key_id: name.to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: Some("token".to_owned()),
        expires: None,
    }
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { region: REGION.to_owned(), page: 1000, ..State::default() };
        let fake = Self { address, metrics: Metrics::new(), state: Arc::new(Mutex::new(state)) };
        let serving = fake.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let fake = serving.clone();
                let service = service_fn(move |request| {
                    let fake = fake.clone();
                    async move { Ok::<_, Infallible>(fake.answer(request).await) }
                });
                let mut connection = hyper::server::conn::http1::Builder::new();
                connection.max_buf_size(32 * 1024);
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        fake
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A bucket of the proxy's that is this one, at `s3://bucket/pre`.
    pub(super) fn bucket(&self, cache: CredentialCache) -> Bucket {
        let settings = aws::Settings { first_byte: Duration::from_secs(5), ..aws::Settings::default() };
        Bucket::new(Reach {
            root: Arc::new(Root::parse("s3://bucket/pre").unwrap()),
            client: aws::Client::new(&settings),
            credentials: cache,
            region: REGION.to_owned(),
            endpoint: Some(format!("http://{}", self.address).parse().unwrap()),
            owner: Some(http::HeaderValue::from_static("111122223333")),
            metrics: self.metrics.clone(),
        })
    }

    /// How often the proxy has counted a failure of this kind.
    pub(super) fn counted(&self, kind: UpstreamError) -> u64 {
        self.metrics.upstream_errors().filter(|(other, _)| *other == kind).map(|(_, count)| count).sum()
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8]) {
        let object =
            Object { bytes: Bytes::copy_from_slice(bytes), length: bytes.len() as u64, kind: String::new() };
        self.state().objects.insert(key.to_owned(), object);
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// How many requests of a method came, whose query begins so.
    pub(super) fn count(&self, method: &Method, query: &str) -> usize {
        self.state().seen.iter().filter(|seen| seen.method == method && seen.query.starts_with(query)).count()
    }

    pub(super) fn fail(&self, method: Method, query: &'static str, status: u16, code: &str) {
        let document = format!("<Error><Code>{code}</Code><Message>said</Message></Error>");
        self.state().faults.push_back(Fault { method, query, status, document, early: false });
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8().unwrap().into_owned();
        self.state().seen.push(Seen { method: head.method.clone(), query: query.clone() });
        let fault = {
            let mut state = self.state();
            let found = state
                .faults
                .iter()
                .position(|fault| fault.method == head.method && query.starts_with(fault.query));
            found.and_then(|found| state.faults.remove(found))
        };
        if let Some(fault) = &fault
            && fault.early
        {
            return reply(fault.status, fault.document.clone());
        }
        let mut sum = Context::new(&SHA256);
        let mut object = Object { kind: text(&head.headers, "content-type"), ..Object::default() };
        let forgets = self.state().forgets && head.method == Method::PUT;
        let mut kept = Vec::new();
        let mut body = body;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return reply(400, error("IncompleteBody")) };
            if let Ok(data) = frame.into_data() {
                sum.update(&data);
                object.length += data.len() as u64;
                if !forgets {
                    kept.extend_from_slice(&data);
                }
            }
        }
        object.bytes = kept.into();
        let hash = sum.finish();
        let claimed = text(&head.headers, "x-amz-content-sha256");
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let linked = query.contains("X-Amz-Signature=");
        assert!(linked || claimed == hex || claimed == "UNSIGNED-PAYLOAD", "{claimed} is not {hex}");
        if let Some(fault) = fault {
            return reply(fault.status, fault.document);
        }
        let mut state = self.state();
        if let Err(code) = verify(&head, &state) {
            let mut refusal =
                reply(if code == "AuthorizationHeaderMalformed" { 400 } else { 403 }, error(code));
            refusal.headers_mut().insert("x-amz-bucket-region", state.region.parse().unwrap());
            return refusal;
        }
        let Some(key) = path.strip_prefix("/bucket") else { return reply(404, error("NoSuchBucket")) };
        state.serve(&head, key.trim_start_matches('/'), &query, object)
    }
}

/// Signs the request again, with the time and the headers that it says, and compares.
fn verify(head: &http::request::Parts, state: &State) -> Result<(), &'static str> {
    if head.uri.query().is_some_and(|query| query.contains("X-Amz-Signature=")) {
        return verify_link(head, state);
    }
    let authorization = text(&head.headers, "authorization");
    if !authorization.contains(&format!("/{}/s3/aws4_request", state.region)) {
        return Err("AuthorizationHeaderMalformed");
    }
    let name = authorization.split(['=', '/']).nth(1).unwrap();
    if name == state.revoked {
        return Err("ExpiredToken");
    }
    let signed = authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    let uri = format!("http://{}{}", text(&head.headers, "host"), head.uri);
    let (mut again, ()) =
        Request::builder().method(head.method.clone()).uri(uri).body(()).unwrap().into_parts();
    for name in signed.split(';').filter(|name| !name.starts_with("x-amz-date") && *name != "host") {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        again.headers.insert(name.clone(), head.headers[&name].clone());
    }
    assert!(signed.contains("x-amz-expected-bucket-owner"), "{signed}");
    let payload = match text(&head.headers, "x-amz-content-sha256").as_str() {
        "UNSIGNED-PAYLOAD" => Payload::Unsigned,
        hex => {
            let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
            Payload::Sha256(std::array::from_fn(byte))
        }
    };
    let time = time(&text(&head.headers, "x-amz-date"));
    let signer = Signer::new(&state.region, "s3", PathEncoding::Once);
    signer.sign(&mut again, payload, &credentials(name), time);
    assert_eq!(text(&again.headers, "authorization"), authorization);
    Ok(())
}

/// Makes the link again from what was signed, and compares.
fn verify_link(head: &http::request::Parts, state: &State) -> Result<(), &'static str> {
    let query = head.uri.query().unwrap();
    let given = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap();
        percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned()
    };
    let own: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("X-Amz-")).collect();
    let uri = format!("http://{}{}?{}", text(&head.headers, "host"), head.uri.path(), own.join("&"));
    let name = given("X-Amz-Credential").split('/').next().unwrap().to_owned();
    let signer = Signer::new(&state.region, "s3", PathEncoding::Once);
    let seconds = Duration::from_secs(given("X-Amz-Expires").parse().unwrap());
    let again = signer.presign(
        &head.method,
        &uri.parse().unwrap(),
        seconds,
        &credentials(&name),
        time(&given("X-Amz-Date")),
    );
    assert_eq!(again.query().unwrap(), query);
    Ok(())
}

fn time(date: &str) -> std::time::SystemTime {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
    time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().into()
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code></Error>")
}

pub(super) fn reply(status: u16, document: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(document.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

#[path = "fake_operations.rs"]
mod operations;
