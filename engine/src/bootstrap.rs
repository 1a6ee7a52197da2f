//! What an account and region need before stacks with assets go there: a bucket, and roles that may each do one thing.
//!
//! The bootstrap stack is a stack like every other: [`assembly`] writes a cloud assembly with its template, and plan and
//! apply bring it where it belongs. Whoever plans cannot execute, whoever executes cannot publish, and CloudFormation
//! itself acts with a role that may do what the types of the given assemblies need and no more.

mod derive;
mod facts;
mod names;
mod policies;
mod template;

use std::collections::BTreeMap;

use formwork_assembly::cloud_assembly::MANIFEST_FILE;
use formwork_assembly::manifest::{self, Artifact, Manifest, StackProperties};
use formwork_assembly::{AssemblyFiles, json};
use serde_json::Value;

use crate::error::{Class, EngineError};

pub use derive::{Needs, Statement};
pub use facts::{Found, check, look};
pub(crate) use names::{bucket_parameter, role as role_name};
pub use policies::{DeployerMode, PolicyOptions, show_policy};
pub use template::template;

/// The version of the bootstrap stack that this program makes; it stands in an SSM parameter.
pub const VERSION: u32 = 1;

/// The id of the bootstrap stack's artifact.
const ARTIFACT: &str = "Bootstrap";

/// What can be said about a bootstrap stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapOptions {
    /// The account, 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// Tells several bootstrap stacks in one account and region apart: 1 to 10 letters and digits.
    pub qualifier: String,
    /// What the names of the stacks begin with that the roles may touch.
    pub prefix: String,
    /// Further accounts whose callers may take on the roles.
    pub trusted_accounts: Vec<String>,
    /// What CloudFormation may do.
    pub execution: Execution,
    /// The policy that limits the execution role and every role that it makes, by its ARN.
    pub permissions_boundary: Option<String>,
    /// What the bucket is encrypted with.
    pub key: BucketKey,
    /// Tags of the stack.
    pub tags: BTreeMap<String, String>,
}

/// What CloudFormation may do with the execution role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// What the types of templates need.
    Derived(Needs),
    /// What these managed policies allow, by their ARNs.
    Policies(Vec<String>),
}

/// What the bucket is encrypted with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BucketKey {
    /// Keys of S3.
    #[default]
    Aes256,
    /// A key of KMS that the bootstrap stack makes.
    New,
    /// A key of KMS, by its ARN.
    Existing(String),
}

impl BootstrapOptions {
    /// A bootstrap stack with nothing special, for stacks whose names begin with `prefix`.
    pub fn new(account: &str, region: &str, prefix: &str, execution: Execution) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            qualifier: "formwork".to_owned(),
            prefix: prefix.to_owned(),
            trusted_accounts: Vec::new(),
            execution,
            permissions_boundary: None,
            key: BucketKey::default(),
            tags: BTreeMap::new(),
        }
    }

    /// The name of the stack.
    pub fn stack_name(&self) -> String {
        names::stack(&self.qualifier)
    }

    fn check(&self) -> Result<(), EngineError> {
        let wrong = |what: &str, value: &str, way: &str| {
            Err(EngineError::new(Class::Usage, format!("{what} {value:?} cannot be used"))
                .with_hint(way.to_owned()))
        };
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account(&self.account) {
            return wrong("the account", &self.account, "an account has 12 digits");
        }
        let plain = |it: char| it.is_ascii_alphanumeric() || it == '-';
        if self.region.is_empty() || !self.region.chars().all(plain) {
            return wrong("the region", &self.region, "name a region such as eu-central-1");
        }
        let short = (1..=10).contains(&self.qualifier.len());
        if !short || !self.qualifier.chars().all(|it| it.is_ascii_alphanumeric()) {
            return wrong("the qualifier", &self.qualifier, "use 1 to 10 letters and digits");
        }
        if self.prefix.is_empty() || !self.prefix.chars().all(plain) {
            return wrong(
                "the prefix",
                &self.prefix,
                "use letters, digits and hyphens, as in the names of the stacks",
            );
        }
        if let Some(account) = self.trusted_accounts.iter().find(|account| !is_account(account)) {
            return wrong("the trusted account", account, "an account has 12 digits");
        }
        Ok(())
    }
}

/// A cloud assembly with the bootstrap stack, to be planned and applied like any other.
///
/// # Errors
/// When an option cannot be used, or the derived policies do not fit into a template that goes with a call: there is no
/// bucket for larger ones yet.
pub fn assembly(options: &BootstrapOptions) -> Result<AssemblyFiles, EngineError> {
    options.check()?;
    let text = json::to_text(&template(options)?);
    if text.len() > crate::assets::GREATEST_INLINE_BYTES {
        let message = format!(
            "the bootstrap template has {} bytes, more than the {} that go with a call",
            text.len(),
            crate::assets::GREATEST_INLINE_BYTES
        );
        return Err(EngineError::new(Class::Input, message)
            .with_hint("name managed policies for the execution role instead of deriving them"));
    }
    let template_file = format!("{ARTIFACT}.template.json");
    let properties = StackProperties {
        template_file: template_file.clone(),
        stack_name: Some(options.stack_name()),
        termination_protection: Some(true),
        tags: options.tags.clone(),
        ..StackProperties::default()
    };
    let artifact = Artifact {
        kind: manifest::STACK.to_owned(),
        environment: Some(manifest::environment(Some(&options.account), Some(&options.region))),
        properties: manifest::properties(&properties),
        display_name: Some(options.stack_name()),
        ..Artifact::default()
    };
    let manifest = Manifest {
        version: manifest::SCHEMA_VERSION.to_owned(),
        artifacts: BTreeMap::from([(ARTIFACT.to_owned(), artifact)]),
    };
    let mut files = AssemblyFiles::default();
    files.insert(template_file, text);
    files.insert(MANIFEST_FILE, json::to_text(&serde_json::to_value(&manifest).unwrap_or(Value::Null)));
    Ok(files)
}

#[cfg(test)]
mod tests;
