//! Resources: a type name, a bag of properties, and what CloudFormation lets one say beside the properties.
//!
//! Generated types wrap [`CfnResource`] in typed setters; a type that has none is written with `CfnResource` itself and
//! is checked against the same schemas.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::stack::Condition;
use crate::tree::{Dependency, NodeId, NodeKind, Scope};
use crate::value::{Attribute, AttributeKind, Expression, IntoValue, Value};

/// A bag of properties by their CloudFormation names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties(BTreeMap<Cow<'static, str>, Expression>);

impl Properties {
    /// An empty bag.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a property, replacing an earlier value.
    pub fn put(&mut self, name: impl Into<Cow<'static, str>>, value: Expression) {
        self.0.insert(name.into(), value);
    }

    /// The bag with one more property.
    #[must_use]
    pub fn with<T>(mut self, name: impl Into<Cow<'static, str>>, value: impl IntoValue<T>) -> Self {
        self.put(name, value.into_value().into_expression());
        self
    }

    /// A property.
    pub fn get(&self, name: &str) -> Option<&Expression> {
        self.0.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Expression)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl From<Properties> for Expression {
    fn from(properties: Properties) -> Self {
        Self::Object(properties.0.into_iter().map(|(name, value)| (name.into_owned(), value)).collect())
    }
}

impl IntoValue<Json> for Properties {
    fn into_value(self) -> Value<Json> {
        Value::from_expression(self.into())
    }
}

/// What happens to a resource that leaves its stack or is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalPolicy {
    /// It is deleted.
    Delete,
    /// It is kept, with everything in it.
    Retain,
    /// It is kept, unless the operation that made it is rolled back. For deletion only.
    RetainExceptOnCreate,
    /// A snapshot is taken before it is deleted; for the few types that have snapshots.
    Snapshot,
}

impl RemovalPolicy {
    /// The name in a template.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
            Self::RetainExceptOnCreate => "RetainExceptOnCreate",
            Self::Snapshot => "Snapshot",
        }
    }
}

/// A resource of the tree. It names the resource; it does not hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceId(pub(crate) NodeId);

impl ResourceId {
    /// What `Ref` returns for the resource. The caller vouches for the kind.
    pub fn reference<T: AttributeKind>(self) -> Value<T> {
        self.attribute_of(Attribute::Reference)
    }

    /// What `Fn::GetAtt` returns under a name. The caller vouches for the kind; synth checks that the name exists.
    pub fn attribute<T: AttributeKind>(self, name: impl Into<Cow<'static, str>>) -> Value<T> {
        match name.into() {
            name if name == "Ref" => self.reference(),
            name => self.attribute_of(Attribute::Named(name)),
        }
    }

    fn attribute_of<T: AttributeKind>(self, attribute: Attribute) -> Value<T> {
        Value::from_expression(Expression::Attribute { node: self.0, attribute, is_list: T::IS_LIST })
    }
}

/// What the tree keeps of a resource.
#[derive(Debug)]
pub(crate) struct ResourceData {
    pub(crate) type_name: Cow<'static, str>,
    pub(crate) properties: Properties,
    pub(crate) depends_on: Vec<NodeId>,
    pub(crate) condition: Option<NodeId>,
    pub(crate) deletion_policy: Option<RemovalPolicy>,
    pub(crate) update_replace_policy: Option<RemovalPolicy>,
    pub(crate) creation_policy: Option<Expression>,
    pub(crate) update_policy: Option<Expression>,
    pub(crate) metadata: BTreeMap<String, Expression>,
}

/// A resource of any type, before it is defined in a scope.
#[derive(Debug)]
pub struct CfnResource(ResourceData);

impl CfnResource {
    /// A resource of a CloudFormation type such as `AWS::S3::Bucket`.
    pub fn new(type_name: impl Into<Cow<'static, str>>) -> Self {
        Self(ResourceData {
            type_name: type_name.into(),
            properties: Properties::new(),
            depends_on: Vec::new(),
            condition: None,
            deletion_policy: None,
            update_replace_policy: None,
            creation_policy: None,
            update_policy: None,
            metadata: BTreeMap::new(),
        })
    }

    /// Sets a property by its CloudFormation name.
    #[must_use]
    pub fn property<T>(mut self, name: impl Into<Cow<'static, str>>, value: impl IntoValue<T>) -> Self {
        self.put(name, value.into_value().into_expression());
        self
    }

    /// Sets a property to an untyped value.
    pub fn put(&mut self, name: impl Into<Cow<'static, str>>, value: Expression) {
        self.0.properties.put(name, value);
    }

    /// Puts the resource into the tree.
    #[track_caller]
    pub fn define(self, scope: Scope<'_>, id: &str) -> ResourceId {
        ResourceId(scope.add_to_stack(id, NodeKind::Resource(Box::new(self.0))).node)
    }
}

/// What can be said about every resource beside its properties.
pub trait Resource: Sized {
    /// The untyped resource inside.
    fn declaration(&mut self) -> &mut CfnResource;

    /// Sets a property to JSON as it is: the way out when a typed setter is missing or in the way.
    #[must_use]
    fn raw(mut self, name: impl Into<Cow<'static, str>>, value: impl IntoValue<Json>) -> Self {
        self.declaration().put(name, value.into_value().into_expression());
        self
    }

    /// Waits for another resource, or for all resources below a construct. What a reference implies is left out.
    #[must_use]
    fn depends_on(mut self, dependency: impl Into<Dependency>) -> Self {
        let node = dependency.into().0;
        self.declaration().0.depends_on.push(node);
        self
    }

    /// Makes the resource only when a condition holds.
    #[must_use]
    fn when(mut self, condition: Condition) -> Self {
        self.declaration().0.condition = Some(condition.node());
        self
    }

    /// What happens when the resource leaves the stack or is replaced: both policies at once.
    /// `RetainExceptOnCreate` is a deletion policy only, so a replaced resource is then retained.
    #[must_use]
    fn removal_policy(self, policy: RemovalPolicy) -> Self {
        let replaced = match policy {
            RemovalPolicy::RetainExceptOnCreate => RemovalPolicy::Retain,
            other => other,
        };
        self.deletion_policy(policy).update_replace_policy(replaced)
    }

    /// What happens when the resource leaves the stack.
    #[must_use]
    fn deletion_policy(mut self, policy: RemovalPolicy) -> Self {
        self.declaration().0.deletion_policy = Some(policy);
        self
    }

    /// What happens to the old resource when an update replaces it.
    #[must_use]
    fn update_replace_policy(mut self, policy: RemovalPolicy) -> Self {
        self.declaration().0.update_replace_policy = Some(policy);
        self
    }

    /// The signals that CloudFormation waits for after making the resource.
    #[must_use]
    fn creation_policy(mut self, policy: impl IntoValue<Json>) -> Self {
        self.declaration().0.creation_policy = Some(policy.into_value().into_expression());
        self
    }

    /// How CloudFormation carries out an update of the resource.
    #[must_use]
    fn update_policy(mut self, policy: impl IntoValue<Json>) -> Self {
        self.declaration().0.update_policy = Some(policy.into_value().into_expression());
        self
    }

    /// Adds an entry to the resource's `Metadata`.
    #[must_use]
    fn template_metadata(mut self, key: &str, value: impl IntoValue<Json>) -> Self {
        self.declaration().0.metadata.insert(key.to_owned(), value.into_value().into_expression());
        self
    }
}

impl Resource for CfnResource {
    fn declaration(&mut self) -> &mut CfnResource {
        self
    }
}
