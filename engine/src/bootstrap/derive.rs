//! What CloudFormation has to be allowed for the types of templates, from what the types' handlers say that they need.

use std::collections::{BTreeMap, BTreeSet};

use formwork_assembly::CloudAssembly;
use formwork_schema::{Handler, resource_type};
use serde_json::{Value, json};

use crate::error::EngineError;

/// The handlers of a type.
const HANDLERS: [Handler; 5] =
    [Handler::Create, Handler::Read, Handler::Update, Handler::Delete, Handler::List];

/// Services that answer in one region for all, so that a condition on the region would lock them out.
///
/// Source: AWS IAM User Guide, "Deny access to AWS based on the requested Region", the list of global services.
const GLOBAL: [&str; 12] = [
    "budgets",
    "ce",
    "cloudfront",
    "globalaccelerator",
    "health",
    "iam",
    "organizations",
    "route53",
    "route53domains",
    "shield",
    "sts",
    "support",
];

/// What the resources of templates need of IAM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The actions of the types' handlers.
    pub actions: BTreeSet<String>,
    /// Types whose providers do not say what they need: all of their service is allowed.
    pub unknown: BTreeSet<String>,
}

/// A statement of a policy that allows something.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The name.
    pub sid: &'static str,
    /// The actions, sorted.
    pub actions: Vec<String>,
    /// On what: ARNs, as texts or as intrinsic functions.
    pub resources: Vec<Value>,
    /// Under which conditions.
    pub condition: Value,
}

impl Statement {
    /// The statement as IAM reads it.
    pub fn to_json(&self) -> Value {
        let one =
            |mut values: Vec<Value>| if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
        let actions = self.actions.iter().map(|action| Value::from(action.as_str())).collect();
        let mut statement = json!({
            "Sid": self.sid, "Effect": "Allow", "Action": one(actions), "Resource": one(self.resources.clone()),
        });
        if !self.condition.is_null() {
            statement["Condition"] = self.condition.clone();
        }
        statement
    }
}

impl Needs {
    /// What the stacks of an assembly need.
    ///
    /// # Errors
    /// When a template cannot be read.
    pub fn of_assembly(assembly: &CloudAssembly) -> Result<Self, EngineError> {
        let mut needs = Self::default();
        for stack in assembly.stacks().map_err(crate::assets::input)? {
            needs.add_template(&assembly.template(&stack).map_err(crate::assets::input)?);
        }
        Ok(needs)
    }

    /// Adds what the resources and parameters of a template need.
    pub fn add_template(&mut self, template: &Value) {
        let section = |name: &str| template.get(name).and_then(Value::as_object).into_iter().flatten();
        for (_, resource) in section("Resources") {
            self.add_resource(resource);
        }
        let reads_parameters = |parameter: &Value| {
            parameter["Type"].as_str().is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::"))
        };
        if section("Parameters").any(|(_, parameter)| reads_parameters(parameter)) {
            self.actions.insert("ssm:GetParameters".to_owned());
        }
    }

    fn add_resource(&mut self, resource: &Value) {
        let Some(name) = resource["Type"].as_str() else { return };
        if name.starts_with("Custom::") || name == "AWS::CloudFormation::CustomResource" {
            self.actions.insert("lambda:InvokeFunction".to_owned());
            return;
        }
        let facts = resource_type(name);
        let handlers = facts.iter().flat_map(|facts| HANDLERS.iter().filter_map(|it| facts.permissions(*it)));
        let tagging = facts.and_then(|facts| facts.tagging()).map(|tagging| tagging.permissions.as_slice());
        let actions: Vec<&String> =
            handlers.chain(tagging).flatten().filter(|action| is_action(action)).collect();
        if actions.is_empty() {
            // What is part of CloudFormation itself, as WaitCondition is, needs nothing.
            if !name.starts_with("AWS::CloudFormation::") && name.starts_with("AWS::") {
                self.unknown.insert(name.to_owned());
            }
            return;
        }
        let for_people = ["Users", "Groups"].iter().any(|it| resource["Properties"].get(it).is_some());
        let of_people = |action: &str| action.ends_with("UserPolicy") || action.ends_with("GroupPolicy");
        let wanted = actions.into_iter().filter(|action| for_people || !of_people(action));
        self.actions.extend(wanted.cloned());
    }

