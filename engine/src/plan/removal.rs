//! Carries out what a destruction was asked to remove, before the stack is deleted.
//!
//! What is removed stands in the plan by name, so that nothing goes that was not shown: an app that somebody starts in
//! between is not ended, and CloudFormation then says that the domain is in use.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::destroy::studio;
use super::failure::failed;
use super::model::{Removal, RemovalKind, StackPlan};
use crate::aws::{Error, ErrorKind, Session};
use crate::control::Wish;
use crate::error::{Class, EngineError};
use crate::event::What;
use crate::journal::{Intent, Journal, Ticket};
use crate::runtime::Runtime;

/// How long apps and spaces may take to go.
const STUDIO_LIMIT: Duration = Duration::from_secs(1800);
/// How many images one call of ECR takes.
const IMAGES_AT_ONCE: usize = 100;

/// Removes what the plan of a stack names, in an order in which each can go: apps before spaces.
///
/// # Errors
/// When a service refuses, or something does not go. What was removed until then stays removed.
pub async fn remove(
    stack: &StackPlan,
    session: &Session,
    runtime: &Runtime,
    journal: &Journal,
) -> Result<(), EngineError> {
    use RemovalKind::{BucketContent, RepositoryImages, StudioApp, StudioSpace, TerminationProtection};
    let mut removed = 0;
    for kind in [StudioApp, StudioSpace, BucketContent, RepositoryImages, TerminationProtection] {
        let removals: Vec<&Removal> = stack.removals.iter().filter(|removal| removal.kind == kind).collect();
        for removal in &removals {
            if runtime.control.wish() != Wish::Continue {
                return Err(interrupted(stack, removed));
            }
            let what = words(removal);
            runtime.tell_of(stack, What::Note { message: format!("removes {what}") });
            let intent = Intent::new(operation(kind), format!("{} {what}", stack.name));
            let ticket = journal.intent(intent)?;
            let answer = one(removal, session, &ticket).await;
            journal.outcome(&ticket, answer.as_ref().map(|_| Default::default()));
            match answer {
                Ok(kept) if kept.is_empty() => removed += 1,
                Ok(kept) => {
                    let message =
                        format!("stack {}: {what} cannot be removed: {}", stack.name, kept.join(", "));
                    return Err(EngineError::new(Class::NeedsAction, message));
                }
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&format!("stack {}: {what}", stack.name), &error)),
            }
        }
        if matches!(kind, StudioApp | StudioSpace) && !removals.is_empty() {
            until_gone(&removals, removed, stack, session, runtime).await?;
        }
    }
    Ok(())
}

/// A signal came. The stack stands, but what was removed from it before does not come back.
fn interrupted(stack: &StackPlan, removed: usize) -> EngineError {
    let (name, all) = (&stack.name, stack.removals.len());
    let message = match removed {
        0 => format!("stack {name}: interrupted before anything of it was removed"),
        _ => format!(
            "stack {name}: interrupted when {removed} of {all} things in its way were removed; the stack itself is not deleted"
        ),
    };
    EngineError::new(Class::Detached, message).with_hint(format!("`formwork destroy {name}` goes on"))
}

/// The calls that the kinds of removals make.
#[cfg(test)]
pub(crate) const OPERATIONS: [&str; 5] = [
    operation(RemovalKind::BucketContent),
    operation(RemovalKind::RepositoryImages),
    operation(RemovalKind::StudioApp),
    operation(RemovalKind::StudioSpace),
    operation(RemovalKind::TerminationProtection),
];

const fn operation(kind: RemovalKind) -> &'static str {
    match kind {
        RemovalKind::BucketContent => "DeleteObjects",
        RemovalKind::RepositoryImages => "BatchDeleteImage",
        RemovalKind::StudioApp => "DeleteApp",
        RemovalKind::StudioSpace => "DeleteSpace",
        RemovalKind::TerminationProtection => "UpdateTerminationProtection",
    }
}

/// What is removed, in plain words.
pub fn words(removal: &Removal) -> String {
    let name = removal.name.as_deref().unwrap_or_default();
    let physical_id = &removal.physical_id;
    match removal.kind {
        RemovalKind::BucketContent => format!("everything in bucket {physical_id}"),
        RemovalKind::RepositoryImages => format!("all images of repository {physical_id}"),
        RemovalKind::StudioApp => format!("app {name} of Studio domain {physical_id}"),
        RemovalKind::StudioSpace => format!("space {name} of Studio domain {physical_id}"),
        RemovalKind::TerminationProtection => "the stack's termination protection".to_owned(),
    }
}

