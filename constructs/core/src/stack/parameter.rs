//! Parameters: values that a template is given when it is deployed.

use std::marker::PhantomData;

use serde_json::{Map, Value as Json};

use crate::resource::ResourceId;
use crate::tree::{NodeKind, Scope};
use crate::value::{AttributeKind, Value};

/// A parameter whose value is of kind `T`, before it is defined.
///
/// Source: AWS CloudFormation User Guide, "Parameters".
#[derive(Debug)]
#[must_use = "a parameter is in no template until it is defined"]
pub struct Parameter<T> {
    data: ParameterData,
    kind: PhantomData<fn() -> T>,
}

/// The parameter as it stands in the template.
#[derive(Debug)]
pub(crate) struct ParameterData(pub(crate) Map<String, Json>);

impl Parameter<String> {
    /// A text.
    pub fn string() -> Self {
        Self::of_type("String")
    }

    /// A number, which CloudFormation hands on as text.
    pub fn number() -> Self {
        Self::of_type("Number")
    }
}

impl Parameter<Vec<String>> {
    /// Texts with commas between them.
    pub fn comma_delimited_list() -> Self {
        Self::of_type("CommaDelimitedList")
    }
}

impl<T: AttributeKind> Parameter<T> {
    /// A parameter of a CloudFormation type such as `AWS::EC2::VPC::Id`. The caller vouches for the kind.
    pub fn of_type(name: &str) -> Self {
        let data = ParameterData(Map::from_iter([("Type".to_owned(), name.into())]));
        Self { data, kind: PhantomData }
    }

    /// The value of an SSM parameter, read at each deployment: `value_type` is what is stored, such as
    /// `AWS::EC2::Image::Id` or `String`, and `name` the name of the SSM parameter.
    pub fn ssm(value_type: &str, name: &str) -> Self {
        Self::of_type(&format!("AWS::SSM::Parameter::Value<{value_type}>")).default(name)
    }

    fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.data.0.insert(name.to_owned(), value.into());
        self
    }

    /// The value when none is given.
    pub fn default(self, value: &str) -> Self {
        self.with("Default", value)
    }

    /// What the value is for, 4,000 characters at most.
    pub fn description(self, text: &str) -> Self {
        self.with("Description", text)
    }

    /// The values to choose from.
    pub fn allowed_values<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.into_iter().collect();
        self.with("AllowedValues", values)
    }

    /// The pattern that the whole value matches.
    pub fn allowed_pattern(self, pattern: &str) -> Self {
        self.with("AllowedPattern", pattern)
    }

    /// What is said when a value breaks a constraint.
    pub fn constraint_description(self, text: &str) -> Self {
        self.with("ConstraintDescription", text)
    }

    /// The least and the greatest number of characters.
    pub fn length(self, least: u32, greatest: u32) -> Self {
        self.with("MinLength", least).with("MaxLength", greatest)
    }

    /// The least and the greatest number.
    pub fn range(self, least: i64, greatest: i64) -> Self {
        self.with("MinValue", least).with("MaxValue", greatest)
    }

    /// Hides the value wherever the stack is shown. It is still clear text in whatever it is used for.
    pub fn no_echo(self) -> Self {
        self.with("NoEcho", true)
    }

    /// Adds the parameter to the enclosing stack.
    #[track_caller]
    pub fn define(self, scope: Scope<'_>, id: &str) -> Value<T> {
        let node = scope.add_to_stack(id, NodeKind::Parameter(Box::new(self.data))).node;
        ResourceId(node).reference()
    }
}