    /// The statements that allow it to the role of CloudFormation, for stacks whose names begin with `prefix`.
    pub fn statements(&self, prefix: &str, boundary: Option<&str>) -> Vec<Statement> {
        let mut actions = self.actions.clone();
        actions.extend(self.unknown.iter().filter_map(|name| {
            let service = name.split("::").nth(1)?;
            Some(format!("{}:*", service.to_lowercase()))
        }));
        let actions = without_covered(&actions);
        let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
        for action in actions {
            groups.entry(Group::of(&action)).or_default().push(action);
        }
        groups.into_iter().map(|(group, actions)| group.statement(actions, prefix, boundary)).collect()
    }
}

/// Actions that go under the same statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// In the region of the bootstrap stack.
    Regional,
    /// Everywhere.
    Global,
    /// On roles and policies whose names begin like the stacks.
    OwnIdentities,
    /// Making roles and giving them rights, which a permissions boundary limits.
    NewRights,
    /// Handing roles on to services.
    PassRole,
    /// Roles that services make for themselves.
    ServiceLinked,
}

impl Group {
    fn of(action: &str) -> Self {
        let (service, name) = action.split_once(':').unwrap_or((action, ""));
        let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
        match service {
            "iam" if name == "PassRole" => Self::PassRole,
            "iam" if name == "CreateServiceLinkedRole" => Self::ServiceLinked,
            "iam"
                if ["CreateRole", "PutRolePolicy", "AttachRolePolicy", "PutRolePermissionsBoundary"]
                    .contains(&name) =>
            {
                Self::NewRights
            }
            "iam" if !begins(&["Get", "List"]) && name != "*" => Self::OwnIdentities,
            _ if GLOBAL.contains(&service) => Self::Global,
            _ => Self::Regional,
        }
    }

    fn statement(self, actions: Vec<String>, prefix: &str, boundary: Option<&str>) -> Statement {
        let own = |kind: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:{kind}/{prefix}*") });
        let everything = || vec![json!("*")];
        let (sid, resources, condition) = match self {
            Self::Regional => (
                "InThisRegion",
                everything(),
                json!({ "StringEquals": { "aws:RequestedRegion": { "Ref": "AWS::Region" } } }),
            ),
            Self::Global => ("Everywhere", everything(), Value::Null),
            Self::OwnIdentities => {
                let kinds = ["role", "policy", "instance-profile", "user", "group"];
                ("OwnIdentities", kinds.iter().map(|kind| own(kind)).collect(), Value::Null)
            }
            Self::NewRights => {
                let limit = boundary.map(|arn| json!({ "StringEquals": { "iam:PermissionsBoundary": arn } }));
                ("NewRights", vec![own("role")], limit.unwrap_or(Value::Null))
            }
            Self::PassRole => ("HandRolesOn", vec![own("role")], Value::Null),
            Self::ServiceLinked => {
                let arn = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/*";
                ("ServiceLinkedRoles", vec![json!({ "Fn::Sub": arn })], Value::Null)
            }
        };
        Statement { sid, actions, resources, condition }
    }
}

/// Whether a text of the facts is an action of IAM; some handlers name other things.
fn is_action(text: &str) -> bool {
    let Some((service, name)) = text.split_once(':') else { return false };
    !service.is_empty()
        && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'*')
}

/// The actions without those that a pattern among them covers.
fn without_covered(actions: &BTreeSet<String>) -> Vec<String> {
    let patterns: Vec<&str> = actions.iter().filter_map(|action| action.strip_suffix('*')).collect();
    let covered = |action: &str| {
        let itself = action.strip_suffix('*');
        patterns.iter().any(|pattern| action.starts_with(pattern) && itself != Some(*pattern))
    };
    actions.iter().filter(|action| !covered(action)).cloned().collect()
}
