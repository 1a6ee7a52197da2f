//! Where policies stand in a template, and whom they are about.
//!
//! Rights count by their bearer: a statement that moves from a role's inline policies into a policy resource of the same
//! role grants nothing new.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::reading::{Guards, Reader, Resource, named_resource};
use super::statements::{Element, Role, Statement};
use super::{BroadeningKind, Grant, What};

/// Properties that name whom or what a policy resource is about, by type.
const SUBJECTS: [(&str, &[&str]); 14] = [
    ("AWS::ECR::RegistryPolicy", &[]),
    ("AWS::Events::EventBusPolicy", &["EventBusName"]),
    ("AWS::IAM::GroupPolicy", &["GroupName"]),
    ("AWS::IAM::Policy", &["Roles", "Users", "Groups"]),
    ("AWS::IAM::RolePolicy", &["RoleName"]),
    ("AWS::IAM::UserPolicy", &["UserName"]),
    ("AWS::Lambda::LayerVersionPermission", &["LayerVersionArn"]),
    ("AWS::Lambda::Permission", &["FunctionName"]),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
    ("AWS::SNS::TopicInlinePolicy", &["TopicArn"]),
    ("AWS::SNS::TopicPolicy", &["Topics"]),
    ("AWS::SQS::QueueInlinePolicy", &["Queue"]),
    ("AWS::SQS::QueuePolicy", &["Queues"]),
    ("AWS::SecretsManager::ResourcePolicy", &["SecretId"]),
];

/// Policies lie at most this deep in the properties of a resource.
const DEEPEST: usize = 12;

pub(super) fn grants(reader: &Reader<'_>, resource: &Resource<'_>, found: &mut Vec<Grant>) {
    let mut statements = Vec::new();
    match resource.kind {
        "AWS::Lambda::Permission" => statements.push(permission(reader, resource, "FunctionName")),
        "AWS::Lambda::LayerVersionPermission" => {
            statements.push(permission(reader, resource, "LayerVersionArn"));
        }
        "AWS::Events::EventBusPolicy" if resource.properties.contains_key("Principal") => {
            statements.push(permission(reader, resource, "EventBusName"));
        }
        _ => {}
    }
    let mut search = Search { reader, statements };
    for (name, value) in resource.properties {
        let pointer = resource.pointer(&[name]);
        let role = if name == "AssumeRolePolicyDocument" { Role::Trust } else { Role::Identity };
        search.value(value, role, &resource.guards, pointer, 0);
    }
    for (statement, pointer) in search.statements {
        for subject in subjects(reader, resource) {
            found.push(Grant {
                subject,
                what: What::Statement(Box::new(statement.clone())),
                guards: statement.guards.clone(),
                kind: BroadeningKind::Rights,
                logical_id: resource.logical_id.to_owned(),
                resource_type: resource.kind.to_owned(),
                pointer: pointer.clone(),
                words: String::new(),
            });
        }
    }
}

/// Whom or what the policies of a resource are about: logical ids or texts; the resource itself unless it names others.
fn subjects(reader: &Reader<'_>, resource: &Resource<'_>) -> BTreeSet<String> {
    let properties =
        SUBJECTS.iter().find(|(kind, _)| *kind == resource.kind).map_or(&[][..], |(_, names)| names);
    let named: BTreeSet<String> = properties
        .iter()
        .filter_map(|name| resource.properties.get(*name))
        .flat_map(|value| reader.texts(value, &Guards::new(), ""))
        .map(|(text, _, _)| named_resource(&text).map_or(text.clone(), str::to_owned))
        .collect();
    if named.is_empty() { BTreeSet::from([resource.id.clone()]) } else { named }
}

struct Search<'r, 't> {
    reader: &'r Reader<'t>,
    statements: Vec<(Statement, String)>,
}

impl Search<'_, '_> {
    fn value(&mut self, value: &Value, role: Role, guards: &Guards, pointer: String, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for found in self.reader.items(value, guards, &pointer) {
            match found.value {
                Value::Object(members) if members.contains_key("Statement") => {
                    self.document(members, role, &found.guards, &found.pointer);
                }
                Value::Object(members) => {
                    for (name, member) in members {
                        let mut pointer = found.pointer.clone();
                        crate::references::push_pointer(&mut pointer, name);
                        self.value(member, role, &found.guards, pointer, depth + 1);
                    }
                }
                // Some types take the document as a text.
                Value::String(text)
                    if text.trim_start().starts_with('{') && text.contains("\"Statement\"") =>
                {
                    if let Ok(Value::Object(members)) = serde_json::from_str(text) {
                        self.document(&members, role, &found.guards, &found.pointer);
                    }
                }
                _ => {}
            }
        }
    }

