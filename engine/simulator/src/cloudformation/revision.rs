//! Turns what a caller sends into a revision of a stack, or refuses it.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::lookup::{StackLookup, stored};
use super::state::{Revision, RollbackConfiguration, StackKey};
use super::template::Template;
use super::template::evaluate::conditions;
use super::template::parameters::{Given, resolve};
use super::{Surroundings, World};
use crate::api::ApiError;

/// What a caller sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) template: String,
    pub(crate) given: BTreeMap<String, Given>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) notification_arns: Vec<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) rollback: RollbackConfiguration,
}

/// Reads and checks everything that can be checked before an operation.
pub(crate) fn make(
    world: &World,
    around: &dyn Surroundings,
    key: StackKey,
    request: &Request,
) -> Result<Revision, ApiError> {
    let stack = &world.stacks[key];
    let previous = stack.revision.as_ref();
    // Most updates come with the template that the stack has.
    let template = match previous {
        Some(previous) if previous.template.text == request.template => {
            std::sync::Arc::clone(&previous.template)
        }
        _ => Template::parse(&request.template)?,
    };
    let granted: Vec<&str> = request.capabilities.iter().map(String::as_str).collect();
    template.check_capabilities(&granted)?;
    let store = |name: &str| stored(around, &stack.account, &stack.region, name);
    let values = resolve(&template, &request.given, previous.map(|it| &it.values), &store)?;
    let pseudo = stack.pseudo(&request.notification_arns);
    let none = BTreeSet::new();
    let lookup = StackLookup {
        world,
        around,
        account: &stack.account,
        region: &stack.region,
        pseudo: &pseudo,
        resources: &stack.resources,
        uncertain: &none,
        strict: false,
    };
    let conditions = conditions(&template.value, &values, &pseudo, &lookup).map_err(ApiError::validation)?;
    let revision = Revision {
        template,
        values,
        conditions,
        tags: request.tags.clone(),
        capabilities: request.capabilities.clone(),
        notification_arns: request.notification_arns.clone(),
        role_arn: request.role_arn.clone(),
        rollback: request.rollback.clone(),
    };
    check_types(world, key, &revision)?;
    Ok(revision)
}

/// A resource keeps its type for life.
fn check_types(world: &World, key: StackKey, revision: &Revision) -> Result<(), ApiError> {
    let stack = &world.stacks[key];
    let changed: Vec<&str> = revision
        .resources()
        .map(|(id, _)| id)
        .filter(|id| {
            let existing = stack.resources.get(*id).filter(|it| it.exists() && it.status != "CREATE_FAILED");
            existing.is_some_and(|it| it.resource_type != revision.template.resource_type(id))
        })
        .collect();
    if changed.is_empty() || stack.status == super::StackStatus::DeleteComplete {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: \
         [{}]",
        changed.join(", ")
    )))
}
