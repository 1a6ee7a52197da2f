//! Why a change set failed, read from its status reason and from what the service tells on request.
//!
//! The texts are the service's and nothing else tells these cases apart, so all of them are matched here and nowhere
//! else. They come with prefixes and suffixes of their own: a text is looked for anywhere in the reason.

use std::collections::BTreeSet;

use regex::Regex;

use crate::aws::cloudformation::{ChangeSet, OperationFinding};
use crate::aws::{ErrorKind, Session};
use crate::error::{Class, EngineError};
use crate::follow::Places;

/// Why a change set failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is nothing to change.
    Empty,
    /// CloudFormation's validation found something.
    Validation {
        /// What it found; empty when the caller may not ask.
        findings: Vec<OperationFinding>,
        /// The status reason.
        reason: String,
        /// Whether the caller may not ask for the findings.
        denied: bool,
    },
    /// A nested stack's change set failed.
    Nested {
        /// The chain of nested stacks, the deepest last.
        path: Vec<String>,
        /// Why the deepest failed.
        cause: Box<Refusal>,
    },
    /// Resources exist that may not be taken in as they are written.
    Import {
        /// Their logical ids, types or identifiers as the service names them.
        resources: Vec<String>,
        /// The status reason.
        reason: String,
    },
    /// A hook said no.
    Hook {
        /// The hooks' names.
        hooks: Vec<String>,
        /// The status reason.
        reason: String,
    },
    /// The template, a macro or a value is wrong.
    Template(String),
}

/// The parts of a reason that mean that there is nothing to change. The second one comes when a macro is involved.
const EMPTY: [&str; 2] =
    ["The submitted information didn't contain changes", "No updates are to be performed"];
/// How deep nested stacks are followed.
const DEPTH: usize = 8;

/// What a failed change set's reason means on its own.
pub(crate) fn classify(reason: &str) -> Refusal {
    if EMPTY.iter().any(|text| reason.contains(text)) {
        return Refusal::Empty;
    }
    if reason.contains("AWS::EarlyValidation") {
        return Refusal::Validation { findings: Vec::new(), reason: reason.to_owned(), denied: false };
    }
    if let Some(child) = nested_change_set(reason) {
        let name = stack_of(&child);
        return Refusal::Nested { path: vec![name], cause: Box::new(Refusal::Template(reason.to_owned())) };
    }
    if reason.contains("attempting to import some resources because they already exist") {
        return Refusal::Import { resources: affected(reason), reason: reason.to_owned() };
    }
    if let Some(hooks) = hooks(reason) {
        return Refusal::Hook { hooks, reason: reason.to_owned() };
    }
    Refusal::Template(reason.to_owned())
}

/// Why a change set failed, with what the service tells on request.
pub(crate) async fn refusal(session: &Session, set: &ChangeSet) -> Refusal {
    let mut path = Vec::new();
    let mut arn = set.arn.clone();
    let mut reason = set.status_reason.clone().unwrap_or_else(|| "CloudFormation gives no reason".to_owned());
    let mut seen = BTreeSet::new();
    loop {
        let mut found = classify(&reason);
        if let Refusal::Nested { path: deeper, .. } = &found
            && let Some(child) = nested_change_set(&reason)
            && path.len() < DEPTH
            && seen.insert(child.clone())
        {
            path.extend(deeper.iter().cloned());
            if let Ok(Some(set)) = session.cloudformation().change_set(&child, None).await
                && let Some(deeper) = set.status_reason
            {
                arn = child;
                reason = deeper;
                continue;
            }
            found = Refusal::Template(reason);
        }
        if let Refusal::Validation { findings, denied, .. } = &mut found {
            match session.cloudformation().findings(&arn).await {
                Ok(all) => *findings = all,
                Err(error) => *denied = error.kind == ErrorKind::Denied,
            }
        }
        return match (path.is_empty(), found) {
            // A nested stack without changes is no reason of a failure.
            (true, found) | (false, found @ Refusal::Empty) => found,
            (false, found) => Refusal::Nested { path, cause: Box::new(found) },
        };
    }
}

/// A refusal as an error, with the constructs and source lines of the resources that it names.
pub(crate) fn error(stack: &str, refusal: &Refusal, places: &Places) -> EngineError {
    let text = describe(refusal, places);
    let mut error = EngineError::new(Class::Input, format!("stack {stack}: {text}"));
    error.hint = hint(refusal);
    error
}

