//! Signed calls of services that have no client here.
//!
//! A client of the SDK is megabytes of generated code; for one or two calls of a service the protocol by hand is enough.
//! The calls share connections, credentials, endpoints and patience with those of the SDK's clients.

mod service;
mod time;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::request_id::RequestId;
use bytes::Bytes;
use serde_json::Value;

use super::error::{Error, ErrorKind};
use super::http::{self, collect, explained, host_of};
use super::limiter::Effect;
use super::messages;
use super::retry::{Caller, Patience};
use super::session::Shared;
use super::xml;
use crate::journal::Ticket;
use service::Service;

/// Signed calls in one account and region. Cheap to clone.
#[derive(Clone)]
pub struct RawClient {
    inner: Arc<Inner>,
    patience: Patience,
    effect: Effect,
}

struct Inner {
    caller: Caller,
    connector: SharedHttpConnector,
    configuration: SdkConfig,
    region: String,
    partition: String,
    time: SharedTimeSource,
    /// By how many seconds the services' clock is ahead of ours, once that mattered.
    ahead: AtomicI64,
}

/// A request before it is signed.
struct Draft<'a> {
    service: Service,
    operation: &'static str,
    method: &'a str,
    path: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl std::fmt::Debug for RawClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawClient").field("region", &self.inner.region).finish_non_exhaustive()
    }
}

impl RawClient {
    pub(crate) fn new(
        configuration: &SdkConfig,
        shared: &Shared,
        caller: Caller,
        region: &str,
        partition: &str,
    ) -> Self {
        let settings =
            HttpConnectorSettings::builder().connect_timeout(http::CONNECT).read_timeout(http::READ).build();
        let inner = Inner {
            caller,
            connector: shared.environment.wire.connector(&settings),
            configuration: configuration.clone(),
            region: region.to_owned(),
            partition: partition.to_owned(),
            time: shared.environment.time.clone(),
            ahead: AtomicI64::new(0),
        };
        Self { inner: Arc::new(inner), patience: Patience::USUAL, effect: Effect::Read }
    }

    /// The same client, repeating calls for so long.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self { patience, ..self.clone() }
    }

    /// The same client for a call that changes something. It is repeated like any other, so that either its body carries
    /// the ticket's token or a repeat has to be harmless; see [`super::mutations`].
    #[must_use]
    pub fn writing(&self, _ticket: &Ticket) -> Self {
        Self { effect: Effect::Write, ..self.clone() }
    }

    /// A call of a service that speaks AWS JSON. `service` is the name that signatures use, such as `ssm`; `target` is the
    /// header `X-Amz-Target`, such as `AmazonSSM.GetParameter`.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn json(&self, service: &str, target: &'static str, body: &Value) -> Result<Value, Error> {
        let service = Service::of(service);
        let operation = target.rsplit('.').next().unwrap_or(target);
        let headers = vec![
            ("content-type", format!("application/x-amz-json-{}", service.json)),
            ("x-amz-target", target.to_owned()),
        ];
        let body = Bytes::from(body.to_string());
        let draft = Draft { service, operation, method: "POST", path: "/", headers, body };
        self.send(&draft, parse_json).await
    }

    /// A call of a service that speaks AWS Query or EC2 Query, whose answer is XML.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn query(
        &self,
        service: &str,
        action: &'static str,
        version: &str,
        parameters: &[(String, String)],
    ) -> Result<xml::Element, Error> {
        let head = [("Action", action), ("Version", version)];
        let pairs =
            head.into_iter().chain(parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let form: Vec<_> = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let draft = Draft {
            service: Service::of(service),
            operation: action,
            method: "POST",
            path: "/",
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: Bytes::from(form.join("&")),
        };
        self.send(&draft, |body| xml::read(&String::from_utf8_lossy(body))).await
    }

    /// A call of a service that speaks JSON over REST. `path` begins with a slash and is encoded already; a query may
    /// follow. The error names `operation`.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn rest_json(
        &self,
        service: &str,
        operation: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        self.rest_json_with(service, operation, method, path, &[], body).await
    }

    /// The same with headers of the operation's own, by their names in lower case.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn rest_json_with(
        &self,
        service: &str,
        operation: &'static str,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let kind = body.map(|_| ("content-type", "application/json".to_owned()));
        let draft = Draft {
            service: Service::of(service),
            operation,
            method,
            path,
            headers: kind.into_iter().chain(headers.iter().cloned()).collect(),
            body: body.map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
        };
        self.send(&draft, parse_json).await
    }

    /// Sends a request until an answer comes that can be read: one that is cut off is asked for again.
    async fn send<T>(&self, draft: &Draft<'_>, read: fn(&[u8]) -> Result<T, String>) -> Result<T, Error> {
        let inner = &self.inner;
        let attempt = |_| async {
            let once = inner.caller.clock().timeout(http::ATTEMPT, inner.once(draft)).await;
            let late = || Error::new(draft.operation, ErrorKind::Unreachable, "no answer came in time");
            let body = once.unwrap_or_else(|| Err(late()))?;
            read(&body).map_err(|why| Error::new(draft.operation, ErrorKind::Protocol, why))
        };
        inner.caller.call(draft.operation, self.effect, self.patience, attempt).await
    }
}

