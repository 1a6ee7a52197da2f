//! A small IAM: what the policies of a synthesised template allow a role to do.
//!
//! It evaluates identity policies as IAM does: nothing is allowed unless a statement allows it, and a statement that
//! denies wins. What CloudFormation would put in stands as `{LogicalId}`, or `{LogicalId.Attribute}` for an attribute,
//! and pseudo parameters have the values of [`ACCOUNT`], [`REGION`] and the stack's name: a request names resources in
//! the same way. Managed policies that a role names by ARN are not in the template, and not evaluated. A policy that it does not understand wholly is a panic, never a guess.
//!
//! Source: AWS IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".

mod condition;
mod pattern;
mod resolve;
#[cfg(test)]
mod tests;

use serde_json::Value as Json;

use condition::holds;
use pattern::is_like;
use resolve::{resolved, texts};

/// The account of every template.
pub const ACCOUNT: &str = "123456789012";
/// The region of every template.
pub const REGION: &str = "us-east-1";

/// What somebody asks for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The action, such as `s3:GetObject`.
    pub action: &'a str,
    /// The ARN of what it is done with; `*` for an action without a resource.
    pub resource: &'a str,
    /// The keys of the request that conditions look at, such as `iam:PassedToService`.
    pub context: &'a [(&'a str, &'a str)],
}

/// The policies of one role.
#[derive(Clone, Debug)]
pub struct Role {
    statements: Vec<Json>,
    trust: Json,
}

/// What policies say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it, and none denies it.
    Allowed,
    /// No statement says anything of it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

impl Role {
    /// The role of a logical id, with all policies of the template that are attached to it.
    ///
    /// # Panics
    /// When the template has no such role, or a policy of it is not understood.
    pub fn of(template: &Json, stack: &str, logical_id: &str) -> Self {
        let resources = template["Resources"].as_object().unwrap_or_else(|| panic!("no resources"));
        let role = &resources.get(logical_id).unwrap_or_else(|| panic!("no role {logical_id}"))["Properties"];
        let mut statements = Vec::new();
        let mut take = |document: &Json| {
            let document = resolved(document, stack);
            let listed = document["Statement"].as_array().unwrap_or_else(|| panic!("no list: {document}"));
            statements.extend(listed.iter().cloned());
        };
        for policy in role["Policies"].as_array().into_iter().flatten() {
            take(&policy["PolicyDocument"]);
        }
        let name = Json::from(format!("{{{logical_id}}}"));
        for resource in resources.values() {
            let is_policy = matches!(
                resource["Type"].as_str(),
                Some("AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::RolePolicy")
            );
            let properties = &resource["Properties"];
            let attached = resolved(&properties["Roles"], stack);
            let to_one = resolved(&properties["RoleName"], stack);
            if is_policy && (attached.as_array().is_some_and(|roles| roles.contains(&name)) || to_one == name)
            {
                take(&properties["PolicyDocument"]);
            }
        }
        Self { statements, trust: resolved(&role["AssumeRolePolicyDocument"], stack) }
    }

    /// The first role of a template whose logical id begins so.
    ///
    /// # Panics
    /// When there is none, or a policy of it is not understood.
    pub fn named(template: &Json, stack: &str, beginning: &str) -> Self {
        let resources = template["Resources"].as_object().unwrap_or_else(|| panic!("no resources"));
        let found = resources.iter().find(|(id, resource)| {
            // The last eight characters are the hash of the path.
            resource["Type"] == "AWS::IAM::Role"
                && id.strip_prefix(beginning).is_some_and(|rest| rest.len() == 8)
        });
        let (id, _) = found.unwrap_or_else(|| panic!("no role begins with {beginning}"));
        Self::of(template, stack, id)
    }

    /// What the role's policies say of a request.
    pub fn verdict(&self, request: &Request<'_>) -> Verdict {
        let about = |effect: &str| {
            self.statements
                .iter()
                .any(|statement| statement["Effect"] == effect && is_about(statement, request))
        };
        match (about("Deny"), about("Allow")) {
            (true, _) => Verdict::Denied,
            (false, true) => Verdict::Allowed,
            (false, false) => Verdict::NotAllowed,
        }
    }

    /// Whether a service or an ARN may assume the role, by a request with those keys.
    pub fn trusts(&self, principal: &str, context: &[(&str, &str)]) -> bool {
        let statements = self.trust["Statement"].as_array();
        statements.into_iter().flatten().any(|statement| {
            let named = statement["Principal"].as_object().into_iter().flat_map(|kinds| kinds.values());
            statement["Effect"] == "Allow"
                && texts(&statement["Action"]).contains(&"sts:AssumeRole")
                && named.flat_map(texts).any(|one| one == principal)
                && holds(&statement["Condition"], context)
        })
    }

    /// The actions that are allowed on every resource.
    pub fn on_everything(&self) -> Vec<&str> {
        let allows = |statement: &&Json| {
            statement["Effect"] == "Allow" && texts(&statement["Resource"]).contains(&"*")
        };
        self.statements.iter().filter(allows).flat_map(|statement| texts(&statement["Action"])).collect()
    }
}

fn is_about(statement: &Json, request: &Request<'_>) -> bool {
    for unknown in ["NotAction", "NotResource", "NotPrincipal"] {
        assert!(statement.get(unknown).is_none(), "{unknown} is not understood: {statement}");
    }
    let action = request.action.to_ascii_lowercase();
    texts(&statement["Action"]).iter().any(|one| is_like(&one.to_ascii_lowercase(), &action))
        && texts(&statement["Resource"]).iter().any(|one| is_like(one, request.resource))
        && holds(&statement["Condition"], request.context)
}

/// A value of a template as requests name it: `{LogicalId}` or `{LogicalId.Attribute}` inside of its text.
///
/// # Panics
/// When it is no text, or has a function that is not understood.
pub fn value(expression: &Json, stack: &str) -> String {
    let value = resolved(expression, stack);
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