    fn document(&mut self, document: &Map<String, Value>, role: Role, guards: &Guards, pointer: &str) {
        let Some(statements) = document.get("Statement") else { return };
        for found in self.reader.items(statements, guards, &format!("{pointer}/Statement")) {
            let Some(members) = found.value.as_object() else { continue };
            let allows = match members.get("Effect").and_then(Value::as_str) {
                Some("Allow") => true,
                Some("Deny") => false,
                _ => continue,
            };
            let has_principal = members.contains_key("Principal") || members.contains_key("NotPrincipal");
            let role = if role == Role::Identity && has_principal { Role::Resource } else { role };
            self.statements.push((
                Statement {
                    role,
                    allows,
                    guards: found.guards.clone(),
                    principals: self.principals(members),
                    actions: self.element(members, "Action"),
                    resources: self.element(members, "Resource"),
                    conditions: self.conditions(members.get("Condition")),
                    keys: keys(members.get("Condition")),
                },
                found.pointer,
            ));
        }
    }

    fn element(&self, members: &Map<String, Value>, name: &str) -> Element {
        let (value, is_negated) = match (members.get(name), members.get(&format!("Not{name}"))) {
            (Some(value), _) => (Some(value), false),
            (None, Some(value)) => (Some(value), true),
            (None, None) => (None, false),
        };
        let texts = value.map(|value| self.reader.texts(value, &Guards::new(), "")).unwrap_or_default();
        let values: Vec<(String, Guards)> =
            texts.into_iter().map(|(text, guards, _)| (text, guards)).collect();
        // An element that a document does not need, such as the resource of a role's trust, is the same everywhere.
        if values.is_empty() && !is_negated {
            return Element { is_negated, values: vec![(String::new(), Guards::new())] };
        }
        Element { is_negated, values }
    }

    fn principals(&self, members: &Map<String, Value>) -> Element {
        let (value, is_negated) = match (members.get("Principal"), members.get("NotPrincipal")) {
            (Some(value), _) => (value, false),
            (None, Some(value)) => (value, true),
            (None, None) => {
                return Element { is_negated: false, values: vec![(String::new(), Guards::new())] };
            }
        };
        let mut values = Vec::new();
        for found in self.reader.choices(value, &Guards::new(), "") {
            match found.value {
                Value::Object(kinds)
                    if crate::references::only_member(found.value)
                        .is_none_or(|(name, _)| !crate::references::is_function(name)) =>
                {
                    for (kind, names) in kinds {
                        for (text, guards, _) in self.reader.texts(names, &found.guards, "") {
                            values.push((principal(kind, text), guards));
                        }
                    }
                }
                other => values.push((principal("AWS", self.reader.text(other)), found.guards)),
            }
        }
        Element { is_negated, values }
    }

    fn conditions(&self, value: Option<&Value>) -> BTreeMap<(String, String), BTreeSet<String>> {
        let mut conditions = BTreeMap::new();
        for (operator, keys) in value.and_then(Value::as_object).into_iter().flatten() {
            let Some(keys) = keys.as_object() else {
                let text = BTreeSet::from([self.reader.text(keys)]);
                conditions.insert((operator.to_lowercase(), String::new()), text);
                continue;
            };
            for (key, values) in keys {
                let texts = self.reader.texts(values, &Guards::new(), "");
                let texts = texts.into_iter().map(|(text, _, _)| text).collect();
                conditions.insert((operator.to_lowercase(), key.to_lowercase()), texts);
            }
        }
        conditions
    }
}

/// The keys of conditions as they are written.
fn keys(value: Option<&Value>) -> BTreeSet<String> {
    let operators = value.and_then(Value::as_object).into_iter().flat_map(Map::values);
    operators.filter_map(Value::as_object).flat_map(Map::keys).cloned().collect()
}

fn principal(kind: &str, text: String) -> String {
    match kind {
        "AWS" if text == "*" => text,
        "AWS" if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("AWS:arn:aws:iam::{text}:root")
        }
        kind => format!("{kind}:{text}"),
    }
}

/// A permission that is a resource of its own, as the statement that it becomes.
fn permission(reader: &Reader<'_>, resource: &Resource<'_>, of: &str) -> (Statement, String) {
    let text = |name: &str| resource.properties.get(name).map(|value| reader.text(value));
    let one = |text: Option<String>| Element {
        is_negated: false,
        values: vec![(text.unwrap_or_default(), Guards::new())],
    };
    let who = text("Principal").map(|who| {
        let is_service = who.contains(".amazonaws.");
        principal(if is_service { "Service" } else { "AWS" }, who)
    });
    let limits = [
        "SourceArn",
        "SourceAccount",
        "PrincipalOrgID",
        "OrganizationId",
        "EventSourceToken",
        "FunctionUrlAuthType",
        "Condition",
    ];
    let conditions = limits
        .into_iter()
        .filter_map(|name| Some((("equals".to_owned(), name.to_owned()), BTreeSet::from([text(name)?]))))
        .collect();
    let statement = Statement {
        role: Role::Resource,
        allows: true,
        guards: resource.guards.clone(),
        principals: one(who),
        actions: one(text("Action")),
        resources: one(text(of)),
        keys: limits
            .into_iter()
            .filter(|name| resource.properties.contains_key(*name))
            .map(str::to_owned)
            .collect(),
        conditions,
    };
    (statement, resource.pointer(&[]))
}
