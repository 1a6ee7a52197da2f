//! MLflow's API as a client speaks it: requests that are repeated where that does no harm, and answers as JSON.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::json;
use crate::aws::Error;
use crate::aws::calls::encode;
use crate::aws::exchange::{Answer, Body, Exchange};
use crate::clock::Clock;
use crate::error::{Class, EngineError};

/// The longest answer that is read into memory: a page of runs with all their parameters and tags.
const LONGEST_ANSWER: usize = 256 << 20;
/// How often a request is sent before it is given up.
const ATTEMPTS: u32 = 6;
/// The waits between them double from here.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A server that speaks MLflow's API. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    exchange: Exchange,
    base: String,
    name: String,
    headers: Vec<(&'static str, String)>,
    clock: Clock,
}

/// Why a request was not answered as it should have been.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: Option<u16>,
    code: Option<String>,
    message: String,
    server: String,
    signed: bool,
}

/// What a file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
}

impl Client {
    /// A client of a server at `base`, which the user knows as `name`. The headers go with every request.
    pub(crate) fn new(
        exchange: Exchange,
        base: &str,
        name: &str,
        headers: Vec<(&'static str, String)>,
        clock: Clock,
    ) -> Self {
        Self { exchange, base: base.to_owned(), name: name.to_owned(), headers, clock }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Problem> {
        self.json("GET", path, None, ATTEMPTS).await
    }

    /// A call that may be repeated: it asks, or sets values.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Problem> {
        self.json("POST", path, Some(body), ATTEMPTS).await
    }

    pub(crate) async fn send(
        &self,
        method: &'static str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Problem> {
        self.json(method, path, Some(body), ATTEMPTS).await
    }

    /// A call that makes something new: sent once, so that nothing is made twice.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Result<Value, Problem> {
        self.json("POST", path, Some(body), 1).await
    }

    /// Waits before something is tried another time.
    pub(crate) async fn pause(&self, attempt: u32) {
        self.clock.sleep(FIRST_WAIT * 2_u32.saturating_pow(attempt.min(8))).await;
    }

    async fn json(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
        attempts: u32,
    ) -> Result<Value, Problem> {
        let content = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let body = Body::Bytes(content);
        for attempt in 0.. {
            let outcome = async {
                let mut answer = self.answer(method, path, "application/json", &body).await?;
                let text = answer.whole(LONGEST_ANSWER).await.map_err(|error| self.broken(&error))?;
                if text.is_empty() {
                    return Ok(Value::Null);
                }
                json::read(&text).map_err(|error| self.no_answer(&text, &error))
            };
            match outcome.await {
                Err(problem) if problem.is_transient() && attempt + 1 < attempts => self.pause(attempt).await,
                outcome => return outcome,
            }
        }
        unreachable!("the loop has no other end")
    }

    /// Writes an answer's body to a file, and says what it was. Begins anew when the answer breaks off.
    pub(crate) async fn fetch(&self, path: &str, into: &Path) -> Result<Fetched, Problem> {
        for attempt in 0.. {
            match self.fetch_once(path, into).await {
                Err(problem) if problem.is_transient() && attempt + 1 < ATTEMPTS => self.pause(attempt).await,
                outcome => return outcome,
            }
        }
        unreachable!("the loop has no other end")
    }

    async fn fetch_once(&self, path: &str, into: &Path) -> Result<Fetched, Problem> {
        let mut answer = self.answer("GET", path, "application/json", &Body::Bytes(Bytes::new())).await?;
        let written = |error: std::io::Error| self.local(into, &error);
        let mut file = File::create(into).await.map_err(written)?;
        let (mut bytes, mut hash) = (0, Sha256::new());
        while let Some(piece) = answer.next().await.map_err(|error| self.broken(&error))? {
            bytes += piece.len() as u64;
            hash.update(&piece);
            file.write_all(&piece).await.map_err(written)?;
        }
        file.flush().await.map_err(written)?;
        // A body that ends early is no error to every library.
        let told = answer.header("content-length").and_then(|length| length.parse::<u64>().ok());
        if answer.header("content-encoding").is_none() && told.is_some_and(|told| told != bytes) {
            let message = format!("the file breaks off after {bytes} bytes");
            return Err(Problem { status: Some(502), ..self.problem(message) });
        }
        Ok(Fetched { bytes, sha256: hash.finalize().into() })
    }

    /// Sends a file. Writing one twice leaves what writing it once leaves.
    pub(crate) async fn put(&self, path: &str, file: &Path, bytes: u64) -> Result<(), Problem> {
        let body = Body::File(file.to_owned(), bytes);
        for attempt in 0.. {
            let outcome = async {
                let mut answer = self.answer("PUT", path, "application/octet-stream", &body).await?;
                answer.whole(LONGEST_ANSWER).await.map_err(|error| self.broken(&error))
            };
            match outcome.await {
                Err(problem) if problem.is_transient() && attempt + 1 < ATTEMPTS => self.pause(attempt).await,
                outcome => return outcome.map(drop),
            }
        }
        unreachable!("the loop has no other end")
    }

