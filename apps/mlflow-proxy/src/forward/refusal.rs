//! Why MLflow, or AWS before it, refused a request: what the proxy can mend itself, and what an operator has to.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Body as HttpBody;

use crate::body::{Body, BodyError};
use crate::target::Mode;

/// AWS's header with the kind of an error.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// How much of a refusal is looked at.
const LOOK: usize = 16 * 1024;

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The session's token has ended or is not known: newer credentials may do.
    Credentials,
    /// The signature's time is too far from the other side's.
    Time,
    /// The signer may not do this.
    Access,
    /// The signature itself was not accepted.
    Signature,
    /// MLflow's own word: none of the proxy's business.
    Other,
}

/// Whether an answer can be a refusal by AWS.
pub(super) fn is_possible(status: StatusCode, headers: &HeaderMap) -> bool {
    match status {
        StatusCode::FORBIDDEN => true,
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => headers.contains_key(ERROR_TYPE),
        _ => false,
    }
}

/// What a refusal says.
pub(super) fn judge(headers: &HeaderMap, body: &[u8]) -> Refusal {
    let named = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let field = |names: &[&str]| {
        let json = json.as_ref()?;
        names.iter().find_map(|name| json.get(name)?.as_str()).map(str::to_owned)
    };
    if named.is_none() && field(&["error_code"]).is_some() {
        return Refusal::Other;
    }
    let code = named.or_else(|| field(&["__type", "code", "Code"])).or_else(|| xml_code(body));
    let message = field(&["message", "Message"]).unwrap_or_default();
    by_code(code.as_deref().unwrap_or_default(), &message)
}

/// Source: "Common Error Types" of AWS's API references, and the words of its services.
fn by_code(code: &str, message: &str) -> Refusal {
    // Such as `aws.protocols#ExpiredTokenException:http://internal.amazon.com/coral/`.
    let code = code.split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().trim();
    match code.strip_suffix("Exception").unwrap_or(code) {
        "ExpiredToken" | "UnrecognizedClient" | "InvalidClientTokenId" | "InvalidToken" => {
            Refusal::Credentials
        }
        "RequestExpired" | "RequestTimeTooSkewed" => Refusal::Time,
        "InvalidSignature" | "SignatureDoesNotMatch" | "IncompleteSignature" => {
            if of_time(message) {
                Refusal::Time
            } else {
                Refusal::Signature
            }
        }
        "AccessDenied" | "Forbidden" | "MissingAuthenticationToken" => Refusal::Access,
        // Gateways in front of a service give no code.
        "" if message.contains("security token") && message.contains("expired") => Refusal::Credentials,
        "" if message.contains("security token") && message.contains("invalid") => Refusal::Credentials,
        "" if of_time(message) => Refusal::Time,
        "" if message.contains("request signature we calculated") => Refusal::Signature,
        "" => Refusal::Access,
        _ => Refusal::Other,
    }
}

fn of_time(message: &str) -> bool {
    message.contains("Signature expired") || message.contains("Signature not yet current")
}

fn xml_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.to_owned())
}

/// What to do about missing rights, by the kind of MLflow.
pub(super) fn hint(mode: Mode) -> HeaderValue {
    HeaderValue::from_static(match mode {
        Mode::TrackingServer => {
            "the role that the proxy assumes needs the IAM action that the message names (sagemaker-mlflow:*) on the tracking server's ARN"
        }
        Mode::App => {
            "the role that the proxy assumes needs the IAM actions sagemaker:CallMlflowAppApi and sagemaker-mlflow:* on the app's ARN"
        }
    })
}

/// The beginning of a body, and a body that is the whole of it again.
pub(super) async fn look(mut body: Body) -> Result<(Bytes, Body), BodyError> {
    let mut seen = BytesMut::new();
    let mut ended = body.is_end_stream();
    while !ended && seen.len() < LOOK {
        match body.frame().await {
            None => ended = true,
            Some(frame) => {
                if let Ok(data) = frame?.into_data() {
                    seen.extend_from_slice(&data);
                }
            }
        }
    }
    let seen = seen.freeze();
    let whole = if ended {
        crate::body::full(seen.clone())
    } else {
        Rejoined { seen: Some(seen.clone()), rest: body }.boxed_unsync()
    };
    Ok((seen, whole))
}

/// What was looked at, and what follows.
struct Rejoined {
    seen: Option<Bytes>,
    rest: Body,
}

impl HttpBody for Rejoined {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, BodyError>>> {
        match self.seen.take() {
            Some(seen) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(seen)))),
            None => std::pin::Pin::new(&mut self.rest).poll_frame(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let headers = |code: &str| {
            let value = HeaderValue::from_str(code).unwrap();
            HeaderMap::from_iter([(http::HeaderName::from_static(ERROR_TYPE), value)])
        };
        for (code, body, refusal) in [
            ("ExpiredTokenException", "", Refusal::Credentials),
            ("aws#ExpiredToken:http://internal/", "{}", Refusal::Credentials),
            ("UnrecognizedClient", "", Refusal::Credentials),
            ("InvalidSignatureException", r#"{"message":"Signature expired: 2020"}"#, Refusal::Time),
            ("InvalidSignatureException", r#"{"Message":"Signature not yet current: 2"}"#, Refusal::Time),
            ("InvalidSignatureException", r#"{"message":"The request signature we"}"#, Refusal::Signature),
            ("RequestExpired", "", Refusal::Time),
            ("AccessDeniedException", r#"{"Message":"not authorized"}"#, Refusal::Access),
            ("ThrottlingException", "", Refusal::Other),
        ] {
            assert_eq!(judge(&headers(code), body.as_bytes()), refusal, "{code} {body}");
        }
        for (body, refusal) in [
            (r#"{"message":"The security token included in the request is expired"}"#, Refusal::Credentials),
            (r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException"}"#, Refusal::Credentials),
            ("<Error><Code>RequestTimeTooSkewed</Code></Error>", Refusal::Time),
            (r#"{"Message":"User is not authorized to perform: sagemaker-mlflow:GetRun"}"#, Refusal::Access),
            (r#"{"error_code":"PERMISSION_DENIED","message":"ExpiredToken"}"#, Refusal::Other),
            ("<html>no</html>", Refusal::Access),
        ] {
            assert_eq!(judge(&HeaderMap::new(), body.as_bytes()), refusal, "{body}");
        }
    }
}
