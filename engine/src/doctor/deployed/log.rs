//! The last lines that the proxy and its boot wrote, when something is wrong.
//!
//! What is shown leaves the account on somebody's screen or in a report, so that whatever may be a secret is blotted out,
//! and control characters with it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::json;

use super::super::{Check, Outcome};
use super::unread;
use crate::aws::{Error, Session};
use crate::components::Found;
use crate::components::services::compute;

const NAME: &str = "proxy-log";
/// How many lines are shown.
const LINES: usize = 8;
/// How many characters of a line are shown.
const WIDTH: usize = 240;
/// How far back from the last event lines are looked for, in milliseconds.
const WINDOW: i64 = 15 * 60 * 1000;
/// How many pages are read at most; a page has up to 10,000 lines.
const PAGES: usize = 5;

/// The last lines of the log groups of a stack, a check each.
pub(super) async fn checks(found: &Found) -> Vec<Check> {
    let session = &found.located.session;
    let mut checks = Vec::new();
    for (_, group) in found.of_type("AWS::Logs::LogGroup") {
        let more = format!("`aws logs tail {group} --since 1h` shows more");
        checks.push(match lines(session, group).await {
            Err(error) => unread(NAME, group, found, &error),
            Ok(lines) if lines.is_empty() => {
                let detail = "nothing was written: the boot did not get far enough";
                Check::warning(NAME, group, detail).with_hint(boot(found).await)
            }
            Ok(lines) => Check::new(NAME, group, Outcome::Warning, lines.join("\n")).with_hint(more),
        });
    }
    checks
}

/// How the boot of an instance of the stack is seen.
async fn boot(found: &Found) -> String {
    let single = found.of_type("AWS::EC2::Instance").next().map(|(_, id)| id.to_owned());
    let mut of_groups = found.of_type("AWS::AutoScaling::AutoScalingGroup");
    let id = match (single, of_groups.next()) {
        (None, Some((_, name))) => {
            let group = compute::group(&found.located.session, name).await.ok().flatten();
            group.and_then(|group| group.members.into_iter().next()).map(|member| member.id)
        }
        (single, _) => single,
    };
    match id {
        Some(id) => format!("`aws ec2 get-console-output --instance-id {id} --latest` shows the boot"),
        None => format!("no instance is known: `formwork diagnose {}` tells why", found.located.name),
    }
}

async fn lines(session: &Session, group: &str) -> Result<Vec<String>, Error> {
    let call = session.call();
    let body = json!({ "logGroupName": group, "orderBy": "LastEventTime", "descending": true, "limit": 1 });
    let answer = call.json("logs", "Logs_20140328.DescribeLogStreams", &body).await?;
    let Some(last) = answer["logStreams"][0]["lastEventTimestamp"].as_i64() else { return Ok(Vec::new()) };
    let mut lines: Vec<String> = Vec::new();
    let mut page: Option<String> = None;
    for _ in 0..PAGES {
        let mut body = json!({ "logGroupName": group, "startTime": last - WINDOW });
        if let Some(page) = &page {
            body["nextToken"] = page.as_str().into();
        }
        let answer = call.json("logs", "Logs_20140328.FilterLogEvents", &body).await?;
        let events = answer["events"].as_array().into_iter().flatten();
        lines.extend(events.filter_map(|event| event["message"].as_str()).map(shown));
        lines.drain(..lines.len().saturating_sub(LINES));
        let next = answer["nextToken"].as_str().map(str::to_owned);
        if next.is_none() || next == page {
            break;
        }
        page = next;
    }
    Ok(lines)
}

/// A line as it may be shown.
fn shown(line: &str) -> String {
    let plain: String = line.trim().chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    let blotted =
        SECRETS.iter().fold(plain, |line, (pattern, with)| pattern.replace_all(&line, *with).into_owned());
    if blotted.chars().count() <= WIDTH {
        return blotted;
    }
    blotted.chars().take(WIDTH).chain(['…']).collect()
}

/// What may be a secret, and what stands in its place.
static SECRETS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let patterns = [
        // Headers, with whatever follows in the line: schemes put blanks between their parts.
        (r#"(?i)\b(authorization|cookie|x-amz-security-token)(["']?\s*[:=]\s*).*"#, "$1$2***"),
        (r"(?i)\b(bearer|basic)\s+\S+", "$1 ***"),
        (
            r#"(?i)\b([a-z0-9_.-]*(?:password|passwd|secret|token|api[_-]?key|credential|signature)[a-z0-9_.-]*)(["']?\s*[:=]\s*["']?)[^\s"'&,;]+"#,
            "$1$2***",
        ),
        // Keys of AWS, whether long-lived or of a session.
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b", "***"),
        (r"(://)[^/\s:@]+:[^/\s@]+@", "$1***@"),
        // Three parts of Base64: a JSON web token.
        (r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", "***"),
        // Tokens of the proxy and keys have 40 characters and more without a blank.
        (r"\b[A-Za-z0-9+/_-]{40,}={0,2}", "***"),
    ];
    patterns.into_iter().filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with))).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_can_be_read() {
        assert_eq!(SECRETS.len(), 7);
    }

    #[test]
    fn what_may_be_a_secret_is_blotted_out() {
        for line in [
            "Authorization: Bearer hunter2-and-more",
            "request failed: authorization=Basic aHVudGVyMg==",
            r#"{"level":"warn","password":"hunter2"}"#,
            "MLFLOW_TRACKING_TOKEN=hunter2",
            "GET https://u:hunter2@example.com/ failed",
            "key AKIAHUNTER2EXAMPLE77 was used",
            "got eyJhbGciOi.eyJodW50ZXIy.c2ln",
            "x-amz-security-token: hunter2 hunter2",
        ] {
            let shown = shown(line).to_lowercase();
            assert!(shown.contains("***"), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("eyjodw"), "{shown}");
        }
        assert_eq!(shown("listening on 0.0.0.0:5000"), "listening on 0.0.0.0:5000");
    }

    #[test]
    fn a_line_cannot_move_the_cursor_or_fill_the_screen() {
        let told = shown(&format!("\u{1b}[2Jboom\n{}", "long ".repeat(100)));
        assert!(!told.chars().any(char::is_control), "{told:?}");
        assert_eq!(told.chars().count(), WIDTH + 1);
    }
}
