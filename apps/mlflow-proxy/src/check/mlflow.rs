//! Whether MLflow answers, lets the proxy in, and agrees about the time.

use std::time::{Duration, Instant, SystemTime};

use http::header::DATE;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use crate::body::empty;
use crate::operate::Behind;
use crate::sign::{PathEncoding, Payload, Signer};
use crate::target::{Mode, Target};

use super::Finding;

const SUBJECT: &str = "MLflow";

/// How long MLflow may take.
const LIMIT: Duration = Duration::from_secs(20);

/// What is read of an answer: its beginning says why.
const GREATEST_ANSWER: usize = 64 << 10;

/// From here on a clock is worth a word, and from here on signatures are refused. Source: AWS General Reference,
/// "Signature Version 4": requests are valid within five minutes of their time.
const SKEW: Duration = Duration::from_secs(60);
const GREATEST_SKEW: Duration = Duration::from_secs(290);

/// A read that every role may do.
const PATH: &str = "/api/2.0/mlflow/experiments/search?max_results=1";

/// Tries a read, as a client's request would be sent.
pub(super) async fn look(behind: &Behind, tell: &mut impl FnMut(Finding)) {
    let began = Instant::now();
    let asked = timeout(LIMIT, ask(behind)).await;
    let answer = match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            let hint = format!(
                "see that the name {} resolves and that the proxy reaches it, such as by a VPC endpoint",
                behind.target.endpoint.host().unwrap_or_default()
            );
            tell(Finding::failed(
                SUBJECT,
                format!("{} cannot be reached: {error}", behind.target.endpoint),
                hint,
            ));
            return;
        }
        Err(_) => {
            let words = format!("{} does not answer within {} s", behind.target.endpoint, LIMIT.as_secs());
            tell(Finding::failed(SUBJECT, words, "see that the resource is running"));
            return;
        }
    };
    let (status, headers, text) = answer;
    if let Some(finding) = clock(&headers, SystemTime::now()) {
        tell(finding);
    }
    tell(judge(&behind.target, status, &text, began.elapsed()));
}

async fn ask(behind: &Behind) -> Result<(StatusCode, HeaderMap, String), String> {
    let target = &behind.target;
    let uri = format!("{}{PATH}", target.endpoint.to_string().trim_end_matches('/'));
    let uri: Uri = uri.parse().map_err(|error| format!("{error}"))?;
    let arn = HeaderValue::from_str(&target.arn).map_err(|error| error.to_string())?;
    let request = Request::get(uri).header(target.header.clone(), arn).body(());
    let (mut parts, ()) = request.map_err(|error| error.to_string())?.into_parts();
    let credentials = behind.caches.mlflow.get().await.map_err(|error| error.to_string())?;
    let signer = Signer::new(&target.region, target.service, PathEncoding::Twice);
    signer.sign(&mut parts, Payload::EMPTY, &credentials, SystemTime::now());
    let answer = behind.client.send(Request::from_parts(parts, empty())).await;
    let (parts, body) = answer.map_err(|error| error.to_string())?.into_parts();
    let body = Limited::new(body, GREATEST_ANSWER).collect().await;
    let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
    Ok((parts.status, parts.headers, text))
}

fn judge(target: &Target, status: StatusCode, text: &str, took: Duration) -> Finding {
    let kind = match target.mode {
        Mode::TrackingServer => "tracking server",
        Mode::App => "app",
    };
    let name = &target.name;
    let words = format!("{kind} {name} answers {status}: {}", said(text));
    match status {
        StatusCode::OK => {
            let took = took.as_millis();
            Finding::fine(SUBJECT, format!("{kind} {name} lets the proxy read, {took} ms"))
        }
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
            let action = match target.mode {
                Mode::TrackingServer => "sagemaker-mlflow:SearchExperiments",
                Mode::App => "sagemaker:CallMlflowAppApi and sagemaker-mlflow:SearchExperiments",
            };
            let hint = format!("the role that signs needs {action} on {}", target.arn);
            Finding::failed(SUBJECT, words, hint)
        }
        StatusCode::NOT_FOUND => Finding::failed(SUBJECT, words, "see that the resource of the ARN exists"),
        _ => Finding::failed(SUBJECT, words, "see that the resource is running, and try again"),
    }
}

/// The words of an answer that is an error: MLflow's and AWS's message, or how it begins.
fn said(text: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = json.as_ref().and_then(|json| {
        ["message", "Message"].iter().find_map(|name| json[name].as_str()).map(str::to_owned)
    });
    let text = message.unwrap_or_else(|| text.to_owned());
    let line: String =
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    match line.trim() {
        "" => "nothing".to_owned(),
        line => line.chars().take(300).collect(),
    }
}

/// A word about the clock, when it is off.
fn clock(headers: &HeaderMap, now: SystemTime) -> Option<Finding> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let ours = jiff::Timestamp::try_from(now).ok()?;
    let skew = Duration::try_from(ours.duration_since(theirs).abs()).ok()?;
    let words = format!("this machine's clock is {} s off MLflow's", skew.as_secs());
    let hint = "set it by the network's time, such as with chrony";
    if skew > GREATEST_SKEW {
        Some(Finding::failed("clock", words, hint))
    } else if skew > SKEW {
        Some(Finding::warning("clock", words, hint))
    } else {
        Some(Finding::fine("clock", format!("within {} s of MLflow's", skew.as_secs().max(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn target(resource: &str) -> Target {
        Target::from_arn(&format!("arn:aws:sagemaker:eu-west-1:123456789012:{resource}"), None).unwrap()
    }

    #[test]
    fn a_clock_is_judged_by_what_signatures_bear() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Thu, 01 Jan 1970 01:00:00 GMT"));
        let verdict = |seconds: u64| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            clock(&headers, now).unwrap().verdict
        };
        assert_eq!(verdict(3600 + 30), Verdict::Fine);
        assert_eq!(verdict(3600 - 100), Verdict::Warning);
        assert_eq!(verdict(3600 + 600), Verdict::Failed);
        assert_eq!(clock(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }

    #[test]
    fn a_refusal_names_the_action_of_the_mode() {
        let text = r#"{"Message":"not authorized to perform"}"#;
        let took = Duration::from_millis(3);
        let server = judge(&target("mlflow-tracking-server/team"), StatusCode::FORBIDDEN, text, took);
        assert_eq!(server.verdict, Verdict::Failed);
        assert!(
            server.words.ends_with("answers 403 Forbidden: not authorized to perform"),
            "{}",
            server.words
        );
        assert!(!server.hint.unwrap().contains("CallMlflowAppApi"));
        let app = judge(&target("mlflow-app/app-ABC123"), StatusCode::FORBIDDEN, "\u{1b}[31m", took);
        assert!(app.hint.unwrap().contains("sagemaker:CallMlflowAppApi"));
        assert!(!app.words.contains('\u{1b}'), "{}", app.words);
        let fine = judge(&target("mlflow-app/app-ABC123"), StatusCode::OK, "{}", took);
        assert_eq!(fine.to_string(), "ok       MLflow       app app-ABC123 lets the proxy read, 3 ms");
    }
}
