//! What events mean, in words. A match without a rest: a new kind of event does not compile until it has its words.

use std::time::Duration;

use formwork_engine::event::{Event, StackOutcome, What};
use formwork_engine::follow::Failure;

use crate::console::{count, thousands};

/// Whether a resource's status says that something failed.
pub(crate) fn is_failed_status(status: &str) -> bool {
    status.ends_with("FAILED")
}

/// Whether an event has to be seen even when it shall be quiet.
pub(crate) fn is_failure(event: &Event) -> bool {
    match &event.what {
        What::Diagnosed(_) | What::Detached { .. } => true,
        What::StackFinished { outcome, .. } => {
            matches!(outcome, StackOutcome::RolledBack | StackOutcome::Failed | StackOutcome::Detached)
        }
        _ => false,
    }
}

/// The words for an event; nothing for those that say nothing to people.
pub(crate) fn text(event: &Event) -> Option<String> {
    let text = match &event.what {
        What::RunStarted { run, command, stacks } => {
            format!("{command} of {}, run {run}", count(stacks.len(), "stack"))
        }
        What::Identified { account, region, identity } => {
            format!("account {account}, region {region}, as {identity}")
        }
        What::AssetPresent { asset } => format!("asset {} is there", short(asset)),
        What::AssetBuilding { asset, command } => {
            format!("asset {} is being made by `{command}`", short(asset))
        }
        What::AssetUploading { asset, bytes, .. } => {
            format!("asset {} is being uploaded, {}", short(asset), size(*bytes))
        }
        What::AssetUploaded { asset, bytes } => {
            format!("asset {} is uploaded, {}", short(asset), size(*bytes))
        }
        What::StackPlanning => "is being planned".to_owned(),
        What::StackPlanned { changes, provisional } => {
            let later = if *provisional { ", final once the stacks it needs are there" } else { "" };
            format!("is planned: {}{later}", count(*changes, "change"))
        }
        What::StackWaiting { reason } => format!("waits: {reason}"),
        What::StackStarted { operation, resources, typical_seconds } => {
            let mut text = format!("{operation} started");
            if let Some(resources) = resources {
                text.push_str(&format!(": {}", count(*resources, "resource")));
            }
            if let Some(seconds) = typical_seconds {
                text.push_str(&format!(", typically {}", duration(Duration::from_secs(*seconds))));
            }
            text
        }
        What::Resource(resource) => {
            let mut text =
                format!("{}  {}  {}", resource.status, resource.path.join("/"), resource.resource_type);
            // A reason beside a success is chatter such as "Resource creation Initiated".
            if let Some(reason) = resource.reason.as_ref().filter(|_| is_failed_status(&resource.status)) {
                text.push_str(&format!("\n{reason}"));
            }
            text
        }
        What::StackFinished { outcome, status, seconds, .. } => {
            let words = match outcome {
                StackOutcome::Deployed => "is deployed",
                StackOutcome::Deleted => "is deleted",
                StackOutcome::Unchanged => return Some("has nothing to change".to_owned()),
                StackOutcome::RolledBack => "failed and was rolled back",
                StackOutcome::Failed => "failed and needs action",
                StackOutcome::Skipped => {
                    return Some("was not started".to_owned());
                }
                StackOutcome::Detached => "goes on without being watched",
            };
            let status = status.as_ref().map(|status| format!(", {status}")).unwrap_or_default();
            format!("{words} after {}{status}", duration(Duration::from_secs_f64(*seconds)))
        }
        What::Diagnosed(failure) => failure_text(failure),
        What::Throttled { next_seconds } => {
            format!("AWS asks for less: the next read is in {next_seconds:.0} s")
        }
        What::Unreachable { reason, seconds } => {
            format!("no answer for {}: {reason}; trying on", duration(Duration::from_secs_f64(*seconds)))
        }
        What::Note { message } => message.clone(),
        What::Warning { message, hint } => match hint {
            Some(hint) => format!("warning: {message}\nhint: {hint}"),
            None => format!("warning: {message}"),
        },
        What::Detached { reason } => format!("detached: {reason}"),
        What::RunFinished { .. } => return None,
    };
    Some(text)
}

/// A failure: what, why, where it comes from, what to do.
pub(crate) fn failure_text(failure: &Failure) -> String {
    let mut text =
        format!("{} ({}) failed: {}", failure.path.join("/"), failure.resource_type, failure.reason);
    match (&failure.construct_path, &failure.source) {
        (Some(path), Some(source)) => text.push_str(&format!("\nmade by {path} at {source}")),
        (Some(path), None) => text.push_str(&format!("\nmade by {path}")),
        (None, _) => {}
    }
    if !failure.others.is_empty() {
        text.push_str(&format!("\nalso failed: {}", failure.others.join("; ")));
    }
    for advice in &failure.advice {
        text.push_str(&format!("\nhint: {advice}"));
    }
    text
}

/// Seconds below a minute, minutes and seconds below an hour, hours and minutes above.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{:.1} s", duration.as_secs_f64()),
        1..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A size for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB", thousands((bytes / 1_024) as usize)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// Enough of a content hash to tell assets apart.
pub(super) fn short(asset: &str) -> &str {
    asset.get(..12).unwrap_or(asset)
}
