//! Sends a request on to MLflow and its answer back, changing nothing but what a proxy has to change.
//!
//! The path goes on byte for byte, the query in the form that is signed. A request that may have taken effect is never
//! sent again: only one of which nothing left, one that AWS refused before anybody saw it, or a mere question.

mod headers;
mod hold;
mod refusal;
mod settings;
mod spool;
mod watched;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Incoming};

use crate::aws::{Client, Clock, SendError};
use crate::body::{Body, empty};
use crate::credentials::{CredentialCache, Credentials};
use crate::held::Disk;
use crate::operate::Operate;
use crate::operate::metrics::UpstreamError;
use crate::passing::Passing;
use crate::problem::Problem;
use crate::share::Share;
use crate::sign::{PathEncoding, Payload, Signer, wire_query};
use crate::target::{Mode, Target};
use hold::{Held, Holder};
use refusal::Refusal;
use watched::Watched;

pub use settings::{Settings, VARIABLES};

/// When a client may come back after a failure of the way to MLflow.
const COME_BACK: Duration = Duration::from_secs(2);

/// How long is waited before a question is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// What an operator should do about a refusal.
const HINT: HeaderName = HeaderName::from_static("x-formwork-hint");

/// The way to MLflow.
pub struct Forward {
    mode: Mode,
    endpoint: Uri,
    routing: (HeaderName, HeaderValue),
    signer: Signer,
    credentials: CredentialCache,
    client: Client,
    clock: Clock,
    holder: Holder,
    sign_payload: bool,
    answer_timeout: Duration,
    operate: Arc<Operate>,
}

/// What may be done once for a request, and was not yet.
struct Chances {
    again: bool,
    renewal: bool,
    time: bool,
}

/// The end of one attempt.
enum Outcome {
    Done(Response<Body>),
    Again,
}

impl Forward {
    /// The way to `target`, signed with what `credentials` has. Large bodies wait on `disk`.
    ///
    /// # Panics
    ///
    /// If the target's ARN cannot stand in a header, which [`Target::from_arn`] sees to.
    pub fn new(
        target: &Target,
        settings: &Settings,
        credentials: CredentialCache,
        client: Client,
        disk: Disk,
        operate: Arc<Operate>,
    ) -> Self {
        let arn = HeaderValue::from_str(&target.arn).expect("an ARN has only letters, digits and signs");
        Self {
            mode: target.mode,
            endpoint: target.endpoint.clone(),
            routing: (target.header.clone(), arn),
            signer: Signer::new(&target.region, target.service, PathEncoding::Twice),
            credentials,
            clock: client.clock().clone(),
            client,
            holder: Holder { memory: settings.memory, max_body: settings.max_body, disk },
            sign_payload: settings.sign_payload,
            answer_timeout: settings.answer_timeout,
            operate,
        }
    }

