//! The facts of one resource type: what its properties may be, what it returns and how it behaves.
//!
//! One record merges two public sources: the provider schemas as cfn-lint publishes them (properties, limits, paths,
//! permissions, regions) and the service specification of the CDK (attributes, what `Ref` returns, replacement, state).

use std::collections::BTreeMap;

use formwork_assembly::Severity;
use serde::{Deserialize, Serialize};

use crate::keyword::JsonType;
use crate::schema::Schema;

/// The facts of one resource type as the pack holds them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceType {
    pub(crate) name: String,
    /// The schema of the `Properties` object, read-only properties included.
    pub(crate) schema: Schema,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) definitions: BTreeMap<String, Schema>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) extensions: Vec<Extension>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) read_only: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) write_only: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) create_only: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditional_create_only: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) deprecated: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) primary_identifier: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) reference: Reference,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stateful: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) replacement: BTreeMap<String, Replacement>,
    /// One bit for each region of the pack's index, in its order.
    pub(crate) regions: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) permissions: BTreeMap<Handler, Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tagging: Option<Tagging>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arn_template: Option<String>,
}

/// A conditional rule that the provider schema lacks and cfn-lint adds to a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Extension {
    /// The rule's name in kebab case, such as `service-fargate`.
    pub name: String,
    /// How much a violation matters.
    pub severity: Severity,
    /// The path below `Properties` of the value that the schema describes, `*` for each item; empty for all properties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// Whether functions are judged as in the rest of the resource and every violation counts under the rule that it
    /// breaks. Otherwise functions are left alone, and violations are reported under this rule's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// What must hold.
    pub schema: Schema,
}

/// What `Fn::GetAtt` returns for one attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribute {
    /// The JSON type of the value.
    #[serde(rename = "type")]
    pub kind: JsonType,
    /// What kind of text it is, such as `AWS::IAM::Role.Arn`, where a source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// What `Ref` returns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reference {
    /// The properties or attributes whose values it is made of, in order; joined with `|` when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<String>,
    /// What kind of text it is, such as `AWS::IAM::Role.RoleName`, where a source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// Whether a change of a property replaces the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Replacement {
    /// The change is made in place.
    Never,
    /// It depends on the values or on other properties.
    Conditional,
    /// A new resource takes the place of the old one.
    Always,
}

/// A step in the life of a resource, for which a provider needs permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handler {
    /// Making it.
    Create,
    /// Reading it, also for drift and import.
    Read,
    /// Changing it in place.
    Update,
    /// Removing it.
    Delete,
    /// Listing all of the type.
    List,
}

/// How a type takes tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tagging {
    /// The property that holds the tags, such as `Tags` or `HostedZoneTags`.
    pub property: String,
    /// How that property is written.
    pub shape: TagShape,
    /// Whether tags are there from the first moment of the resource's life.
    pub on_create: bool,
    /// Whether tags can change in place.
    pub updatable: bool,
    /// The permissions that tagging needs beyond those of the handlers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
}

/// How the tags of a type are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TagShape {
    /// A list of `{"Key": …, "Value": …}`.
    List,
    /// A map from key to value.
    Map,
    /// A list of `{"Key": …, "Value": …, "PropagateAtLaunch": …}`.
    PropagatedList,
    /// Something else: tags cannot be added from outside.
    Other,
}

/// Whether a type can be used in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// The region's list has the type.
    Yes,
    /// The region's list lacks the type.
    No,
    /// There is no list of that region.
    Unknown,
}

impl ResourceType {
    /// The name, such as `AWS::EC2::VPC`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The service, such as `EC2`.
    pub fn service(&self) -> &str {
        self.name.split("::").nth(1).unwrap_or_default()
    }

    /// The schema of the `Properties` object as AWS publishes it: read-only properties are among its properties.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The named schemas that the properties refer to, by name.
    pub fn definitions(&self) -> &BTreeMap<String, Schema> {
        &self.definitions
    }

