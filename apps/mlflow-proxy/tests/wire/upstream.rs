//! A scripted MLflow that keeps what it gets and recomputes each signature from the bytes on its wire.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, Request};
use mlflow_proxy::credentials::Credentials;
use mlflow_proxy::sign::{PathEncoding, Payload, Signer};
use ring::digest::{SHA256, digest};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ARN: &str = "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/demo";
pub(crate) const ARN_HEADER: &str = "x-mlflow-sm-tracking-server-arn";

/// The credentials that the upstream knows, by their number.
pub(crate) fn credentials(number: usize) -> Credentials {
    Credentials {
        access_key_id: format!("ASIA{number}"),
        secret_access_key: format!("secret/{number}"),
        session_token: Some(format!("token-{number}-{}", "t".repeat(1200))),
        expires: Some(SystemTime::now() + Duration::from_secs(3600)),
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names as they came; values byte for byte as characters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The credentials that signed it, by their number.
    pub(crate) signer: Result<usize, String>,
}

impl Seen {
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let named = |(header, _): &&(String, String)| header.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }
}

/// What to do about a request.
pub(crate) enum Reply {
    /// These bytes; the connection stays.
    Bytes(Vec<u8>),
    /// These bytes one after the other, each after its pause; then the connection closes.
    Pieces(Vec<(Duration, Vec<u8>)>),
    /// The connection is reset.
    Reset,
    /// Nothing, until the other side goes.
    Hang,
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut bytes =
        format!("HTTP/1.1 {status} Some Reason\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}

type Script = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// The server.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Connections that the other side closed while their request hung.
    gone: Arc<Mutex<usize>>,
}

impl Upstream {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = Self { address, seen: Arc::default(), gone: Arc::default() };
        let (server, script): (Self, Script) = (upstream.clone(), Arc::new(script));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(server.clone().serve(stream, script.clone()));
            }
        });
        upstream
    }

    /// What came so far; every signature has been right.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap().clone();
        for one in &seen {
            assert!(one.signer.is_ok(), "{one:?}");
        }
        seen
    }

    /// How many requests came so far.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The last request.
    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("a request came")
    }

    pub(crate) fn gone(&self) -> usize {
        *self.gone.lock().unwrap()
    }

    async fn serve(self, stream: TcpStream, script: Script) {
        let mut stream = BufStream::new(stream);
        while let Some(mut seen) = receive(&mut stream).await {
            seen.signer = self.verify(&seen);
            let reply = if is_probe(&seen) {
                answer(200, &[], b"")
            } else {
                let reply = script(&seen);
                self.seen.lock().unwrap().push(seen);
                reply
            };
            let done = match reply {
                Reply::Bytes(bytes) => stream.write_all(&bytes).await.and(stream.flush().await),
                Reply::Pieces(pieces) => {
                    for (pause, piece) in pieces {
                        tokio::time::sleep(pause).await;
                        if stream.write_all(&piece).await.and(stream.flush().await).is_err() {
                            *self.gone.lock().unwrap() += 1;
                            return;
                        }
                    }
                    return;
                }
                Reply::Reset => {
                    let stream = stream.into_inner();
                    stream.set_zero_linger().unwrap();
                    return;
                }
                Reply::Hang => {
                    let mut rest = [0];
                    let _ = stream.read(&mut rest).await;
                    *self.gone.lock().unwrap() += 1;
                    return;
                }
            };
            if done.is_err() {
                return;
            }
        }
    }

    fn verify(&self, seen: &Seen) -> Result<usize, String> {
        let authorization = seen.header("authorization").ok_or("no signature")?;
        let field = |name: &str| {
            let (_, rest) = authorization.split_once(name).ok_or(format!("no {name}"))?;
            Ok::<_, String>(rest.split([',', '/']).next().unwrap_or_default())
        };
        let number = field("Credential=ASIA")?.parse().map_err(|_| "unknown key")?;
        let signed: Vec<_> = field("SignedHeaders=")?.split(';').collect();
        if !signed.contains(&ARN_HEADER) || seen.values(ARN_HEADER) != [ARN] {
            return Err("the routing header is not signed, or not the one".to_owned());
        }
        let hash = digest(&SHA256, &seen.body);
        let hash: [u8; 32] = hash.as_ref().try_into().unwrap();
        let payload = match seen.header("x-amz-content-sha256") {
            Some("UNSIGNED-PAYLOAD") => Payload::Unsigned,
            _ => Payload::Sha256(hash),
        };
        let uri = format!("http://{}{}", self.address, seen.target);
        let mut request = Request::builder().method(seen.method.as_str()).uri(uri);
        for (name, value) in &seen.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            if signed.contains(&name.as_str()) {
                let value: Vec<u8> = value.chars().map(|character| character as u8).collect();
                request = request.header(name, HeaderValue::from_bytes(&value).unwrap());
            }
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let date = seen.header("x-amz-date").ok_or("no date")?;
        let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
        let date = SystemTime::from(date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp());
        let signer = Signer::new("us-east-1", "sagemaker-mlflow", PathEncoding::Twice);
        signer.sign(&mut parts, payload, &credentials(number), date);
        if parts.headers["authorization"].to_str().unwrap() != authorization {
            return Err(format!("another signature than {:?}", parts.headers["authorization"]));
        }
        if seen.header("x-amz-security-token") != credentials(number).session_token.as_deref() {
            return Err("another token".to_owned());
        }
        Ok(number)
    }
}

/// What the proxy asks of its own accord, for its readiness: no client's request, so it has no request id.
fn is_probe(seen: &Seen) -> bool {
    seen.target == "/health" && seen.header("x-request-id").is_none()
}

/// Reads one request; `None` when there is no whole one.
async fn receive(stream: &mut BufStream<TcpStream>) -> Option<Seen> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?);
    }
    let text: String = text.iter().map(|byte| char::from(*byte)).collect();
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    assert_eq!(first.next(), Some("HTTP/1.1"), "{text}");
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let mut seen = Seen { method, target, headers, body: Vec::new(), signer: Err("not verified".to_owned()) };
    if seen.header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            tokio::io::AsyncBufReadExt::read_line(stream, &mut line).await.ok()?;
            let length = u64::from_str_radix(line.trim(), 16).ok()?;
            let read = (&mut *stream).take(length + 2).read_to_end(&mut seen.body).await.ok()?;
            if read as u64 != length + 2 {
                return None;
            }
            seen.body.truncate(seen.body.len() - 2);
            if length == 0 {
                break;
            }
        }
    } else if let Some(length) = seen.header("content-length").map(|length| length.parse().unwrap()) {
        seen.body.resize(length, 0);
        stream.read_exact(&mut seen.body).await.ok()?;
    }
    Some(seen)
}
