//! What the proxy itself refuses or cannot do, as an answer in the form that MLflow's clients show to their users.
//!
//! Answers of MLflow pass as they are; this is only for what the proxy says in its own name.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::body::{Body, full};

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// Nothing was shown.
    Missing,
    /// It was valid once.
    Expired,
    /// Not in a form that is understood.
    Malformed,
    /// It is good, and its bearer has no role here.
    NoRole,
    /// Too many failed before.
    Limited,
    /// It could not be judged.
    Unavailable,
}

/// An answer that tells what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// One of MLflow's error codes. Source: `ErrorCode` of MLflow's `databricks.proto`.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop, with the wrong value.
    pub message: String,
    /// What to change.
    pub hint: Option<String>,
    /// After which time the same request may succeed.
    pub retry_after: Option<Duration>,
    /// Further headers, such as `www-authenticate` or `allow`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Why somebody was not let in, where more is known than that it is nobody's; for metrics only.
    pub login: Option<LoginFailure>,
}

impl Problem {
    /// A problem with its status, MLflow's code for it, and its words.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, code, message, hint: None, retry_after: None, headers: Vec::new(), login: None }
    }

    /// Adds what to change.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds when to try again, in whole seconds on the wire, rounded up.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds why somebody was not let in.
    #[must_use]
    pub fn login(mut self, failure: LoginFailure) -> Self {
        self.login = Some(failure);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer. Its body is JSON with `error_code` and `message`; the hint is a line of the message.
    pub fn into_response(self) -> Response<Body> {
        let message = match &self.hint {
            Some(hint) => format!("{}\nhint: {hint}", self.message),
            None => self.message,
        };
        let body = serde_json::json!({ "error_code": self.code, "message": message });
        let mut response = Response::new(full(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}
