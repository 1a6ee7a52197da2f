//! The way to MLflow's own user interface: SageMaker makes an address that opens it once, and the browser is sent there.
//!
//! The interface then acts with all that the proxy's role may do, whoever opened it. So it is only for those who may do as
//! much here: a reader who got in through it would be a writer.

use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use serde_json::{Value, json};

use crate::access::{Identity, Role};
use crate::aws::{CallError, Calls, Service};
use crate::body::{Body, empty};
use crate::problem::Problem;
use crate::target::{Mode, Target};

use super::html::{Escaped, page};
use super::{Settings, needed};

/// What `/ui` is asked with.
#[derive(Clone, Copy, Debug)]
pub(super) struct UiRequest<'a> {
    /// The method of the request.
    pub(super) method: &'a Method,
    /// Its headers: a browser gets a page, a program gets JSON.
    pub(super) headers: &'a HeaderMap,
    /// Who asks.
    pub(super) identity: &'a Identity,
    /// The most that anybody may do through this proxy.
    pub(super) ceiling: Role,
    /// What stands behind the proxy.
    pub(super) target: &'a Target,
}

/// The answer to `/ui`: a redirect to an address that was made just now, or why there is none.
///
/// `calls` signs with the credentials of the role that calls MLflow.
pub(super) async fn ui(request: &UiRequest<'_>, settings: &Settings, calls: &Calls) -> Response<Body> {
    match address(request, settings, calls).await {
        Ok(address) => redirect(address),
        Err(problem) => refuse(request.headers, problem),
    }
}

async fn address(
    request: &UiRequest<'_>,
    settings: &Settings,
    calls: &Calls,
) -> Result<HeaderValue, Problem> {
    // HEAD is refused too: each call makes an address that lets somebody in, which is not for looking ahead.
    if request.method != Method::GET {
        let message = format!("{} is not possible on /ui; use GET", request.method);
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", message)
            .header(ALLOW, HeaderValue::from_static("GET")));
    }
    let Some(needed) = needed(settings.ui_role, request.ceiling) else {
        let message = "this proxy does not open MLflow's own user interface";
        return Err(Problem::new(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", message)
            .hint("whoever runs the proxy can allow it by MLFLOW_PROXY_UI_ROLE"));
    };
    if request.identity.role < needed {
        let message =
            format!("MLflow's own user interface is for the role {needed} here, as it can do as much");
        return Err(Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
            .hint("use the API, or ask for another role; MLFLOW_PROXY_UI_ROLE decides who may open it"));
    }
    let (operation, mut body) = match request.target.mode {
        Mode::TrackingServer => {
            ("CreatePresignedMlflowTrackingServerUrl", json!({ "TrackingServerName": request.target.name }))
        }
        Mode::App => ("CreatePresignedMlflowAppUrl", json!({ "Arn": request.target.arn })),
    };
    body["ExpiresInSeconds"] = settings.url_seconds.into();
    body["SessionExpirationDurationInSeconds"] = settings.session_seconds.into();
    let answer = calls.json(Service::SageMaker, operation, &body).await;
    let answer = answer.map_err(|error| failed(operation, &error))?;
    read(&answer).ok_or_else(|| {
        tracing::warn!(operation, "the answer has no address that a browser could open");
        let message = "SageMaker's answer has no address of the user interface";
        Problem::new(StatusCode::BAD_GATEWAY, "INTERNAL_ERROR", message)
    })
}

/// The address in SageMaker's answer. It is a secret for as long as it can be opened.
fn read(answer: &Value) -> Option<HeaderValue> {
    let text = answer["AuthorizedUrl"].as_str()?;
    let uri: Uri = text.parse().ok()?;
    matches!(uri.scheme_str(), Some("https" | "http")).then_some(())?;
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn failed(operation: &str, error: &CallError) -> Problem {
    tracing::warn!(operation, %error, "no address of the user interface");
    let code = error.code().unwrap_or_default();
    if error.is_denied() {
        let message = format!("AWS does not let the proxy open MLflow's user interface: {code}");
        return Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message).hint(format!(
            "the role of SM_MLFLOW_ROLE_ARN needs sagemaker:{operation} on the resource and sagemaker-mlflow:AccessUI"
        ));
    }
    if error.is_throttled() {
        let message = format!("SageMaker is asked too often: {code}");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", message)
            .hint("try again in a moment")
            .retry_after(std::time::Duration::from_secs(5));
    }
    match error {
        CallError::Credentials(error) => error.clone().into(),
        CallError::Refused { code, .. } => {
            let message = format!("SageMaker gives no address of the user interface: {code}");
            Problem::new(StatusCode::BAD_GATEWAY, "INTERNAL_ERROR", message)
                .hint("see that the resource exists and is running; the proxy's log has SageMaker's words")
        }
        _ => {
            let message = "SageMaker's API does not answer the proxy";
            Problem::new(StatusCode::BAD_GATEWAY, "TEMPORARILY_UNAVAILABLE", message)
                .hint("see that the proxy reaches api.sagemaker, such as by a VPC endpoint")
        }
    }
}

fn redirect(address: HeaderValue) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(LOCATION, address);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A page for a browser, JSON for a program.
fn refuse(headers: &HeaderMap, problem: Problem) -> Response<Body> {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/html") {
        return problem.into_response();
    }
    let hint = problem.hint.as_deref().unwrap_or("try again; if it stays, ask whoever runs the proxy");
    let main = format!(
        "<h2>What can be done</h2>\n<p>{}</p>\n<p><a href=\"/\">Back to the proxy’s page</a></p>\n",
        Escaped(&sentence(hint))
    );
    let lead = Escaped(&sentence(&problem.message)).to_string();
    let mut response = page(problem.status, "MLflow’s user interface cannot be opened", &lead, &main);
    let plain = problem.into_response();
    for (name, value) in plain.headers() {
        // The page has its own type; what else the problem says, such as when to come back, counts for it too.
        if !response.headers().contains_key(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

/// Our messages begin in lower case and have no full stop; on a page they are sentences.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

#[cfg(test)]
#[path = "ui_tests.rs"]
mod tests;
