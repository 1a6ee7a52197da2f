//! Which capabilities a template needs, and the refusal when a caller does not grant them.

use serde_json::Value;

use super::Template;
use crate::api::ApiError;

/// The types that need a capability, with the property that gives the resource a name of the author's choice.
const IAM_TYPES: &[(&str, Option<&str>)] = &[
    ("AWS::IAM::AccessKey", None),
    ("AWS::IAM::Group", Some("GroupName")),
    ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
    ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
    ("AWS::IAM::Policy", None),
    ("AWS::IAM::Role", Some("RoleName")),
    ("AWS::IAM::User", Some("UserName")),
    ("AWS::IAM::UserToGroupAddition", None),
];

pub(super) fn of(template: &Template) -> (Vec<&'static str>, Option<String>) {
    let (mut types, mut named) = (Vec::new(), false);
    for (_, resource) in template.resources() {
        let name = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        let Some((_, property)) = IAM_TYPES.iter().find(|(known, _)| *known == name) else { continue };
        if !types.contains(&name) {
            types.push(name);
        }
        named |= property
            .is_some_and(|property| resource.get("Properties").is_some_and(|it| it.get(property).is_some()));
    }
    let mut capabilities = Vec::new();
    if !types.is_empty() {
        capabilities.push(if named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" });
    }
    let reason = (!types.is_empty())
        .then(|| format!("The following resource(s) require capabilities: [{}]", types.join(", ")));
    if !template.transforms().is_empty() {
        capabilities.push("CAPABILITY_AUTO_EXPAND");
    }
    (capabilities, reason)
}

pub(super) fn check(template: &Template, granted: &[&str]) -> Result<(), ApiError> {
    // CAPABILITY_AUTO_EXPAND has no effect on change sets, and templates come by change sets here.
    for capability in of(template).0.into_iter().filter(|name| *name != "CAPABILITY_AUTO_EXPAND") {
        let enough = granted.contains(&capability)
            || (capability == "CAPABILITY_IAM" && granted.contains(&"CAPABILITY_NAMED_IAM"));
        if !enough {
            return Err(ApiError::new(
                "InsufficientCapabilitiesException",
                format!("Requires capabilities : [{capability}]"),
            ));
        }
    }
    Ok(())
}
