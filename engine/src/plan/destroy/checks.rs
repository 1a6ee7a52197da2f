//! What stands in the way of a deletion, asked of the services that know.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::environment::Target;
use super::super::model::{Removal, RemovalKind};
use super::{Removals, resources_of, studio};
use crate::aws::Error;
use crate::aws::cloudformation::{Stack, StackResource};

/// Something that stands in the way of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obstacle {
    /// How it can be removed; nothing when that is not for us to do.
    pub(super) removal: Option<Removal>,
    /// What it is, in plain words.
    pub(super) words: String,
    /// What to do about it.
    pub(super) hint: &'static str,
}

impl Obstacle {
    /// Whether it was asked to be removed.
    pub(super) fn is_asked(&self, removals: Removals) -> bool {
        match self.removal.as_ref().map(|removal| removal.kind) {
            Some(RemovalKind::BucketContent | RemovalKind::RepositoryImages) => removals.content,
            Some(RemovalKind::StudioApp | RemovalKind::StudioSpace) => removals.studio,
            Some(RemovalKind::TerminationProtection) => removals.protection,
            None => false,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What stands in the way.
    pub(super) obstacles: Vec<Obstacle>,
    /// The logical ids of resources that hold nothing, so that nothing is lost with them.
    pub(super) empty: BTreeSet<String>,
    /// What could not be found out, in words.
    pub(super) unknown: Vec<String>,
}

const CONTENT: &str = "empty it, or let it be emptied with --remove content";
const PROTECTION: &str = "take the protection off with --remove protection";
const RESOURCE: &str = "take deletion protection off in the app and deploy, then destroy";

/// Asks for everything that would stop the deletion of a stack. What cannot be found out stops nothing: CloudFormation
/// will find it, and the user is told.
pub(super) async fn obstacles(
    target: &Target,
    stack: &Stack,
    template: &Value,
    resources: &[&StackResource],
) -> Found {
    let mut found = Found::default();
    if stack.termination_protection {
        found.obstacles.push(Obstacle {
            removal: Some(removal(RemovalKind::TerminationProtection, "", &stack.id, None)),
            words: format!("stack {} is protected against deletion", stack.name),
            hint: PROTECTION,
        });
    }
    let bodies = resources_of(template);
    for resource in resources {
        if bodies.get(resource.logical_id.as_str()).is_some_and(|body| is_protected(body)) {
            found.obstacles.push(Obstacle {
                removal: None,
                words: format!(
                    "stack {}: {} ({}) has deletion protection",
                    stack.name, resource.logical_id, resource.resource_type
                ),
                hint: RESOURCE,
            });
        }
    }
    let asked = join_all(resources.iter().map(|resource| async {
        let answer = match (resource.resource_type.as_str(), resource.physical_id.as_deref()) {
            ("AWS::S3::Bucket", Some(bucket)) => bucket_content(target, stack, resource, bucket).await,
            ("AWS::ECR::Repository", Some(name)) => {
                let body = bodies.get(resource.logical_id.as_str());
                let emptied = body.and_then(|body| body.pointer("/Properties/EmptyOnDelete"));
                if emptied.is_some_and(is_true) {
                    Ok(Found::default())
                } else {
                    images(target, stack, resource, name).await
                }
            }
            ("AWS::SageMaker::Domain", Some(domain)) => {
                studio::obstacles(target, stack, resource, domain, resources).await
            }
            _ => Ok(Found::default()),
        };
        answer.unwrap_or_else(|error| Found {
            unknown: vec![format!("{} was not looked into: {}", resource.logical_id, error.message)],
            ..Found::default()
        })
    }))
    .await;
    for more in asked {
        found.obstacles.extend(more.obstacles);
        found.empty.extend(more.empty);
        found.unknown.extend(more.unknown);
    }
    found
}

pub(super) fn removal(
    kind: RemovalKind,
    logical_id: &str,
    physical_id: &str,
    name: Option<String>,
) -> Removal {
    Removal { kind, logical_id: logical_id.to_owned(), physical_id: physical_id.to_owned(), name }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => text.eq_ignore_ascii_case("true") || text == "ACTIVE",
        _ => false,
    }
}

/// Whether a resource's properties say that it refuses to be deleted.
pub(super) fn is_protected(resource: &Value) -> bool {
    let Some(properties) = resource.get("Properties") else { return false };
    let flags = [
        "DeletionProtection",
        "DeletionProtectionEnabled",
        "DeleteProtection",
        "DisableApiTermination",
        "DeletionProtectionConfig",
    ];
    let flagged = flags.iter().any(|name| properties.get(*name).is_some_and(is_true));
    let attributes = properties.get("LoadBalancerAttributes").and_then(Value::as_array);
    flagged
        || attributes.into_iter().flatten().any(|attribute| {
            attribute.get("Key").and_then(Value::as_str) == Some("deletion_protection.enabled")
                && attribute.get("Value").is_some_and(is_true)
        })
}

async fn bucket_content(
    target: &Target,
    stack: &Stack,
    resource: &StackResource,
    bucket: &str,
) -> Result<Found, Error> {
    let empty = target.session.storage().is_empty(bucket).await?;
    let mut found = Found::default();
    if empty {
        found.empty.insert(resource.logical_id.clone());
    } else {
        found.obstacles.push(Obstacle {
            removal: Some(removal(RemovalKind::BucketContent, &resource.logical_id, bucket, None)),
            words: format!("stack {}: bucket {bucket} is not empty", stack.name),
            hint: CONTENT,
        });
    }
    Ok(found)
}

async fn images(
    target: &Target,
    stack: &Stack,
    resource: &StackResource,
    repository: &str,
) -> Result<Found, Error> {
    let body = json!({"repositoryName": repository, "maxResults": 1});
    let operation = "AmazonEC2ContainerRegistry_V20150921.ListImages";
    let answer = target.session.call().json("ecr", operation, &body).await?;
    let mut found = Found::default();
    if answer.get("imageIds").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        found.empty.insert(resource.logical_id.clone());
    } else {
        found.obstacles.push(Obstacle {
            removal: Some(removal(RemovalKind::RepositoryImages, &resource.logical_id, repository, None)),
            words: format!("stack {}: repository {repository} has images", stack.name),
            hint: CONTENT,
        });
    }
    Ok(found)
}
