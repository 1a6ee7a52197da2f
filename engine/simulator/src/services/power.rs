//! Tracking servers that are started and stopped: a word on the way, then the word that stays.

use serde_json::{Value, json};

use super::others::text;
use super::{Services, platform};
use crate::api::ApiError;
use crate::cloudformation::Context;
use crate::faults::ResourceState;

const SERVER: &str = "AWS::SageMaker::MlflowTrackingServer";

impl Services {
    /// SageMaker's operations on the power of tracking servers; nothing for other operations.
    pub(super) fn power(
        &mut self,
        context: &Context,
        operation: &str,
        input: &Value,
    ) -> Option<Result<Value, ApiError>> {
        let (begins, from) = match operation {
            "StartMlflowTrackingServer" => ("Starting", &["Stopped", "StopFailed", "StartFailed"][..]),
            "StopMlflowTrackingServer" => ("Stopping", &["Created", "Started", "Updated", "StopFailed"][..]),
            "DescribeMlflowTrackingServer" => return self.described_once(context, input),
            _ => return None,
        };
        Some(platform::tracking_server(self, context, input).and_then(|server| {
            let status = server["TrackingServerStatus"].as_str().unwrap_or_default();
            if !from.contains(&status) {
                let message = format!("the tracking server is {status}");
                return Err(ApiError::new("ConflictException", message));
            }
            self.set_power(text(input, "TrackingServerName")?, begins);
            Ok(json!({ "TrackingServerArn": server["TrackingServerArn"] }))
        }))
    }

    /// The answer while a server is on its way, which is over with it; nothing otherwise.
    fn described_once(&mut self, context: &Context, input: &Value) -> Option<Result<Value, ApiError>> {
        let answer = platform::tracking_server(self, context, input).ok()?;
        let name = text(input, "TrackingServerName").ok()?;
        let ends = match answer["TrackingServerStatus"].as_str()? {
            "Starting" => "Started",
            "Stopping" => "Stopped",
            _ => return None,
        };
        self.set_power(name, ends);
        Some(Ok(answer))
    }

    fn set_power(&mut self, name: &str, word: &str) {
        let resource = format!("{SERVER}/*{name}");
        self.states.retain(|state| state.resource != resource);
        self.states.push(ResourceState { resource, word: word.to_owned(), reason: None });
    }
}