    async fn answer(
        &self,
        method: &'static str,
        path: &str,
        media: &str,
        body: &Body,
    ) -> Result<Answer, Problem> {
        let url = format!("{}{path}", self.base);
        let mut headers: Vec<(&str, &str)> = Vec::with_capacity(self.headers.len() + 1);
        headers.extend(self.headers.iter().map(|(name, value)| (*name, value.as_str())));
        if method != "GET" {
            headers.push(("content-type", media));
        }
        let mut renewed = false;
        loop {
            let sent = self.exchange.send(method, &url, &headers, body).await;
            let mut answer = sent.map_err(|error| self.broken(&error))?;
            if (200..300).contains(&answer.status) {
                return Ok(answer);
            }
            if answer.status == 403 && !renewed && self.exchange.renew().await {
                renewed = true;
                continue;
            }
            let text = answer.whole(1 << 20).await.unwrap_or_default();
            return Err(self.refusal(&answer, &text));
        }
    }

    fn problem(&self, message: String) -> Problem {
        let signed = self.headers.iter().any(|(name, _)| name.starts_with("x-"));
        Problem { status: None, code: None, message, server: self.name.clone(), signed }
    }

    fn broken(&self, error: &Error) -> Problem {
        self.problem(error.message.clone())
    }

    fn local(&self, path: &Path, error: &std::io::Error) -> Problem {
        let message = format!("{} cannot be written: {error}", path.display());
        Problem { status: Some(0), ..self.problem(message) }
    }

    fn no_answer(&self, text: &[u8], error: &serde_json::Error) -> Problem {
        let begin: String = String::from_utf8_lossy(text).chars().take(80).collect();
        let message = format!("the answer is no JSON ({error}); it begins `{}`", begin.trim());
        Problem { status: Some(200), ..self.problem(message) }
    }

    fn refusal(&self, answer: &Answer, text: &[u8]) -> Problem {
        let body: Value = serde_json::from_slice(text).unwrap_or_default();
        let code = body["error_code"].as_str().or_else(|| body["__type"].as_str()).map(str::to_owned);
        let told = ["message", "Message", "detail"].iter().find_map(|name| body[*name].as_str());
        let message = match (told, answer.header("location")) {
            (Some(told), _) => told.chars().take(600).collect(),
            (None, Some(location)) => format!("it sends to {location}"),
            (None, None) => {
                let begin: String = String::from_utf8_lossy(text).chars().take(200).collect();
                format!("status {} {}", answer.status, begin.trim()).trim().to_owned()
            }
        };
        Problem { status: Some(answer.status), code, ..self.problem(message) }
    }
}

impl Problem {
    /// Whether there is no such thing, or no such route.
    pub(crate) fn is_absent(&self) -> bool {
        self.code.as_deref() == Some("RESOURCE_DOES_NOT_EXIST") || matches!(self.status, Some(404 | 405))
    }

    /// Whether the server knows no such route at all: it is of another version.
    pub(crate) fn is_unknown_route(&self) -> bool {
        self.code.as_deref() != Some("RESOURCE_DOES_NOT_EXIST")
            && (matches!(self.status, Some(404 | 405 | 501))
                || matches!(self.code.as_deref(), Some("ENDPOINT_NOT_FOUND" | "NOT_IMPLEMENTED")))
    }

    /// Whether the name is taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.code.as_deref() == Some("RESOURCE_ALREADY_EXISTS")
    }

    /// Whether it may go by itself. After a call that makes something, it is then not known whether it was made.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status, None | Some(408 | 429 | 500 | 502 | 503 | 504))
    }
}

impl From<Problem> for EngineError {
    fn from(problem: Problem) -> Self {
        let Problem { status, message, server, signed, .. } = problem;
        let told = |class, hint: &str| Self::new(class, format!("{server}: {message}")).with_hint(hint);
        match status {
            Some(401) => told(
                Class::Usage,
                "set FORMWORK_FROM_TOKEN, or FORMWORK_FROM_USERNAME and FORMWORK_FROM_PASSWORD; for the place that is \
                 copied to the same with TO",
            ),
            Some(301..=308) => told(
                Class::Usage,
                "a page to sign in stands before the server; name an address that takes a token or a password",
            ),
            Some(403) if signed => told(
                Class::NeedsAction,
                "allow sagemaker-mlflow:* on the tracking server to the caller, for an app sagemaker:CallMlflowAppApi too",
            ),
            Some(403) => told(
                Class::NeedsAction,
                "use a user that may do more; copying into a proxy needs the role admin",
            ),
            Some(400 | 404 | 405 | 409 | 413 | 422) => {
                told(Class::Input, "mend what is said, then give the same command again: it goes on")
            }
            None => told(
                Class::NeedsAction,
                "look at the address and the network, then give the same command again",
            ),
            Some(_) => {
                told(Class::NeedsAction, "mend what is said, then give the same command again: it goes on")
            }
        }
    }
}

/// Encodes a path, whose slashes stay.
pub(crate) fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}
