//! The services around CloudFormation, and what CloudFormation asks of them.
//!
//! S3, STS and SSM are rooms of their own; what is left is a table of small answers, `others`, where another operation
//! is one line more.

mod identity;
mod others;
mod registry;
mod studio;
mod surroundings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

pub use registry::Registry;
pub use studio::Studio;

use crate::api::{ApiError, Element, Parameters};
use crate::cloudformation::Context;
use crate::faults::{Script, Setting};
use crate::parameters::ParameterStore;
use crate::simulator::SimulatorOptions;
use crate::storage::Storage;
use crate::tokens::Tokens;

/// A resource that a stack made, as other services see it: account, region, type and physical id.
pub type ResourceKey = (String, String, String, String);

/// The services around CloudFormation.
#[derive(Clone, Debug)]
pub struct Services {
    /// S3.
    pub storage: Storage,
    /// STS.
    pub tokens: Tokens,
    /// SSM's parameters.
    pub parameters: ParameterStore,
    /// ECR's images.
    pub images: Registry,
    /// What people made in SageMaker Studio.
    pub studio: Studio,
    /// What stacks made, with its properties.
    pub resources: BTreeMap<ResourceKey, Value>,
    /// The actions that a simulated principal policy denies.
    pub denied_actions: Vec<String>,
}

impl Services {
    /// Services with nothing in them.
    pub fn new(options: &SimulatorOptions) -> Self {
        Self {
            storage: Storage::new(&options.account, &options.region),
            tokens: Tokens::new(options.seed),
            parameters: ParameterStore::new(&options.account, &options.region),
            images: Registry::default(),
            studio: Studio::default(),
            resources: BTreeMap::new(),
            denied_actions: Vec::new(),
        }
    }

    /// Makes things as a script says.
    pub fn prepare(&mut self, script: &Script) {
        for setting in &script.settings {
            match setting {
                Setting::Bucket(name, setting) => self.storage.set(name, setting),
                Setting::Parameter(name, value) => self.parameters.set(name, value),
                Setting::Image(repository, tag) => self.images.push(repository, tag),
                Setting::App(name) => self.studio.apps.push(name.clone()),
                Setting::Space(name) => self.studio.spaces.push(name.clone()),
                Setting::Profile(name) => self.studio.profiles.push(name.clone()),
                Setting::ActionDenied(action) => self.denied_actions.push(action.clone()),
                Setting::SessionsLast(duration) => self.tokens.sessions_last = Some(*duration),
                Setting::RoleDenied(role) => self.tokens.denied.push(role.clone()),
                Setting::RoleTagsDenied(role) => self.tokens.tags_denied.push(role.clone()),
                Setting::RoleExternalId(role, id) => {
                    self.tokens.external_ids.push((role.clone(), id.clone()));
                }
            }
        }
    }

    /// The resources of a type that stacks made in an account and region: physical ids and properties.
    pub fn made<'s>(
        &'s self,
        context: &'s Context,
        resource_type: &'s str,
    ) -> impl Iterator<Item = (&'s str, &'s Value)> {
        self.resources
            .iter()
            .filter(move |((account, region, kind, _), _)| {
                *account == context.account && *region == context.region && kind == resource_type
            })
            .map(|((_, _, _, id), properties)| (id.as_str(), properties))
    }

    pub(crate) fn query(
        &mut self,
        context: &Context,
        service: &str,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        match service {
            "sts" => self.tokens.call(context, action, parameters),
            "iam" => self.identity(context, action, parameters),
            "elasticloadbalancing" => self.load_balancing(context, action, parameters),
            _ => Err(ApiError::new(
                "InvalidAction",
                format!("The action {action} of {service} is not one that the simulator knows"),
            )),
        }
    }

    pub(crate) fn json(
        &mut self,
        context: &Context,
        service: &str,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ApiError> {
        match service {
            "ssm" => self.parameters.call(context, operation, input),
            _ => self.other(context, service, operation, input),
        }
    }
}

/// The XML namespace of a service's answers.
pub(crate) fn namespace(service: &str) -> &'static str {
    match service {
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "elasticloadbalancing" => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        _ => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
    }
}