    /// Follows `ref` keywords to the schema that says something.
    pub fn resolve<'a>(&'a self, schema: &'a Schema) -> &'a Schema {
        let mut schema = schema;
        // A definition may stand for another one; sources have chains of two, and a circle must not hang.
        for _ in 0..8 {
            match schema.reference().and_then(|name| self.definitions.get(name)) {
                Some(definition) => schema = definition,
                None => break,
            }
        }
        schema
    }

    /// The conditional rules of the type.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The names of the properties that must be there.
    pub fn required(&self) -> &[String] {
        self.schema.required()
    }

    /// What `Fn::GetAtt` knows, by attribute name (`Endpoint.Address` for a nested one). An attribute name that ends
    /// with `.*`, such as `Outputs.*`, stands for every name that starts so; see [`ResourceType::attribute`].
    pub fn attributes(&self) -> &BTreeMap<String, Attribute> {
        &self.attributes
    }

    /// The attribute of a name, wildcards included.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name).or_else(|| {
            self.attributes
                .iter()
                .find(|(known, _)| known.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix)))
                .map(|(_, attribute)| attribute)
        })
    }

    /// What `Ref` returns.
    pub fn ref_value(&self) -> &Reference {
        &self.reference
    }

    /// Whether the resource holds data that a replacement or deletion loses.
    pub fn is_stateful(&self) -> bool {
        self.stateful.is_some()
    }

    /// Why the type counts as one that holds data.
    pub fn stateful_reason(&self) -> Option<&str> {
        self.stateful.as_deref()
    }

    /// The paths that only AWS writes. All paths are `/`-separated below `Properties`, with `*` for items.
    pub fn read_only(&self) -> &[String] {
        &self.read_only
    }

    /// The paths that can be written but not read back.
    pub fn write_only(&self) -> &[String] {
        &self.write_only
    }

    /// The paths whose change replaces the resource.
    pub fn create_only(&self) -> &[String] {
        &self.create_only
    }

    /// The paths whose change may replace the resource.
    pub fn conditional_create_only(&self) -> &[String] {
        &self.conditional_create_only
    }

    /// The paths that AWS advises against.
    pub fn deprecated(&self) -> &[String] {
        &self.deprecated
    }

    /// The paths that together name a resource of this type, as import wants them.
    pub fn primary_identifier(&self) -> &[String] {
        &self.primary_identifier
    }

    /// Whether a change at a path (`/`-separated below `Properties`; item positions or `*` for items) replaces the resource.
    pub fn replacement(&self, path: &str) -> Replacement {
        if covers(&self.create_only, path) {
            return Replacement::Always;
        }
        if covers(&self.conditional_create_only, path) {
            return Replacement::Conditional;
        }
        let property = path.split('/').next().unwrap_or_default();
        self.replacement.get(property).copied().unwrap_or(Replacement::Never)
    }

    /// The IAM actions that a handler needs; `None` where the provider does not say.
    pub fn permissions(&self, handler: Handler) -> Option<&[String]> {
        self.permissions.get(&handler).map(Vec::as_slice)
    }

    /// How the type takes tags; `None` when it takes none.
    pub fn tagging(&self) -> Option<&Tagging> {
        self.tagging.as_ref()
    }

    /// The ARN with `${…}` placeholders, such as `arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}`.
    pub fn arn_template(&self) -> Option<&str> {
        self.arn_template.as_deref()
    }

    /// Whether the type can be used in a region.
    pub fn available_in(&self, region: &str) -> Availability {
        crate::pack::availability(self.regions, region)
    }

    /// The regions whose lists have the type, sorted.
    pub fn regions(&self) -> Vec<&'static str> {
        crate::pack::regions()
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.regions & (1 << bit) != 0)
            .map(|(_, region)| region.as_str())
            .collect()
    }
}

/// Whether a path or one that holds it is in a list. Item positions in the path stand for `*`.
fn covers(list: &[String], path: &str) -> bool {
    list.iter().any(|known| {
        let mut parts = path.split('/');
        known.split('/').all(|want| {
            parts.next().is_some_and(|have| {
                have == want
                    || (want == "*" && (have == "*" || have.bytes().all(|byte| byte.is_ascii_digit())))
            })
        })
    })
}
