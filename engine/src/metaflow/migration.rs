//! The tables of a deployed Metaflow, seen and migrated by the function that stands beside them.
//!
//! Nothing but the function reaches the server that migrates. A migration may take longer than a call: it is begun
//! without waiting for it, and then asked about.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::aws::Session;
use crate::clock::Clock;
use crate::error::{Class, EngineError};
use crate::journal::{Intent, Journal};

/// The pause between two questions.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a migration is waited for: twice what the function has.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// How the tables are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaStatus {
    /// The number of the last migration that was applied.
    pub version: String,
    /// The migrations that the image brings and that are not applied.
    pub unapplied: Vec<String>,
    /// Whether nothing is missing.
    pub is_up_to_date: bool,
    /// The same in words: `up to date`, `behind` or `newer than the image`.
    pub words: String,
}

/// How the tables are, as a function tells.
///
/// # Errors
/// When the function cannot be called, or does not reach the service.
pub async fn schema_status(session: &Session, function: &str) -> Result<SchemaStatus, EngineError> {
    let path = invocations(function)?;
    let body = json!({ "status": true });
    let asked = session.call().rest_json("lambda", "Invoke", "POST", &path, Some(&body)).await;
    let answer = asked.map_err(|error| uncalled(function, &error))?;
    read(function, &answer)
}

/// Migrates the tables, and gives how they are then. When nothing is missing, nothing is done.
///
/// # Errors
/// When the function cannot be called, or the migration fails or takes half an hour.
pub async fn migrate(
    session: &Session,
    function: &str,
    clock: &Clock,
    journal: &Journal,
) -> Result<SchemaStatus, EngineError> {
    let before = schema_status(session, function).await?;
    if before.is_up_to_date {
        return Ok(before);
    }
    let ticket = journal.intent(Intent::new("Invoke", function))?;
    let path = invocations(function)?;
    let later = [("x-amz-invocation-type", "Event".to_owned())];
    let call = session.call().writing(&ticket);
    let begun = call.rest_json_with("lambda", "Invoke", "POST", &path, &later, Some(&json!({}))).await;
    journal.outcome(&ticket, begun.as_ref().map(|_| Default::default()));
    begun.map_err(|error| uncalled(function, &error))?;
    let started = clock.elapsed();
    let mut last = before.version;
    while clock.elapsed() - started < LONGEST {
        clock.sleep(PAUSE).await;
        // The service is silent while it migrates, so that a question without an answer says nothing yet.
        match schema_status(session, function).await {
            Ok(status) if status.is_up_to_date => return Ok(status),
            Ok(status) => last = status.version,
            Err(error) => last = error.to_string(),
        }
    }
    let message =
        format!("the migration of the tables is not done after half an hour; last heard of: {last}");
    Err(EngineError::new(Class::NeedsAction, message)
        .with_hint("`formwork metaflow migrate --status` tells how it is; the log of the function tells why"))
}

fn invocations(function: &str) -> Result<String, EngineError> {
    // Names are letters, digits, hyphens and underscores; anything else would be another path.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if function.is_empty() || !function.bytes().all(is_name) {
        return Err(EngineError::new(Class::Input, format!("`{function}` is not the name of a function")));
    }
    Ok(format!("/2015-03-31/functions/{function}/invocations"))
}

fn uncalled(function: &str, error: &crate::aws::Error) -> EngineError {
    EngineError::new(Class::NeedsAction, format!("the function {function} cannot be called: {error}"))
        .with_hint("calling it needs the right to lambda:InvokeFunction on it")
}

fn read(function: &str, answer: &Json) -> Result<SchemaStatus, EngineError> {
    if let Some(failure) = answer["errorMessage"].as_str() {
        let (message, hint) = failure.split_once("\nhint: ").unwrap_or((failure, ""));
        let error = EngineError::new(Class::NeedsAction, message.to_owned());
        return Err(if hint.is_empty() { error } else { error.with_hint(hint.to_owned()) });
    }
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let found = || {
        Some(SchemaStatus {
            version: text("current_version")?,
            unapplied: answer["unapplied_migrations"]
                .as_array()?
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            is_up_to_date: answer["is_up_to_date"].as_bool()?,
            words: text("Status")?,
        })
    };
    found().ok_or_else(|| {
        let message = format!("the function {function} told of the tables in a form that is not known");
        EngineError::new(Class::NeedsAction, message)
            .with_hint("`formwork deploy` brings the function of this version")
    })
}

#[cfg(test)]
mod tests;