/// Removes one; what could not be removed, in words.
async fn one(removal: &Removal, session: &Session, ticket: &Ticket) -> Result<Vec<String>, Error> {
    let id = removal.physical_id.as_str();
    let name = removal.name.as_deref().unwrap_or_default();
    let calls = session.call().writing(ticket);
    match removal.kind {
        RemovalKind::BucketContent => {
            let gone = session.storage().remove_all(id, ticket).await?;
            return Ok(gone.kept.into_iter().map(|(key, why)| format!("{key} ({why})")).collect());
        }
        RemovalKind::RepositoryImages => return images(id, session, ticket).await,
        RemovalKind::StudioApp => {
            let Some(body) = app_body(id, name) else { return Ok(vec![name.to_owned()]) };
            calls.json("sagemaker", "SageMaker.DeleteApp", &body).await?;
        }
        RemovalKind::StudioSpace => {
            let body = json!({"DomainId": id, "SpaceName": name});
            calls.json("sagemaker", "SageMaker.DeleteSpace", &body).await?;
        }
        RemovalKind::TerminationProtection => session.cloudformation().protect(id, false, ticket).await?,
    }
    Ok(Vec::new())
}

/// What `DeleteApp` is told of an app named `space:OWNER/TYPE/NAME` or `user:OWNER/TYPE/NAME`.
fn app_body(domain: &str, name: &str) -> Option<Value> {
    let mut parts = name.splitn(3, '/');
    let (owner, kind, app) = (parts.next()?, parts.next()?, parts.next()?);
    let (member, owner) = match owner.split_once(':')? {
        ("space", owner) => ("SpaceName", owner),
        (_, owner) => ("UserProfileName", owner),
    };
    let mut body = json!({"DomainId": domain, "AppType": kind, "AppName": app});
    body[member] = owner.into();
    Some(body)
}

/// Removes all images of a repository, in as many rounds as it takes: one that a manifest list names can go only after
/// the list.
async fn images(repository: &str, session: &Session, ticket: &Ticket) -> Result<Vec<String>, Error> {
    let delete = "AmazonEC2ContainerRegistry_V20150921.BatchDeleteImage";
    let mut before: BTreeSet<String> = BTreeSet::new();
    loop {
        let digests = digests(repository, session).await?;
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        // What is all still there after it was deleted cannot be deleted.
        if digests == before {
            return Ok(digests.into_iter().collect());
        }
        let ids: Vec<Value> = digests.iter().map(|digest| json!({"imageDigest": digest})).collect();
        for ids in ids.chunks(IMAGES_AT_ONCE) {
            let body = json!({"repositoryName": repository, "imageIds": ids});
            session.call().writing(ticket).json("ecr", delete, &body).await?;
        }
        before = digests;
    }
}

/// The digests of all images of a repository, of all pages.
async fn digests(repository: &str, session: &Session) -> Result<BTreeSet<String>, Error> {
    let list = "AmazonEC2ContainerRegistry_V20150921.ListImages";
    let mut digests = BTreeSet::new();
    let mut body = json!({"repositoryName": repository, "maxResults": IMAGES_AT_ONCE});
    loop {
        let answer = session.call().json("ecr", list, &body).await?;
        let found = answer.get("imageIds").and_then(Value::as_array).into_iter().flatten();
        digests.extend(found.filter_map(|image| Some(image.get("imageDigest")?.as_str()?.to_owned())));
        match answer.get("nextToken").and_then(Value::as_str) {
            Some(token) => body["nextToken"] = token.into(),
            None => return Ok(digests),
        }
    }
}

/// Waits until apps or spaces are gone: their deletion takes minutes, and the domain's fails until then.
async fn until_gone(
    removals: &[&Removal],
    removed: usize,
    stack: &StackPlan,
    session: &Session,
    runtime: &Runtime,
) -> Result<(), EngineError> {
    let started = runtime.clock.elapsed();
    let domains: BTreeSet<&str> = removals.iter().map(|removal| removal.physical_id.as_str()).collect();
    let wanted: BTreeSet<&str> = removals.iter().filter_map(|removal| removal.name.as_deref()).collect();
    loop {
        let mut left = Vec::new();
        for domain in &domains {
            match studio::names(session, removals[0].kind, domain).await {
                Ok(names) => left.extend(names.into_iter().filter(|name| wanted.contains(name.as_str()))),
                // A read that fails says nothing: they may be there still.
                Err(error) if error.is_transient() => left.push("unknown".to_owned()),
                Err(error) => return Err(failed(&format!("stack {}", stack.name), &error)),
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        if runtime.clock.elapsed().saturating_sub(started) > STUDIO_LIMIT {
            let message = format!("stack {}: still there after 30 minutes: {}", stack.name, left.join(", "));
            return Err(EngineError::new(Class::NeedsAction, message)
                .with_hint("look at them in the SageMaker console, then run `formwork destroy` again"));
        }
        tokio::select! {
            () = runtime.clock.sleep(Duration::from_secs(10)) => {}
            () = runtime.control.reached(Wish::Detach) => return Err(interrupted(stack, removed)),
        }
    }
}

#[cfg(test)]
mod tests;