    /// The answer of MLflow, or why there is none.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        match self.try_send(request).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        }
    }

    async fn try_send(&self, request: Request<Body>) -> Result<Response<Body>, Problem> {
        let (mut parts, body) = request.into_parts();
        let declared = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let share = Share::take(&mut parts.extensions);
        headers::clean_request(&mut parts.headers);
        parts.headers.insert(self.routing.0.clone(), self.routing.1.clone());
        parts.uri = at(&self.endpoint, &parts.uri)?;
        if !self.sign_payload && !body.is_end_stream() {
            return Box::pin(self.stream(parts, body, declared)).await;
        }
        let held = self.holder.hold(body, declared, &share).await?;
        let mut chances = Chances { again: true, renewal: true, time: true };
        loop {
            if let Outcome::Done(response) = self.attempt(&parts, &held, &mut chances).await? {
                return Ok(response);
            }
            self.operate.metrics.retries.inc();
        }
    }

    /// Sends a body on while it comes. There is no second attempt: nobody holds what was sent.
    async fn stream(
        &self,
        mut parts: Parts,
        body: Body,
        declared: Option<u64>,
    ) -> Result<Response<Body>, Problem> {
        self.holder.check(declared.unwrap_or(0))?;
        let (body, broken) = Watched::over(body, self.holder.max_body);
        let credentials = self.credentials.get().await?;
        self.signer.sign(&mut parts, Payload::Unsigned, &credentials, self.clock.now());
        match self.client.send(Request::from_parts(parts, body)).await {
            Ok(response) => {
                let mut none = Chances { again: false, renewal: false, time: false };
                match self.receive(response, &Method::POST, &credentials, &mut none).await? {
                    Outcome::Done(response) => Ok(response),
                    Outcome::Again => unreachable!("there was no chance left"),
                }
            }
            Err(error) => Err(broken.take().unwrap_or_else(|| self.failed(&error))),
        }
    }

    async fn attempt(&self, parts: &Parts, held: &Held, chances: &mut Chances) -> Result<Outcome, Problem> {
        let credentials = self.credentials.get().await?;
        let mut signed = parts.clone();
        self.signer.sign(&mut signed, held.payload, &credentials, self.clock.now());
        if held.is_empty() && matches!(signed.method, Method::POST | Method::PUT | Method::PATCH) {
            // Of these a body is expected, so that there is none has to be said. Source: RFC 9110, section 8.6.
            signed.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        match self.client.send(Request::from_parts(signed, held.body())).await {
            Ok(response) => self.receive(response, &parts.method, &credentials, chances).await,
            Err(error) => {
                let harmless = error.is_unsent()
                    || (is_question(&parts.method) && matches!(error, SendError::NoAnswer { .. }));
                if harmless && std::mem::take(&mut chances.again) {
                    tracing::debug!(%error, "trying again");
                    tokio::time::sleep(PAUSE).await;
                    return Ok(Outcome::Again);
                }
                Err(self.failed(&error))
            }
        }
    }

    /// Looks at an answer's head, and lets it pass unless another attempt is due.
    async fn receive(
        &self,
        response: Response<Incoming>,
        method: &Method,
        credentials: &Arc<Credentials>,
        chances: &mut Chances,
    ) -> Result<Outcome, Problem> {
        let (mut parts, incoming) = response.into_parts();
        let status = parts.status;
        if status.is_informational() {
            // Nobody asked for another protocol.
            self.operate.metrics.upstream_error(UpstreamError::Broken);
            let message = format!("MLflow answered {status}, which is no answer to this request");
            return Err(unreachable_mlflow(StatusCode::BAD_GATEWAY, message));
        }
        if status.is_server_error() {
            self.operate.metrics.upstream_error(UpstreamError::Status);
            let passing = matches!(status.as_u16(), 502..=504);
            if passing && is_question(method) && std::mem::take(&mut chances.again) {
                drop(incoming);
                tokio::time::sleep(PAUSE).await;
                return Ok(Outcome::Again);
            }
        }
        self.operate.readiness.upstream.heard(status);
        let refused = refusal::is_possible(status, &parts.headers);
        headers::clean_answer(&mut parts.headers, &self.endpoint);
        if incoming.is_end_stream() && !refused {
            return Ok(Outcome::Done(Response::from_parts(parts, empty())));
        }
        let passing =
            Passing::new(incoming, "MLflow's answer", self.answer_timeout, self.operate.metrics.clone());
        let mut body = passing.boxed_unsync();
        if refused {
            let (seen, whole) = refusal::look(body).await.map_err(|error| {
                let message = format!("MLflow's answer cannot be read: {error}");
                unreachable_mlflow(StatusCode::BAD_GATEWAY, message)
            })?;
            body = whole;
            let refusal = refusal::judge(&parts.headers, &seen);
            if self.mend(refusal, &parts.headers, credentials, chances).await? {
                return Ok(Outcome::Again);
            }
            if refusal == Refusal::Access {
                parts.headers.insert(HINT, refusal::hint(self.mode));
            }
        }
        Ok(Outcome::Done(Response::from_parts(parts, body)))
    }

    /// Does what the proxy itself can do about a refusal; `true` if the request should be sent anew.
    async fn mend(
        &self,
        refusal: Refusal,
        headers: &http::HeaderMap,
        credentials: &Arc<Credentials>,
        chances: &mut Chances,
    ) -> Result<bool, Problem> {
        if refusal != Refusal::Other {
            // Missing rights are no failure of what stands behind: MLflow works, and says so.
            if refusal != Refusal::Access {
                self.operate.metrics.upstream_error(UpstreamError::Credentials);
            }
            tracing::warn!(reason = ?refusal, "MLflow refused a request of the proxy");
        }
        match refusal {
            Refusal::Credentials => {
                // Others profit even when this request had its chance.
                let renewed = self.credentials.renew(credentials).await?;
                Ok(renewed != *credentials && std::mem::take(&mut chances.renewal))
            }
            Refusal::Time => Ok(self.clock.learn(headers) && std::mem::take(&mut chances.time)),
            Refusal::Signature | Refusal::Access | Refusal::Other => Ok(false),
        }
    }

    /// What a client gets when MLflow gave no answer.
    fn failed(&self, error: &SendError) -> Problem {
        let status = match error {
            SendError::NotSent { .. } => StatusCode::SERVICE_UNAVAILABLE,
            SendError::NoAnswer { .. } => StatusCode::BAD_GATEWAY,
            SendError::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            SendError::Body { why, problem } => {
                tracing::debug!(%why, "a request's body ended early");
                return (**problem).clone();
            }
        };
        self.operate.metrics.no_answer(error);
        self.operate.readiness.upstream.failed();
        tracing::warn!(%error, "MLflow gave no answer");
        let message = match status {
            StatusCode::SERVICE_UNAVAILABLE => "the proxy cannot connect to MLflow; nothing was sent",
            StatusCode::GATEWAY_TIMEOUT => "MLflow did not answer in time; it may still do what was asked",
            _ => "MLflow's connection broke without an answer; it may have done what was asked",
        };
        unreachable_mlflow(status, message)
    }
}

/// The same path and query at the endpoint, the query in the form that is signed.
fn at(endpoint: &Uri, asked: &Uri) -> Result<Uri, Problem> {
    let path_and_query = match asked.query().map(wire_query) {
        Some(Cow::Owned(wire)) => PathAndQuery::from_maybe_shared(format!("{}?{wire}", asked.path())).ok(),
        None | Some(Cow::Borrowed(_)) => asked.path_and_query().cloned(),
    };
    let mut uri = endpoint.clone().into_parts();
    uri.path_and_query = path_and_query;
    Uri::from_parts(uri).map_err(|_| {
        let message = format!("`{}` is no path that can be sent on", asked.path());
        Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    })
}

/// Whether a request only asks, so that asking twice does no harm.
fn is_question(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn unreachable_mlflow(status: StatusCode, message: impl Into<String>) -> Problem {
    Problem::new(status, "TEMPORARILY_UNAVAILABLE", message).retry_after(COME_BACK)
}