impl Inner {
    async fn once(&self, draft: &Draft<'_>) -> Result<Bytes, Error> {
        let (credentials, _) = self.caller.credentials().current().await?;
        let request = self.signed(draft, &credentials)?;
        let host = host_of(request.uri()).to_owned();
        let broken = |error| Error::broken(draft.operation, &error);
        let mut answer = match self.connector.call(request).await {
            Ok(answer) => answer,
            Err(error) => return Err(broken(explained(error, host).await)),
        };
        let body = collect(answer.take_body()).await.map_err(broken)?;
        if answer.status().is_success() {
            return Ok(body);
        }
        let (code, message) = refusal(answer.headers().get("x-amzn-errortype"), &body);
        if messages::is_signature_refused(code.as_deref()) {
            self.measure(answer.headers().get("date"));
        }
        let request_id = answer.request_id().map(str::to_owned);
        // Put back for whoever looks whether it was whole.
        *answer.body_mut() = SdkBody::from(body);
        Err(Error { request_id, ..Error::answered(draft.operation, code.as_deref(), &message, &answer) })
    }

    fn signed(&self, draft: &Draft<'_>, credentials: &Credentials) -> Result<HttpRequest, Error> {
        let wrong = |why: String| Error::new(draft.operation, ErrorKind::Invalid, why);
        let (endpoint, region) = draft.service.endpoint(&self.configuration, &self.partition, &self.region);
        let url = format!("{}{}", endpoint.trim_end_matches('/'), draft.path);
        let mut request = ::http::Request::builder().method(draft.method).uri(&url);
        for (name, value) in &draft.headers {
            request = request.header(*name, value);
        }
        let mut request =
            request.body(SdkBody::from(draft.body.clone())).map_err(|error| wrong(error.to_string()))?;
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(draft.service.signing)
            .time(self.now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| wrong(error.to_string()))?
            .into();
        let headers = draft.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let signable = SignableRequest::new(draft.method, &url, headers, SignableBody::Bytes(&draft.body));
        let signed = signable
            .and_then(|signable| sign(signable, &parameters))
            .map_err(|error| wrong(error.to_string()))?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        HttpRequest::try_from(request).map_err(|error| wrong(error.to_string()))
    }

    /// The services' time, as far as it is known.
    fn now(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let difference = Duration::from_secs(ahead.unsigned_abs());
        let now = self.time.now();
        if ahead < 0 { now - difference } else { now + difference }
    }

    /// Takes over the service's time from the header `Date` of a refusal.
    fn measure(&self, date: Option<&str>) {
        let server = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let here = jiff::Timestamp::try_from(self.time.now());
        if let (Some(server), Ok(here)) = (server, here) {
            self.ahead.store(server.timestamp().duration_since(here).as_secs(), Ordering::Relaxed);
        }
    }
}

fn parse_json(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| format!("the answer is no JSON or cut off: {error}"))
}

/// The code and the text of a refusal, in whichever protocol it comes.
fn refusal(header: Option<&str>, body: &[u8]) -> (Option<String>, String) {
    let text = String::from_utf8_lossy(body);
    if let Ok(document) = xml::read(&text) {
        let error = document.find("Error").unwrap_or(&document);
        let code = error.text_of("Code").map(str::to_owned);
        return (code, error.text_of("Message").unwrap_or_default().to_owned());
    }
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |names: &[&str]| names.iter().find_map(|name| json[*name].as_str()).map(str::to_owned);
    let code = header.map(str::to_owned).or_else(|| field(&["__type", "code", "Code"]));
    // `com.amazonaws.ssm#ParameterNotFound` and `AccessDeniedException:http://...`.
    let code = code.map(|code| {
        code.rsplit('#').next().unwrap_or(&code).split(':').next().unwrap_or_default().to_owned()
    });
    (code, field(&["message", "Message", "errorMessage"]).unwrap_or_default())
}

/// Encodes all but what RFC 3986 calls unreserved.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
