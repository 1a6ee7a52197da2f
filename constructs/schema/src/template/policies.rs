//! What happens to a resource when it is made, changed, replaced and removed.
//!
//! Sources: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html> and the pages
//! of `UpdateReplacePolicy`, `CreationPolicy` and `UpdatePolicy` beside it.

use formwork_assembly::references::only_member;
use serde_json::{Map, Value};

use super::context::{Context, Resource, hint_for, listing, pointer};
use super::sections::{kind, scalar_text};

mod shapes;

use shapes::{Member, creation_policy, update_policy};

/// The types of which CloudFormation can keep a snapshot.
const SNAPSHOTS: [&str; 8] = [
    "AWS::DocDB::DBCluster",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
];

pub(super) fn check(context: &mut Context<'_>) {
    for resource in context.resources.clone().into_values() {
        let place = pointer(&["Resources", resource.name]);
        for attribute in ["DeletionPolicy", "UpdateReplacePolicy"] {
            if let Some(value) = resource.body.get(attribute) {
                removal(context, &format!("{place}/{attribute}"), &resource, attribute, value);
            }
        }
        protection(context, &place, &resource);
        if resource.is_custom() {
            for attribute in ["CreationPolicy", "UpdatePolicy"] {
                if resource.body.contains_key(attribute) {
                    let message = format!("a custom resource takes no `{attribute}`");
                    context.error("policy", format!("{place}/{attribute}"), message);
                }
            }
            continue;
        }
        if let Some(Value::Object(policy)) = resource.body.get("CreationPolicy") {
            let place = format!("{place}/CreationPolicy");
            match creation_policy(resource.type_name) {
                Some(members) => shape(context, &place, "CreationPolicy", Some(members), policy),
                None if context.has_unknown_macro()
                    || resource.is_serverless()
                    || resource.facts.is_none() => {}
                None => {
                    let message = format!("`{}` takes no `CreationPolicy`", resource.type_name);
                    context.error("policy", place, message);
                }
            }
        }
        if let Some(Value::Object(policy)) = resource.body.get("UpdatePolicy") {
            let place = format!("{place}/UpdatePolicy");
            match update_policy(resource.type_name) {
                Some(members) => shape(context, &place, "UpdatePolicy", Some(members), policy),
                None if context.has_unknown_macro() || resource.is_serverless() => {}
                None => {
                    let message = format!("`{}` takes no `UpdatePolicy`", resource.type_name);
                    context.error("policy", place, message);
                }
            }
        }
    }
}

fn removal(context: &mut Context<'_>, place: &str, resource: &Resource<'_>, attribute: &str, value: &Value) {
    if let Some(("Fn::If", Value::Array(arguments))) = only_member(value) {
        for (index, branch) in arguments.iter().enumerate().skip(1) {
            removal(context, &format!("{place}/Fn::If/{index}"), resource, attribute, branch);
        }
        return;
    }
    let Some(text) = value.as_str() else {
        let is_call = only_member(value).is_some_and(|(name, _)| name == "Ref" || name.starts_with("Fn::"));
        if !is_call {
            let message = format!("`{attribute}` is {}, where a text is wanted", kind(value));
            context.error("policy", place, message);
        }
        return;
    };
    let mut allowed = vec!["Delete", "Retain"];
    if attribute == "DeletionPolicy" {
        allowed.push("RetainExceptOnCreate");
    }
    if SNAPSHOTS.contains(&resource.type_name) {
        allowed.push("Snapshot");
    }
    if allowed.contains(&text) {
        return;
    }
    let message = match text {
        "Snapshot" => format!("`{}` has no snapshots for its `{attribute}`", resource.type_name),
        _ => format!("unknown `{attribute}` `{text}`"),
    };
    context.error("policy", place, message).hint =
        Some(match crate::spelling::closest(text, allowed.iter().copied()) {
            Some(closest) => format!("did you mean `{closest}`?"),
            None => format!("use {}", listing(allowed)),
        });
}

/// Data is lost by a removal and by a replacement: whoever decides about one has to decide about the other.
fn protection(context: &mut Context<'_>, place: &str, resource: &Resource<'_>) {
    let policy = |attribute: &str| resource.body.get(attribute);
    let (deletion, replacement) = (policy("DeletionPolicy"), policy("UpdateReplacePolicy"));
    let missing = match (deletion, replacement) {
        (Some(_), Some(_)) => return,
        (None, None) => "`DeletionPolicy` and `UpdateReplacePolicy`",
        (None, _) => "`DeletionPolicy`",
        (_, None) => "`UpdateReplacePolicy`",
    };
    let stateful = resource.facts.and_then(crate::ResourceType::stateful_reason);
    let protects = |value: Option<&Value>| value.is_some_and(|value| value.as_str() != Some("Delete"));
    let reason = match stateful {
        Some(reason) => format!(": {reason}"),
        // Versions are replaced all the time and kept on purpose.
        None if matches!(resource.type_name, "AWS::Lambda::Version" | "AWS::Lambda::LayerVersion") => return,
        None if protects(deletion) || protects(replacement) => String::new(),
        None => return,
    };
    let message = format!("`{}` of type `{}` has no {missing}{reason}", resource.name, resource.type_name);
    context.warning("unprotected-data", place, message).hint =
        Some("set both to `Retain`, or to `Delete` if the data may go".to_owned());
}

/// Checks an object against the members that it may have.
fn shape(
    context: &mut Context<'_>,
    place: &str,
    what: &str,
    members: Option<&[(&str, Member)]>,
    object: &Map<String, Value>,
) {
    let Some(members) = members else { return };
    if object.keys().any(|name| name.starts_with("Fn::")) {
        return;
    }
    for (name, value) in object {
        let place = format!("{place}{}", pointer(&[name]));
        let Some((_, member)) = members.iter().find(|(known, _)| known == name) else {
            let message = format!("unknown `{name}` in `{what}`");
            context.error("policy", place, message).hint =
                hint_for(name, members.iter().map(|(known, _)| *known));
            continue;
        };
        if only_member(value).is_some_and(|(name, _)| name == "Ref" || name.starts_with("Fn::")) {
            continue;
        }
        let text = scalar_text(value);
        let fits = match member {
            Member::Text => text.is_some(),
            Member::Boolean => {
                matches!(text.as_deref(), Some("true" | "false" | "True" | "False" | "TRUE" | "FALSE"))
            }
            Member::Number => text.is_some_and(|text| text.parse::<i64>().is_ok()),
            Member::OneOf(values) => text.is_some_and(|text| values.contains(&text.as_str())),
            Member::Texts | Member::Numbers => value.is_array(),
            Member::Object(_) => value.is_object(),
        };
        if !fits {
            context.error("policy", place, format!("`{name}` must be {member}, not {value}"));
        } else if let (Member::Object(members), Value::Object(object)) = (member, value) {
            shape(context, &place, name, Some(members), object);
        }
    }
}
