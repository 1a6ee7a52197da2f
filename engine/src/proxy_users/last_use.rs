//! When each way in was used last, as the proxy's log tells it.
//!
//! The proxy writes a line when a credential is used first after a start, and then one in a quarter of an hour. CloudWatch
//! Logs Insights looks for the last line of each: the log of a busy proxy is long, and reading all of it here would take
//! thousands of calls.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::document::User;
use crate::aws::{Error, ErrorKind, Session};
use crate::clock::Clock;
use crate::error::{Class, EngineError, Moment};

/// Finds the last line of each credential. The names are those of the proxy's event.
const QUERY: &str = "filter target = \"access\" and event = \"credential_used\" \
                     | stats max(@timestamp) as last by user, credential";
/// How often is asked whether the query has ended, and for how long.
const PAUSE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(60);

/// When ways in were used last. A line lies up to 15 minutes before the use itself, and lines are kept as long as the log
/// group keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUses(BTreeMap<(String, String), Timestamp>);

impl LastUses {
    /// Asks the log group of a proxy for uses since `since`.
    ///
    /// # Errors
    /// When the log group cannot be queried, or the answer takes longer than a minute.
    pub async fn read(
        session: &Session,
        clock: Clock,
        group: &str,
        since: Timestamp,
    ) -> Result<Self, EngineError> {
        let failed = |error: Error| failed(group, &error);
        let call = session.call();
        let body = json!({
            "logGroupName": group,
            "queryString": QUERY,
            "startTime": since.as_second(),
            "endTime": clock.now().as_second() + 1,
        });
        let started = call.json("logs", "Logs_20140328.StartQuery", &body).await.map_err(failed)?;
        let asked = json!({ "queryId": started["queryId"] });
        let begun = clock.elapsed();
        loop {
            let answer = call.json("logs", "Logs_20140328.GetQueryResults", &asked).await.map_err(failed)?;
            match answer["status"].as_str().unwrap_or_default() {
                "Complete" => return Ok(Self::of(&answer["results"])),
                "Scheduled" | "Running" | "Unknown" if clock.elapsed() - begun < PATIENCE => {
                    clock.sleep(PAUSE).await;
                }
                status => {
                    let message = format!("the query of log group {group} did not end: it is {status}");
                    return Err(EngineError::new(Class::NeedsAction, message).with_hint("repeat the command"));
                }
            }
        }
    }

    /// When a way in was used last, if the log has a line of it.
    pub fn of_user(&self, user: &User) -> Option<Timestamp> {
        let credential = match user.credential.id() {
            Some(id) => format!("token {id}"),
            None => "password".to_owned(),
        };
        let used = self.0.get(&(user.name.clone(), credential)).copied()?;
        // A password that is older than the way in was another one.
        (used >= user.created).then_some(used)
    }

    fn of(rows: &Value) -> Self {
        let field = |row: &Value, name: &str| {
            let mut fields = row.as_array().into_iter().flatten();
            let found = fields.find(|field| field["field"] == name)?;
            found["value"].as_str().map(str::to_owned)
        };
        let read = |row: &Value| {
            let key = (field(row, "user")?, field(row, "credential")?);
            Some((key, time(&field(row, "last")?)?))
        };
        Self(rows.as_array().into_iter().flatten().filter_map(read).collect())
    }
}

/// A time of an answer: milliseconds since 1970, also with an exponent, or `2026-11-22 08:30:00.000` in UTC.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(milliseconds) = text.parse::<f64>() {
        return Timestamp::from_second((milliseconds / 1000.0).floor() as i64).ok();
    }
    format!("{}Z", text.replace(' ', "T")).parse().ok()
}

fn failed(group: &str, error: &Error) -> EngineError {
    let message = format!("cannot query log group {group}: {}", error.message);
    let told = EngineError::of_call(message, error, Moment::Before);
    match error.kind {
        ErrorKind::Denied => {
            told.with_hint("allow logs:StartQuery on the log group and logs:GetQueryResults to the caller")
        }
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_form_that_answers_have() {
        let expected: Timestamp = "2026-11-22T08:30:00Z".parse().expect("a time");
        let milliseconds = expected.as_millisecond();
        for text in [
            milliseconds.to_string(),
            format!("{:e}", milliseconds as f64),
            "2026-11-22 08:30:00.000".to_owned(),
        ] {
            assert_eq!(time(&text), Some(expected), "{text}");
        }
        assert_eq!(time("soon"), None);
    }
}
