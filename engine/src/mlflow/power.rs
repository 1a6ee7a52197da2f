//! Starting and stopping tracking servers of SageMaker, which cost by the hour while they run.

use std::time::Duration;

use serde_json::json;

use crate::aws::{Error, ErrorKind, Session};
use crate::components::services::sagemaker::tracking_server;
use crate::error::{Class, EngineError, Moment};
use crate::journal::{Intent, Journal};
use crate::runtime::Runtime;

/// What is done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It answers again.
    Start,
    /// It answers nobody and costs nothing but what it stores.
    Stop,
}

/// How a change of power ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Powered {
    /// SageMaker's word.
    pub status: String,
    /// Whether the server was so already.
    pub was_so: bool,
}

/// How long SageMaker may take. Creating a server takes half an hour, starting one less.
const LONGEST: Duration = Duration::from_secs(45 * 60);
/// The time before the second look; it doubles from look to look.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest time between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

impl Power {
    /// Whether a status is on its way there.
    fn is_on_the_way(self, status: &str) -> bool {
        match self {
            Self::Start => matches!(status, "Starting" | "Creating"),
            Self::Stop => status == "Stopping",
        }
    }

    /// Whether a status is what is wanted.
    fn is_there(self, status: &str, is_active: Option<bool>) -> bool {
        match self {
            Self::Start => {
                matches!(status, "Started" | "Created" | "Updated" | "MaintenanceComplete")
                    && is_active != Some(false)
            }
            Self::Stop => status == "Stopped" || (is_active == Some(false) && !status.ends_with("ing")),
        }
    }
}

/// Starts or stops a tracking server and, if that is wanted, waits until it is so. `tell` is told each status.
///
/// # Errors
/// When there is no such server, it may not be done, or it fails.
pub async fn power(
    runtime: &Runtime,
    session: &Session,
    name: &str,
    wanted: Power,
    waits: bool,
    journal: &Journal,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Powered, EngineError> {
    let failed = |error: Error, moment| explained(name, &error, moment);
    let before = tracking_server(session, name).await.map_err(|error| failed(error, Moment::Before))?;
    if wanted.is_there(&before.status, before.is_active) {
        return Ok(Powered { status: before.status, was_so: true });
    }
    if !wanted.is_on_the_way(&before.status) {
        let (intent, target) = match wanted {
            Power::Start => {
                (Intent::new("StartMlflowTrackingServer", name), "SageMaker.StartMlflowTrackingServer")
            }
            Power::Stop => {
                (Intent::new("StopMlflowTrackingServer", name), "SageMaker.StopMlflowTrackingServer")
            }
        };
        let ticket = journal.intent(intent)?;
        let body = json!({ "TrackingServerName": name });
        let answer = session.call().writing(&ticket).json("sagemaker", target, &body).await;
        journal.outcome(&ticket, answer.as_ref().map(|_| Default::default()));
        answer.map_err(|error| failed(error, Moment::Before))?;
    }
    let mut told = String::new();
    let mut pause = FIRST_PAUSE;
    let started = runtime.clock.elapsed();
    loop {
        let now = tracking_server(session, name).await.map_err(|error| failed(error, Moment::During))?;
        if now.status != told {
            tell(&now.status);
            told.clone_from(&now.status);
        }
        if wanted.is_there(&now.status, now.is_active) || !waits {
            return Ok(Powered { status: now.status, was_so: false });
        }
        if now.status.ends_with("Failed") {
            let message = format!("tracking server {name} is {}", now.status);
            return Err(EngineError::new(Class::NeedsAction, message).with_hint(
                "SageMaker gives no reason; look at the server's role and bucket, then repeat the command",
            ));
        }
        if runtime.clock.elapsed().saturating_sub(started) > LONGEST {
            let message = format!("tracking server {name} is still {}", now.status);
            return Err(EngineError::new(Class::Detached, message)
                .with_hint("SageMaker goes on; the same command waits for it again"));
        }
        runtime.clock.sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn explained(name: &str, error: &Error, moment: Moment) -> EngineError {
    let message = format!("tracking server {name}: {}", error.message);
    match error.kind {
        ErrorKind::NotFound => EngineError::new(Class::Input, message)
            .with_hint("`formwork status` shows what is deployed; --region says where to look"),
        _ => EngineError::of_call(message, error, moment),
    }
}
