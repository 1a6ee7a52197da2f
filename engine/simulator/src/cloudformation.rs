//! CloudFormation: stacks, change sets, events, exports, drift.
//!
//! Everything that takes time is a step in a queue, ordered by its time and by the order in which it was asked for.
//! [`World::advance`] brings the steps about that are due, and [`World::call`] answers a call in the state that this
//! leaves. Nothing here reads a clock or draws a random number, so the same calls at the same times end the same.
//!
//! # What it leaves out on purpose
//!
//! - Values of properties are not judged by services: only names and required properties are checked before a change set
//!   can be executed (as AWS's early validation does), everything else succeeds unless the script says otherwise.
//! - Transforms and macros are refused; `AWS::LanguageExtensions` is taken as far as its functions go, without loops.
//!   The section `Rules` is not evaluated.
//! - Stack sets, stack refactoring, generated templates, the registry but for a short `DescribeType`.
//! - The roles of stacks and the rights of callers: everybody may do everything; denials come by script.
//! - A change set whose import is missing fails when it is made ([`Options::imports_checked_early`] changes that). Public
//!   reports tell of both that and of failed executions.
//! - The clean-up of a nested stack follows its own update at once, not the end of its parent's.
//! - Dynamic references to Secrets Manager and `ssm-secure` stay as they are written; nobody here could tell them anyway.
//! - `SignalResource` is taken and changes nothing: wait conditions end by their time or by script.
//! - In `EXPRESS` mode resources are complete after a quarter of their time; that they go on stabilising is not told.

use jiff::Timestamp;

mod actions;
pub(crate) mod attributes;
mod diff;
pub mod durations;
mod exports;
pub mod faults;
mod ids;
mod operation;
mod policy;
mod revision;
mod state;
pub mod status;
mod template;
#[cfg(test)]
mod tests;
mod world;

pub use status::StackStatus;
pub use world::{Options, World};

/// Who calls, when, and for which account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// When the call arrives.
    pub now: Timestamp,
    /// The twelve digits of the account.
    pub account: String,
    /// The region, such as `eu-west-1`.
    pub region: String,
    /// The ARN of the caller.
    pub caller: String,
    /// The partition, such as `aws`.
    pub partition: String,
}

/// What CloudFormation meets outside itself: the other services of the same simulator.
///
/// An account and a region come with every question, since one world holds several.
pub trait Surroundings {
    /// The value of a parameter of SSM; `None` when there is none of that name.
    fn parameter(&self, account: &str, region: &str, name: &str) -> Option<String>;

    /// The text of an object in S3 that a `TemplateURL` names.
    ///
    /// # Errors
    /// What S3 says, such as `Access Denied`; CloudFormation passes it on as `S3 error: …`.
    fn template(&self, account: &str, region: &str, url: &str) -> Result<String, String>;

    /// Asks whether a resource of this name can be made; a bucket of the same name may be somebody else's.
    ///
    /// # Errors
    /// The message of the service that refuses.
    fn create(&mut self, resource: &Resource<'_>) -> Result<(), String> {
        let _ = resource;
        Ok(())
    }

    /// Tells that a resource has new properties.
    ///
    /// # Errors
    /// The message of the service that refuses.
    fn update(&mut self, resource: &Resource<'_>) -> Result<(), String> {
        let _ = resource;
        Ok(())
    }

    /// Asks that a resource be deleted; a bucket with objects in it is not.
    ///
    /// # Errors
    /// The message of the service that refuses.
    fn delete(&mut self, resource: &Resource<'_>) -> Result<(), String> {
        let _ = resource;
        Ok(())
    }
}

/// A resource as the services around CloudFormation see it.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'r> {
    /// The account.
    pub account: &'r str,
    /// The region.
    pub region: &'r str,
    /// The type, such as `AWS::S3::Bucket`.
    pub resource_type: &'r str,
    /// The physical id.
    pub physical_id: &'r str,
    /// The properties, evaluated.
    pub properties: &'r serde_json::Value,
}
