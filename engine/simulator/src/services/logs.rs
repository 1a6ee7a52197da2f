//! CloudWatch Logs: the lines that a script put into log groups of stacks, one stream a group.

use serde_json::{Value, json};

use super::Services;
use super::others::text;
use crate::api::ApiError;
use crate::cloudformation::Context;
use crate::faults::fits;

const STREAM: &str = "simulated";

pub(super) fn lines_of<'s>(
    services: &'s Services,
    context: &Context,
    input: &Value,
) -> Result<Vec<&'s str>, ApiError> {
    let group = text(input, "logGroupName")?;
    if !services.made(context, "AWS::Logs::LogGroup").any(|(name, _)| name == group) {
        let message = "The specified log group does not exist.";
        return Err(ApiError::new("ResourceNotFoundException", message));
    }
    let lines = services.log_lines.iter().filter(|(pattern, _)| fits(pattern, group));
    Ok(lines.map(|(_, line)| line.as_str()).collect())
}

pub(super) fn streams(services: &Services, context: &Context, input: &Value) -> Result<Value, ApiError> {
    let lines = lines_of(services, context, input)?;
    let now = context.now.as_millisecond();
    let stream = json!({ "logStreamName": STREAM, "lastEventTimestamp": now });
    Ok(json!({ "logStreams": if lines.is_empty() { vec![] } else { vec![stream] } }))
}

pub(super) fn lines(services: &Services, context: &Context, input: &Value) -> Result<Value, ApiError> {
    let lines = lines_of(services, context, input)?;
    let now = context.now.as_millisecond();
    let limit = input["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10_000);
    let events: Vec<Value> = lines
        .iter()
        .take(limit)
        .enumerate()
        .map(|(index, line)| {
            json!({ "logStreamName": STREAM, "timestamp": now, "message": line, "eventId": index.to_string() })
        })
        .collect();
    Ok(json!({ "events": events, "searchedLogStreams": [] }))
}
