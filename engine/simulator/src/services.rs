//! The services around CloudFormation, and what CloudFormation asks of them.
//!
//! S3, STS and SSM are rooms of their own; what is left is a table of small answers, `others`, where another operation
//! is one line more.

mod balancing;
mod compute;
mod identity;
mod insights;
mod limits;
mod logs;
mod network;
mod others;
mod platform;
mod power;
mod regions;
mod registry;
mod secrets;
mod studio;
mod surroundings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

pub use insights::Query;
pub use registry::Registry;
pub use secrets::Secrets;
pub use studio::Studio;

use crate::api::{ApiError, Element, Parameters};
use crate::cloudformation::Context;
use crate::faults::{ResourceState, Script, Setting, fits};
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
    /// The values of secrets.
    pub secrets: Secrets,
    /// What people made in SageMaker Studio.
    pub studio: Studio,
    /// What stacks made, with its properties.
    pub resources: BTreeMap<ResourceKey, Value>,
    /// The actions that a simulated principal policy denies; `*` stands for any letters.
    pub denied_actions: Vec<String>,
    /// What services say of resources that are not as they should be, the latest word last.
    pub states: Vec<ResourceState>,
    /// What was logged: a pattern of log groups and a line.
    pub log_lines: Vec<(String, String)>,
    /// The queries of log groups that were started; the id of one is its place.
    pub queries: Vec<Query>,
}

impl Services {
    /// Services with nothing in them.
    pub fn new(options: &SimulatorOptions) -> Self {
        Self {
            storage: Storage::new(&options.account, &options.region),
            tokens: Tokens::new(options.seed),
            parameters: ParameterStore::new(&options.account, &options.region),
            images: Registry::default(),
            secrets: Secrets::default(),
            studio: Studio::default(),
            resources: BTreeMap::new(),
            denied_actions: Vec::new(),
            states: Vec::new(),
            log_lines: Vec::new(),
            queries: Vec::new(),
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
                Setting::State(state) => self.states.push(state.clone()),
                Setting::LogLine(group, line) => self.log_lines.push((group.clone(), line.clone())),
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

    /// What a service says of a resource if the script has a word on it, and why it is so.
    pub(crate) fn state(&self, resource_type: &str, id: &str) -> Option<(&str, Option<&str>)> {
        let whole = format!("{resource_type}/{id}");
        let found = self
            .states
            .iter()
            .rev()
            .find(|state| fits(&state.resource, resource_type) || fits(&state.resource, &whole))?;
        Some((found.word.as_str(), found.reason.as_deref()))
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
            "autoscaling" => self.groups(context, action, parameters),
            "ec2" => self.network(context, action, parameters),
            "iam" => self.identity(context, action, parameters),
            "elasticloadbalancing" => self.load_balancing(context, action, parameters),
            "rds" => self.databases(action, parameters),
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
            "ssm" if operation == "DescribeInstanceInformation" => self.agents(context, input),
            "ssm" => self.parameters.call(context, operation, input),
            _ => self.other(context, service, operation, input),
        }
    }
}

/// The XML namespace of a service's answers.
pub(crate) fn namespace(service: &str) -> &'static str {
    match service {
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        "autoscaling" => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
        "ec2" => "http://ec2.amazonaws.com/doc/2016-11-15/",
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "rds" => "http://rds.amazonaws.com/doc/2014-10-31/",
        "elasticloadbalancing" => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        _ => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
    }
}
