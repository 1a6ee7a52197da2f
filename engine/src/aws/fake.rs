//! A scripted service for the tests of this room: it answers what a test says and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::session::{ConnectOptions, InProcess, Session, Transport};
use super::sessions::Sessions;
use crate::clock::Clock;
use crate::event::{Event, What};
use crate::journal::{Intent, Journal, Ticket};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The action of the Query protocol, or the target of JSON.
    pub(crate) action: String,
    /// The parameters of the Query protocol.
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) uri: http::Uri,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// The access key that signed the request.
    pub(crate) fn key(&self) -> String {
        let header = self.headers["authorization"].to_str().unwrap_or_default();
        header
            .split("Credential=")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_default()
            .to_owned()
    }
}

/// What is answered.
pub(crate) enum Answer {
    /// The elements of a result.
    Result(String),
    /// A refusal of the Query protocol: status, code, message.
    Refused(u16, &'static str, String),
    /// Anything, with a header `Date`.
    Raw(u16, String, Option<String>),
    /// The connection breaks.
    Broken,
    /// Nothing ever comes.
    Silent,
}

pub(crate) fn refused(code: &'static str, message: &str) -> Answer {
    Answer::Refused(400, code, message.to_owned())
}

pub(crate) fn throttled() -> Answer {
    refused("Throttling", "Rate exceeded")
}

type Script = dyn Fn(&Seen, usize) -> Answer + Send + Sync;

/// The service; [`fake`] makes one.
pub(crate) struct Fake {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
    told: Mutex<Vec<What>>,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

/// A service that answers by a script, which is told the request and how many of the same action came before.
pub(crate) fn fake(script: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Arc<Fake> {
    Arc::new(Fake { script: Box::new(script), seen: Mutex::default(), told: Mutex::default() })
}

/// The answer to `GetCallerIdentity` and `AssumeRole` that most tests want.
pub(crate) fn sts(seen: &Seen) -> Option<Answer> {
    let role = seen.key().starts_with("ASIA");
    match seen.action.as_str() {
        "GetCallerIdentity" => {
            Some(Answer::Result(identity(if role { "assumed-role/r/s" } else { "user/u" })))
        }
        "AssumeRole" => Some(Answer::Result(role_credentials("ASIA1", "2999-01-01T00:00:00Z"))),
        _ => None,
    }
}

pub(crate) fn identity(name: &str) -> String {
    format!("<Arn>arn:aws:iam::123456789012:{name}</Arn><UserId>u</UserId><Account>123456789012</Account>")
}

pub(crate) fn role_credentials(key: &str, end: &str) -> String {
    format!(
        "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>t</SessionToken><Expiration>{end}</Expiration></Credentials>"
    )
}

impl InProcess for Fake {
    fn call(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>> {
        let (head, body) = request.into_parts();
        let body = String::from_utf8_lossy(&body).into_owned();
        let form: BTreeMap<_, _> = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let action = form.get("Action").cloned().or(target.map(str::to_owned)).unwrap_or_default();
        let seen = Seen { action: action.clone(), form, headers: head.headers, uri: head.uri, body };
        let before = {
            let mut all = self.seen.lock().expect("no panic");
            let before = all.iter().filter(|one| one.action == action).count();
            all.push(seen.clone());
            before
        };
        let (status, body, date) = match (self.script)(&seen, before) {
            Answer::Result(inner) => (
                200,
                format!(
                    "<{action}Response xmlns=\"urn:x\"><{action}Result>{inner}</{action}Result></{action}Response>"
                ),
                None,
            ),
            Answer::Refused(status, code, message) => (
                status,
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
                ),
                None,
            ),
            Answer::Raw(status, body, date) => (status, body, date),
            Answer::Broken => return async { Err("connection reset".to_owned()) }.boxed(),
            Answer::Silent => return std::future::pending().boxed(),
        };
        let mut answer = http::Response::builder().status(status).header("x-amzn-requestid", "r-1");
        if let Some(date) = date {
            answer = answer.header("date", date);
        }
        let answer = answer.body(Bytes::from(body)).expect("a valid answer");
        async { Ok(answer) }.boxed()
    }
}

impl Fake {
    pub(crate) fn options(self: &Arc<Self>) -> ConnectOptions {
        let fake = self.clone();
        ConnectOptions {
            profile: None,
            region: None,
            transport: Transport::InProcess(self.clone()),
            clock: Clock::real(),
            listener: Arc::new(move |event: Event| fake.told.lock().expect("no panic").push(event.what)),
        }
    }

    pub(crate) fn sessions(self: &Arc<Self>) -> Sessions {
        Sessions::new(self.options())
    }

    pub(crate) async fn session(self: &Arc<Self>) -> Session {
        self.sessions().base().await.expect("connects")
    }

    pub(crate) fn seen(&self, action: &str) -> Vec<Seen> {
        self.seen.lock().expect("no panic").iter().filter(|seen| seen.action == action).cloned().collect()
    }

    pub(crate) fn told(&self) -> Vec<What> {
        self.told.lock().expect("no panic").clone()
    }
}

/// A ticket of a journal that nobody keeps.
pub(crate) fn ticket(operation: &'static str) -> Ticket {
    let intent = Intent { operation, target: "stack".to_owned(), token: None, names: BTreeMap::new() };
    Journal::in_memory().intent(intent).expect("a journal in memory takes everything")
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex(at)) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (b'+', _) => {
                decoded.push(b' ');
                at += 1;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Runs a test again in a process of its own that sees nothing but these variables, and says whether this is the process
/// that did so; the other one goes on with the test. The environment cannot be changed safely within a process.
pub(crate) fn elsewhere(test: &str, variables: &[(&str, &str)]) -> bool {
    const CHILD: &str = "FORMWORK_TEST_ELSEWHERE";
    if std::env::var_os(CHILD).is_some() {
        return false;
    }
    let program = std::env::current_exe().expect("the test's own program");
    let mut command = std::process::Command::new(program);
    command
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .env(CHILD, "1")
        .envs(variables.iter().copied());
    for name in ["PATH", "LD_LIBRARY_PATH"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let output = command.output().expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}