fn describe(refusal: &Refusal, places: &Places) -> String {
    match refusal {
        Refusal::Empty => "there is nothing to change".to_owned(),
        Refusal::Validation { findings, reason, .. } if findings.is_empty() => {
            format!("CloudFormation's validation refuses the template: {reason}")
        }
        Refusal::Validation { findings, .. } => {
            let lines: Vec<String> = findings.iter().map(|finding| described(finding, places)).collect();
            format!("CloudFormation's validation found:\n  {}", lines.join("\n  "))
        }
        Refusal::Nested { path, cause } => {
            // The places are those of the parent's resources, so they say nothing of a nested stack's.
            format!("nested stack {}: {}", path.join(" > "), describe(cause, &Places::default()))
        }
        Refusal::Import { resources, reason } if resources.is_empty() => reason.clone(),
        Refusal::Import { resources, .. } => {
            format!("these resources exist already and cannot be taken in: {}", resources.join(", "))
        }
        Refusal::Hook { hooks, reason } => format!("hook {} refuses: {reason}", hooks.join(", ")),
        Refusal::Template(reason) => {
            let mut named: Vec<String> = Vec::new();
            for id in logical_ids(reason) {
                if let Some(place) = located(&id, places) {
                    named.push(place);
                }
            }
            if named.is_empty() { reason.clone() } else { format!("{reason}\n  {}", named.join("\n  ")) }
        }
    }
}

fn hint(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::Validation { denied: true, .. } => {
            Some("grant cloudformation:DescribeEvents to see which resource it is about".to_owned())
        }
        Refusal::Validation { .. } => None,
        Refusal::Import { .. } => Some(
            "give them DeletionPolicy Retain or RetainExceptOnCreate and a name, or other names".to_owned(),
        ),
        Refusal::Hook { .. } => Some("ask whoever set the hook up, or change what it names".to_owned()),
        Refusal::Nested { cause, .. } => hint(cause),
        Refusal::Empty | Refusal::Template(_) => None,
    }
}

fn described(finding: &OperationFinding, places: &Places) -> String {
    let id = finding.logical_id.as_deref().unwrap_or("template");
    let mut line = match &finding.resource_type {
        Some(kind) => format!("{id} ({kind})"),
        None => id.to_owned(),
    };
    if let Some(path) = &finding.path {
        line.push_str(&format!(" at {path}"));
    }
    line.push_str(&format!(": {}", finding.reason));
    if let Some(name) = &finding.validation {
        line.push_str(&format!(" [{name}]"));
    }
    match located(id, places) {
        Some(place) => format!("{line}\n    {place}"),
        None => line,
    }
}

/// `made by shop/Queue at src/main.rs:12`
fn located(logical_id: &str, places: &Places) -> Option<String> {
    let place = places.get(logical_id)?;
    match (&place.construct_path, &place.source) {
        (Some(path), Some(source)) => Some(format!("{logical_id} is made by {path} at {source}")),
        (Some(path), None) => Some(format!("{logical_id} is made by {path}")),
        (None, Some(source)) => Some(format!("{logical_id} is made at {source}")),
        (None, None) => None,
    }
}

/// The words of a reason that may be logical ids.
fn logical_ids(reason: &str) -> Vec<String> {
    let mut words: Vec<String> = reason
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_owned)
        .collect();
    words.sort();
    words.dedup();
    words
}

/// `Nested change set arn:… was not successfully created: …`
fn nested_change_set(reason: &str) -> Option<String> {
    let rest = &reason[reason.find("Nested change set")?..];
    rest.split_whitespace()
        .find(|word| word.starts_with("arn:"))
        .map(|arn| arn.trim_end_matches([',', '.']).to_owned())
}

/// The part of a change set's ARN that tells which stack it is of: the name that the service made of the parent's and
/// the resource's name.
fn stack_of(arn: &str) -> String {
    arn.split("changeSet/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(arn).to_owned()
}

/// `… The affected resources are Bucket ({BucketName=logs}), Table ({TableName=users})`
fn affected(reason: &str) -> Vec<String> {
    let Some((_, rest)) = reason.split_once("The affected resources are") else { return Vec::new() };
    let rest = rest.trim().trim_start_matches(':').trim();
    let mut resources = Vec::new();
    let (mut depth, mut current) = (0_i32, String::new());
    for c in rest.chars() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            resources.push(std::mem::take(&mut current));
        } else {
            current.push(c);
        }
    }
    resources.push(current);
    let tidy = |text: String| text.trim().trim_end_matches('.').to_owned();
    resources.into_iter().map(tidy).filter(|text| !text.is_empty()).collect()
}

/// `The following hook(s) failed: [Org::Guard::Hook, …]`
fn hooks(reason: &str) -> Option<Vec<String>> {
    if !Regex::new(r"(?i)\bhook").ok()?.is_match(reason) {
        return None;
    }
    let names = Regex::new(r"[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}").ok()?;
    let mut found: Vec<String> = names.find_iter(reason).map(|name| name.as_str().to_owned()).collect();
    found.dedup();
    Some(if found.is_empty() { vec!["of the account".to_owned()] } else { found })
}

#[cfg(test)]
mod tests;
