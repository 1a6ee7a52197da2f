//! The permissions boundary: a managed policy that limits every role and user that an app makes.

use crate::app::App;
use crate::text;
use crate::tree::Scope;
use crate::value::{Value, pseudo};

/// The types that take a boundary.
const BOUNDED: [&str; 2] = ["AWS::IAM::Role", "AWS::IAM::User"];

/// Applies the boundary that the context names, if it names one.
pub(crate) fn apply(app: &App) {
    if let Some(policy) = app.framework_settings().permissions_boundary.clone() {
        permissions_boundary(app.root(), &policy);
    }
}

/// Sets a managed policy, by ARN or by name in the stack's account, as the permissions boundary of every role and user at
/// or below a place that has none of its own.
pub fn permissions_boundary(scope: Scope<'_>, policy: &str) {
    let policy = policy.to_owned();
    scope.aspect(move |node| {
        let bounded = node.resource_type().is_some_and(|name| BOUNDED.contains(&name.as_str()));
        if bounded && node.property("PermissionsBoundary").is_none() {
            node.set_property("PermissionsBoundary", policy_arn(&policy));
        }
    });
}

fn policy_arn(policy: &str) -> Value<String> {
    if policy.starts_with("arn:") {
        return crate::IntoValue::into_value(policy);
    }
    text!("arn:{}:iam::{}:policy/{}", pseudo::partition(), pseudo::account_id(), policy)
}
