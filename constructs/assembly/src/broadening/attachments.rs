//! Rights that are granted by naming something in a list: managed policies, groups, shares. And boundaries that limit them.

use super::reading::{Guards, Reader, Resource, named_resource, shown};
use super::{BroadeningKind, Grant, What};

/// A list whose every entry grants something.
struct Attachment {
    kind: &'static str,
    path: &'static [&'static str],
    key: &'static str,
    /// The words, in which `{}` is the entry.
    words: &'static str,
    grants: BroadeningKind,
}

const fn rights(
    kind: &'static str,
    path: &'static [&'static str],
    key: &'static str,
    words: &'static str,
) -> Attachment {
    Attachment { kind, path, key, words, grants: BroadeningKind::Rights }
}

const fn network(kind: &'static str, path: &'static [&'static str], words: &'static str) -> Attachment {
    Attachment { kind, path, key: words, words, grants: BroadeningKind::Network }
}

const MANAGED: &str = "managed policy";
const ATTACHES: &str = "attaches the managed policy {}";
const LISTS: [Attachment; 16] = [
    rights("AWS::IAM::Role", &["ManagedPolicyArns"], MANAGED, ATTACHES),
    rights("AWS::IAM::User", &["ManagedPolicyArns"], MANAGED, ATTACHES),
    rights("AWS::IAM::Group", &["ManagedPolicyArns"], MANAGED, ATTACHES),
    rights("AWS::SSO::PermissionSet", &["ManagedPolicies"], MANAGED, ATTACHES),
    rights("AWS::IAM::User", &["Groups"], "group", "joins the group {}"),
    rights("AWS::IAM::UserToGroupAddition", &["Users"], "user", "adds the user {} to a group"),
    rights("AWS::IAM::InstanceProfile", &["Roles"], "role", "gives instances the role {}"),
    rights("AWS::RAM::ResourceShare", &["Principals"], "principal", "shares with {}"),
    rights("AWS::RAM::ResourceShare", &["ResourceArns"], "resource", "shares {}"),
    rights(
        "AWS::EKS::AccessEntry",
        &["AccessPolicies", "*", "PolicyArn"],
        "access",
        "attaches the access policy {}",
    ),
    rights("AWS::EKS::AccessEntry", &["KubernetesGroups"], "group", "joins the Kubernetes group {}"),
    rights("AWS::SSO::Assignment", &["PrincipalId"], "principal", "assigns the permission set to {}"),
    network(
        "AWS::EC2::VPCEndpointServicePermissions",
        &["AllowedPrincipals"],
        "lets {} connect to the endpoint service",
    ),
    network(
        "AWS::EKS::Cluster",
        &["ResourcesVpcConfig", "PublicAccessCidrs"],
        "makes its endpoint reachable from {}",
    ),
    network("AWS::EC2::PrefixList", &["Entries", "*", "Cidr"], "names {} in the prefix list"),
    network("AWS::Lambda::Url", &["Cors", "AllowOrigins"], "lets pages of {} call it"),
];

pub(super) fn grants(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    for list in LISTS.iter().filter(|list| list.kind == resource.kind) {
        for (text, guards, pointer) in super::exposure::texts_at(reader, resource, list.path) {
            found.push(Grant {
                subject: resource.id.clone(),
                what: What::Item(format!("{} {text}", list.key)),
                guards,
                kind: list.grants,
                logical_id: resource.logical_id.to_owned(),
                resource_type: resource.kind.to_owned(),
                pointer,
                words: list.words.replace("{}", &shown(&text)),
            });
        }
    }
    if resource.kind == "AWS::IAM::ManagedPolicy" {
        managed_policy(reader, resource, found);
    }
    if matches!(resource.kind, "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::SSO::PermissionSet") {
        boundary(reader, resource, found);
    }
}

/// A managed policy may name its bearers itself, which is the same as their naming it.
fn managed_policy(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    for list in ["Roles", "Users", "Groups"] {
        let Some(value) = resource.properties.get(list) else { continue };
        for (text, guards, pointer) in reader.texts(value, &resource.guards, &resource.pointer(&[list])) {
            let subject = named_resource(&text).map_or(text.clone(), str::to_owned);
            found.push(Grant {
                subject,
                what: What::Item(format!("{MANAGED} ${{{}}}", resource.id)),
                guards,
                kind: BroadeningKind::Rights,
                logical_id: resource.logical_id.to_owned(),
                resource_type: resource.kind.to_owned(),
                pointer,
                words: format!("is attached to {}", shown(&text)),
            });
        }
    }
}

fn boundary(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    let Some(value) = resource.properties.get("PermissionsBoundary") else { return };
    let choices = reader.choices(value, &Guards::new(), &resource.pointer(&["PermissionsBoundary"]));
    for choice in choices {
        let text = reader.text(choice.value);
        found.push(Grant {
            subject: resource.id.clone(),
            what: What::Limit(format!("boundary {text}")),
            guards: choice.guards,
            kind: BroadeningKind::Rights,
            logical_id: resource.logical_id.to_owned(),
            resource_type: resource.kind.to_owned(),
            pointer: choice.pointer,
            words: format!("loses the permissions boundary {}", shown(&text)),
        });
    }
}
